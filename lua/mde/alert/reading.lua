--- reading: one alert or one incident, as the service has it now.

local alerts = require "mde.alert.alert"
local core = require "mde.core"
local errors = require "mde.base.error"
local incidents = require "mde.alert.incident"
local pager = require "mde.api.pager"

local READ_SECONDS = 120

local M = {}

--- What calls about alerts have in common, for each source.
---@class mde.AlertPlace
---@field resource mde.ResourceName
---@field path string
---@field api string
---@field reading string the permission
---@field writing string the permission

---@type table<mde.AlertSourceName|"incident", mde.AlertPlace>
M.places = {
  defender = { resource = "defender", path = "/alerts/", api = "alerts", reading = "Alert.Read.All",
    writing = "Alert.ReadWrite.All" },
  graph = { resource = "graph", path = "/security/alerts_v2/", api = "graph_alerts",
    reading = "SecurityAlert.Read.All", writing = "SecurityAlert.ReadWrite.All" },
  incident = { resource = "graph", path = "/security/incidents/", api = "graph_incidents",
    reading = "SecurityIncident.Read.All", writing = "SecurityIncident.ReadWrite.All" },
}

--- What tells whether an answer is the row that was asked for.
---@param id string
---@param noun string
---@return fun(row: table): boolean, string?
function M.is_row_of(id, noun)
  return function(row)
    return alerts.mend(row) and core.text.lower(row.id) == core.text.lower(id),
      ("it is not the %s that was asked for"):format(noun)
  end
end

local function read(exchange, place, id, noun, query, usable, context)
  local of = M.places[place]
  local row, err = exchange:call {
    method = "GET", resource = of.resource, path = of.path .. core.odata.encode(id) .. query, kind = "read",
    api = of.api, permission = of.reading, context = context:within(READ_SECONDS), usable = usable,
  }
  if not row and err.kind == "not_found" then
    local knows = of.resource == "graph" and "Microsoft Graph knows" or "the service knows"
    err = errors.derive(err, { code = noun == "alert" and "no_such_alert" or "no_such_incident",
      message = ("%s no %s %s"):format(knows, noun, errors.quote(id)) })
  end
  return row, err
end

--- An alert. Graph hides one that was tuned away or belongs to no incident.
---@param exchange mde.Exchange
---@param id string
---@param source mde.AlertSourceName
---@param context mde.Context
---@return table? alert
---@return mde.Error? err
function M.alert(exchange, id, source, context)
  local row, err = read(exchange, source, id, "alert", "", M.is_row_of(id, "alert"), context)
  if row then return alerts.of_row(row, source) end
  if err.kind == "not_found" then
    err.hint = source == "graph" and "Graph hides alerts that were tuned away, and those without an incident: "
      .. 'mde.alert(id, { source = "defender" }) has them.'
      or "Check the id; an alert of another product than Defender for Endpoint is one of the source \"graph\"."
  end
  return nil, err
end

-- The alerts of an incident that say which they are, and how many do not; nil if it does not say which it has.
local function alerts_of(row)
  if row.alerts == nil then return nil end
  local list, unidentified = {}, 0
  for _, alert in ipairs(row.alerts) do
    if alert.id then
      list[#list + 1] = alerts.of_row(alert, "graph")
    else
      unidentified = unidentified + 1
    end
  end
  return list, unidentified
end

--- An incident with its alerts. They are absent where the service leaves them out: that is not to say that it has none.
---@param exchange mde.Exchange
---@param id string
---@param context mde.Context
---@return table? incident
---@return mde.Error? err
function M.incident(exchange, id, context)
  local is_row, is_list = M.is_row_of(id, "incident"), pager.lists(alerts.mend, "alerts")
  local row, err = read(exchange, "incident", id, "incident", "?$expand=alerts", function(answer, text)
    local ok, why = is_row(answer)
    if not ok then return false, why end
    return answer.alerts == nil or is_list(answer, text)
  end, context)
  if not row then
    if err.kind == "not_found" then err.hint = "Check the number: mde.incidents lists those that there are." end
    return nil, err
  end
  return incidents.of_row(row, alerts_of(row))
end

return M
