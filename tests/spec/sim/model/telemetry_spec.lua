-- What devices have reported, as hunting sees it.
-- Labels: only-lua5.4
local schema = require "mde.sim.model.hunting_schema"
local sim = require "mde.sim"
local telemetry = require "mde.sim.model.telemetry"
local values = require "mde.sim.kql.value"

local NOW = 1770113472

local lua_types = { string = "string", long = "number", int = "number", real = "number", bool = "boolean",
  datetime = "number", dynamic = "table" }

local function rows_of(tenant, name, from)
  return telemetry.tables(tenant, from or NOW - 30 * 86400, tenant.clock.now())[name].rows()
end

describe("sim.model.telemetry", function()
  local tenant

  before_each(function() tenant = sim.new { start = NOW, fleet = { count = 30 }, story = true } end)

  it("has nothing but the columns, of their types", function()
    for name, columns in pairs(schema.with_uncertain) do
      local types = {}
      for _, column in ipairs(columns) do types[column.name] = column.type end
      local rows = rows_of(tenant, name)
      assert.is_true(#rows > 0, name)
      for _, row in ipairs(rows) do
        for column, value in pairs(row) do
          assert.is_string(types[column], name .. " has no column " .. column)
          assert.are.equal(lua_types[types[column]], type(value), name .. "." .. column)
        end
        assert.is_true(row.Timestamp <= NOW)
      end
    end
  end)

  it("is the same each time", function()
    for name in pairs(schema.tables) do
      local other = sim.new { start = NOW, fleet = { count = 30 }, story = true }
      assert.are.same(rows_of(tenant, name), rows_of(other, name))
    end
  end)

  it("tells of a device what it is now, and what it was a day ago", function()
    local machine = tenant:find_machine("laptop-17.corp.example", true)
    tenant:put_machine { id = machine.id, machineTags = { "CASE-4711" }, lastSeen = "1m ago" }
    local found = {}
    for _, row in ipairs(rows_of(tenant, "DeviceInfo")) do
      if row.DeviceId == machine.id then found[#found + 1] = row end
    end
    assert.are.equal(2, #found)
    assert.are.equal('["CASE-4711"]', found[2].DeviceManualTags)
    assert.are.equal("", found[1].DeviceManualTags)
    assert.are.equal(86400, found[2].Timestamp - found[1].Timestamp)
  end)

  it("tells the isolation if the tenant has that column", function()
    tenant:set { hunting = { mitigation_status = true } }
    local machine = tenant:find_machine("laptop-17.corp.example", true)
    tenant:insert_action { type = "Isolate", machineId = machine.id, status = "Succeeded" }
    local status = {}
    for _, row in ipairs(rows_of(tenant, "DeviceInfo")) do status[row.DeviceId] = row.MitigationStatus end
    assert.are.equal("Isolated", status[machine.id])
    assert.are.equal("", status[tenant.story.devices.second.id])
  end)

  it("has what the alerts rest on", function()
    local implants, device = 0, tenant.story.devices.second.id
    for _, row in ipairs(rows_of(tenant, "DeviceFileEvents")) do
      if row.FileName == "sync.dll" and row.DeviceId == device then implants = implants + 1 end
    end
    assert.are.equal(1, implants)
    local beacons = {}
    for _, row in ipairs(rows_of(tenant, "DeviceNetworkEvents")) do
      if row.RemoteIP:find "^203%.0%.113%." then beacons[#beacons + 1] = row.DeviceId end
    end
    assert.are.same({ tenant.story.devices.first.id, tenant.story.devices.server.id }, beacons)
    assert.are.equal(#tenant.alerts, #rows_of(tenant, "AlertInfo"))
  end)

  it("leaves out what is older, and adds the setting's rows", function()
    assert.are.equal(0, #rows_of(tenant, "DeviceInfo", NOW))
    tenant:set { hunting = { rows = { DeviceFileEvents = { { Timestamp = "1m ago", SHA1 = ("a"):rep(40),
      DeviceName = "laptop-17.corp.example" } } } } }
    local rows = rows_of(tenant, "DeviceFileEvents", NOW - 60)
    assert.are.same({ { Timestamp = NOW - 60, SHA1 = ("a"):rep(40), DeviceName = "laptop-17.corp.example",
      DeviceId = tenant:find_machine("laptop-17.corp.example", true).id } }, rows)
    assert.are.equal("2026-02-03T10:10:12Z", values.text("datetime", rows[1].Timestamp))
  end)

  it("knows who is logged on", function()
    local machine = tenant.machines[1]
    assert.are.same(telemetry.user_of(machine), telemetry.user_of(machine))
  end)
end)
