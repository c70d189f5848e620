-- The service's two kinds of record: their properties in the order in which it writes them, their types, and
-- which of them $filter may name. A property that is not here does not exist.
local core = require "mde.core"
local validation = require "mde.sim.base.validation"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"

local M = {}

-- What the documents list as the values of a property.
local documented = {
  healthStatus = { "Active", "Inactive", "ImpairedCommunication", "NoSensorData", "NoSensorDataImpairedCommunication",
    "Unknown" },
  onboardingStatus = { "Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo" },
  riskScore = { "None", "Informational", "Low", "Medium", "High" },
  exposureLevel = { "None", "Low", "Medium", "High" },
  deviceValue = { "Low", "Normal", "High" },
  type = { "RunAntiVirusScan", "Offboard", "LiveResponse", "CollectInvestigationPackage", "Isolate", "Unisolate",
    "StopAndQuarantineFile", "RestrictCodeExecution", "UnrestrictCodeExecution" },
  status = { "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled" },
}

-- `members`: the names of an object's members, or of each object's in a collection; a collection without is of texts.
local function property(name, kind, filterable, members)
  return { name = name, type = "Edm." .. kind, filterable = filterable or false, members = members,
    values = documented[name] }
end

local function new(set, properties)
  local names, by_name = {}, {}
  for i, each in ipairs(properties) do
    names[i] = each.name
    by_name[each.name] = each
    -- Filters may write a property with a capital first letter too.
    by_name[core.text.upper(each.name:sub(1, 1)) .. each.name:sub(2)] = each
  end
  return { set = set, names = names, list = properties, properties = by_name }
end

M.machine = new("Machines", {
  property("id", "String", true),
  property("mergedIntoMachineId", "String"),
  property("isPotentialDuplication", "Boolean"),
  property("isExcluded", "Boolean"),
  property("exclusionReason", "String"),
  property("computerDnsName", "String", true),
  property("firstSeen", "DateTimeOffset"),
  property("lastSeen", "DateTimeOffset", true),
  property("osPlatform", "String", true),
  property("osVersion", "String"),
  property("osProcessor", "String"),
  property("version", "String", true),
  property("lastIpAddress", "String", true),
  property("lastExternalIpAddress", "String"),
  property("agentVersion", "String"),
  property("osBuild", "Int64"),
  property("healthStatus", "String", true),
  property("deviceValue", "String", true),
  property("rbacGroupId", "Int32", true),
  property("rbacGroupName", "String"),
  property("riskScore", "String", true),
  property("exposureLevel", "String", true),
  property("isAadJoined", "Boolean"),
  property("aadDeviceId", "Guid", true),
  property("machineTags", "Collection", true),
  property("defenderAvStatus", "String"),
  property("onboardingStatus", "String", true),
  property("osArchitecture", "String"),
  property("managedBy", "String"),
  property("managedByStatus", "String"),
  property("ipAddresses", "Collection", false, { "ipAddress", "macAddress", "type", "operationalStatus" }),
  property("vmMetadata", "Complex", false, { "vmId", "cloudProvider", "resourceId", "subscriptionId" }),
})

M.action = new("MachineActions", {
  property("id", "Guid", true),
  property("type", "String", true),
  property("title", "String"),
  property("requestor", "String", true),
  property("requestorComment", "String"),
  property("status", "String", true),
  property("machineId", "String", true),
  property("computerDnsName", "String"),
  property("creationDateTimeUtc", "DateTimeOffset", true),
  property("lastUpdateDateTimeUtc", "DateTimeOffset"),
  property("cancellationRequestor", "String"),
  property("cancellationComment", "String"),
  property("cancellationDateTimeUtc", "DateTimeOffset"),
  property("errorHResult", "Int64"),
  property("scope", "String"),
  property("externalId", "String"),
  property("requestSource", "String"),
  property("relatedFileInfo", "Complex", false, { "fileIdentifier", "fileIdentifierType" }),
  property("commands", "Collection", false,
    { "index", "startTime", "endTime", "commandStatus", "errors", "command" }),
  property("troubleshootInfo", "String"),
})

local metadata = "https://api.security.microsoft.com/api/$metadata#"

local encode = json.encode

-- A list of 10,000 machines has 400,000 members, most of them plain texts: those are written here and now.
local function write_members(list, record, wanted)
  local parts, count = {}, 0
  for i = 1, #list do
    local one = list[i]
    if not wanted or wanted[one.name] then
      local value = record[one.name]
      local kind = type(value)
      local text
      if kind == "string" and not value:find '[%z\1-\31"\\\127]' then
        text = one.quoted_label .. value .. '"'
      elseif kind == "table" and one.write then
        text = one.label .. one.write(value)
      else
        text = one.label .. encode(value)
      end
      count = count + 1
      parts[count] = text
    end
  end
  return table.concat(parts, ",")
end

local function label(one)
  one.label = encode(one.name) .. ":"
  one.quoted_label = one.label .. '"'
  return one
end

