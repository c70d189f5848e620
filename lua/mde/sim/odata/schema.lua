-- The service's kinds of record: their properties in the order in which it writes them, their types, and which of
-- them $filter may name. A property that is not here does not exist. Machines and actions are here, and how to define
-- others.
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
    "StopAndQuarantineFile", "RestrictCodeExecution", "UnrestrictCodeExecution", "RequestSample", "Unknown" },
  scope = { "Full", "Selective", "Quick" },
  status = { "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled" },
  fileIdentifierType = { "Sha1", "Sha256", "Md5" },
}

--- A property. `members`: the names of an object's members, or of each object's in a collection; a collection without
--- is of texts.
---@param name string
---@param kind "String"|"Boolean"|"Int32"|"Int64"|"Double"|"DateTimeOffset"|"Guid"|"Collection"|"Complex"
---@param filterable boolean?
---@param members string[]?
---@return table
function M.property(name, kind, filterable, members)
  return { name = name, type = "Edm." .. kind, filterable = filterable or false, members = members,
    values = documented[name] }
end

local property = M.property

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

-- A list of 10,000 machines has 400,000 members. So an answer is put together once, of pieces of text that commas stand
-- between. What a member was written as is kept by its value: another machine has the same, or the next list does.
local writers, known, most_known = {}, 0, 200000

local function keep(one, value, text)
  if known == most_known then
    for _, writer in ipairs(writers) do writer.written = {} end
    known = 0
  end
  one.written[value], known = text, known + 1
end

-- The piece of a member whose value is not null, nor among those that are kept.
local function write_member(one, value)
  local kind = type(value)
  local is_plain = kind == "string" and not value:find '[%z\1-\31"\\\127]'
  local text = is_plain and one.label .. '"' .. value .. '"' or one.label .. encode(value)
  if kind ~= "table" then keep(one, value, text) end
  return text
end

local function enclose(pieces, first, last, opening, closing)
  pieces[first] = opening .. pieces[first]
  pieces[last] = pieces[last] .. closing
end

-- Adds the members of a record behind so many pieces. Returns how many there are then.
local function add_members(pieces, count, list, record, wanted)
  for i = 1, #list do
    local one = list[i]
    if not wanted or wanted[one.name] then
      local value = record[one.name]
      if type(value) == "table" and one.add then
        count = one.add(pieces, count, value)
      else
        count = count + 1
        pieces[count] = value == nil and one.null or one.written[value] or write_member(one, value)
      end
    end
  end
  return count
end

local function add_object(pieces, count, list, record, wanted)
  local last = add_members(pieces, count, list, record, wanted)
  enclose(pieces, count + 1, last, "{", "}")
  return last
end

local function writer(one)
  one.label, one.written = encode(one.name) .. ":", {}
  one.null = one.label .. "null"
  writers[#writers + 1] = one
  return one
end

local function adds_object(one, members)
  return function(pieces, count, value)
    local last = add_object(pieces, count, members, value)
    pieces[count + 1] = one.label .. pieces[count + 1]
    return last
  end
end

local function adds_objects(one, members)
  return function(pieces, count, values)
    if #values == 0 then
      pieces[count + 1] = one.label .. "[]"
      return count + 1
    end
    local last = count
    for i = 1, #values do last = add_object(pieces, last, members, values[i]) end
    enclose(pieces, count + 1, last, one.label .. "[", "]")
    return last
  end
end

local function adds_texts(one)
  return function(pieces, count, values)
    local texts = {}
    for i = 1, #values do texts[i] = encode(values[i]) end
    pieces[count + 1] = one.label .. "[" .. table.concat(texts, ",") .. "]"
    return count + 1
  end
end

local function add_writers(kind)
  for _, one in ipairs(kind.list) do
    writer(one)
    local members = one.members and {}
    for i, name in ipairs(one.members or {}) do members[i] = writer { name = name } end
    if one.type == "Edm.Complex" then
      one.add = adds_object(one, members)
    elseif one.type == "Edm.Collection" then
      one.add = members and adds_objects(one, members) or adds_texts(one)
    end
  end
  return kind
end

for _, kind in pairs { M.machine, M.action } do add_writers(kind) end

--- Another kind of record.
---@param set string the name of its set
---@param properties table[] from `property`, in the service's order
---@param expandable string? the property that is empty in a list unless $expand names it
---@return table kind
function M.define(set, properties, expandable)
  local kind = add_writers(new(set, properties))
  kind.expandable = expandable
  return kind
end

--- One record as the whole body of an answer.
---@param kind table
---@param record table
---@return string
function M.entity(kind, record)
  local pieces = { ('{"@odata.context":"%s%s/$entity"'):format(metadata, kind.set) }
  add_members(pieces, 1, kind.list, record)
  return table.concat(pieces, ",") .. "}"
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

--- A text as the whole body of an answer.
---@param value string
---@return string
function M.text(value)
  return ('{"@odata.context":"%sEdm.String","value":%s}'):format(metadata, encode(value))
end

--- A list of records as the whole body of an answer.
---@param kind table
---@param records table[]
---@param wanted table<string, boolean>? the properties to write; nil for all
---@param next_link string? where the list goes on
---@param total integer? how many records there are, if that was asked
---@return string
function M.list(kind, records, wanted, next_link, total)
  local opening = ('{"@odata.context":"%s%s%s"%s,"value":['):format(metadata, kind.set, selection(kind, wanted),
    total and (',"@odata.count":%d'):format(total) or "")
  local closing = ("]%s}"):format(next_link and ',"@odata.nextLink":' .. encode(next_link) or "")
  local pieces, count = {}, 0
  for i = 1, #records do count = add_object(pieces, count, kind.list, records[i], wanted) end
  if count == 0 then return opening .. closing end
  enclose(pieces, 1, count, opening, closing)
  return table.concat(pieces, ",")
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

local function is_among(list, value)
  for _, each in ipairs(list) do
    if each == value then return true end
  end
  return false
end

-- An object that has none but these members.
local function is_object(value, members)
  if type(value) ~= "table" then return false end
  for name in pairs(value) do
    if not is_among(members, name) then return false end
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
  if wanted == "Edm.Complex" then return is_object(value, one.members) end
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

--- Why a text, or a member of an object, is not one of the values that the documents list for it.
---@param kind table
---@param name string
---@param value any
---@return string? message nil if it is one, or if there is no such list
function M.undocumented(kind, name, value)
  local one = kind.properties[name]
  if not one or one.name ~= name then return nil end
  if one.type == "Edm.Complex" and type(value) == "table" then
    for _, member in ipairs(one.members) do
      local values, text = documented[member], value[member]
      if values and type(text) == "string" and not is_among(values, text) then
        return validation.mismatch(name .. "." .. member, "one of " .. table.concat(values, ", "), text)
      end
    end
  elseif one.values and type(value) == "string" and not is_among(one.values, value) then
    return validation.mismatch(name, describe(one), value)
  end
end

return M
