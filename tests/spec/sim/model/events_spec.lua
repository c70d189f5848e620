-- Whether a device has reported an event.
-- Labels: not-lua5.3
local events = require "mde.sim.model.events"
local sim = require "mde.sim"
local telemetry = require "mde.sim.model.telemetry"
local values = require "mde.sim.kql.value"

local laptop = "1f00000000000000000000000000000000000017"

describe("an event", function()
  local tenant, machine

  before_each(function()
    tenant = sim.new { start = 1770113472.3456789, fleet = { count = 20 }, hunting = { rows = {
      DeviceLogonEvents = {
        { DeviceId = laptop, ReportId = 20776, Timestamp = "2026-02-03T10:00:00.5000000Z" },
        { DeviceId = laptop, ReportId = 1, Timestamp = "2025-12-03T10:00:00Z" },
      },
      AlertInfo = { { AlertId = "x", Timestamp = "2026-02-03T10:00:00.5Z" } },
    } } }
    machine = tenant:find_machine(laptop)
  end)

  it("is one that hunting finds, by its report and its time", function()
    local function has(report, at, of) return events.is_reported(tenant, of or machine, report, at) end
    assert.is_true(has("20776", "2026-02-03T10:00:00.5Z"))
    assert.is_true(has("20776", "2026-02-03T10:00:00.5000000Z"))
    assert.is_false(has("20776", "2026-02-03T10:00:00.5000010Z"))
    assert.is_false(has("20776", "2026-02-03T10:00:01Z"))
    assert.is_false(has("20777", "2026-02-03T10:00:00.5Z"))
    assert.is_false(has("20776", "2026-02-03T10:00:00.5Z", tenant.machines[2]))
    assert.is_false(has("20776", "noon"))
    assert.is_false(has("1", "2025-12-03T10:00:00Z"))
  end)

  it("is found with the time that a reply of hunting has", function()
    local count = 0
    local now = tenant.clock.now()
    for _, row in ipairs(telemetry.tables(tenant, now - 86400, now).DeviceProcessEvents.rows()) do
      count = count + 1
      assert.is_true(events.is_reported(tenant, tenant:find_machine(row.DeviceId), ("%d"):format(row.ReportId),
        values.wire("datetime", row.Timestamp)))
    end
    assert.is_true(count > 5)
  end)
end)
