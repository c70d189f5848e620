--- alerts: what a client can do with alerts and incidents: its methods, which client.lua takes over.

local alert_metatables = require "mde.alert"
local alerts = require "mde.alert.alert"
local errors = require "mde.base.error"
local incidents = require "mde.alert.incident"
local options_of = require "mde.base.options"
local other_change = require "mde.other_change"
local reading = require "mde.alert.reading"
local selection = require "mde.selection"
local updates = require "mde.alert.update"

local M = {}

local known_options = { timeout = "seconds", source = "any" }

---@class mde.AlertOptions
---@field source? mde.AlertSourceName default "defender", the API that restrict uses: it has the alerts of Defender for
--- Endpoint, also those that were tuned away or belong to no incident. "graph" has those of all products, and hides
--- these; it needs a permission of Microsoft Graph
---@field timeout? number seconds; of a list for each page

-- The source that is asked for.
local function source_of(options, what, default)
  local source = options.source or default or "defender"
  if source ~= "defender" and source ~= "graph" then
    errors.invalid("wrong_value", ("%s: source must be \"defender\" or \"graph\", not %s"):format(what,
      errors.got(source)))
  end
  return source
end

-- The metatable of a client's alerts is the client's own: in a weak table of all clients it would keep each of them,
-- since it knows its client, and only Lua 5.4 sees through that.
local function adopt(client, alert)
  client.alert_metatable = client.alert_metatable or alert_metatables.metatable(client)
  return alert and setmetatable(alert, client.alert_metatable)
end

-- An incident whose alerts are the client's.
local function adopt_incident(client, incident)
  for _, alert in ipairs(incident and incident.alerts or {}) do adopt(client, alert) end
  return incident
end

local kinds = {
  defender = { what = "alerts", query = "alerts", set = "alerts", mend = alerts.mend,
    adopt = function(client, row) return adopt(client, alerts.of_row(row, "defender")) end },
  graph = { what = "alerts", query = "graph_alerts", set = "graph_alerts", mend = alerts.mend, resource = "graph",
    adopt = function(client, row) return adopt(client, alerts.of_row(row, "graph")) end },
  incidents = { what = "incidents", query = "incidents", set = "incidents", mend = alerts.mend, resource = "graph",
    adopt = function(_, row) return incidents.of_row(row) end },
}

--- The alerts that a query selects, with the rows that do not say which they are: these have no id. A watch
--- names them; others leave them out.
---@param client mde.Client
---@param query mde.Query
---@param source? mde.AlertSourceName
---@return fun(): mde.Alert? next_alert raises the error if a page cannot be read
function M.with_unidentified(client, query, source)
  local kind = { keeps_unidentified = true }
  for name, value in pairs(kinds[source_of({ source = source }, "mde.alerts")]) do kind[name] = value end
  return selection.select(client, kind, query)
end

-- What is to be changed, for a plan and a record.
local function summary(changes)
  local parts = {}
  for name, value in pairs(changes) do
    parts[#parts + 1] = ("%s = %s"):format(name, type(value) == "table" and table.concat(value, ", ") or value)
  end
  table.sort(parts)
  return table.concat(parts, ", ")
end

---@class mde.Client
---@field private alert_metatable? table
local methods = {}

--- The alerts that a query selects, one after the other, however many there are.
---@param query mde.Query a table, a text of OData in the names of the source, or "all"; see alert/alert.md
---@param options? mde.AlertOptions
---@return fun(): mde.Alert? next_alert raises the error if a page cannot be read
function methods:alerts(query, options)
  options = options_of.check(options, known_options, "mde.alerts")
  return selection.select(self, kinds[source_of(options, "mde.alerts")], query, options.timeout)
end

--- Reads an alert by its id, or again.
---@param alert string|mde.Alert
---@param options? mde.AlertOptions of an alert the source is its own, unless one is given
---@return mde.Alert? alert
---@return mde.Error? err
function methods:alert(alert, options)
  options = options_of.check(options, known_options, "mde.alert")
  local source = source_of(options, "mde.alert", type(alert) == "table" and alert.source or nil)
  local id = alerts.check_id(alert, "mde.alert", "alert")
  local read, err = reading.alert(self.exchange, id, source, self:context(options.timeout))
  if not read then return nil, errors.about(err, "alert " .. errors.quote(id)) end
  return adopt(self, read)
end

--- The incidents of Microsoft Graph that a query selects, without their alerts.
---@param query mde.Query
---@param options? { timeout?: number } seconds for each page
---@return fun(): mde.Incident? next_incident raises the error if a page cannot be read
function methods:incidents(query, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.incidents")
  return selection.select(self, kinds.incidents, query, options.timeout)
end

--- Reads an incident with its alerts.
---@param incident string|integer|mde.Incident
---@param options? { timeout?: number }
---@return mde.Incident? incident
---@return mde.Error? err
function methods:incident(incident, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.incident")
  local id = alerts.check_id(incident, "mde.incident", "incident")
  local read, err = reading.incident(self.exchange, id, self:context(options.timeout))
  if not read then return nil, errors.about(err, "incident " .. errors.quote(id)) end
  return adopt_incident(self, read)
end

--- Changes an alert: its status, who has it, what it was found to be, a comment. A comment with a text that is there
--- already is not written again. Needs the permission Alert.ReadWrite.All, of the source "graph"
--- SecurityAlert.ReadWrite.All.
---@param alert mde.Alert|string
---@param changes mde.AlertChanges
---@param options? mde.AlertOptions of an alert the source is its own, unless one is given
---@return mde.Alert? alert as it is now
---@return mde.Error? err
function methods:update_alert(alert, changes, options)
  options = options_of.check(options, known_options, "mde.update_alert")
  local source = source_of(options, "mde.update_alert", type(alert) == "table" and alert.source or nil)
  local id = updates.check_alert(alert, changes, source)
  return other_change.make(self, { what = "update_alert", subject = id, detail = summary(changes) }, function()
    if type(alert) == "table" then return alert end
    return self:alert(alert, options)
  end, function()
    local changed, err = updates.alert(self.exchange, id, changes, source, self:context(options.timeout))
    return adopt(self, changed), err
  end)
end

--- Changes an incident. One that was merged into another is an error that names the other. Needs the permission
--- SecurityIncident.ReadWrite.All of Microsoft Graph.
---@param incident mde.Incident|string|integer
---@param changes mde.IncidentChanges
---@param options? { timeout?: number }
---@return mde.Incident? incident as it is now, with its alerts
---@return mde.Error? err
function methods:update_incident(incident, changes, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.update_incident")
  local id = updates.check_incident(incident, changes)
  return other_change.make(self, { what = "update_incident", subject = id, detail = summary(changes) }, function()
    if type(incident) == "table" then return incident end
    return self:incident(incident, options)
  end, function()
    local changed, err = updates.incident(self.exchange, id, changes, self:context(options.timeout))
    return adopt_incident(self, changed), err
  end)
end

M.methods = methods

return M
