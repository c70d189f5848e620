--- columns: what is shown of machines, actions, alerts, incidents and indicators.

local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local json = require "mde.base.json_line"

-- What tells machines apart has to be seen, however narrow the terminal.
local NAME_LEAST = 28
-- An id is of use whole or not at all.
local ID_LEAST, ACTION_ID_LEAST = 40, 36

local M = {}

local function field(name)
  return function(record) return record[name] end
end

-- The same where it may be a list or an object, which is written as JSON then.
local function any_field(name)
  return function(record)
    local value = record[name]
    return type(value) == "table" and json.encode(value) or value
  end
end

-- Clocks are told in whole seconds: what happened in this one is not in the future.
local RESOLUTION_SECONDS = 1

--- How long ago it was, for a person.
---@param time any as the service writes times
---@param now number Unix seconds, by the service's clock
---@return string? nil if it is not a time
function M.ago(time, now)
  local seconds = core.timestamp.read(time)
  if seconds then return duration.ago(now + RESOLUTION_SECONDS - seconds) end
end

local function ago(name)
  return function(record, now) return M.ago(record[name], now) end
end

local function tags(machine)
  return machine.machineTags and table.concat(machine.machineTags, ", ")
end

--- When a machine was last seen, for a person.
---@param machine mde.Machine
---@param now number Unix seconds, by the service's clock
---@return string
function M.last_seen(machine, now)
  return M.ago(machine.lastSeen, now) or "never"
end

--- The id comes first where another program reads it, which may be `mde restrict - --column 1`.
---@type mde.cli.RowColumn[]
M.machines = {
  { name = "id", title = "ID", value = field "id", only_data = true },
  { name = "computerDnsName", title = "NAME", value = field "computerDnsName", least = NAME_LEAST,
    kept = true },
  { name = "osPlatform", title = "PLATFORM", value = field "osPlatform" },
  { name = "healthStatus", title = "HEALTH", value = field "healthStatus", optional = true },
  { name = "riskScore", title = "RISK", value = field "riskScore" },
  { name = "lastSeen", title = "LAST SEEN", value = field "lastSeen", shown = M.last_seen },
  { name = "machineTags", title = "TAGS", value = tags },
  { name = "lastIpAddress", title = "ADDRESS", value = field "lastIpAddress", optional = true },
  { name = "id", title = "ID", value = field "id", optional = true, only_shown = true,
    least = ID_LEAST },
}

local function short_type(action)
  return type(action.type) == "string" and action.type:gsub("CodeExecution$", "") or nil
end

--- A person looks for the machine first; mde action and mde cancel are given the id, for which there may be no room.
---@type mde.cli.RowColumn[]
M.actions = {
  { name = "id", title = "ID", value = field "id", only_data = true },
  { name = "computerDnsName", title = "MACHINE", value = field "computerDnsName", least = NAME_LEAST, kept = true,
    only_shown = true },
  { name = "type", title = "TYPE", value = field "type", shown = short_type },
  { name = "status", title = "STATUS", value = field "status" },
  { name = "id", title = "ID", value = field "id", optional = true, only_shown = true, least = ACTION_ID_LEAST },
  { name = "computerDnsName", title = "MACHINE", value = field "computerDnsName", only_data = true },
  { name = "creationDateTimeUtc", title = "CREATED", value = field "creationDateTimeUtc",
    shown = ago "creationDateTimeUtc", optional = true },
  { name = "requestor", title = "REQUESTOR", value = field "requestor", optional = true },
  { name = "requestorComment", title = "COMMENT", value = field "requestorComment", optional = true },
  { name = "machineId", title = "MACHINE ID", value = field "machineId", only_data = true },
}

-- The devices of an alert by their names, or else their ids; one that may not be acted on in parentheses.
local function devices_of(alert)
  local names = {}
  for i, device in ipairs(alert.devices or {}) do
    names[i] = device.computerDnsName or device.id or device.aadDeviceId or "?"
    if not device.is_target then names[i] = "(" .. names[i] .. ")" end
  end
  return names[1] and table.concat(names, ", ")
