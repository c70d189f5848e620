-- The records of an alert and of an incident: what each may hold, and what is filled in. The names and the values are
-- those of Graph, which has more of both; what the older API makes of them stands in api/alert_form.lua.
local alert_values = require "mde.sim.model.alert_values"
local evidence = require "mde.sim.model.evidence"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

local M = {}

---@class mde.sim.alert
---@field id string
---@field incidentId string? the number of its incident; nil for one that stands alone
---@field title string
---@field severity string
---@field status string
---@field serviceSource string
---@field createdDateTime string
---@field lastUpdateDateTime string
---@field comments { comment: string, createdByDisplayName: string, createdDateTime: string }[]
---@field evidence mde.sim.evidence[]
---@field is_suppressed boolean? it was tuned away: Graph does not show it
---@field is_standalone boolean? it belongs to no incident: Graph does not show it
---@field lacks string[]? what is told as null, though the tenant knows it
---@field created number seconds since 1970
---@field listed_since number? from when on lists show it; nil for ever since
---@field revision integer how often it has changed

---@class mde.sim.incident
---@field id string
---@field displayName string
---@field severity string
---@field status string
---@field redirectIncidentId string? the incident that it was merged into
---@field createdDateTime string
---@field lastUpdateDateTime string
---@field customTags string[]
---@field comments table[]
---@field created number seconds since 1970
---@field revision integer how often it has changed

local shared_texts = "status classification determination assignedTo severity description createdDateTime "
  .. "lastUpdateDateTime"

local kinds = {
  alert = {
    string = shared_texts .. " id title recommendedActions category serviceSource detectionSource detectorId "
      .. "productName providerAlertId alertPolicyId threatFamilyName threatDisplayName actorDisplayName "
      .. "investigationState firstActivityDateTime lastActivityDateTime resolvedDateTime",
    number = "investigationId late_by",
    table = "mitreTechniques systemTags comments evidence lacks",
    boolean = "is_suppressed is_standalone",
    id = "incidentId",
    times = { "createdDateTime", "lastUpdateDateTime", "firstActivityDateTime", "lastActivityDateTime",
      "resolvedDateTime" },
  },
  incident = {
    string = shared_texts .. " displayName summary resolvingComment lastModifiedBy",
    number = "priorityScore",
    table = "customTags systemTags comments",
    boolean = "",
    id = "id redirectIncidentId",
    times = { "createdDateTime", "lastUpdateDateTime" },
  },
}

local descriptions = { string = "a text", number = "a number", table = "a list", boolean = "true or false",
  id = "the number of an incident" }

for _, kind in pairs(kinds) do
  kind.fields = {}
  for wanted in pairs(descriptions) do
    for name in kind[wanted]:gmatch "%S+" do kind.fields[name] = wanted end
  end
end

-- The number of an incident, which is a text in Graph and a number in the older API.
local function incident_number(value)
  local text = type(value) == "number" and value == math.floor(value) and ("%d"):format(value) or value
  return type(text) == "string" and text:find "^[1-9]%d*$" and #text <= 15 and text or nil
end

local comment_fields = { comment = true, createdByDisplayName = true, createdDateTime = true }

local function read_comments(list, created, now)
  local comments = {}
  validation.for_each("comments", list, function(given, i)
    for name, value in pairs(given) do
      if not comment_fields[name] then error(validation.unknown("", name, comment_fields), 0) end
      if type(value) ~= "string" then error(validation.mismatch(name, "a text", value), 0) end
    end
    local written = given.createdDateTime and time.resolve(given.createdDateTime, now)
    if given.createdDateTime and not written then
      error(validation.mismatch("createdDateTime", "a time such as 2h ago", given.createdDateTime), 0)
    end
    comments[i] = { comment = given.comment or "", createdByDisplayName = given.createdByDisplayName or "somebody",
      createdDateTime = written or created }
  end)
  return comments
end

-- The fields from outside, checked, with times as the service writes them; `json.null` and nil are the same.
local function read(kind, fields, now)
  local record = {}
  for name, value in pairs(time.resolve_fields(fields, kind.times, now)) do
    if value ~= json.null then record[name] = value end
  end
  for name, value in pairs(record) do
    local wanted = kind.fields[name]
    if not wanted then error(validation.unknown("property ", name, kind.fields), 0) end
    if wanted == "id" then
      record[name] = incident_number(value)
      if not record[name] then error(validation.mismatch(name, descriptions.id, value), 0) end
    elseif type(value) ~= wanted then
      error(validation.mismatch(name, descriptions[wanted], value), 0)
    end
  end
  for _, name in ipairs(kind.times) do
    if record[name] and not time.parse(record[name]) then
      error(validation.mismatch(name, "a time such as 2026-02-03T10:11:12Z or 2h ago", record[name]), 0)
    end
  end
  for _, name in ipairs { "mitreTechniques", "systemTags", "customTags", "lacks" } do
    if record[name] then validation.check_list(name, record[name], "string") end
  end
  return record
