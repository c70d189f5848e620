--- fields: what machines, actions and indicators can be selected by, the values that each field is known to have, and
-- what was probably meant by a name that is misspelt. What alerts and incidents can be selected by stands in
-- alert_fields.lua.
--
-- Fields that the service cannot filter by are for an `if` in Lua; values that it has added since this was written
-- are asked for in OData.

local core = require "mde.core"
local errors = require "mde.base.error"
local kinds = require "mde.query.kinds"
local options_of = require "mde.base.options"

---@class mde.MachineQuery a field's value, a list of which any will do, or an operator
---@field id? string|string[]|mde.Operator
---@field computerDnsName? string|string[]|mde.Operator
---@field osPlatform? string|string[]|mde.Operator Windows10, Windows11, WindowsServer2022, Linux, macOS and others
---@field version? string|string[]|mde.Operator for example 22H2
---@field lastIpAddress? string|string[]|mde.Operator
---@field aadDeviceId? string|string[]|mde.Operator
---@field rbacGroupId? integer|integer[]|mde.Operator
---@field lastSeen? mde.Time|mde.Operator the last full report, about one a day
---@field machineTags? mde.Operator mde.has "tag"
---@field healthStatus? mde.HealthStatus|mde.HealthStatus[]|mde.Operator
---@field onboardingStatus? mde.OnboardingStatus|mde.OnboardingStatus[]|mde.Operator
---@field riskScore? mde.RiskScore|mde.RiskScore[]|mde.Operator
---@field exposureLevel? mde.ExposureLevel|mde.ExposureLevel[]|mde.Operator
---@field deviceValue? mde.DeviceValue|mde.DeviceValue[]|mde.Operator

---@alias mde.HealthStatus "Active"|"Inactive"|"ImpairedCommunication"|"NoSensorData"
---| "NoSensorDataImpairedCommunication"|"Unknown"
---@alias mde.OnboardingStatus "Onboarded"|"CanBeOnboarded"|"Unsupported"|"InsufficientInfo"
---@alias mde.RiskScore "None"|"Informational"|"Low"|"Medium"|"High"
---@alias mde.ExposureLevel "None"|"Low"|"Medium"|"High"
---@alias mde.DeviceValue "Low"|"Normal"|"High"
---@alias mde.ActionType "RestrictCodeExecution"|"UnrestrictCodeExecution"|"Isolate"|"Unisolate"
---| "RunAntiVirusScan"|"StopAndQuarantineFile"|"CollectInvestigationPackage"|"LiveResponse"|"Offboard"
---@alias mde.ActionStatus "Pending"|"InProgress"|"Succeeded"|"Failed"|"TimeOut"|"Cancelled"

---@class mde.ActionQuery
---@field id? string|string[]|mde.Operator
---@field machineId? string|string[]|mde.Operator
---@field type? mde.ActionType|mde.ActionType[]|mde.Operator
---@field requestor? string|string[]|mde.Operator
---@field status? mde.ActionStatus|mde.ActionStatus[]|mde.Operator
---@field creationDateTimeUtc? mde.Time|mde.Operator

---@class mde.IndicatorQuery
---@field indicatorValue? string|string[]|mde.Operator
---@field indicatorType? mde.IndicatorType|mde.IndicatorType[]|mde.Operator
---@field action? mde.IndicatorAction|mde.IndicatorAction[]|mde.Operator
---@field severity? mde.IndicatorSeverity|mde.IndicatorSeverity[]|mde.Operator
---@field title? string|string[]|mde.Operator
---@field application? string|string[]|mde.Operator
---@field createdBy? string|string[]|mde.Operator
---@field createdByDisplayName? string|string[]|mde.Operator
---@field creationTimeDateTimeUtc? mde.Time|mde.Operator
---@field expirationTime? mde.Time|mde.Operator
---@field rbacGroupNames? mde.Operator mde.has "group"
---@field generateAlert? boolean

---@class mde.query.Field
---@field name string
---@field column? string what the service calls it, if that is another name
---@field kind mde.query.Kind
---@field spelled? table<string, string> what the service calls the values that have other names there
---@field order? string[] the values that it is known to have
---@field choices table<string, integer> the same values, and the place of each in that order

---@class mde.query.Schema what machines, or actions, can be selected by
---@field what "machines"|"actions"|"indicators"|"alerts"|"incidents"
---@field example string a query
---@field fields table<string, mde.query.Field>
---@field names string[] the same fields by their names, in order
---@field known table<string, boolean> the names of these fields, and of those that the service cannot filter by
---@field elsewhere? table<string, string> for some of the latter: what can be done instead

local M = {}

--- A field.
---@param kind mde.query.Kind
---@param order? string[] the values that it is known to have
---@return mde.query.Field
function M.field(kind, order)
  local choices = {}
  for i, choice in ipairs(order or {}) do choices[choice] = i end
  return { kind = kind, order = order, choices = choices }
end

local field = M.field

