-- The machines that a new tenant has: few, and each there for a reason. All names, addresses and ids are invented.
local json = require "mde.sim.json"
local time = require "mde.sim.time"

local fleet = {}

local null = json.null
local hour, day = 3600, 86400

-- `seen` is how many seconds ago; everything else is a property of the record or a switch of the simulator.
local machines = {
  -- An ordinary laptop.
  { id = "1f00000000000000000000000000000000000017", computerDnsName = "laptop-17.corp.example", seen = 2 * hour,
    aadDeviceId = "17171717-0000-4000-8000-000000000017", riskScore = "High", rbacGroupName = "Laptops" },
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
}

--- The records, last seen relative to now.
---@param now number seconds since 1970
---@return table[] machines fields as `tenant:put_machine` takes them
function fleet.machines(now)
  local list = {}
  for i, machine in ipairs(machines) do
    local copy = {}
    for name, value in pairs(machine) do copy[name] = value end
    copy.seen = nil
    copy.lastSeen = time.iso(now - machine.seen)
    copy.firstSeen = time.iso(now - machine.seen - 200 * day)
    list[i] = copy
  end
  return list
end

return fleet
