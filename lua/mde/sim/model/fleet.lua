-- The machines that a new tenant has: first some of which each is there for a reason, then generated ones. All names,
-- addresses and ids are invented.
local machine_generator = require "mde.sim.model.machine_generator"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"

local M = {}

local null = json.null
local hour, day = 3600, 86400

-- `seen` is how many seconds ago; everything else is a property of the record or a switch of the simulator.
local machines = {
  -- An ordinary laptop.
  { id = "1f00000000000000000000000000000000000017", computerDnsName = "laptop-17.corp.example", seen = 2 * hour,
    aadDeviceId = "17171717-0000-4000-8000-000000000017", riskScore = "High", rbacGroupId = 140,
    rbacGroupName = "Laptops" },
  -- One that is in a drawer: reported not long ago, takes no action up.
  { id = "1f00000000000000000000000000000000000018", computerDnsName = "laptop-18.corp.example", seen = 9 * hour,
    aadDeviceId = "17171717-0000-4000-8000-000000000018", offline = true },
  -- One on which every action fails.
  { id = "1f00000000000000000000000000000000000019", computerDnsName = "laptop-19.corp.example", seen = hour,
    aadDeviceId = "17171717-0000-4000-8000-000000000019", riskScore = "Medium", failing = true },
  -- One name, three records: alive, merged into the living one, and left behind by a reinstallation.
  { id = "2f00000000000000000000000000000000000001", computerDnsName = "front-desk.corp.example", seen = hour,
    aadDeviceId = "20202020-0000-4000-8000-000000000001", osPlatform = "Windows10", version = "22H2", osBuild = 19045 },
  { id = "2f00000000000000000000000000000000000002", computerDnsName = "front-desk.corp.example", seen = 40 * day,
    aadDeviceId = "20202020-0000-4000-8000-000000000001", osPlatform = "Windows10", version = "22H2", osBuild = 19045,
    healthStatus = "Inactive", mergedIntoMachineId = "2f00000000000000000000000000000000000001",
    isPotentialDuplication = true },
  { id = "2f00000000000000000000000000000000000003", computerDnsName = "front-desk.corp.example", seen = 95 * day,
    osPlatform = "Windows10", version = "21H2", osBuild = 19044, healthStatus = "Inactive" },
  -- One name, two living machines.
  { id = "3f00000000000000000000000000000000000001", computerDnsName = "kiosk.corp.example", seen = 3 * hour,
    aadDeviceId = "30303030-0000-4000-8000-000000000001", lastIpAddress = "192.0.2.31" },
  { id = "3f00000000000000000000000000000000000002", computerDnsName = "kiosk.corp.example", seen = 4 * hour,
    aadDeviceId = "30303030-0000-4000-8000-000000000002", lastIpAddress = "192.0.2.32" },
  -- Platforms that cannot be restricted.
  { id = "4f00000000000000000000000000000000000001", computerDnsName = "build-3.corp.example", seen = hour,
    osPlatform = "Linux", version = null, osBuild = null, managedBy = "Unknown", isAadJoined = false,
    machineTags = { "build" } },
  { id = "4f00000000000000000000000000000000000002", computerDnsName = "design-2.corp.example", seen = 5 * hour,
    osPlatform = "macOS", version = null, osBuild = null },
  { id = "4f00000000000000000000000000000000000003", computerDnsName = "print-1.corp.example", seen = hour,
    osPlatform = "WindowsServer2012R2", version = null, osBuild = 9600, isAadJoined = false },
  -- One that nobody should lock.
  { id = "5f00000000000000000000000000000000000001", computerDnsName = "dc-01.corp.example", seen = hour,
    osPlatform = "WindowsServer2022", version = "21H2", osBuild = 20348, deviceValue = "High",
    machineTags = { "tier0", "domain controller" }, isAadJoined = false },
  -- Names that a careless filter trips over.
  { id = "6f00000000000000000000000000000000000001", computerDnsName = "o'brien-laptop.corp.example", seen = hour,
    aadDeviceId = "60606060-0000-4000-8000-000000000001", machineTags = { "O'Brien", "50% & more #1 + c" } },
  { id = "6f00000000000000000000000000000000000002", computerDnsName = "x' or healthStatus eq 'Active", seen = hour },
  -- One outside of any domain.
  { id = "7f00000000000000000000000000000000000001", computerDnsName = "desk-5", seen = 7 * hour },
  -- More that nobody should lock: one whose tag is all that tells, one whose tags do not tell, and a server of value.
  { id = "5f00000000000000000000000000000000000002", computerDnsName = "dc-02.corp.example", seen = 2 * hour,
    osPlatform = "WindowsServer2025", version = "24H2", machineTags = { "tier0" }, isAadJoined = false,
    rbacGroupId = 143, rbacGroupName = "Tier 0" },
  { id = "5f00000000000000000000000000000000000003", computerDnsName = "dc-lima.corp.example", seen = hour,
    osPlatform = "WindowsServer2019", version = "1809", osBuild = 17763, machineTags = { "lima" },
    isAadJoined = false },
  { id = "5f00000000000000000000000000000000000004", computerDnsName = "sql-1.corp.example", seen = hour,
    osPlatform = "WindowsServer2022", version = "21H2", osBuild = 20348, deviceValue = "High", isAadJoined = false,
    riskScore = "High", machineTags = { "Tier1" } },
  -- Names with blanks, as people give them.
  { id = "6f00000000000000000000000000000000000003", computerDnsName = "Meeting Room 4", seen = 6 * hour,
    isAadJoined = false },
  { id = "6f00000000000000000000000000000000000004", computerDnsName = "Ana's MacBook Pro", seen = 3 * hour,
    osPlatform = "macOS", version = null, osBuild = null, riskScore = "Low" },
  -- One whose sensor has gone quiet, and one that is heard and cannot answer well.
  { id = "8f00000000000000000000000000000000000001", computerDnsName = "till-1.corp.example", seen = 12 * day,
    healthStatus = "NoSensorData", riskScore = "Informational", exposureLevel = "High" },
  { id = "8f00000000000000000000000000000000000002", computerDnsName = "till-2.corp.example", seen = 2 * day,
    healthStatus = "ImpairedCommunication", riskScore = "Medium", exposureLevel = "Medium" },
  -- One that was only seen in the network: nothing is known that need not be.
  { id = "9f00000000000000000000000000000000000001", computerDnsName = null, seen = 5 * hour, osPlatform = "Linux",
    firstSeen = "0001-01-01T00:00:00Z", osProcessor = null, version = null, osBuild = null, osArchitecture = null,
    lastIpAddress = null, lastExternalIpAddress = null, agentVersion = null, healthStatus = "Unknown",
    deviceValue = null, riskScore = null, exposureLevel = null, isAadJoined = false, defenderAvStatus = null,
    onboardingStatus = "CanBeOnboarded", managedBy = "Unknown", ipAddresses = {} },
  -- Two that had one address, one after the other.
  { id = "af00000000000000000000000000000000000001", computerDnsName = "loan-1.corp.example", seen = 30 * hour,
    lastIpAddress = "192.0.2.200", addresses = { { ipAddress = "192.0.2.200", from = "9d ago", to = "3d ago" } } },
  { id = "af00000000000000000000000000000000000002", computerDnsName = "loan-2.corp.example", seen = 2 * hour,
    lastIpAddress = "192.0.2.200", addresses = { { ipAddress = "192.0.2.200", from = "2d ago" } } },
}

