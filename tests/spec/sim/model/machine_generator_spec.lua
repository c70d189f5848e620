-- Machines made up from a seed: the same ones for the same seed, and what a company has of each kind.
-- Labels: not-lua5.3
local machine_generator = require "mde.sim.model.machine_generator"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

local NOW = 1770113472

local function some(seed, count, now)
  local next_machine, machines = machine_generator.new(seed, now or NOW), {}
  for i = 1, count do machines[i] = next_machine() end
  return machines
end

local function each_differs(machines, name)
  local seen = {}
  for i, machine in ipairs(machines) do
    local value = machine[name]
    if seen[value] then error(("%s of %d and %d: %s"):format(name, seen[value], i, value)) end
    seen[value] = i
  end
end

local function percentage(machines, is_wanted)
  local count = 0
  for _, machine in ipairs(machines) do
    if is_wanted(machine) then count = count + 1 end
  end
  return 100 * count / #machines
end

describe("the generator of machines", function()
  it("makes the same for the same seed, and others for another", function()
    assert.same(some(7, 200), some(7, 200))
    assert.are_not.same(some(7, 200), some(8, 200))
  end)

  it("makes the same however many are wanted, by an own source", function()
    local one, other = machine_generator.new(7, NOW), machine_generator.new(7, NOW)
    local first = one()
    one()
    assert.same(first, other())
  end)

  it("lets the time change nothing but times", function()
    local earlier, later = some(7, 200), some(7, 200, NOW + 5000)
    for i, machine in ipairs(earlier) do
      if machine.lastSeen then
        local moved = time.parse(later[i].lastSeen) - time.parse(machine.lastSeen)
        assert.is_true(math.abs(moved - 5000) < 1e-3, moved)
      end
      for _, one in ipairs { machine, later[i] } do one.firstSeen, one.lastSeen = nil, nil end
    end
    assert.same(earlier, later)
  end)

  describe("makes", function()
    local machines = some(1, 5000)
    -- Another record of a machine has its name and its Entra device id.
    local firsts, by_name = {}, {}
    for _, machine in ipairs(machines) do
      local name = machine.computerDnsName
      if not name or not by_name[name] then firsts[#firsts + 1] = machine end
      if name then by_name[name] = by_name[name] or machine end
    end

    it("ids and addresses that are valid, and of one machine each", function()
      for _, machine in ipairs(machines) do
        assert.truthy(machine.id:find("^" .. ("[%da-f]"):rep(40) .. "$"), machine.id)
        local a, b, c = machine.lastIpAddress:match "^10%.(%d+)%.(%d+)%.(%d+)$"
        assert.is_true(math.max(tonumber(a), tonumber(b), tonumber(c)) <= 254, machine.lastIpAddress)
        assert.equal(machine.lastIpAddress, machine.ipAddresses[1].ipAddress)
      end
      each_differs(machines, "id")
      each_differs(machines, "lastIpAddress")
    end)

    it("what the service's properties can hold", function()
      for _, machine in ipairs(machines) do
        for name, value in pairs(machine) do
          if not schema.fits(schema.machine, name, value) then error(("%s: %s"):format(name, tostring(value))) end
        end
      end
    end)

    it("names that are valid in DNS where they are in the domain, but for an apostrophe", function()
      local in_domain = 0
      for _, machine in ipairs(firsts) do
        local host = (machine.computerDnsName or ""):match "^(.*)%.corp%.example$"
        if host then
          in_domain = in_domain + 1
          assert.truthy(host:find "^[a-z][a-z0-9-]*[0-9]$", host)
        end
      end
      assert.is_true(in_domain > 0.9 * #firsts, in_domain)
    end)

    it("Entra device ids that are valid, and of one machine each", function()
      local seen = {}
      for _, machine in ipairs(firsts) do
        local id = machine.aadDeviceId
        if id then
          assert.equal(36, #id)
          assert.truthy(id:find "^%x+%-%x%x%x%x%-4%x%x%x%-8%x%x%x%-%x+$", id)
          assert.is_nil(seen[id])
          seen[id] = true
        end
      end
    end)

    it("another record of some laptops, which belongs to it", function()
      local older, merged = 0, 0
      local by_id = {}
      for _, machine in ipairs(machines) do
        by_id[machine.id] = machine
        local first = by_name[machine.computerDnsName]
        if first and first ~= machine then
          older = older + 1
          assert.truthy(machine.computerDnsName:find "^laptop%-")
          assert.equal(first.osPlatform, machine.osPlatform)
        end
        if machine.mergedIntoMachineId then
          merged = merged + 1
          assert.equal(machine.computerDnsName, by_id[machine.mergedIntoMachineId].computerDnsName)
          assert.equal("Inactive", machine.healthStatus)
          assert.is_true(machine.isPotentialDuplication)
        end
      end
      assert.is_true(older > 0.015 * #machines and older < 0.035 * #machines, older)
      assert.is_true(merged > 0.3 * older and merged < 0.5 * older, merged)
    end)

    local function is_named(pattern)
      return function(machine) return (machine.computerDnsName or ""):find(pattern) ~= nil end
    end
    local function is_outside(machine)
      return machine.onboardingStatus == "Onboarded" and not is_named "%.corp%.example$"(machine)
        and machine.osPlatform:find "^Windows"
    end
    -- What there is in a hundred, and how far it may be off.
    for what, share in pairs {
      laptops = { 55, 2, is_named "^laptop%-" },
      desktops = { 15, 1.5, is_named "^desk%-" },
      servers = { 13, 1.5, function(machine)
        return machine.rbacGroupName == "Servers" and machine.osPlatform ~= "Linux"
      end },
      ["domain controllers"] = { 1, 0.5, function(machine) return machine.rbacGroupName == "Tier 0" end },
      ["Linux machines"] = { 5, 1, is_named "^build%-" },
      Macs = { 4, 1, function(machine) return machine.osPlatform == "macOS" end },
      phones = { 1, 0.5, is_named "^phone%-" },
      ["machines of a person's own"] = { 3, 0.8, is_outside },
      ["machines that were only seen in the network"] =
        { 3, 0.8, function(machine) return machine.onboardingStatus ~= "Onboarded" end },
    } do
      it("as many " .. what .. " as a company has", function()
        local found = percentage(firsts, share[3])
        assert.is_true(math.abs(found - share[1]) <= share[2], found)
      end)
    end

    it("servers with a server's system, and domain controllers that are told by tag and value", function()
      for _, machine in ipairs(firsts) do
        if machine.rbacGroupName == "Tier 0" then
          assert.same({ "High", { "tier0", "domain controller" } }, { machine.deviceValue, machine.machineTags })
        end
        if machine.rbacGroupName == "Tier 0" or is_named "^sql%-"(machine) or is_named "^web%-"(machine) then
          assert.truthy(machine.osPlatform:find "^WindowsServer20%d%d$")
        end
      end
    end)

    it("most of them healthy and without risk, and some of each kind of trouble", function()
      local function having(name, value)
        return percentage(firsts, function(machine) return machine[name] == value end)
      end
      assert.is_true(having("healthStatus", "Active") > 75 and having("healthStatus", "Active") < 95)
      assert.is_true(having("riskScore", "None") > 75 and having("riskScore", "None") < 90)
      for _, value in ipairs { "Inactive", "ImpairedCommunication", "NoSensorData",
        "NoSensorDataImpairedCommunication" } do assert.is_true(having("healthStatus", value) > 0.5, value) end
      for _, value in ipairs { "High", "Medium", "Low", "Informational" } do
        assert.is_true(having("riskScore", value) > 0.5, value)
      end
    end)

    it("times that have been, the first before the last", function()
      for _, machine in ipairs(machines) do
        if machine.lastSeen then
          local first, last = time.parse(machine.firstSeen), time.parse(machine.lastSeen)
          assert.is_true(first <= last and last <= NOW, machine.id)
          if machine.healthStatus == "Active" then assert.is_true(NOW - last < 2 * 86400, machine.id) end
        end
      end
    end)
  end)
end)
