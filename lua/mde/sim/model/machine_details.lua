-- What a machine has beside its record: who logged on, its software, the flaws of that, what is recommended and which
-- updates are missing. It is made up, and the same each time, of the machine's id; or as the tenant was told.
local core = require "mde.core"
local pseudorandom = require "mde.sim.base.pseudorandom"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

local M = {}

local DAY = 86400

M.kinds = { logonusers = true, software = true, vulnerabilities = true, recommendations = true, getmissingkbs = true }

-- What there is to have: on which platforms, and which flaws each version has. All flaws are invented.
local catalog = {
  { vendor = "7-zip", name = "7-zip", version = "23.1.0.0", on = "Windows", update = "24.9.0.0",
    flaws = { { "CVE-2026-11111", "High", 7.8 } } },
  { vendor = "google", name = "chrome", version = "143.0.7499.40", on = "Windows macOS Linux",
    update = "143.0.7499.110", flaws = { { "CVE-2026-22221", "Critical", 9.6 }, { "CVE-2026-22222", "Medium", 5.4 } } },
  { vendor = "microsoft", name = "edge", version = "143.0.3650.66", on = "Windows", flaws = {} },
  { vendor = "git-scm", name = "git", version = "2.47.0.1", on = "Windows Linux", update = "2.47.1.2",
    flaws = { { "CVE-2026-33331", "Medium", 4.3 } } },
  { vendor = "adobe", name = "acrobat_reader_dc", version = "24.5.20399.0", on = "Windows macOS", flaws = {} },
  { vendor = "openssl", name = "openssl", version = "3.0.15", on = "Linux macOS", update = "3.0.18",
    flaws = { { "CVE-2026-44441", "Low", 3.7 } } },
}

local users = { "ada", "ben", "cleo", "dana", "eli", "fay" }

local function draw_of(machine, salt)
  local seed = salt
  for i = 1, #machine.id do seed = (seed * 31 + machine.id:byte(i)) % 2147483646 end
  return pseudorandom.new(seed)
end