local usual_count, usual_seed = 200, 1

local function check_count(name, value, minimum)
  if type(value) ~= "number" or value ~= math.floor(value) or value < minimum or value > 1e6 then
    error(("fleet: '%s' must be a whole number from %d to 1000000"):format(name, minimum), 0)
  end
end

local function complete(wish)
  if type(wish) ~= "table" then error("fleet must be a table with `count` and `seed`", 0) end
  for name in pairs(wish) do
    if name ~= "count" and name ~= "seed" then error(("fleet has no '%s'"):format(tostring(name)), 0) end
  end
  local count, seed = wish.count or usual_count, wish.seed or usual_seed
  check_count("count", count, 0)
  check_count("seed", seed, 1)
  return count, seed
end

local function known(now, count)
  local list = {}
  for i = 1, math.min(count, #machines) do
    local copy = { lastIpAddress = ("192.0.2.%d"):format(100 + i) }
    for name, value in pairs(machines[i]) do copy[name] = value end
    copy.seen = nil
    copy.lastSeen = time.iso(now - machines[i].seen)
    copy.firstSeen = copy.firstSeen or time.iso(now - machines[i].seen - 200 * day)
    list[i] = copy
  end
  return list
end

--- The machines of a new tenant, last seen relative to now: the same ones first, then some generated from the seed.
---@param now number seconds since 1970
---@param wish { count: integer?, seed: integer? } 200 and 1 if left out
---@return table[] known fields as `tenant:put_machine` takes them
---@return integer generated_count how many generated ones come after these
---@return fun(): table next_machine generates a complete record with each call
function M.machines(now, wish)
  local count, seed = complete(wish)
  local list = known(now, count)
  return list, count - #list, machine_generator.new(seed, now)
end

return M
