-- Incidents of Microsoft Graph: lists of them, one of them, their alerts, and what is written to them. One that was
-- merged into another stays, and says where its alerts are.
local alert_form = require "mde.sim.graph.alert_form"
local answers = require "mde.sim.graph.answers"
local json = require "mde.sim.base.json"
local lists = require "mde.sim.graph.lists"
local writing = require "mde.sim.graph.writing"

local reading_roles = { "SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All" }
local writing_roles = { "SecurityIncident.ReadWrite.All" }

local kind = lists.kind("microsoft.graph.security.incident", "assignedTo", "createdDateTime lastUpdateDateTime",
  { classification = "classification", determination = "determination", severity = "severity",
    status = "incidentStatus" },
  "id tenantId incidentWebUrl redirectIncidentId displayName description lastModifiedBy resolvingComment summary")

local names = {}
for name in ([[
  @odata.type id tenantId status incidentWebUrl redirectIncidentId displayName createdDateTime lastUpdateDateTime
  assignedTo classification determination severity customTags systemTags description lastModifiedBy resolvingComment
  summary priorityScore comments]]):gmatch "%S+" do names[#names + 1] = name end

-- The alerts of each incident that Graph shows, by the incident's number.
local function alerts_by_incident(tenant)
  local by_incident = {}
  for _, alert in ipairs(tenant.alert_book:listed()) do
    if alert_form.shows(alert) then
      local list = by_incident[alert.incidentId] or {}
      by_incident[alert.incidentId], list[#list + 1] = list, alert
    end
  end
  return by_incident
end

-- An incident, written; with its alerts, if they are told.
local function write(tenant, incident, includes_unknown, by_incident)
  local record = {}
  for _, name in ipairs(names) do record[name] = incident[name] end
  record["@odata.type"], record.tenantId = "#microsoft.graph.security.incident", tenant.tenant_id
  record.status = alert_form.teller(includes_unknown)("incidentStatus", incident.status)
  record.incidentWebUrl = alert_form.web_url(tenant, "incidents", incident.redirectIncidentId or incident.id)
  record.customTags, record.systemTags = json.array(incident.customTags), json.array(incident.systemTags)
  record.comments = alert_form.comments(incident)
  local text = json.object(names, record)
  if not by_incident then return text end
  local written = {}
  for i, alert in ipairs(by_incident[incident.id] or {}) do
    written[i] = alert_form.write(tenant, alert, includes_unknown)
  end
  return ('%s,"alerts":[%s]}'):format(text:sub(1, -2), table.concat(written, ","))
end

-- Whether the alerts are asked for too; or why the option is refused.
local function read_expansion(tenant, request, options)
  local wanted = options["$expand"]
  if wanted and wanted ~= "alerts" then
    return nil, answers.refusal(tenant, request, 400, "BadRequest", ("The property '%s' cannot be expanded.")
      :format(wanted))
  end
  return { alerts = wanted and alerts_by_incident(tenant) or nil }
end

local function list(tenant, request, _, _, options)
  local expansion, response = read_expansion(tenant, request, options)
  if not expansion then return response end
  local includes_unknown = answers.includes_unknown_members(request)
  return lists.answer(tenant, request, options, kind, expansion.alerts and "incidents(alerts())" or "incidents",
    tenant.alert_book:listed_incidents(), function(incident)
      return write(tenant, incident, includes_unknown, expansion.alerts)
    end)
end

-- The incident that a path names, or the refusal.
local function find(tenant, request, id)
  local incident = tenant.alert_book:find_incident(id)
  if incident then return incident end
  return nil, answers.refusal(tenant, request, 404, "NotFound", ("Incident '%s' was not found."):format(id))
end

local function answer(tenant, request, incident, by_incident)
  local context = json.encode(lists.context(request, by_incident and "incidents(alerts())/$entity"
    or "incidents/$entity"))
  local text = write(tenant, incident, answers.includes_unknown_members(request), by_incident)
  return answers.with_body(tenant, request, 200, ('{"@odata.context":%s,%s'):format(context, text:sub(2)))
end

local function get(tenant, request, _, id, options)
  local expansion, response = read_expansion(tenant, request, options)
  if not expansion then return response end
  local incident
  incident, response = find(tenant, request, id)
  return incident and answer(tenant, request, incident, expansion.alerts) or response
end

local function list_alerts(tenant, request, _, id)
  local incident, response = find(tenant, request, id)
  if not incident then return response end
  local includes_unknown, written = answers.includes_unknown_members(request), {}
  for i, alert in ipairs(alerts_by_incident(tenant)[incident.id] or {}) do
    written[i] = alert_form.write(tenant, alert, includes_unknown)
  end
  return answers.with_body(tenant, request, 200, ('{"@odata.context":%s,"value":[%s]}'):format(
    json.encode(lists.context(request, ("incidents('%s')/alerts"):format(id))), table.concat(written, ",")))
end

local changeable = { status = writing.member("incidentStatus", "active", "inProgress", "resolved"),
  classification = writing.any_member "classification", determination = writing.any_member "determination",
  severity = writing.any_member "severity", assignedTo = writing.text_or_null,
  resolvingComment = writing.text_or_null, customTags = writing.texts }

-- An incident that can be written to, or the refusal: what was merged into another is not changed any more.
local function find_writable(tenant, request, id)
  local incident, response = find(tenant, request, id)
  if not incident or not incident.redirectIncidentId then return incident, response end
  return nil, answers.refusal(tenant, request, 400, "BadRequest", ("Incident '%s' was merged into incident '%s'.")
    :format(id, incident.redirectIncidentId))
end

local function update(tenant, request, grant, id)
  local changes, response = writing.read_changes(tenant, request, changeable)
  if not changes then return response end
  local incident
  incident, response = find_writable(tenant, request, id)
  if not incident then return response end
  tenant.alert_book:update_incident(incident, changes, grant.application.name)
  return answer(tenant, request, incident)
end

local function comment(tenant, request, grant, id)
  local text, response = writing.read_comment(tenant, request)
  if not text then return response end
  local incident
  incident, response = find_writable(tenant, request, id)
  if not incident then return response end
  tenant.alert_book:comment(incident, text, grant.application.name)
  return writing.answer_comments(tenant, request, ("incidents('%s')/comments"):format(id), incident)
end

local function endpoint(method, path, roles, run, options)
  local segments = {}
  for segment in path:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return { method = method, path = segments, roles = roles, api = "incidents", per_minute = 150, options = options,
    run = run }
end

-- Lists have the options that the documents name, and no others.
---@type mde.sim.graph.endpoint[]
return {
  endpoint("GET", "security/incidents", reading_roles, list, { "$count", "$expand", "$filter", "$skip", "$top" }),
  endpoint("GET", "security/incidents/*", reading_roles, get, { "$expand" }),
  endpoint("GET", "security/incidents/*/alerts", reading_roles, list_alerts),
  endpoint("PATCH", "security/incidents/*", writing_roles, update),
  endpoint("POST", "security/incidents/*/comments", writing_roles, comment),
}
