-- What a program can ask of a machine, and do to it.

local machines = require "mde.machine"
local rehearsal = require "tests.spec.support.rehearsal"

local ID = ("a"):rep(40)

describe("a machine", function()
  local calls

  -- A machine of a client that only notes what it is called with.
  local function of_client(fields)
    calls = {}
    local client = setmetatable({}, { __index = function(_, name)
      return function(...)
        calls[#calls + 1] = { name, select(2, ...) }
        return "first", "second"
      end
    end })
    return setmetatable(fields or { id = ID, machineTags = { "Tier0" } }, machines.metatable(client))
  end

  for _, name in ipairs { "restrict", "release" } do
    it("is given to its client with all that it is called with: " .. name, function()
      local machine, options = of_client(), { incident = "INC-1" }
      assert.same({ "first", "second" }, { machine[name](machine, "why", options) })
      assert.same({ { name, machine, "why", options } }, calls)
      assert.equal(machine, calls[1][2])
    end)
  end

  it("is given to its client when it is asked for its state", function()
    local machine, options = of_client(), { timeout = 5 }
    assert.same({ "first", "second" }, { machine:state(options) })
    assert.same({ { "state", machine, options } }, calls)
  end)

  it("has its tags whatever their case", function()
    assert.is_true(of_client():has_tag "tier0")
    assert.is_false(of_client():has_tag "tier1")
    assert.same({}, calls)
  end)

  it("is shown by its name, or else its id, on one line", function()
    assert.equal("desk", tostring(of_client { id = ID, computerDnsName = "desk" }))
    assert.equal(ID, tostring(of_client { id = ID }))
    assert.equal("a machine", tostring(of_client {}))
    assert.is_true(rehearsal.is_one_line(tostring(of_client { computerDnsName = "\27[2J\ndesk" })))
    assert.is_true(rehearsal.is_one_line(tostring(of_client { computerDnsName = 17 })))
  end)

  it("has no method as a field of its own, so that a copy of its fields is what the service said", function()
    local names = {}
    for name in pairs(of_client()) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "id", "machineTags" }, names)
  end)

  it("belongs to the client that read it", function()
    local r, other = rehearsal.new { unguarded = true }, rehearsal.new { unguarded = true }
    local machine = assert(r.client:machine "laptop-17")
    assert(machine:restrict "why")
    assert.equal("restricting", (machine:state()))
    assert.equal(1, r:count "action_created")
    assert.same({}, other.tenant.history)
  end)
end)
