-- What the tenant's devices have reported, as hunting sees it: their state, everyday events, what its alerts rest on,
-- and the rows that the setting `hunting` adds. It is made up from the machines and alerts whenever it is asked for,
-- the same each time.
local core = require "mde.core"
local json = require "mde.sim.base.json"
local machine_record = require "mde.sim.model.machine_record"
local pseudorandom = require "mde.sim.base.pseudorandom"
local schema = require "mde.sim.model.hunting_schema"
local time = require "mde.sim.base.time"

local M = {}

local DAY = 86400

---- made up, but always alike

local function hexadecimal(text, count)
  local seed = 0
  for i = 1, #text do seed = (seed * 31 + text:byte(i)) % 2147483646 end
  local draw, digits = pseudorandom.new(seed), {}
  for i = 1, count do digits[i] = ("%x"):format(draw(16)) end
  return table.concat(digits)
end

local function number_of(machine)
  return tonumber(machine.id:sub(-5), 16)
end

local people = { "a.obrien", "j.dsouza", "m.okafor", "t.virtanen", "s.larsen", "k.meyer" }

--- Who is logged on to a machine: a made-up account.
---@param machine table
---@return { name: string, domain: string, sid: string, upn: string }
function M.user_of(machine)
  local number = number_of(machine)
  local name = people[number % #people + 1]
  return { name = name, domain = "CORP", upn = name .. "@corp.example",
    sid = ("S-1-5-21-1004336348-1177238915-682003330-%d"):format(1100 + number % 900) }
end

local function file_named(name, folder)
  return { FileName = name, FolderPath = folder, SHA1 = hexadecimal(name, 40), SHA256 = hexadecimal(name .. "2", 64),
    MD5 = hexadecimal(name .. "5", 32), FileSize = 20480 + #name * 1024 }
end

local function initiator(name, folder, command_line, user)
  return { InitiatingProcessFileName = name, InitiatingProcessFolderPath = folder, InitiatingProcessId = 4100,
    InitiatingProcessCommandLine = command_line, InitiatingProcessSHA1 = hexadecimal(name, 40),
    InitiatingProcessSHA256 = hexadecimal(name .. "2", 64), InitiatingProcessAccountDomain = user.domain,
    InitiatingProcessAccountName = user.name }
end

local function joined(...)
  local row = {}
  for _, fields in ipairs { ... } do
    for name, value in pairs(fields) do row[name] = value end
  end
  return row
end

local function event(machine, at, action_type, report)
  return { Timestamp = at, DeviceId = machine.id, DeviceName = machine.computerDnsName, ActionType = action_type,
    ReportId = report }
end

local function account(user)
  return { AccountDomain = user.domain, AccountName = user.name, AccountSid = user.sid, AccountUpn = user.upn }
end

---- the state of devices

local onboarding = { Onboarded = "Onboarded", CanBeOnboarded = "Can be onboarded", Unsupported = "Unsupported",
  InsufficientInfo = "Insufficient info" }

local function mitigation_of(tenant, machine)
  return tenant.hunting.mitigation_status and tenant.queue:is_isolated(machine.id) and "Isolated" or ""
end

-- The row of a moment. Tags are those of now in the latest one alone.
local function info(tenant, machine, at, is_latest)
  local user = M.user_of(machine)
  local is_onboarded = machine.onboardingStatus == "Onboarded"
  local tags = is_latest and machine.machineTags or {}
  return {
    Timestamp = at, DeviceId = machine.id, DeviceName = machine.computerDnsName,
    ClientVersion = machine.agentVersion, PublicIP = machine.lastExternalIpAddress,
    OSArchitecture = machine.osArchitecture, OSPlatform = machine.osPlatform, OSBuild = machine.osBuild,
    IsAzureADJoined = machine.isAadJoined, AadDeviceId = machine.aadDeviceId, OSVersion = machine.version,
    LoggedOnUsers = is_onboarded and json.encode { { UserName = user.name, DomainName = user.domain,
      Sid = user.sid } } or "",
    MachineGroup = machine.rbacGroupName, ReportId = number_of(machine),
    OnboardingStatus = onboarding[machine.onboardingStatus] or machine.onboardingStatus,
    DeviceCategory = "Endpoint", DeviceType = (machine.osPlatform or ""):find "Server" and "Server" or "Workstation",
    MergedToDeviceId = machine.mergedIntoMachineId, IsInternetFacing = false,
    SensorHealthState = is_onboarded and machine.healthStatus or "Unknown", IsExcluded = machine.isExcluded or false,
    ExposureLevel = machine.exposureLevel, AssetValue = machine.deviceValue,
    DeviceManualTags = #(tags or {}) > 0 and json.encode(json.array(tags)) or "", DeviceDynamicTags = "",
    MitigationStatus = is_latest and mitigation_of(tenant, machine) or "",
  }
end

local function last_seen(machine)
  return machine.lastSeen and time.parse(machine.lastSeen)
end

local builders = {}

function builders.DeviceInfo(tenant, add)
  for _, machine in ipairs(tenant.machines) do
    local at = last_seen(machine)
    local first = machine.firstSeen and time.parse(machine.firstSeen) or at
    if at and first <= at - DAY then add(info(tenant, machine, at - DAY, false)) end
    if at then add(info(tenant, machine, at, true)) end
  end
end

---- everyday events

local function each_reporting(tenant, fn)
  for _, machine in ipairs(tenant.machines) do
    local at = last_seen(machine)
    if at and machine_record.is_reachable(machine) then fn(machine, at, M.user_of(machine)) end
  end
end

local function is_windows(machine) return (machine.osPlatform or ""):find "^Windows" ~= nil end

-- What starts other programs there, and what it starts: with their folders.
local function programs_of(machine)
  if is_windows(machine) then
    return { "explorer.exe", "C:\\Windows" }, { "msedge.exe", "C:\\Program Files (x86)\\Microsoft\\Edge\\Application" }
  end
  return { "bash", "/usr/bin" }, { "curl", "/usr/bin" }
end

-- The everyday of each device, and then what alerts tell.
local function everyday(make)
  return function(tenant, add)
    each_reporting(tenant, function(machine, at, user) add(make(machine, at, user, programs_of(machine))) end)
  end
end

local function process_of(machine, at, user, parent, child)
  return joined(event(machine, at - 900, "ProcessCreated", 1), file_named(child[1], child[2]), account(user),
    initiator(parent[1], parent[2], parent[1], user),
    { ProcessId = 5200, ProcessCommandLine = child[1], ProcessCreationTime = at - 900 })
end

local function file_of(machine, at, user, parent)
  local name = ("report-%d.xlsx"):format(number_of(machine))
  local folder = is_windows(machine) and ("C:\\Users\\%s\\Documents"):format(user.name) or "/home/" .. user.name
  return joined(event(machine, at - 600, "FileCreated", 2), file_named(name, folder),
    initiator(parent[1], parent[2], parent[1], user))
end

local function connection_of(machine, at, user, _, child)
  return joined(event(machine, at - 300, "ConnectionSuccess", 3), initiator(child[1], child[2], child[1], user),
    { RemoteIP = ("198.18.0.%d"):format(number_of(machine) % 250 + 1), RemotePort = 443,
      RemoteUrl = "https://www.example/", LocalIP = machine.lastIpAddress, LocalPort = 50000, Protocol = "Tcp" })
end

local function logon_of(machine, at, user, parent)
  return joined(event(machine, at - 3600, "LogonSuccess", 4), account(user),
    initiator(parent[1], parent[2], parent[1], user),
    { LogonType = "Interactive", Protocol = "Negotiate", IsLocalAdmin = false, LogonId = 100000 + number_of(machine) })
end

---- what alerts rest on

local function titled(text)
  return text and core.text.upper(text:sub(1, 1)) .. text:sub(2) or nil
end

local sources = { microsoftDefenderForEndpoint = "Microsoft Defender for Endpoint",
  microsoftDefenderForIdentity = "Microsoft Defender for Identity" }

local function alert_fields(alert)
  local techniques = alert.mitreTechniques or {}
  return { AlertId = alert.id, Title = alert.title, Severity = titled(alert.severity),
    ServiceSource = sources[alert.serviceSource] or alert.productName, DetectionSource = alert.detectionSource,
    AttackTechniques = #techniques > 0 and json.encode(json.array(techniques)) or "" }
end

local function piece_file(piece)
  return { FileName = piece.fileName, FolderPath = piece.filePath, SHA1 = piece.sha1, SHA256 = piece.sha256,
    FileSize = piece.fileSize }
end

local function piece_account(piece)
  return { AccountName = piece.accountName, AccountDomain = piece.domainName, AccountSid = piece.userSid,
    AccountUpn = piece.userPrincipalName, AccountObjectId = piece.azureAdUserId }
end

-- The fields of an event without those that another table has.
local function without_object_id(fields)
  fields.AccountObjectId = nil
  return fields
end

-- Calls fn(alert, piece, machine, at) for each piece of evidence of a kind; the machine is the piece's own, or else the
-- alert's.
local function each_piece(tenant, kind, fn)
  for _, alert in ipairs(tenant.alerts) do
    local of_alert = tenant.alert_book.machine_of(alert)
    local at = time.parse(alert.firstActivityDateTime)
    for _, piece in ipairs(alert.evidence) do
      local machine = piece.machine or of_alert
      if piece.kind == kind and machine then fn(alert, piece, machine, at) end
    end
  end
end

function builders.DeviceProcessEvents(tenant, add)
  everyday(process_of)(tenant, add)
  each_piece(tenant, "process", function(_, piece, machine, at)
    add(joined(event(machine, at, "ProcessCreated", 11), piece_file(piece), without_object_id(piece_account(piece)),
      { ProcessId = piece.processId, ProcessCommandLine = piece.processCommandLine, ProcessCreationTime = at,
        InitiatingProcessFileName = piece.parentFileName, InitiatingProcessId = piece.parentProcessId }))
  end)
end

function builders.DeviceFileEvents(tenant, add)
  everyday(file_of)(tenant, add)
  each_piece(tenant, "file", function(_, piece, machine, at)
    add(joined(event(machine, at, "FileCreated", 12), piece_file(piece)))
  end)
end

function builders.DeviceNetworkEvents(tenant, add)
  everyday(connection_of)(tenant, add)
  each_piece(tenant, "ip", function(_, piece, machine, at)
    add(joined(event(machine, at, "ConnectionSuccess", 13), { RemoteIP = piece.ipAddress, RemotePort = 443,
      LocalIP = machine.lastIpAddress, Protocol = "Tcp" }))
  end)
end

function builders.DeviceLogonEvents(tenant, add)
  everyday(logon_of)(tenant, add)
  each_piece(tenant, "user", function(_, piece, machine, at)
    add(joined(event(machine, at, "LogonSuccess", 14), without_object_id(piece_account(piece)),
      { LogonType = "Network", Protocol = "NTLM", IsLocalAdmin = true }))
  end)
end

function builders.AlertInfo(tenant, add)
  for _, alert in ipairs(tenant.alerts) do
    add(joined(alert_fields(alert), { Timestamp = alert.created, Category = alert.category }))
  end
end

local entities = { device = "Machine", user = "User", file = "File", process = "Process", ip = "Ip", url = "Url" }

function builders.AlertEvidence(tenant, add)
  for _, alert in ipairs(tenant.alerts) do
    for _, piece in ipairs(alert.evidence) do
      local machine = piece.machine
      add(joined(alert_fields(alert), piece_file(piece), piece_account(piece), {
        Timestamp = alert.created, Categories = json.encode { alert.category }, EntityType = entities[piece.kind],
        EvidenceRole = piece.kind == "device" and "Impacted" or "Related", RemoteIP = piece.ipAddress,
        RemoteUrl = piece.url, ProcessCommandLine = piece.processCommandLine, DeviceId = machine and machine.id,
        DeviceName = machine and machine.computerDnsName or piece.deviceDnsName,
      }))
    end
  end
end

---- tables

local function rows_between(tenant, name, from, to)
  local rows = {}
  local function add(row)
    if row.Timestamp >= from and row.Timestamp <= to then rows[#rows + 1] = row end
  end
  builders[name](tenant, add)
  for _, row in ipairs(tenant.hunting.rows[name] or {}) do add(row) end
  return rows
end

--- The tables as they are now, with the rows of a span of time.
---@param tenant mde.sim.tenant
---@param from number Unix seconds
---@param to number
---@return table<string, mde.sim.kql.table>
function M.tables(tenant, from, to)
  local tables = {}
  for name, columns in pairs(tenant.hunting.mitigation_status and schema.with_uncertain or schema.tables) do
    local rows
    tables[name] = { columns = columns, rows = function()
      rows = rows or rows_between(tenant, name, from, to)
      return rows
    end }
  end
  return tables
end

return M
