-- listing: what a query finds is written as it is found.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local listing = require "mde.cli.ui.listing"

describe("a listing", function()
  local command = listing.subcommand("machines", "machine", {
    { name = "id", title = "ID", value = function(record) return record.id end } }, { summary = "x" })

  -- Runs it with a client whose query finds so many, and then raises if there is something to raise.
  local function run(count, problem, options)
    local asked
    local client = {
      machines = function(_, query)
        asked = query
        local i = 0
        return function()
          i = i + 1
          if i <= count then return { id = i } end
          if problem then error(problem, 0) end
        end
      end,
      interruptible = function(_, fn) return true, fn() end,
    }
    local told = console.capture(function()
      return pcall(command.run, { format = "text", client = client, request = "the query" })
    end, options)
    return told, asked
  end

  it("is asked by its conditions", function()
    assert.equal("machines", command.name)
    assert.equal("all", command.request { conditions = {}, all = true })
    assert.is_false((pcall(command.request, { conditions = {} })))
  end)

  it("has a line for each that is found", function()
    local told, asked = run(3)
    assert.equal("the query", asked)
    assert.equal("1\n2\n3\n", told.out)
    assert.same({ true, 0 }, { told.value, told.more })
  end)

  it("has those alone that a sieve lets through, and asks for all where nothing else is asked", function()
    local read = function(arguments)
      return arguments.even and function(record) return record.id % 2 == 0 end or nil
    end
    local configured
    local sieve = { read = read, configure = function(argparse) configured = argparse end }
    local own = listing.subcommand("actions", "action", {
      { name = "id", title = "ID", value = function(record) return record.id end } }, { summary = "x" }, sieve)
    local parser = require("argparse")()
    own.configure(parser)
    assert.equal(parser, configured)
    assert.equal("all", own.request { conditions = {}, even = true })
    assert.is_false((pcall(own.request, { conditions = {} })))
    local i = 0
    local client = { actions = function()
      return function()
        i = i + 1
        return i <= 5 and { id = i } or nil
      end
    end, interruptible = function(_, fn) return true, fn() end }
    local told = console.capture(function()
      return own.run { format = "text", client = client, arguments = { even = true } }
    end)
    assert.equal("2\n4\n", told.out)
    assert.equal("", told.err)
  end)

  it("says that nothing was found", function()
    local told = run(0)
    assert.equal("Nothing was found.\n", told.err)
    assert.equal(0, told.more)
  end)

  it("has what was found before it went wrong", function()
    local problem = errors.new { kind = "unavailable", code = "closed", message = "gone" }
    local told = run(2, problem)
    assert.equal("1\n2\n", told.out)
    assert.same({ false, problem }, { told.value, told.more })
  end)

  it("says that it was interrupted", function()
    local told = run(2, nil, { interruptions = function() return 1 end })
    assert.equal("1\n", told.out)
    assert.matches("not complete", told.err)
    assert.equal(130, told.more)
  end)
end)