-- Gives a property what it needs to write a table.
local function set_writer(one)
  local labels = {}
  for i, name in ipairs(one.members or {}) do labels[i] = label { name = name } end
  local function write_object(value) return "{" .. write_members(labels, value) .. "}" end
  local write_element = one.members and write_object or encode
  if one.type == "Edm.Complex" then
    one.write = write_object
  elseif one.type == "Edm.Collection" then
    one.write = function(list)
      local parts = {}
      for i = 1, #list do parts[i] = write_element(list[i]) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
  end
end

for _, kind in pairs { M.machine, M.action } do
  for _, one in ipairs(kind.list) do
    label(one)
    set_writer(one)
  end
end

--- One record as the whole body of an answer.
---@param kind table
---@param record table
---@return string
function M.entity(kind, record)
  return ('{"@odata.context":"%s%s/$entity",%s}'):format(metadata, kind.set, write_members(kind.list, record))
end

-- The context names what was selected.
local function selection(kind, wanted)
  if not wanted then return "" end
  local names = {}
  for _, name in ipairs(kind.names) do
    if wanted[name] then names[#names + 1] = name end
  end
  return "(" .. table.concat(names, ",") .. ")"
end

--- A list of records as the whole body of an answer.
---@param kind table
---@param records table[]
---@param wanted table<string, boolean>? the properties to write; nil for all
---@param next_link string? where the list goes on
---@param total integer? how many records there are, if that was asked
---@return string
function M.list(kind, records, wanted, next_link, total)
  local parts = {}
  for i, record in ipairs(records) do parts[i] = "{" .. write_members(kind.list, record, wanted) .. "}" end
  return ('{"@odata.context":"%s%s%s"%s,"value":[%s]%s}'):format(metadata, kind.set, selection(kind, wanted),
    total and (',"@odata.count":%d'):format(total) or "", table.concat(parts, ","),
    next_link and ',"@odata.nextLink":' .. json.encode(next_link) or "")
end

local hex4 = ("%x"):rep(4)
local guid_pattern = "^" .. hex4 .. hex4 .. ("%-" .. hex4):rep(4) .. hex4 .. hex4 .. "$"

local function is_list_of(element_type, value)
  if type(value) ~= "table" then return false end
  for index, element in pairs(value) do
    if type(index) ~= "number" or type(element) ~= element_type then return false end
  end
  return true
end

--- Whether a value from outside (a fixture, a control request) fits a property.
---@param kind table
---@param name string
---@param value any not nil
---@return boolean
function M.fits(kind, name, value)
  local one = kind.properties[name]
  if not one or one.name ~= name then return false end
  local wanted = one.type
  if wanted == "Edm.Boolean" then return type(value) == "boolean" end
  if wanted == "Edm.Int32" or wanted == "Edm.Int64" then
    return type(value) == "number" and value == math.floor(value)
  end
  if wanted == "Edm.DateTimeOffset" then return type(value) == "string" and time.parse(value) ~= nil end
  if wanted == "Edm.Collection" then return is_list_of(one.members and "table" or "string", value) end
  if wanted == "Edm.Complex" then return type(value) == "table" end
  if wanted == "Edm.Guid" then return type(value) == "string" and value:find(guid_pattern) ~= nil end
  return type(value) == "string"
end

local descriptions = {
  ["Edm.Boolean"] = "true or false", ["Edm.Int32"] = "a whole number", ["Edm.Int64"] = "a whole number",
  ["Edm.DateTimeOffset"] = "a time such as 2026-02-03T10:11:12Z or 2h ago", ["Edm.Guid"] = "a GUID",
  ["Edm.String"] = "a text",
}

local function describe(one)
  local members = one.members and table.concat(one.members, ", ")
  if one.type == "Edm.Collection" then return members and "a list of tables with " .. members or "a list of texts" end
  if one.type == "Edm.Complex" then return "a table with " .. members end
  return one.values and "one of " .. table.concat(one.values, ", ") or descriptions[one.type]
end

--- Why a value from outside does not fit.
---@param kind table
---@param name string
---@param value any not nil
---@param switches table<string, boolean> what else a record may have, each true or false
---@return string? message nil if it fits
function M.problem(kind, name, value, switches)
  if switches[name] then
    return type(value) ~= "boolean" and validation.mismatch(name, "true or false", value) or nil
  end
  local one = kind.properties[name]
  if not one or one.name ~= name then
    local names = {}
    for _, other in ipairs(kind.names) do names[other] = true end
    for other in pairs(switches) do names[other] = true end
    return validation.unknown("property ", name, names)
  end
  return not M.fits(kind, name, value) and validation.mismatch(name, describe(one), value) or nil
end

--- Why a text is not one of the values that the documents list for a property.
---@param kind table
---@param name string
---@param value any
---@return string? message nil if it is one, or if there is no such list
function M.undocumented(kind, name, value)
  local one = kind.properties[name]
  if not one or one.name ~= name or not one.values or type(value) ~= "string" then return nil end
  for _, documented_value in ipairs(one.values) do
    if value == documented_value then return nil end
  end
  return validation.mismatch(name, describe(one), value)
end

return M
