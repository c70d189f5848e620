-- The record of one machine: what is refused, what is filled in, whom it can be reached by.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
local machine_record = require "mde.sim.model.machine_record"

local ID = ("a"):rep(40)
local DAY = 86400

describe("the record of a machine", function()
  it("is that of an ordinary laptop", function()
    local machine = machine_record.new(ID, 1000 * DAY)
    assert.same({ ID, "Windows11", "Active", {} }, { machine.id, machine.osPlatform, machine.healthStatus,
      machine.machineTags })
    assert.equal("1972-09-26T23:00:00Z", machine.lastSeen)
    assert.is_true(machine_record.is_reachable(machine))
  end)

  it("has a sensor of its platform's numbering", function()
    for platform, version in pairs { macOS = "101.24082.4", Linux = "101.24082.4", Windows10 = "10.8750.26100.1" } do
      assert.equal(version, machine_record.new(ID, 0, platform).agentVersion)
    end
    assert.equal("10.8750.26100.1", machine_record.new(ID, 0, json.null).agentVersion)
  end)

  it("takes fields over, and shares no table with them", function()
    local machine, tags = machine_record.new(ID, 0), { "x" }
    machine_record.change(machine, { machineTags = tags, osPlatform = json.null, id = "other" }, 0)
    tags[1] = "y"
    assert.same({ "x" }, machine.machineTags)
    assert.is_nil(machine.osPlatform)
    assert.equal(ID, machine.id)
    assert.equal("192.0.2.10", machine.ipAddresses[1].ipAddress)
  end)

  it("notes since when it can be reached again", function()
    local machine = machine_record.new(ID, 0)
    machine_record.change(machine, { offline = true }, 5)
    assert.is_false(machine_record.is_reachable(machine))
    machine_record.change(machine, { offline = false }, 9)
    assert.equal(9, machine.reachable_since)
  end)

  for name, fields in pairs { ["a machine without a sensor"] = { healthStatus = "Inactive" },
    ["one that is not onboarded"] = { onboardingStatus = "Unsupported" },
    ["one that was merged into another"] = { mergedIntoMachineId = ID } } do
    it("says that it cannot be reached: " .. name, function()
      local machine = machine_record.new(ID, 0)
      machine_record.change(machine, fields, 0)
      assert.is_false(machine_record.is_reachable(machine))
    end)
  end

  it("has had its address from its first day to its last report, or until now", function()
    local machine, now = machine_record.new(ID, 1000 * DAY), 1000 * DAY
    assert.is_true(machine_record.had_address(machine, "192.0.2.10", now - 60, now, now))
    assert.is_false(machine_record.had_address(machine, "192.0.2.11", now - 60, now, now))
    assert.is_false(machine_record.had_address(machine, "192.0.2.10", 0, DAY, now))
    machine_record.change(machine, { healthStatus = "Inactive" }, now)
    assert.is_false(machine_record.had_address(machine, "192.0.2.10", now - 60, now, now))
  end)

  it("has had the addresses that it is told to have had", function()
    local now = 1000 * DAY
    local fields = machine_record.read({ addresses = { { ipAddress = "192.0.2.7", from = "9d ago", to = "2d ago" } } },
      now)
    local machine = machine_record.new(ID, now)
    machine_record.change(machine, fields, now)
    assert.is_true(machine_record.had_address(machine, "192.0.2.7", now - 3 * DAY, now, now))
    assert.is_false(machine_record.had_address(machine, "192.0.2.7", now - DAY, now, now))
    assert.is_false(machine_record.had_address(machine, "192.0.2.10", 0, now, now))
  end)

  for _, fields in ipairs { { nickname = "x" }, { riskScore = 5 }, { id = "5" }, { offline = "yes" },
    { lastSeen = "soon" }, { addresses = { { from = "9d ago" } } },
    { addresses = { { ipAddress = "x", from = "1d ago", to = "2d ago" } } }, { addresses = { { ip = "x" } } } } do
    it("refuses " .. json.encode(fields), function()
      assert.has_error(function() machine_record.read(fields, 1000 * DAY) end)
    end)
  end
end)
