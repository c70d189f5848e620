-- listing: what a query finds is written as it is found.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local listing = require "mde.cli.listing.listing"

describe("a listing", function()
  local command = listing.subcommand("machines", "machine", {
    { name = "id", title = "ID", value = function(record) return record.id end } }, { summary = "x" })

  local read

  -- Runs it with a client whose query finds so many, and then raises if there is something to raise.
  local function run(count, problem, options)
    options = options or {}
    local asked
    local client = {
      machines = function(_, query)
        asked = query
        local i = 0
        return function()
          i = i + 1
          read = i
          if i <= count then return { id = i, riskScore = i % 2 == 0 and "High" or nil } end
          if problem then error(problem, 0) end
        end
      end,
      interruptible = function(_, fn) return true, fn() end,
    }
    local told = console.capture(function()
      return pcall(command.run, { format = options.format or "text", client = client,
        request = options.request or { query = "the query" } })
    end, options)
    return told, asked
  end

  it("is asked by its conditions", function()
    assert.equal("machines", command.name)
    assert.same({ query = "all" }, command.request { conditions = {}, all = true })
    assert.is_false((pcall(command.request, { conditions = {} })))
  end)

  it("has those alone that a sieve lets through, and asks for all where nothing else is asked", function()
    local configured
    local sieve = {
      configure = function(argparse) configured = argparse end,
      read = function(arguments)
        return arguments.even and function(record) return record.id % 2 == 0 end or nil
      end,
    }
    local own = listing.subcommand("actions", "action", {}, { summary = "x" }, sieve)
    local parser = require("argparse")()
    own.configure(parser)
    assert.equal(parser, configured)
    assert.is_false((pcall(own.request, { conditions = {} })))
    local request = own.request { conditions = {}, even = true, limit = 2 }
    assert.equal("all", request.query)
    assert.equal("id\n2\n4\n", run(9, nil, { request = request }).out)
    assert.equal(4, read)
  end)

  it("has a line for each that is found", function()
    local told, asked = run(3)
    assert.equal("the query", asked)
    assert.equal("id\n1\n2\n3\n", told.out)
    assert.same({ true, 0 }, { told.value, told.more })
  end)

  it("says that nothing was found", function()
    local told = run(0)
    assert.equal("Nothing was found.\n", told.err)
    assert.equal(0, told.more)
  end)

  it("has what was found before it went wrong", function()
    local problem = errors.new { kind = "unavailable", code = "closed", message = "gone" }
    local told = run(2, problem)
    assert.equal("id\n1\n2\n", told.out)
    assert.same({ false, problem }, { told.value, told.more })
  end)

  it("says that it was interrupted", function()
    local told = run(2, nil, { interruptions = function() return 1 end })
    assert.equal("id\n1\n", told.out)
    assert.matches("not complete", told.err)
    assert.equal(130, told.more)
  end)

  it("is asked which fields it has, in which order, and how many", function()
    local request = command.request { conditions = {}, all = true, columns = "id,lastSeen", sort = "lastSeen:desc",
      limit = 3 }
    assert.same({ "id", "lastSeen" }, request.names)
    assert.same({ "lastSeen", true, 3 }, { request.order.name, request.order.descending, request.limit })
    for option, value in pairs { columns = "idd", sort = "idd" } do
      assert.is_false((pcall(command.request, { conditions = {}, all = true, [option] = value })))
    end
  end)

  it("has the fields that are chosen", function()
    local names = { "riskScore", "id" }
    assert.equal("riskScore\tid\n\t1\nHigh\t2\n", run(2, nil, { request = { query = "q", names = names } }).out)
    assert.equal('{"id":1,"riskScore":null}\n{"id":2,"riskScore":"High"}\n',
      run(2, nil, { format = "json", request = { query = "q", names = names } }).out)
    assert.equal("riskScore,id\r\n,1\r\nHigh,2\r\n",
      run(2, nil, { format = "csv", request = { query = "q", names = names } }).out)
  end)

  it("reads no more than it may write", function()
    local told = run(9, nil, { request = { query = "q", limit = 3 } })
    assert.equal("id\n1\n2\n3\n", told.out)
    assert.equal(3, read)
    assert.same({ true, 0 }, { told.value, told.more })
  end)

  it("reads everything before it writes in an order, also of a part", function()
    local sorted = { name = "riskScore", descending = true, of = require("mde.cli.listing.fields").machines }
    assert.equal("id\n2\n4\n1\n3\n5\n", run(5, nil, { request = { query = "q", order = sorted } }).out)
    assert.equal("id\n2\n4\n1\n", run(5, nil, { request = { query = "q", order = sorted, limit = 3 } }).out)
    assert.equal(6, read)
    local problem = errors.new { kind = "unavailable", code = "closed", message = "gone" }
    local told = run(3, problem, { request = { query = "q", order = sorted } })
    assert.equal("id\n2\n1\n3\n", told.out)
    assert.same({ false, problem }, { told.value, told.more })
  end)
end)