end

--- A person looks for what is urgent; mde alert is given the id.
---@type mde.cli.RowColumn[]
M.alerts = {
  { name = "id", title = "ID", value = field "id", only_data = true },
  { name = "severity", title = "SEVERITY", value = field "severity" },
  { name = "status", title = "STATUS", value = field "status" },
  { name = "createdDateTime", title = "CREATED", value = field "createdDateTime", shown = ago "createdDateTime" },
  { name = "title", title = "TITLE", value = field "title", least = NAME_LEAST },
  { name = "devices", title = "DEVICES", value = devices_of },
  { name = "assignedTo", title = "ASSIGNED TO", value = field "assignedTo", optional = true },
  { name = "incidentId", title = "INCIDENT", value = field "incidentId", optional = true },
  { name = "id", title = "ID", value = field "id", optional = true, only_shown = true, least = 30 },
}

---@type mde.cli.RowColumn[]
M.incidents = {
  { name = "id", title = "ID", value = field "id", kept = true },
  { name = "severity", title = "SEVERITY", value = field "severity" },
  { name = "status", title = "STATUS", value = field "status" },
  { name = "lastUpdateDateTime", title = "UPDATED", value = field "lastUpdateDateTime",
    shown = ago "lastUpdateDateTime" },
  { name = "displayName", title = "NAME", value = field "displayName", least = NAME_LEAST },
  { name = "assignedTo", title = "ASSIGNED TO", value = field "assignedTo", optional = true },
  { name = "customTags", title = "TAGS", value = function(incident)
    return incident.customTags and table.concat(incident.customTags, ", ")
  end, optional = true },
  { name = "redirectIncidentId", title = "MERGED INTO", value = field "redirectIncidentId", optional = true },
}

---@type mde.cli.RowColumn[]
M.indicators = {
  { name = "id", title = "ID", value = field "id", kept = true },
  { name = "action", title = "ACTION", value = field "action" },
  { name = "indicatorType", title = "TYPE", value = field "indicatorType" },
  { name = "indicatorValue", title = "VALUE", value = field "indicatorValue", least = NAME_LEAST, kept = true },
  { name = "expirationTime", title = "UNTIL", value = field "expirationTime", optional = true },
  { name = "title", title = "TITLE", value = field "title", optional = true },
  { name = "createdByDisplayName", title = "BY", value = field "createdByDisplayName", optional = true },
}

-- What columns say of where they are left away.
local marks = { optional = true, only_data = true, only_shown = true }

--- The columns of these fields, in this order, each as it stands among the usual ones if it does.
---@param names string[]
---@param usual mde.cli.RowColumn[]
---@return mde.cli.RowColumn[]
function M.chosen(names, usual)
  local known, list = {}, {}
  for _, column in ipairs(usual) do known[column.name] = known[column.name] or column end
  for i, name in ipairs(names) do
    list[i] = {}
    for key, value in pairs(known[name] or { name = name, title = name, value = any_field(name) }) do
      if not marks[key] then list[i][key] = value end
    end
    if name == "id" or name == "machineId" then list[i].least = ID_LEAST end
  end
  return list
end

--- What is shown before somebody is asked whether these machines are meant.
---@type mde.cli.Column[]
M.asked = {
  { title = "NAME", value = field "computerDnsName", least = NAME_LEAST, kept = true },
  { title = "PLATFORM", value = field "osPlatform" },
  { title = "LAST SEEN", value = M.last_seen },
  { title = "TAGS", value = tags },
  { title = "ID", value = field "id", optional = true, least = ID_LEAST },
}

--- The same where machines share a name, which stands in their first cell with the id.
---@type mde.cli.Column[]
M.asked_by_id = {
  { title = "NAME", least = 67 },
  { title = "LAST SEEN", value = M.last_seen },
}

return M
