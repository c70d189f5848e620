-- lookup: the machines of a list, before anything is done to them.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local lookup = require "mde.cli.batch.lookup"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("the devices of a list", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 40 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines }
  end)

  local function find(devices)
    local entries = {}
    for i, device in ipairs(devices) do entries[i] = type(device) == "table" and device or { device = device } end
    local told = console.capture(function() return lookup.run({ client = r.client }, entries) end)
    return told.value, entries
  end

  it("are found together", function()
    local names = {}
    for i = 1, 40 do names[i] = ("desk-%d"):format(i) end
    local complete, entries = find(names)
    assert.is_true(complete)
    for i = 1, 40 do
      assert.equal(id(i), entries[i].machine.id)
      assert.is_true(entries[i].done)
      assert.is_nil(entries[i].err)
    end
    assert.equal(1, #r:requests())
  end)

  it("have an error each, if they are not found", function()
    local _, entries = find { "desk-1", "nowhere", "192.0.2.1" }
    assert.equal(id(1), entries[1].machine.id)
    assert.same({ "not_found", "invalid" }, { entries[2].err.kind, entries[3].err.kind })
    assert.is_nil(entries[2].machine)
  end)

  it("are meant by their ids, even if no record can be read", function()
    r:answer({ path = "/machines" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local _, entries = find { id(1), { device = "desk-2", machine = { id = id(2) } }, "desk-3" }
    assert.equal(id(1), entries[1].machine.id)
    assert.equal(id(2), entries[2].machine.id)
    assert.equal("permission", entries[3].err.kind)
  end)

  it("may be one", function()
    local complete, entries = find { "desk-7" }
    assert.is_true(complete)
    assert.equal(id(7), entries[1].machine.id)
  end)
end)
