--- alert_fields: what alerts and incidents can be selected by, of each source.
--
-- The names and the values are those of Microsoft Graph, whichever source is asked: Defender for Endpoint has others,
-- and knows other fields (alert_values.lua). What a source cannot filter by is refused by name.

local alert_values = require "mde.query.alert_values"
local fields = require "mde.query.fields"
local kinds = require "mde.query.kinds"

local field = fields.field

---@alias mde.AlertSeverity "informational"|"low"|"medium"|"high"
---@alias mde.AlertStatus "new"|"inProgress"|"resolved"
---@alias mde.AlertClassification "truePositive"|"falsePositive"|"informationalExpectedActivity"

---@class mde.AlertQuery a field's value, a list of which any will do, or an operator
---@field severity? mde.AlertSeverity|mde.AlertSeverity[]|mde.Operator
---@field status? mde.AlertStatus|mde.AlertStatus[]|mde.Operator
---@field createdDateTime? mde.Time|mde.Operator
---@field lastUpdateDateTime? mde.Time|mde.Operator
---@field assignedTo? string|string[]|mde.Operator
---@field id? string|string[]|mde.Operator of the source "defender"
---@field incidentId? string|integer|mde.Operator of the source "defender"; mde.incident(id) has its alerts, too
---@field category? string|string[]|mde.Operator of the source "defender"
---@field detectionSource? string|string[]|mde.Operator of the source "defender"
---@field lastActivityDateTime? mde.Time|mde.Operator of the source "defender"
---@field classification? mde.AlertClassification|mde.AlertClassification[]|mde.Operator of the source "graph"
---@field determination? string|string[]|mde.Operator of the source "graph"
---@field serviceSource? string|string[]|mde.Operator of the source "graph"

---@class mde.IncidentQuery
---@field severity? mde.AlertSeverity|mde.AlertSeverity[]|mde.Operator
---@field status? "active"|"inProgress"|"resolved"|"redirected"|"awaitingAction"|mde.Operator
---@field createdDateTime? mde.Time|mde.Operator
---@field lastUpdateDateTime? mde.Time|mde.Operator
---@field assignedTo? string|string[]|mde.Operator
---@field classification? mde.AlertClassification|mde.AlertClassification[]|mde.Operator
---@field determination? string|string[]|mde.Operator

local M = {}

local EXAMPLE = '{ severity = "high", status = "new" }'
-- What a row has and no source can filter by.
local UNFILTERED = { "title", "description", "mitreTechniques", "comments", "devices", "users", "files", "processes",
  "addresses", "urls", "resolvedDateTime", "firstActivityDateTime" }

local function joined(list, more)
  local all = {}
  for _, item in ipairs(list) do all[#all + 1] = item end
  for _, item in ipairs(more) do all[#all + 1] = item end
  return all
end

-- A field as Defender for Endpoint has it.
local function defenders(name, kind, order)
  local one = field(kind, order)
  one.column = alert_values.columns[name]
  one.spelled = alert_values.spellings[name]
  return one
end

--- What `/api/alerts` can be filtered by.
---@type mde.query.Schema
M.alerts = fields.schema("alerts", EXAMPLE, {
  id = defenders("id", kinds.text),
  incidentId = defenders("incidentId", kinds.incident),
  severity = defenders("severity", kinds.level, alert_values.severities),
  status = defenders("status", kinds.choice, alert_values.statuses),
  category = defenders("category", kinds.text),
  assignedTo = defenders("assignedTo", kinds.text),
  detectionSource = defenders("detectionSource", kinds.choice, alert_values.detection_sources),
  createdDateTime = defenders("createdDateTime", kinds.time),
  lastUpdateDateTime = defenders("lastUpdateDateTime", kinds.time),
  lastActivityDateTime = defenders("lastActivityDateTime", kinds.time),
}, joined(UNFILTERED, { "classification", "determination", "serviceSource" }))

local BY_GRAPH = 'With { source = "graph" } Microsoft Graph filters by it.'
M.alerts.elsewhere = { classification = BY_GRAPH, determination = BY_GRAPH, serviceSource = BY_GRAPH }

--- What Graph's `alerts_v2` can be filtered by.
---@type mde.query.Schema
M.graph_alerts = fields.schema("alerts", EXAMPLE, {
  severity = field(kinds.level, alert_values.severities),
  status = field(kinds.choice, alert_values.statuses),
  classification = field(kinds.choice, alert_values.classifications),
  determination = field(kinds.choice, alert_values.determinations),
  serviceSource = field(kinds.choice, alert_values.service_sources),
  assignedTo = field(kinds.text),
  createdDateTime = field(kinds.time),
  lastUpdateDateTime = field(kinds.time),
}, joined(UNFILTERED, { "id", "incidentId", "category", "detectionSource", "lastActivityDateTime" }))

local BY_DEFENDER = 'With { source = "defender" } the service filters by it.'
M.graph_alerts.elsewhere = { id = "mde.alert(id) reads one alert.", incidentId = "mde.incident(id) has its alerts.",
  category = BY_DEFENDER, detectionSource = BY_DEFENDER, lastActivityDateTime = BY_DEFENDER }

--- What Graph's `incidents` can be filtered by.
---@type mde.query.Schema
M.incidents = fields.schema("incidents", '{ severity = "high", status = "active" }', {
  severity = field(kinds.level, alert_values.severities),
  status = field(kinds.choice, alert_values.incident_statuses),
  classification = field(kinds.choice, alert_values.classifications),
  determination = field(kinds.choice, alert_values.determinations),
  assignedTo = field(kinds.text),
  createdDateTime = field(kinds.time),
  lastUpdateDateTime = field(kinds.time),
}, { "id", "displayName", "description", "summary", "customTags", "comments", "priorityScore", "redirectIncidentId",
  "alerts" })

M.incidents.elsewhere = { id = "mde.incident(id) reads one incident." }

return M