end

local function complete(record, now_text, now)
  record.createdDateTime = record.createdDateTime or now_text
  record.lastUpdateDateTime = record.lastUpdateDateTime or record.createdDateTime
  record.created = time.parse(record.createdDateTime)
  record.comments = read_comments(record.comments or {}, record.createdDateTime, now)
  record.systemTags = record.systemTags or {}
  record.revision = 0
end

-- Lists and objects are always there.
local can_lack = {}
for name, wanted in pairs(kinds.alert.fields) do
  if wanted == "string" or wanted == "id" then can_lack[name] = true end
end

local products = {
  microsoftDefenderForEndpoint = "Microsoft Defender for Endpoint",
  microsoftDefenderForIdentity = "Microsoft Defender for Identity",
  microsoftDefenderForOffice365 = "Microsoft Defender for Office 365",
  microsoftDefenderForCloudApps = "Microsoft Defender for Cloud Apps",
  microsoftDefenderForCloud = "Microsoft Defender for Cloud",
  azureAdIdentityProtection = "Microsoft Entra ID Protection",
  microsoftSentinel = "Microsoft Sentinel",
}

--- A complete alert. Raises a message for what does not fit.
---@param fields table
---@param id string if it has none of its own
---@param now number
---@param now_text string the time as the tenant's alerts have it
---@param find_machine fun(key: string, by_name: boolean): table?
---@return mde.sim.alert
function M.new_alert(fields, id, now, now_text, find_machine)
  local alert = read(kinds.alert, fields, now)
  if alert.late_by and alert.late_by < 0 then
    error(validation.mismatch("late_by", "a number of seconds", alert.late_by), 0)
  end
  if alert.is_standalone and alert.incidentId then error("an alert that stands alone has no incidentId", 0) end
  complete(alert, now_text, now)
  alert.id = alert.id or id
  alert.providerAlertId = alert.providerAlertId or alert.id
  alert.title = alert.title or "Suspicious behavior was observed"
  alert.severity, alert.status = alert.severity or "medium", alert.status or "new"
  alert.category = alert.category or "SuspiciousActivity"
  alert.serviceSource = alert.serviceSource or "microsoftDefenderForEndpoint"
  alert.detectionSource = alert.detectionSource or alert.serviceSource
  alert.productName = alert.productName or products[alert.serviceSource] or "Microsoft Defender XDR"
  alert.firstActivityDateTime = alert.firstActivityDateTime or time.iso(alert.created - 95)
  alert.lastActivityDateTime = alert.lastActivityDateTime or time.iso(alert.created - 60)
  for _, name in ipairs(alert.lacks or {}) do
    if not can_lack[name] then error("lacks: " .. validation.unknown("", name, can_lack), 0) end
  end
  alert.mitreTechniques = alert.mitreTechniques or {}
  if alert.status == "resolved" then
    alert.resolvedDateTime = alert.resolvedDateTime or alert.lastUpdateDateTime
  end
  local given = alert.evidence or {}
  alert.evidence = {}
  validation.for_each("evidence", given, function(piece, i)
    alert.evidence[i] = evidence.new(piece, alert.createdDateTime, now, find_machine)
  end)
  return alert
end

--- An alert as it is told: without what it `lacks`.
---@param alert mde.sim.alert
---@return mde.sim.alert
function M.told(alert)
  if not alert.lacks then return alert end
  local view = {}
  for name, value in pairs(alert) do view[name] = value end
  for _, name in ipairs(alert.lacks) do view[name] = nil end
  return view
end

--- A complete incident. Raises a message for what does not fit.
---@param fields table
---@param id string if it has none of its own
---@param now number
---@param now_text string the time as the tenant's alerts have it
---@return mde.sim.incident
function M.new_incident(fields, id, now, now_text)
  local incident = read(kinds.incident, fields, now)
  complete(incident, now_text, now)
  incident.id = incident.id or id
  incident.displayName = incident.displayName or ("Incident %s"):format(incident.id)
  incident.severity, incident.status = incident.severity or "unknown", incident.status or "active"
  incident.classification = incident.classification or "unknown"
  incident.determination = incident.determination or "unknown"
  incident.lastModifiedBy = incident.lastModifiedBy or "Microsoft 365 Defender"
  incident.customTags = incident.customTags or {}
  return incident
end

--- Why a record holds a value that the documents do not list.
---@param kind "alert"|"incident"
---@param fields table
---@return string? message
function M.undocumented(kind, fields)
  for name, value in pairs(fields) do
    local listed = kind == "incident" and name == "status" and "incidentStatus" or name
    local message = alert_values.undocumented(listed, value)
    if message then return message end
  end
  for i, piece in ipairs(type(fields.evidence) == "table" and fields.evidence or {}) do
    local message = type(piece) == "table" and evidence.undocumented(piece)
    if message then return ("evidence[%d]: %s"):format(i, message) end
  end
end

return M
