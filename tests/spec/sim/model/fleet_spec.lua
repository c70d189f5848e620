-- The machines that a tenant has: those that ship with it, and the many that are generated.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local filter = require "mde.sim.odata.filter"
local schema = require "mde.sim.odata.schema"
local sim = require "mde.sim"
local time = require "mde.sim.base.time"

local start = 1770113472

local function tally(machines, name)
  local counts = {}
  for _, machine in ipairs(machines) do
    local value = tostring(machine[name])
    counts[value] = (counts[value] or 0) + 1
  end
  return counts
end

local function count(machines, condition)
  local matches, found = assert(filter.parse(condition, schema.machine)), 0
  for _, machine in ipairs(machines) do
    if matches(machine) then found = found + 1 end
  end
  return found
end

describe("the fleet", function()
  local machines = sim.new({ start = start }).machines

  it("is of 200 machines, with ids of their own", function()
    assert.equal(200, #machines)
    local ids = {}
    for _, machine in ipairs(machines) do
      assert.truthy(machine.id:find "^%x+$")
      assert.equal(40, #machine.id)
      assert.is_nil(ids[machine.id])
      ids[machine.id] = true
    end
  end)

  it("has what fits the service's properties alone", function()
    local own = { reachable_since = true, offline = true, failing = true, addresses = true }
    for _, machine in ipairs(machines) do
      for name, value in pairs(machine) do
        assert.is_true(own[name] or schema.fits(schema.machine, name, value), name)
      end
    end
  end)

  it("begins with the machines that tests and rehearsals name", function()
    local names = {}
    for i = 1, 15 do names[i] = machines[i].computerDnsName end
    assert.same({ "laptop-17.corp.example", "laptop-18.corp.example", "laptop-19.corp.example",
      "front-desk.corp.example", "front-desk.corp.example", "front-desk.corp.example", "kiosk.corp.example",
      "kiosk.corp.example", "build-3.corp.example", "design-2.corp.example", "print-1.corp.example",
      "dc-01.corp.example", "o'brien-laptop.corp.example", "x' or healthStatus eq 'Active", "desk-5" }, names)
  end)

  local wanted = {
    healthStatus = { "Active", "Inactive", "ImpairedCommunication", "NoSensorData",
      "NoSensorDataImpairedCommunication", "Unknown" },
    riskScore = { "None", "Informational", "Low", "Medium", "High", "nil" },
    exposureLevel = { "None", "Low", "Medium", "High", "nil" },
    deviceValue = { "Normal", "High", "nil" },
    onboardingStatus = { "Onboarded", "CanBeOnboarded", "InsufficientInfo" },
    osPlatform = { "Windows10", "Windows11", "WindowsServer2019", "WindowsServer2022", "Linux", "macOS" },
  }
  for name, values in pairs(wanted) do
    it("has machines of every " .. name, function()
      local counts = tally(machines, name)
      for _, value in ipairs(values) do assert.is_true((counts[value] or 0) > 0, value) end
    end)
  end

  local kinds = {
    { "domain controllers by tag", "machineTags/any(t: t eq 'tier0')", 2 },
    { "a domain controller that no tag tells of",
      "startswith(computerDnsName,'dc-') and not machineTags/any(t: t eq 'tier0')", 1 },
    { "servers", "startswith(osPlatform,'WindowsServer')", 10 },
    { "names with an apostrophe", "contains(computerDnsName,'''')", 3 },
    { "names with a blank", "contains(computerDnsName,' ')", 3 },
    { "machines without a name", "computerDnsName eq null", 1 },
    { "machines outside of any domain", "not endswith(computerDnsName,'.corp.example')", 5 },
    { "machines not seen for a month", "lastSeen lt 2026-01-04Z", 10 },
  }
  for _, kind in ipairs(kinds) do
    it("has " .. kind[1], function()
      assert.is_true(count(machines, kind[2]) >= kind[3], count(machines, kind[2]))
    end)
  end

  it("has several records of one name, merged and left behind ones among them", function()
    local by_name, merged = {}, 0
    for _, machine in ipairs(machines) do
      local name = machine.computerDnsName or "(none)"
      by_name[name] = (by_name[name] or 0) + 1
      if machine.mergedIntoMachineId then
        merged = merged + 1
        local survivor
        for _, other in ipairs(machines) do
          if other.id == machine.mergedIntoMachineId then survivor = other end
        end
        assert.equal(machine.computerDnsName, survivor.computerDnsName)
        assert.is_nil(survivor.mergedIntoMachineId)
      end
    end
    by_name["(none)"] = nil
    local several = 0
    for _, number in pairs(by_name) do several = several + (number > 1 and 1 or 0) end
    assert.is_true(several >= 4, several)
    assert.is_true(merged >= 2, merged)
  end)

  it("was seen before now, and after it was first seen", function()
    for _, machine in ipairs(machines) do
      if machine.lastSeen then
        assert.is_true(time.parse(machine.lastSeen) <= start)
        assert.is_true(time.parse(machine.firstSeen) <= time.parse(machine.lastSeen))
      end
    end
  end)

  it("is the same each time, and another for another seed", function()
    local function bodies(options)
      options.start = start
      local client = caller.new(sim.new(options))
      return client:get("machines").body
    end
    assert.equal(bodies {}, bodies { fleet = { count = 200, seed = 1 } })
    assert.are_not.equal(bodies {}, bodies { fleet = { seed = 2 } })
    local tenant = sim.new { start = start }
    tenant:put_machine { id = machines[30].id, riskScore = "High", lastSeen = "1s ago" }
    tenant:reset()
    assert.equal(bodies {}, caller.new(tenant):get("machines").body)
  end)

  it("can be of any size", function()
    assert.equal(0, #sim.new({ fleet = { count = 0 } }).machines)
    assert.equal(3, #sim.new({ fleet = { count = 3 } }).machines)
    local large, ids, addresses = sim.new({ fleet = { count = 25000, seed = 7 } }).machines, {}, {}
    assert.equal(25000, #large)
    for i, machine in ipairs(large) do
      assert.is_nil(ids[machine.id])
      ids[machine.id] = true
      if i > 100 then
        assert.is_nil(addresses[machine.lastIpAddress])
        addresses[machine.lastIpAddress] = true
      end
    end
  end)

  it("is refused if it makes no sense", function()
    for _, wrong in ipairs { { count = -1 }, { count = 1.5 }, { count = 2e6 }, { seed = 0 }, { size = 5 }, 5 } do
      assert.has_error(function() sim.new { fleet = wrong } end)
    end
    assert.has_error(function() sim.new { fleet = {}, machines = {} } end)
  end)
end)
