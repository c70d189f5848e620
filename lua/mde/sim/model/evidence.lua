-- The evidence of an alert, a piece each: a device, a user, a file, a process, an address, a URL, or something of a
-- type that no client knows. What a piece may hold, what is filled in, and which machine of the tenant it is about.
local alert_values = require "mde.sim.model.alert_values"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

local M = {}

---@class mde.sim.evidence
---@field kind "device"|"user"|"file"|"process"|"ip"|"url"|"other"
---@field createdDateTime string
---@field verdict string
---@field remediationStatus string
---@field roles string[]
---@field machine table? the tenant's machine that it is about; a device without is one that Defender does not know

local account = "accountName domainName userSid azureAdUserId userPrincipalName displayName"
local file = "fileName filePath sha1 sha256 md5 filePublisher signer issuer"

-- For each kind what a piece may hold, beside what all have: texts, and numbers.
local kinds = {
  device = { "machineId computerDnsName deviceDnsName azureAdDeviceId", "" },
  user = { account, "" },
  file = { file .. " machineId computerDnsName detectionStatus", "fileSize" },
  process = { file .. " machineId computerDnsName detectionStatus processCommandLine processCreationDateTime "
    .. "parentProcessCreationDateTime parentFileName parentFilePath parentSha1 parentSha256 " .. account,
    "processId parentProcessId fileSize" },
  ip = { "ipAddress", "" },
  url = { "url", "" },
  other = { "type", "" },
}

-- What all pieces may hold.
local shared = { kind = "string", createdDateTime = "string", verdict = "string", remediationStatus = "string",
  remediationStatusDetails = "string", roles = "table", detailedRoles = "table", tags = "table" }

local descriptions = { string = "a text", number = "a whole number", table = "a list of texts" }

local fields_of = {}
for kind, names in pairs(kinds) do
  local fields = {}
  for name, wanted in pairs(shared) do fields[name] = wanted end
  for name in names[1]:gmatch "%S+" do fields[name] = "string" end
  for name in names[2]:gmatch "%S+" do fields[name] = "number" end
  fields_of[kind] = fields
end

local times = { "createdDateTime", "processCreationDateTime", "parentProcessCreationDateTime" }

local function check(fields)
  local known = fields_of[fields.kind]
  if not known then error(validation.mismatch("kind", "one of device, file, ip, other, process, url, user",
    fields.kind), 0) end
  for name, value in pairs(fields) do
    local wanted = known[name]
    if not wanted then error(validation.unknown("", name, known), 0) end
    if type(value) ~= wanted or wanted == "number" and value ~= math.floor(value) then
      error(validation.mismatch(name, descriptions[wanted], value), 0)
    end
    if wanted == "table" then validation.check_list(name, value, "string") end
  end
  for _, name in ipairs(times) do
    if fields[name] and not time.parse(fields[name]) then
      error(validation.mismatch(name, "a time such as 2026-02-03T10:11:12Z or 2h ago", fields[name]), 0)
    end
  end
end

-- The machine that a piece names: by its id or by its name, and one that is not there is a slip.
local function machine_of(fields, find_machine)
  local key = fields.machineId or fields.computerDnsName
  if not key then return nil end
  return find_machine(key, fields.machineId == nil) or error(("there is no machine '%s'"):format(key), 0)
end

--- A complete piece. Raises a message for what does not fit.
---@param fields table
---@param created string when the alert was
---@param now number
---@param find_machine fun(key: string, by_name: boolean): table?
---@return mde.sim.evidence
function M.new(fields, created, now, find_machine)
  local piece = {}
  for name, value in pairs(time.resolve_fields(fields, times, now)) do
    if value ~= json.null then piece[name] = value end
  end
  check(piece)
  piece.machine = machine_of(piece, find_machine)
  if piece.kind == "device" and not (piece.machine or piece.deviceDnsName) then
    error("a device needs machineId or computerDnsName, or, if Defender does not know it, deviceDnsName", 0)
  end
  piece.createdDateTime = piece.createdDateTime or created
  piece.verdict = piece.verdict or "suspicious"
  piece.remediationStatus = piece.remediationStatus or "none"
  piece.roles, piece.detailedRoles = piece.roles or {}, piece.detailedRoles or {}
  piece.tags = piece.tags or {}
  return piece
end

--- Why a piece holds a value that the documents do not list.
---@param fields table
---@return string? message
function M.undocumented(fields)
  for _, name in ipairs { "verdict", "remediationStatus" } do
    local message = alert_values.undocumented(name, fields[name])
    if message then return message end
  end
  for _, role in ipairs(type(fields.roles) == "table" and fields.roles or {}) do
    local message = alert_values.undocumented("roles", role)
    if message then return message end
  end
end

return M
