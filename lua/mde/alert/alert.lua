--- alert: an alert in one shape, whichever source it came from.
--
-- The shape has Graph's names and values (../query/alert_values.lua). It is a table of our own with what this library
-- knows of the row, so nothing that the service sends can pose as one of our fields; the row itself is in `row`.

local alert_values = require "mde.query.alert_values"
local core = require "mde.core"
local errors = require "mde.base.error"
local evidence_of = require "mde.alert.evidence"
local row_fields = require "mde.base.row_fields"

local MAX_ID_BYTES = 256

---@alias mde.AlertSourceName "defender"|"graph"

---@class mde.Alert an alert; absent is what the service does not say
---@field id string
---@field source mde.AlertSourceName where it was read
---@field row table the service's own row
---@field incidentId? string
---@field title? string
---@field description? string
---@field recommendedActions? string of the source "graph"
---@field severity? string informational, low, medium, high or unknown
---@field status? string new, inProgress, resolved or unknown
---@field category? string
---@field classification? string
---@field determination? string
---@field assignedTo? string
---@field createdDateTime? string as the service wrote it
---@field lastUpdateDateTime? string
---@field resolvedDateTime? string
---@field firstActivityDateTime? string
---@field lastActivityDateTime? string
---@field serviceSource? string of the source "graph"
---@field detectionSource? string
---@field threatFamilyName? string
---@field threatDisplayName? string
---@field alertWebUrl? string of the source "graph"
---@field mitreTechniques string[]
---@field comments mde.AlertComment[] the oldest first, as the service has them
---@field devices mde.AlertDevice[]
---@field users mde.AlertUser[]
---@field files mde.AlertFile[]
---@field processes mde.AlertProcess[]
---@field addresses string[]
---@field urls string[]
---@field decided_at? number when it was created, as Unix seconds, for the option `decided_at`
---@field key string for the option `key`: its id, or a digest of one that no key may be

---@class mde.AlertComment
---@field comment string
---@field createdByDisplayName? string
---@field createdDateTime? string

local M = {}

--- Makes a row's id a text that can name it; whether it has one.
---@param row table changed in place
---@return boolean
function M.mend(row)
  row_fields.make_texts(row, { "id" })
  return M.is_id(row.id)
end

--- Whether a text can be the id of an alert or an incident: it goes into a URL.
---@param id any
---@return boolean
function M.is_id(id)
  return type(id) == "string" and id ~= "." and id ~= ".." and #id <= MAX_ID_BYTES and id:find "%S" ~= nil
    and not core.text.has_control(id) and core.text.is_utf8(id)
end

local names = { "id", "incidentId", "title", "description", "recommendedActions", "severity", "status", "category",
  "classification", "determination", "assignedTo", "createdDateTime", "lastUpdateDateTime", "resolvedDateTime",
  "firstActivityDateTime", "lastActivityDateTime", "serviceSource", "detectionSource", "threatFamilyName",
  "threatDisplayName", "alertWebUrl" }

local function text_of(value)
  if type(value) == "number" then return core.number.whole(value) end
  return type(value) == "string" and value ~= "" and value or nil
end

-- The comments that a row has, under the names that Graph gives them.
local function comments_of(row, author, time)
  local list = {}
  for _, comment in ipairs(type(row.comments) == "table" and row.comments or {}) do
    if type(comment) == "table" and type(comment.comment) == "string" then
      list[#list + 1] = { comment = comment.comment, createdByDisplayName = text_of(comment[author]),
        createdDateTime = text_of(comment[time]) }
    end
  end
  return list
end

--- The comments of a row of Graph.
---@param row table
---@return mde.AlertComment[]
function M.comments_of_graph(row)
  return comments_of(row, "createdByDisplayName", "createdDateTime")
end

local function techniques_of(row)
  local own = { mitreTechniques = row.mitreTechniques }
  row_fields.make_list(own, "mitreTechniques")
  return own.mitreTechniques or {}
end

local sources = {
  graph = {
    value = function(row, name) return text_of(row[name]) end,
    evidence = evidence_of.of_graph,
    comments = M.comments_of_graph,
  },
  defender = {
    value = function(row, name)
      return alert_values.from_defender(name, text_of(row[alert_values.columns[name] or name]))
    end,
    evidence = evidence_of.of_defender,
    comments = function(row) return comments_of(row, "createdBy", "createdTime") end,
  },
}

--- When what follows from an alert was decided: at its creation, or at its last change where nobody says that.
---@param alert { createdDateTime?: string, lastUpdateDateTime?: string }
---@return number? seconds Unix seconds
function M.decided_at(alert)
  return core.timestamp.read(alert.createdDateTime) or core.timestamp.read(alert.lastUpdateDateTime) or nil
end

--- A row of the service as an alert. One without an id has no key.
---@param row table
---@param source mde.AlertSourceName
---@return table
function M.of_row(row, source)
  local of = sources[source]
  local alert = of.evidence(row)
  for _, name in ipairs(names) do alert[name] = of.value(row, name) end
  alert.id, alert.source, alert.row = row.id, source, row
  alert.comments, alert.mitreTechniques = of.comments(row), techniques_of(row)
  alert.decided_at, alert.key = M.decided_at(alert), alert.id and core.alert.key(alert.id)
  return alert
end

--- The devices of an alert that may be acted on.
---@param alert mde.Alert
---@return mde.AlertDevice[]
function M.targets(alert)
  local list = {}
  for _, device in ipairs(alert.devices) do
    if device.is_target then list[#list + 1] = device end
  end
  return list
end

-- An incident of the service, as the option `incident` takes it.
local function incident_of(alert)
  local id = alert.incidentId
  return type(id) == "string" and core.comment.incident_valid(id) and id or nil
end

--- The options of a change that is made because of an alert: its key, when it was decided, and its incident; and what
--- else is given, which goes before these. A device that somebody has released since the alert is left alone then, and
--- an alert that is worked on again leads to no second action.
---@param alert mde.Alert|{ id: string }
---@param more? table
---@return mde.ChangeOptions
function M.options(alert, more)
  if more ~= nil and type(more) ~= "table" then
    errors.invalid("wrong_type", ("alert:options needs a table of options, not %s"):format(errors.got(more)))
  end
  local options = { key = core.alert.key(alert.id), decided_at = M.decided_at(alert), incident = incident_of(alert) }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- The id of an alert or an incident, or of one that is given as a table. Raises for anything else.
---@param value any
---@param what string who was called, for the error
---@param noun "alert"|"incident"
---@return string
function M.check_id(value, what, noun)
  local id = value
  if type(value) == "table" then id = value.id end
  if type(id) == "number" and id % 1 == 0 then id = core.number.whole(id) end
  if M.is_id(id) then return id end
  local code = noun == "alert" and "not_an_alert" or "not_an_incident"
  errors.invalid(value == nil and "missing_value" or code,
    ("%s needs an %s or its id, not %s"):format(what, noun, errors.got(value)),
    ("Give one that mde.%ss returned, or its id as the portal shows it."):format(noun))
end

return M
