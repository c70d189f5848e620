-- The service's two kinds of record: their properties in the order in which it writes them, their types, and
-- which of them $filter may name. A property that is not here does not exist.
local json = require "mde.sim.json"

local schema = {}

local function property(name, kind, filterable)
  return { name = name, type = "Edm." .. kind, filterable = filterable or false }
end

local function new(set, properties)
  local names, by_name = {}, {}
  for i, each in ipairs(properties) do
    names[i] = each.name
    by_name[each.name] = each
    -- Filters may write a property with a capital first letter too.
    by_name[each.name:sub(1, 1):upper() .. each.name:sub(2)] = each
  end
  return { set = set, names = names, properties = by_name }
end

schema.machine = new("Machines", {
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
  property("machineTags", "Collection"),
  property("defenderAvStatus", "String"),
  property("onboardingStatus", "String", true),
  property("osArchitecture", "String"),
  property("managedBy", "String"),
  property("managedByStatus", "String"),
  property("ipAddresses", "Collection"),
  property("vmMetadata", "Complex"),
})

schema.action = new("MachineActions", {
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
  property("relatedFileInfo", "Complex"),
  property("commands", "Collection"),
  property("troubleshootInfo", "String"),
})

local metadata = "https://api.security.microsoft.com/api/$metadata#"

-- The members of a record, without the braces.
local function members(kind, record)
  for _, name in ipairs(kind.names) do
    if kind.properties[name].type == "Edm.Collection" and record[name] then json.array(record[name]) end
  end
  return json.object(kind.names, record):sub(2, -2)
end

--- One record as the whole body of an answer.
---@param kind table
---@param record table
---@return string
function schema.entity(kind, record)
  return ('{"@odata.context":"%s%s/$entity",%s}'):format(metadata, kind.set, members(kind, record))
end

--- A list of records as the whole body of an answer.
---@param kind table
---@param records table[]
---@return string
function schema.list(kind, records)
  local parts = {}
  for i, record in ipairs(records) do parts[i] = "{" .. members(kind, record) .. "}" end
  return ('{"@odata.context":"%s%s","value":[%s]}'):format(metadata, kind.set, table.concat(parts, ","))
end

--- Whether a value from outside (a fixture, a control request) fits a property.
---@param kind table
---@param name string
---@param value any not nil
---@return boolean
function schema.fits(kind, name, value)
  local one = kind.properties[name]
  if not one or one.name ~= name then return false end
  local wanted = one.type
  if wanted == "Edm.Boolean" then return type(value) == "boolean" end
  if wanted == "Edm.Int32" or wanted == "Edm.Int64" then
    return type(value) == "number" and value == math.floor(value)
  end
  if wanted == "Edm.Collection" or wanted == "Edm.Complex" then return type(value) == "table" end
  return type(value) == "string"
end

return schema
