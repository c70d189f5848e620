-- Alerts over the older API: lists of them, one of them, what it is about, what is written to them, and a new one.
local alert_form = require "mde.sim.api.alert_form"
local alert_schema = require "mde.sim.odata.alert_schema"
local alerts = require "mde.sim.model.alerts"
local answers = require "mde.sim.api.answers"
local body = require "mde.sim.api.body"
local core = require "mde.core"
local events = require "mde.sim.model.events"
local lists = require "mde.sim.odata.lists"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

local M = {}

local refusal = answers.refusal

---- reading

-- The alerts as lists have them now, in the form of this API; of one machine alone, if it is told.
local function listed(tenant, machine)
  local records = {}
  for _, alert in ipairs(tenant.alert_book:listed()) do
    if alert_form.shows(alert) and (not machine or alerts.machine_of(alert) == machine) then
      records[#records + 1] = alert_form.of(tenant, alert)
    end
  end
  return records
end

local function answer_list(tenant, request, machine)
  local manners = setmetatable({ repeats = tenant.alert_lists.repeats }, { __index = tenant.lists })
  return answers.list(tenant, request, alert_schema.alert, listed(tenant, machine), manners)
end

--- A list of alerts.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.list(tenant, request)
  return answer_list(tenant, request)
end

--- The alerts that are about a machine.
---@param tenant mde.sim.tenant
---@param request table
---@param id string of the machine
---@return table response
function M.list_of_machine(tenant, request, _, id)
  local machine = tenant:find_machine(id)
  if not machine then return answers.no_such_machine(tenant, id) end
  return answer_list(tenant, request, machine)
end

--- How many alerts are about a machine: a bare number.
---@param tenant mde.sim.tenant
---@param request table
---@param id string of the machine
---@return table response
function M.count_of_machine(tenant, request, _, id)
  local machine = tenant:find_machine(id)
  if not machine then return answers.no_such_machine(tenant, id) end
  local count, message = lists.count(request, alert_schema.alert, listed(tenant, machine),
    tenant.comparison == "caseless")
  if not count then return refusal(tenant, 400, "ODataError", message) end
  local response = answers.with_body(tenant, 200, ("%d"):format(count))
  response.headers["content-type"] = "text/plain"
  return response
end

-- The alert that a path names, or the refusal.
local function find(tenant, id)
  local alert = tenant.alert_book:find(id)
  if alert and alert_form.shows(alert) then return alert end
  return nil, refusal(tenant, 404, "ResourceNotFound", ("Alert %s was not found"):format(id))
end

local function answer_alert(tenant, alert)
  return answers.with_body(tenant, 200, schema.entity(alert_schema.alert, alert_form.of(tenant, alert)))
end

--- One alert.
---@param tenant mde.sim.tenant
---@param id string of the alert
---@return table response
function M.get(tenant, _, _, id)
  local alert, response = find(tenant, id)
  return alert and answer_alert(tenant, alert) or response
end

---- what an alert is about; the answer for nothing is 404 without a body

--- The machine that an alert is about.
---@param tenant mde.sim.tenant
---@param id string of the alert
---@return table response
function M.get_machine(tenant, _, _, id)
  local alert, response = find(tenant, id)
  if not alert then return response end
  local machine = alerts.machine_of(alert)
  if not machine then return answers.empty(tenant, 404) end
  return answers.with_body(tenant, 200, schema.entity(schema.machine, machine))
end

--- The user that an alert is about.
---@param tenant mde.sim.tenant
---@param id string of the alert
---@return table response
function M.get_user(tenant, _, _, id)
  local alert, response = find(tenant, id)
  if not alert then return response end
  local account = alert_form.account_of(alert)
  if not account then return answers.empty(tenant, 404) end
  local machine = alerts.machine_of(alert) or {}
  return answers.with_body(tenant, 200, schema.entity(alert_schema.user, {
    id = core.text.lower((account.domainName or "") .. "\\" .. account.accountName),
    accountName = account.accountName, accountDomain = account.domainName, accountSid = account.userSid,
    firstSeen = alert.firstActivityDateTime, lastSeen = alert.lastActivityDateTime,
    mostPrevalentMachineId = machine.id, leastPrevalentMachineId = machine.id, isDomainAdmin = false,
    isOnlyNetworkUser = false,
  }))
end

--- The files that an alert is about, each once.
---@param tenant mde.sim.tenant
---@param id string of the alert
---@return table response
function M.list_files(tenant, _, _, id)
  local alert, response = find(tenant, id)
  if not alert then return response end
  local files, is_listed = {}, {}
  for _, piece in ipairs(alert.evidence) do
    local key = piece.sha1 or piece.sha256
    if key and not is_listed[key] then
      is_listed[key] = true
      files[#files + 1] = { sha1 = piece.sha1, sha256 = piece.sha256, md5 = piece.md5, size = piece.fileSize,
        filePublisher = piece.filePublisher, signer = piece.signer, issuer = piece.issuer,
        determinationType = piece.verdict == "malicious" and "Malware" or "Unknown" }
    end
  end
  if #files == 0 then return answers.empty(tenant, 404) end
  return answers.with_body(tenant, 200, schema.list(alert_schema.file, files))
end

---- writing

local function value(name) return { name = name, kind = "value", values = alert_form.writable_values(name) } end

local changes = { value "status", { name = "assignedTo", kind = "text" }, value "classification",
  value "determination", { name = "comment", kind = "text" } }

local changes_of_many = { { name = "alertIds", required = true, kind = "ids" } }
for _, field in ipairs(changes) do changes_of_many[#changes_of_many + 1] = field end

-- What is to be changed, read from a body; or the refusal.
local function read_changes(tenant, request, fields)
  local members, response = body.read(tenant, request, fields)
  if not members then return nil, response end
  for _, field in ipairs(changes) do
    if members[field.name] ~= nil then return members end
  end
  return nil, refusal(tenant, 400, "MissingRequiredParameter", "There is nothing to change.")
end

local function apply(tenant, alert, members, by)
  local told = {}
  for _, name in ipairs { "status", "assignedTo", "classification", "determination" } do
    if members[name] then told[name] = alert_form.read(name, members[name]) end
  end
  if next(told) then tenant.alert_book:update(alert, told, by) end
  if members.comment then tenant.alert_book:comment(alert, members.comment, by) end
end

--- Changes an alert.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param id string of the alert
---@return table response
function M.update(tenant, request, grant, id)
  local members, response = read_changes(tenant, request, changes)
  if not members then return response end
  local alert
  alert, response = find(tenant, id)
  if not alert then return response end
  apply(tenant, alert, members, grant.application.name)
  return answer_alert(tenant, alert)
end

--- Changes many alerts alike. Of one that is not there, none is changed.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@return table response
function M.update_many(tenant, request, grant)
  local members, response = read_changes(tenant, request, changes_of_many)
  if not members then return response end
  local found = {}
  for i, id in ipairs(members.alertIds) do
    found[i], response = find(tenant, id)
    if not found[i] then return response end
  end
  for _, alert in ipairs(found) do apply(tenant, alert, members, grant.application.name) end
  return answers.empty(tenant, 200)
end

local function required(name) return { name = name, required = true, kind = "text" } end

local of_new = { required "eventTime", required "reportId", required "machineId",
  { name = "severity", required = true, kind = "value", values = alert_form.writable_values "severity" },
  required "title", required "description", required "recommendedAction",
  { name = "category", required = true, kind = "value", values = { "General", "CommandAndControl", "Collection",
    "CredentialAccess", "DefenseEvasion", "Discovery", "Exfiltration", "Exploit", "Execution", "InitialAccess",
    "LateralMovement", "Malware", "Persistence", "PrivilegeEscalation", "Ransomware", "SuspiciousActivity" } } }

--- Raises an alert on an event; or adds it to one of the same title that is open on the machine.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.create(tenant, request)
  local members, response = body.read(tenant, request, of_new)
  if not members then return response end
  local at = members.eventTime
  if not (at:find "T.*Z$" and time.parse(at)) then
    return refusal(tenant, 400, "InvalidInput", ("'%s' is not a time in UTC."):format(at))
  end
  local machine = tenant:find_machine(members.machineId)
  if not machine or not events.is_reported(tenant, machine, members.reportId, at) then
    return refusal(tenant, 404, "ResourceNotFound", ("Event %s of machine %s at %s was not found")
      :format(members.reportId, members.machineId, at))
  end
  local alert = tenant.alert_book:open_alert(machine, members.title)
  if alert then
    tenant.alert_book:add_event(alert, at)
  else
    alert = tenant:raise_alert { title = members.title, description = members.description,
      severity = alert_form.read("severity", members.severity), category = members.category,
      recommendedActions = members.recommendedAction, detectionSource = "manual", investigationState = "queued",
      firstActivityDateTime = at, lastActivityDateTime = at,
      evidence = { { kind = "device", machineId = machine.id } } }
  end
  return answer_alert(tenant, alert)
end

return M
