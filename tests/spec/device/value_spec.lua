-- What a machine is worth.
-- Labels: not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"

local ID = "1f00000000000000000000000000000000000017"

describe("a device value", function()
  local r

  before_each(function()
    r = rehearsal.new { roles = { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution" } }
  end)

  it("is set, and the guard knows it at once", function()
    local machine = assert(r.client:set_device_value("laptop-17", "High"))
    assert.equal("High", machine.deviceValue)
    assert.equal("High", r.tenant:find_machine(ID).deviceValue)
    local action, err = r.client:restrict("laptop-17", "why")
    assert.is_nil(action)
    assert.equal("device_values", err.rule)
  end)

  it("is one of three", function()
    for _, value in ipairs { "high", "", "Highest", 1 } do
      assert.matches("Low, Normal, High", rehearsal.refused(r.client.set_device_value, r.client, ID, value).message)
    end
    assert.equal(0, #r:requests())
  end)

  it("is sent once more where the answer was lost and the record does not show it", function()
    r:fault { match = { path = "setDeviceValue" }, fault = "gone" }
    assert.equal("Low", assert(r.client:set_device_value(ID, "Low")).deviceValue)
  end)

  it("is not believed where the answer shows the contrary", function()
    r:answer({ path = "setDeviceValue" }, 200, { id = ID, deviceValue = "Normal" })
    local machine, err = r.client:set_device_value(ID, "Low")
    assert.is_nil(machine)
    assert.equal("value_unchanged", err.code)
  end)
end)
