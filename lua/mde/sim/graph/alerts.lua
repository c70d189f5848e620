-- Alerts of Microsoft Graph: lists of them, one of them, and what is written to them.
local alert_form = require "mde.sim.graph.alert_form"
local answers = require "mde.sim.graph.answers"
local json = require "mde.sim.base.json"
local lists = require "mde.sim.graph.lists"
local writing = require "mde.sim.graph.writing"

local reading_roles = { "SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All" }
local writing_roles = { "SecurityAlert.ReadWrite.All" }

-- The two paths that the documents show.
local evidence_paths = {
  ["microsoft.graph.security.deviceEvidence/deviceDnsName"] = function(piece)
    return piece.kind == "device" and alert_form.device_name(piece) or nil
  end,
  ["microsoft.graph.security.userEvidence/userAccount/userPrincipalName"] = function(piece)
    return piece.kind == "user" and piece.userPrincipalName or nil
  end,
}

local kind = lists.kind("microsoft.graph.security.alert", "assignedTo", "createdDateTime lastUpdateDateTime",
  { classification = "classification", determination = "determination", severity = "severity",
    serviceSource = "serviceSource", status = "status" },
  [[id providerAlertId incidentId detectionSource productName detectorId tenantId title description recommendedActions
    category alertWebUrl incidentWebUrl actorDisplayName threatDisplayName threatFamilyName resolvedDateTime
    firstActivityDateTime lastActivityDateTime]], { evidence = evidence_paths })

local function list(tenant, request, _, _, options)
  local records, includes_unknown = {}, answers.includes_unknown_members(request)
  for _, alert in ipairs(tenant.alert_book:listed()) do
    if alert_form.shows(alert) then records[#records + 1] = alert end
  end
  return lists.answer(tenant, request, options, kind, "alerts_v2", records, function(alert)
    return alert_form.write(tenant, alert, includes_unknown)
  end)
end

-- The alert that a path names, or the refusal.
local function find(tenant, request, id)
  local alert = tenant.alert_book:find(id)
  if alert and alert_form.shows(alert) then return alert end
  return nil, answers.refusal(tenant, request, 404, "NotFound", ("Alert '%s' was not found."):format(id))
end

local function answer(tenant, request, alert)
  local context = json.encode(lists.context(request, "alerts_v2/$entity"))
  local text = alert_form.write(tenant, alert, answers.includes_unknown_members(request))
  return answers.with_body(tenant, request, 200, ('{"@odata.context":%s,%s'):format(context, text:sub(2)))
end

local function get(tenant, request, _, id)
  local alert, response = find(tenant, request, id)
  return alert and answer(tenant, request, alert) or response
end

local changeable = { status = writing.member("status", "new", "inProgress", "resolved"),
  classification = writing.any_member "classification", determination = writing.any_member "determination",
  assignedTo = writing.text_or_null }

local function update(tenant, request, grant, id)
  local changes, response = writing.read_changes(tenant, request, changeable)
  if not changes then return response end
  local alert
  alert, response = find(tenant, request, id)
  if not alert then return response end
  tenant.alert_book:update(alert, changes, grant.application.name)
  return answer(tenant, request, alert)
end

local function comment(tenant, request, grant, id)
  local text, response = writing.read_comment(tenant, request)
  if not text then return response end
  local alert
  alert, response = find(tenant, request, id)
  if not alert then return response end
  tenant.alert_book:comment(alert, text, grant.application.name)
  return writing.answer_comments(tenant, request, ("alerts_v2('%s')/comments"):format(alert.id), alert)
end

-- Lists have the options that the documents name, and no others.
---@type mde.sim.graph.endpoint[]
return {
  { method = "GET", path = { "security", "alerts_v2" }, roles = reading_roles, api = "alerts", per_minute = 150,
    options = { "$count", "$filter", "$skip", "$top" }, run = list },
  { method = "GET", path = { "security", "alerts_v2", "*" }, roles = reading_roles, api = "alerts", per_minute = 150,
    run = get },
  { method = "PATCH", path = { "security", "alerts_v2", "*" }, roles = writing_roles, api = "alerts",
    per_minute = 150, run = update },
  { method = "POST", path = { "security", "alerts_v2", "*", "comments" }, roles = writing_roles, api = "alerts",
    per_minute = 150, run = comment },
}
