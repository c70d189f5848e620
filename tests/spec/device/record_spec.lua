-- What the service said of a machine, apart from the tables that programs have.

local records = require "mde.device.record"

local ID = ("A"):rep(40)
local OTHER = ("b"):rep(40)

describe("the record of a machine", function()
  local kept

  before_each(function() kept = records.new() end)

  local function machine(fields)
    local one = { id = ID, osPlatform = "Windows11", machineTags = { "x" }, computerDnsName = "desk" }
    for name, value in pairs(fields or {}) do one[name] = value end
    return one
  end

  it("is what was read, whatever becomes of the table", function()
    local one = machine()
    kept:keep(one, 100)
    one.osPlatform, one.computerDnsName = "other", nil
    one.machineTags[1] = "other"
    assert.same({ id = ID:lower(), osPlatform = "Windows11", machineTags = { "x" }, computerDnsName = "desk",
      read_at = 100 }, kept:of(one))
  end)

  it("is none of a table that was not read, or that has another id now", function()
    assert.is_nil(kept:of(machine()))
    assert.is_false(kept:has_other(machine()))
    local one = machine()
    kept:keep(one, 100)
    assert.is_false(kept:has_other(one))
    for _, id in ipairs { OTHER, 17, false } do
      one.id = id or nil
      assert.is_nil(kept:of(one))
      assert.is_true(kept:has_other(one))
    end
    one.id = ID:lower()
    assert.equal("desk", kept:of(one).computerDnsName)
    assert.is_false(kept:has_other(one))
  end)

  it("is renewed where the machine is known, and only there", function()
    local one = machine()
    kept:keep(one, 100)
    kept:renew(machine { machineTags = { "vip" } }, 200)
    assert.same({ { "vip" }, 200 }, { kept:of(one).machineTags, kept:of(one).read_at })
    local other = machine { id = OTHER }
    kept:renew(other, 200)
    assert.is_nil(kept:of(other))
  end)

  it("is the newest of all that were read of the machine", function()
    local old, new, late = machine(), machine { id = ID:lower(), osPlatform = "Windows10", deviceValue = "High" },
      machine { osPlatform = "Linux" }
    kept:keep(old, 100)
    kept:keep(new, 200)
    kept:keep(late, 150)
    for _, one in ipairs { old, new, late } do
      local record = kept:of(one)
      assert.same({ "Windows10", "High", 200 }, { record.osPlatform, record.deviceValue, record.read_at })
    end
    kept:keep(machine { deviceValue = nil }, 200)
    assert.is_nil(kept:of(new).deviceValue)
  end)

  it("is that of the machine that a table was read as last", function()
    local one = machine()
    kept:keep(one, 100)
    one.id, one.osPlatform = OTHER, "Linux"
    kept:keep(one, 200)
    assert.equal("Linux", kept:of(one).osPlatform)
    one.id = ID
    assert.is_nil(kept:of(one))
  end)

  it("is gone with the last of its tables", function()
    local one = machine()
    kept:keep(one, 100)
    local watched = setmetatable({ kept:of(one) }, { __mode = "v" })
    collectgarbage()
    assert.truthy(watched[1])
    one = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(watched[1])
  end)
end)