--- What rows can be selected by.
---@param what string
---@param example string
---@param fields table<string, mde.query.Field>
---@param others string[] the fields that the service cannot filter by
---@return mde.query.Schema
function M.schema(what, example, fields, others)
  local known, listed = {}, {}
  for _, name in ipairs(others) do known[name] = true end
  for name, one in pairs(fields) do
    one.name, known[name] = name, true
    listed[#listed + 1] = name
  end
  table.sort(listed, core.text.before)
  return { what = what, example = example, fields = fields, known = known, names = listed }
end

local schema = M.schema

---@type mde.query.Schema
M.machines = schema("machines", '{ riskScore = "High" }', {
  id = field(kinds.machine_id),
  computerDnsName = field(kinds.text),
  version = field(kinds.text),
  osPlatform = field(kinds.platform, { "Windows10", "Windows11", "WindowsServer2012R2", "WindowsServer2016",
    "WindowsServer2019", "WindowsServer2022", "WindowsServer2025", "Linux", "macOS", "Android", "iOS" }),
  lastIpAddress = field(kinds.text),
  aadDeviceId = field(kinds.guid),
  rbacGroupId = field(kinds.number),
  lastSeen = field(kinds.time),
  machineTags = field(kinds.list),
  healthStatus = field(kinds.choice, { "Active", "Inactive", "ImpairedCommunication", "NoSensorData",
    "NoSensorDataImpairedCommunication", "Unknown" }),
  onboardingStatus = field(kinds.choice, { "Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo" }),
  riskScore = field(kinds.level, { "None", "Informational", "Low", "Medium", "High" }),
  exposureLevel = field(kinds.level, { "None", "Low", "Medium", "High" }),
  deviceValue = field(kinds.level, { "Low", "Normal", "High" }),
}, { "firstSeen", "rbacGroupName", "osBuild", "osVersion", "osProcessor", "osArchitecture", "agentVersion",
  "lastExternalIpAddress", "ipAddresses", "isAadJoined", "managedBy", "managedByStatus", "mergedIntoMachineId",
  "isPotentialDuplication", "isExcluded", "exclusionReason", "defenderAvStatus", "vmMetadata" })

---@type mde.query.Schema
M.actions = schema("actions", '{ status = "Pending" }', {
  id = field(kinds.guid),
  machineId = field(kinds.machine_id),
  type = field(kinds.type, { "RestrictCodeExecution", "UnrestrictCodeExecution", "Isolate", "Unisolate",
    "RunAntiVirusScan", "StopAndQuarantineFile", "CollectInvestigationPackage", "LiveResponse", "Offboard" }),
  requestor = field(kinds.text),
  creationDateTimeUtc = field(kinds.time),
  status = field(kinds.choice, { "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled" }),
}, { "title", "scope", "requestSource", "requestorComment", "computerDnsName", "lastUpdateDateTimeUtc",
  "cancellationRequestor", "cancellationComment", "cancellationDateTimeUtc", "errorHResult", "externalId",
  "relatedFileInfo", "commands", "troubleshootInfo" })

---@type mde.query.Schema
M.indicators = schema("indicators", '{ action = "Block" }', {
  indicatorValue = field(kinds.text),
  indicatorType = field(kinds.choice, { "FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress",
    "DomainName", "Url", "WebCategory" }),
  action = field(kinds.choice, { "Allowed", "Audit", "Block", "BlockAndRemediate", "Warn", "Alert", "AlertAndBlock" }),
  severity = field(kinds.level, { "Informational", "Low", "Medium", "High" }),
  title = field(kinds.text),
  application = field(kinds.text),
  createdBy = field(kinds.text),
  createdByDisplayName = field(kinds.text),
  creationTimeDateTimeUtc = field(kinds.time),
  expirationTime = field(kinds.time),
  rbacGroupNames = field(kinds.list),
  generateAlert = field(kinds.truth),
}, { "id", "description", "recommendedActions", "source", "sourceType", "lastUpdateTime", "lastUpdatedBy", "category",
  "educateUrl", "externalId", "rbacGroupIds" })

--- The field of a name. Raises if the service cannot filter by it, and suggests one if it is misspelt.
---@param name any
---@param of mde.query.Schema
---@return mde.query.Field
function M.find(name, of)
  if type(name) ~= "string" then
    errors.invalid("unknown_field",
      ("mde.%s: a query is a table of field = value, and %s is not a field's name"):format(of.what,
      errors.got(name)), ("Write %s, say."):format(of.example))
  end
  local found = of.fields[name]
  if found then return found end
  if of.known[name] then
    local elsewhere = of.elsewhere and of.elsewhere[name]
    errors.invalid("field_not_filterable", ("mde.%s: the service cannot filter by %s"):format(of.what, name),
      "Leave it out of the query, and test it in Lua on each that comes." .. (elsewhere and " " .. elsewhere or ""))
  end
  local near = options_of.nearest(name, of.known)
  errors.invalid("unknown_field", ("mde.%s has no field %s"):format(of.what, errors.quote(name)),
    near and ("Did you mean %q?"):format(near) or ("There are %s."):format(table.concat(of.names, ", ")))
end

--- The field of which a word is a value, or which a word names, as a table would have it: `{ riskScore = "High" }`.
---@param word string
---@param of mde.query.Schema
---@return string?
function M.in_a_table(word, of)
  for _, name in ipairs(of.names) do
    local one = of.fields[name]
    if core.text.lower(name) == core.text.lower(word) then return ("{ %s = ... }"):format(name) end
    for _, choice in ipairs(one.order or {}) do
      if core.text.lower(choice) == core.text.lower(word) then return ("{ %s = %q }"):format(name, choice) end
    end
  end
end

return M
