-- Generates machines, as many as are wanted and the same for the same seed: what a company of that size has. All names,
-- addresses and ids are invented.
local pseudorandom = require "mde.sim.base.pseudorandom"
local time = require "mde.sim.base.time"

local M = {}

local hour, day = 3600, 86400

local domain = ".corp.example"

local client_releases = {
  { "Windows11", "24H2", 26100 }, { "Windows11", "24H2", 26100 }, { "Windows11", "23H2", 22631 },
  { "Windows11", "22H2", 22621 }, { "Windows10", "22H2", 19045 }, { "Windows10", "21H2", 19044 },
}
local server_releases = {
  { "WindowsServer2022", "21H2", 20348 }, { "WindowsServer2022", "21H2", 20348 },
  { "WindowsServer2019", "1809", 17763 },
  { "WindowsServer2025", "24H2", 26100 }, { "WindowsServer2016", "1607", 14393 },
}
local sites = { "berlin", "lima", "osaka", "turku" }
local families = { "o'brien", "o'hara", "d'souza", "m'bala" }
local given_names = { "Ana", "Bo", "Chidi", "Dana" }
local server_duties = { "app", "sql", "web", "file" }

local groups = { laptop = { 140, "Laptops" }, desktop = { 141, "Desktops" }, server = { 142, "Servers" },
  controller = { 143, "Tier 0" }, other = { 0 } }