-- The programs of a machine: those of its platform but for one in three.
local function programs(machine)
  local draw, list = draw_of(machine, 1), {}
  local platform = (machine.osPlatform or ""):match "^Windows" or machine.osPlatform or ""
  for _, program in ipairs(catalog) do
    if (" " .. program.on .. " "):find(" " .. platform .. " ", 1, true) and draw(3) > 0 then
      list[#list + 1] = program
    end
  end
  return list
end

local made = {}

function made.logonusers(machine)
  local draw, list = draw_of(machine, 2), {}
  for i = 1, 1 + draw(2) do
    local name = users[draw(#users) + 1] .. ("%d"):format(i)
    list[i] = { id = "corp\\" .. name, accountName = name, accountDomain = "corp",
      accountSid = ("S-1-5-21-1111111111-2222222222-3333333333-%d"):format(1100 + draw(900)),
      firstSeen = machine.firstSeen, lastSeen = machine.lastSeen, logonTypes = "Interactive",
      isDomainAdmin = false, isOnlyNetworkUser = i > 1 }
  end
  return list
end

function made.software(machine)
  local list = {}
  for i, program in ipairs(programs(machine)) do
    list[i] = { id = program.vendor .. "-_-" .. program.name, name = program.name, vendor = program.vendor,
      weaknesses = #program.flaws, publicExploit = false, activeAlert = false, exposedMachines = #program.flaws,
      impactScore = #program.flaws * 1.25, installedMachines = 1 }
  end
  return list
end

function made.vulnerabilities(machine)
  local list = {}
  for _, program in ipairs(programs(machine)) do
    for _, flaw in ipairs(program.flaws) do
      list[#list + 1] = { id = flaw[1], name = flaw[1], description = "Invented: a flaw of " .. program.name .. ".",
        severity = flaw[2], cvssV3 = flaw[3], exposedMachines = 1, publishedOn = "2026-01-13T00:00:00Z",
        updatedOn = "2026-01-20T00:00:00Z", publicExploit = false, exploitVerified = false, exploitInKit = false,
        exploitTypes = {}, exploitUris = {} }
    end
  end
  return list
end

function made.recommendations(machine)
  local list = {}
  for _, program in ipairs(programs(machine)) do
    if program.update then
      list[#list + 1] = { id = ("va-_-%s-_-%s"):format(program.vendor, program.name), productName = program.name,
        recommendationName = ("Update %s to version %s"):format(program.name, program.update), vendor = program.vendor,
        weaknesses = #program.flaws, recommendedVersion = program.update, recommendationCategory = "Application",
        subCategory = "", severityScore = 0, publicExploit = false, activeAlert = false, associatedThreats = {},
        remediationType = "Update", status = "Active", configScoreImpact = 0, exposureImpact = 0.5,
        totalMachineCount = 1, exposedMachinesCount = 1, nonProductivityImpactedAssets = 0,
        relatedComponent = program.name }
    end
  end
  return list
end

function made.getmissingkbs(machine)
  if not (machine.osPlatform or ""):find "^Windows" or draw_of(machine, 3)(2) == 0 then return {} end
  return { { id = "5540673", name = "January 2026 Security Updates", productsNames = { "windows_11", "edge" },
    url = "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5540673", machineMissedOn = 1,
    cveAddressed = 57 } }
end

--- Tells what a machine has, in place of what would be made up.
---@param tenant mde.sim.tenant
---@param machine_id string
---@param details table<string, table[]> a list for each kind: logonusers, software, vulnerabilities ...
function M.put(tenant, machine_id, details)
  if not tenant:find_machine(machine_id) then error(("there is no machine '%s'"):format(tostring(machine_id)), 0) end
  for kind, list in pairs(details) do
    if not M.kinds[kind] then error(validation.unknown("details of the kind ", kind, M.kinds), 0) end
    validation.check_list(kind, list, "table")
    local key = core.text.lower(machine_id)
    tenant.details[key] = tenant.details[key] or {}
    tenant.details[key][kind] = list
  end
end

--- What a machine has of a kind.
---@param tenant mde.sim.tenant
---@param machine table
---@param kind string
---@return table[]
function M.of(tenant, machine, kind)
  local told = tenant.details[core.text.lower(machine.id)]
  return told and told[kind] or made[kind](machine)
end

-- As the exports write a time.
local function written(seconds)
  return (time.iso(seconds):gsub("T", " "):gsub("Z$", ""))
end

-- What both exports say of a machine and one of its programs.
local function common(machine, program)
  return { deviceId = machine.id, deviceName = machine.computerDnsName, osPlatform = machine.osPlatform,
    rbacGroupName = machine.rbacGroupName or "Unassigned", softwareVendor = program.vendor,
    softwareName = program.name, softwareVersion = program.version, diskPaths = {}, registryPaths = {} }
end

local function moment(machine)
  return machine.lastSeen and time.parse(machine.lastSeen) or 0
end

local exported = {}

function exported.software(machine, add)
  for _, program in ipairs(programs(machine)) do
    local row = common(machine, program)
    row.numberOfWeaknesses, row.endOfSupportStatus = #program.flaws, "None"
    row.softwareFirstSeenTimestamp = written(moment(machine) - 30 * DAY)
    add(row)
  end
end

-- A program without a flaw has one row, without a CVE.
function exported.vulnerabilities(machine, add)
  for _, program in ipairs(programs(machine)) do
    for _, flaw in ipairs(#program.flaws > 0 and program.flaws or { {} }) do
      local row = common(machine, program)
      row.id = ("%s_%s_%s_%s"):format(machine.id, program.name, program.version, flaw[1] or "_")
      row.osVersion, row.osArchitecture = "10.0.26100.2314", "x64"
      row.cveId, row.vulnerabilitySeverityLevel, row.cvssScore = flaw[1], flaw[2], flaw[3]
      row.firstSeenTimestamp, row.lastSeenTimestamp = written(moment(machine) - 9 * DAY), written(moment(machine))
      row.exploitabilityLevel, row.securityUpdateAvailable = "NoExploit", program.update ~= nil
      row.recommendationReference = ("va-_-%s-_-%s"):format(program.vendor, program.name)
      add(row)
    end
  end
end

--- The rows of an export: what all machines have, of those that have reported since a time.
---@param tenant mde.sim.tenant
---@param kind "software"|"vulnerabilities"
---@param since number?
---@return table[]
function M.export(tenant, kind, since)
  local rows = {}
  local function add(row) rows[#rows + 1] = row end
  for _, machine in ipairs(tenant.machines) do
    if not since or moment(machine) >= since then exported[kind](machine, add) end
  end
  return rows
end

return M
