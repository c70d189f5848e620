--- incident: an incident of Microsoft Graph, and the alerts of one.
--
-- One that was merged into another stays behind as a signpost: its status is `redirected`, `redirectIncidentId` names
-- the survivor, and nothing is written to it any more.

local alerts = require "mde.alert.alert"
local core = require "mde.core"

---@class mde.Incident an incident; absent is what the service does not say
---@field id string
---@field row table the service's own row
---@field displayName? string
---@field description? string
---@field summary? string
---@field severity? string
---@field status? string active, inProgress, resolved, redirected or awaitingAction
---@field redirectIncidentId? string the incident that it was merged into
---@field classification? string
---@field determination? string
---@field assignedTo? string
---@field createdDateTime? string as the service wrote it
---@field lastUpdateDateTime? string
---@field lastModifiedBy? string
---@field resolvingComment? string
---@field incidentWebUrl? string
---@field priorityScore? number
---@field customTags string[]
---@field comments mde.AlertComment[]
---@field alerts? mde.Alert[] of mde.incident(id); absent where the service does not say which it has
---@field unidentified? integer of mde.incident(id): how many of its alerts cannot be identified and are left out

local M = {}

local names = { "displayName", "description", "summary", "severity", "status", "redirectIncidentId", "classification",
  "determination", "assignedTo", "createdDateTime", "lastUpdateDateTime", "lastModifiedBy", "resolvingComment",
  "incidentWebUrl" }

local function text_of(value)
  if type(value) == "number" then return core.number.whole(value) end
  return type(value) == "string" and value ~= "" and value or nil
end

local function texts_of(list)
  local own = {}
  for _, value in ipairs(type(list) == "table" and list or {}) do own[#own + 1] = text_of(value) end
  return own
end

--- A row of the service, with an id, as an incident; with its alerts, if they are given.
---@param row table
---@param of_alerts? mde.Alert[]
---@param unidentified? integer
---@return table
function M.of_row(row, of_alerts, unidentified)
  local incident = { id = row.id, row = row, customTags = texts_of(row.customTags),
    comments = alerts.comments_of_graph(row), alerts = of_alerts, unidentified = unidentified }
  for _, name in ipairs(names) do incident[name] = text_of(row[name]) end
  incident.priorityScore = type(row.priorityScore) == "number" and row.priorityScore or nil
  return incident
end

return M