local function one_of(list, draw) return list[draw(#list) + 1] end

---- what the machines are

local function hexadecimal(draw)
  return ("%08x"):format(draw(2147483646))
end

local function guid(draw)
  local a, b, c, d = hexadecimal(draw), hexadecimal(draw), hexadecimal(draw), hexadecimal(draw)
  return ("%s-%s-4%s-8%s-%s%s"):format(a, b:sub(5), c:sub(6), d:sub(6), c:sub(1, 4), b)
end

-- The number makes ids and addresses different from each other.
local function new_record(number, draw)
  local address = ("10.%d.%d.%d"):format(20 + math.floor(number / 62500), math.floor(number / 250) % 250,
    number % 250 + 2)
  return {
    id = ("%s%s%s%s%08x"):format(hexadecimal(draw), hexadecimal(draw), hexadecimal(draw), hexadecimal(draw), number),
    isPotentialDuplication = false, isExcluded = false, osProcessor = "x64", osArchitecture = "64-bit",
    lastIpAddress = address, lastExternalIpAddress = ("198.51.100.%d"):format(draw(200) + 10),
    agentVersion = "10.8750.26100.1", defenderAvStatus = "Updated", healthStatus = "Active",
    onboardingStatus = "Onboarded", deviceValue = "Normal", managedBy = "Intune", managedByStatus = "Unknown",
    isAadJoined = true, machineTags = {},
    ipAddresses = {
      { ipAddress = address, macAddress = ("0200%08X"):format(number), type = "Ethernet", operationalStatus = "Up" },
      { ipAddress = "127.0.0.1", type = "SoftwareLoopback", operationalStatus = "Up" },
    },
  }
end

local function set_release(machine, release)
  machine.osPlatform, machine.version, machine.osBuild = release[1], release[2], release[3]
end

local function set_group(machine, group)
  machine.rbacGroupId, machine.rbacGroupName = groups[group][1], groups[group][2]
end

local kinds = {}

function kinds.laptop(machine, number, draw)
  machine.computerDnsName = ("laptop-%d%s"):format(1000 + number, domain)
  machine.aadDeviceId = guid(draw)
  set_release(machine, one_of(client_releases, draw))
  set_group(machine, "laptop")
  if draw(5) == 0 then machine.machineTags[1] = one_of(sites, draw) end
  if draw(25) == 0 then table.insert(machine.machineTags, "vip") end
end

function kinds.desktop(machine, number, draw)
  machine.computerDnsName = ("desk-%d%s"):format(1000 + number, domain)
  machine.aadDeviceId = guid(draw)
  set_release(machine, one_of(client_releases, draw))
  set_group(machine, "desktop")
  if draw(4) == 0 then machine.machineTags[1] = one_of(sites, draw) end
end

-- A person's own, with an apostrophe or blanks in its name and outside of any domain.
function kinds.personal(machine, number, draw)
  machine.computerDnsName = draw(2) == 0 and ("%s-laptop-%d"):format(one_of(families, draw), 1000 + number)
    or ("%s's PC %d"):format(one_of(given_names, draw), 1000 + number)
  set_release(machine, one_of(client_releases, draw))
  set_group(machine, "other")
  machine.isAadJoined, machine.managedBy = false, "Unknown"
  machine.machineTags[1] = draw(2) == 0 and "O'Brien & sons, 100% #1 + c" or nil
end

function kinds.server(machine, number, draw)
  local duty = one_of(server_duties, draw)
  machine.computerDnsName = ("%s-%d%s"):format(duty, 1000 + number, domain)
  set_release(machine, one_of(server_releases, draw))
  set_group(machine, "server")
  machine.isAadJoined, machine.managedBy = false, "Unknown"
  machine.machineTags[1] = duty == "sql" and "tier1" or one_of(sites, draw)
  if duty == "sql" or draw(6) == 0 then machine.deviceValue = "High" end
  if draw(4) == 0 then
    machine.vmMetadata = { vmId = guid(draw), cloudProvider = "Azure",
      resourceId = "/subscriptions/simulated/virtualMachines/" .. machine.computerDnsName:match "^[^.]*",
      subscriptionId = guid(draw) }
  end
end

function kinds.controller(machine, number, draw)
  machine.computerDnsName = ("dc-%d%s"):format(1000 + number, domain)
  set_release(machine, one_of(server_releases, draw))
  set_group(machine, "controller")
  machine.isAadJoined, machine.managedBy, machine.deviceValue = false, "Unknown", "High"
  machine.machineTags = { "tier0", "domain controller" }
end

function kinds.linux(machine, number, draw)
  machine.computerDnsName = ("build-%d%s"):format(1000 + number, domain)
  machine.osPlatform, machine.isAadJoined, machine.managedBy = "Linux", false, "Unknown"
  machine.agentVersion = "101.24082.4"
  set_group(machine, "server")
  machine.machineTags[1] = draw(2) == 0 and "build" or nil
end

function kinds.macos(machine, number, draw)
  machine.computerDnsName = draw(2) == 0 and ("design-%d%s"):format(1000 + number, domain)
    or ("%s's MacBook Pro %d"):format(one_of(given_names, draw), 1000 + number)
  machine.osPlatform, machine.osArchitecture, machine.osProcessor = "macOS", "64-bit", "arm64"
  machine.agentVersion = "101.24082.4"
  set_group(machine, "laptop")
end

function kinds.phone(machine, number, draw)
  machine.computerDnsName = ("phone-%d"):format(1000 + number)
  machine.osPlatform = draw(2) == 0 and "iOS" or "Android"
  machine.osArchitecture, machine.osProcessor, machine.agentVersion = nil, nil, nil
  set_group(machine, "other")
end

-- Seen in the network and not onboarded: next to nothing is known.
function kinds.unknown(machine, number, draw)
  machine.computerDnsName = draw(3) > 0 and ("device-%d"):format(1000 + number) or nil
  machine.osPlatform = draw(2) == 0 and "Linux" or "Windows10"
  machine.onboardingStatus = one_of({ "CanBeOnboarded", "Unsupported", "InsufficientInfo" }, draw)
  machine.healthStatus, machine.deviceValue, machine.rbacGroupId = "Unknown", nil, 0
  machine.osArchitecture, machine.osProcessor, machine.agentVersion, machine.defenderAvStatus = nil, nil, nil, nil
  machine.lastExternalIpAddress, machine.isAadJoined, machine.managedBy = nil, false, "Unknown"
  machine.is_sparse = true
end

-- How many of each there are in a hundred.
local shares = { { 55, "laptop" }, { 15, "desktop" }, { 3, "personal" }, { 13, "server" }, { 1, "controller" },
  { 5, "linux" }, { 4, "macos" }, { 1, "phone" }, { 3, "unknown" } }

local function kind_of(draw)
  local place = draw(100)
  for _, share in ipairs(shares) do
    place = place - share[1]
    if place < 0 then return share[2] end
  end
end

---- how they are

local health_when_ill = { "Inactive", "Inactive", "ImpairedCommunication", "NoSensorData",
  "NoSensorDataImpairedCommunication" }

-- Seconds since it was seen: most within a day, the others long ago.
local function set_health(machine, draw)
  local seen = draw(26 * hour) + draw(10000000) / 1e7
  if machine.healthStatus == "Active" and draw(8) == 0 then
    machine.healthStatus = one_of(health_when_ill, draw)
    seen = machine.healthStatus == "ImpairedCommunication" and seen + 2 * day or seen + (8 + draw(150)) * day
    machine.defenderAvStatus = draw(2) == 0 and "notUpdated" or "unknown"
  end
  return seen
end

local function set_risk(machine, draw)
  local place = draw(100)
  machine.riskScore = place < 2 and "High" or place < 6 and "Medium" or place < 14 and "Low"
    or place < 17 and "Informational" or "None"
  place = draw(10)
  machine.exposureLevel = place < 1 and "High" or place < 3 and "Medium" or place < 9 and "Low" or "None"
end

local function set_times(machine, now, seen, known_for)
  machine.lastSeen = time.iso(now - seen)
  machine.firstSeen = time.iso(now - seen - known_for)
end

-- Another record of a machine that is there already: merged into it, left behind by a reinstallation, or alive as well.
local function older_record(machine, original, draw)
  for _, name in ipairs { "computerDnsName", "aadDeviceId", "osPlatform", "version", "osBuild", "rbacGroupId",
      "rbacGroupName" } do
    machine[name] = original[name]
  end
  local fate = draw(5)
  if fate == 0 then return end
  machine.healthStatus = "Inactive"
  if fate < 3 then
    machine.mergedIntoMachineId, machine.isPotentialDuplication = original.id, true
  else
    machine.aadDeviceId = nil
  end
end

--- Generates a machine with each call.
---@param seed integer
---@param now number seconds since 1970; what they say of their times is relative to it
---@return fun(): table next_machine complete records
function M.new(seed, now)
  local draw, number, latest_laptop = pseudorandom.new(seed), 0, nil
  return function()
    number = number + 1
    local machine = new_record(number, draw)
    if latest_laptop and draw(40) == 0 then
      older_record(machine, latest_laptop, draw)
      set_risk(machine, draw)
      local long_ago = machine.healthStatus == "Active" and 0 or (20 + draw(140)) * day
      set_times(machine, now, long_ago + draw(26 * hour), draw(100 * day))
      return machine
    end
    local kind = kind_of(draw)
    kinds[kind](machine, number, draw)
    local seen = set_health(machine, draw)
    if machine.is_sparse then
      machine.is_sparse = nil
      machine.lastSeen = draw(10) > 0 and time.iso(now - seen) or nil
      machine.firstSeen = "0001-01-01T00:00:00Z"
      return machine
    end
    set_risk(machine, draw)
    set_times(machine, now, seen, draw(500 * day))
    if kind == "laptop" then latest_laptop = machine end
    return machine
  end
end

return M
