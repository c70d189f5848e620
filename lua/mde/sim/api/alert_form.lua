-- An alert as the older API writes it: its names, its spelling of the values, evidence in pieces that all have the same
-- members, and the machine that the alert is about.
local alert_record = require "mde.sim.model.alert_record"
local alerts = require "mde.sim.model.alerts"
local core = require "mde.core"

local M = {}

-- Where the older name is not the newer one with a capital letter.
local spelled = {
  severity = { unknown = "UnSpecified" },
  determination = { compromisedAccount = "CompromisedUser", notMalicious = "Clean",
    notEnoughDataToValidate = "InsufficientData", confirmedActivity = "ConfirmedUserActivity" },
  detectionSource = { microsoftDefenderForEndpoint = "WindowsDefenderAtp", antivirus = "WindowsDefenderAv",
    smartScreen = "WindowsDefenderSmartScreen", customTi = "CustomerTI", microsoftThreatExperts = "ThreatExperts",
    microsoftDefenderForOffice365 = "OfficeATP", microsoft365Defender = "MTP",
    microsoftDefenderForIdentity = "AzureATP", cloudAppSecurity = "MCAS" },
}

-- What an analyst may write, by the property, and what it is in the model. Of the determinations two pages have other
-- names for one; either is taken.
local writable = {
  status = { New = "new", InProgress = "inProgress", Resolved = "resolved" },
  classification = { TruePositive = "truePositive", FalsePositive = "falsePositive",
    InformationalExpectedActivity = "informationalExpectedActivity" },
  determination = { MultiStagedAttack = "multiStagedAttack", MaliciousUserActivity = "maliciousUserActivity",
    CompromisedUser = "compromisedAccount", Malware = "malware", Phishing = "phishing",
    UnwantedSoftware = "unwantedSoftware", SecurityTesting = "securityTesting",
    LineOfBusinessApplication = "lineOfBusinessApplication", ConfirmedActivity = "confirmedActivity",
    ConfirmedUserActivity = "confirmedActivity", NotMalicious = "notMalicious", Clean = "notMalicious",
    InsufficientData = "notEnoughDataToValidate", Other = "other" },
  severity = { Low = "low", Medium = "medium", High = "high" },
}

--- What an analyst may write as the value of a property, sorted.
---@param name string
---@return string[]
function M.writable_values(name)
  local list = {}
  for value in pairs(writable[name]) do list[#list + 1] = value end
  table.sort(list, core.text.before)
  return list
end

--- What an analyst wrote, as the model has it.
---@param name string
---@param value string
---@return string
function M.read(name, value)
  return writable[name] and writable[name][value] or value
end

local function capital(text)
  return core.text.upper(text:sub(1, 1)) .. text:sub(2)
end

local function spell(name, value)
  if value == nil then return nil end
  return spelled[name] and spelled[name][value] or capital(value)
end

-- What nobody has said is null here and `unknown` there.
local function unless_unknown(name, value)
  if value ~= "unknown" then return spell(name, value) end
end

local entity_types = { user = "User", process = "Process", file = "File", ip = "Ip", url = "Url" }

local function has_account(piece) return piece.kind == "user" or piece.kind == "process" end

local function evidence_of(alert)
  local list = {}
  for _, piece in ipairs(alert.evidence) do
    if entity_types[piece.kind] then
      local is_process, is_user = piece.kind == "process", piece.kind == "user"
      list[#list + 1] = {
        entityType = entity_types[piece.kind], evidenceCreationTime = piece.createdDateTime,
        sha1 = piece.sha1, sha256 = piece.sha256, fileName = piece.fileName, filePath = piece.filePath,
        processId = piece.processId, processCommandLine = piece.processCommandLine,
        processCreationTime = piece.processCreationDateTime, parentProcessId = piece.parentProcessId,
        parentProcessCreationTime = piece.parentProcessCreationDateTime,
        parentProcessFileName = is_process and piece.parentFileName or nil,
        parentProcessFilePath = is_process and piece.parentFilePath or nil,
        ipAddress = piece.ipAddress, url = piece.url,
        accountName = is_user and piece.accountName or nil, domainName = is_user and piece.domainName or nil,
        userSid = is_user and piece.userSid or nil, aadUserId = is_user and piece.azureAdUserId or nil,
        userPrincipalName = is_user and piece.userPrincipalName or nil,
        detectionStatus = piece.detectionStatus and capital(piece.detectionStatus),
      }
    end
  end
  return list
end

--- The account that an alert is about: that of the first user or process in its evidence that has one.
---@param alert mde.sim.alert
---@return table? piece of evidence
function M.account_of(alert)
  for _, piece in ipairs(alert.evidence) do
    if has_account(piece) and piece.accountName then return piece end
  end
end

local function comments_of(alert)
  local list = {}
  for i, comment in ipairs(alert.comments) do
    list[i] = { comment = comment.comment, createdBy = comment.createdByDisplayName,
      createdTime = comment.createdDateTime }
  end
  return list
end

local function form(alert)
  local account = M.account_of(alert)
  return {
    id = alert.id, incidentId = alert.incidentId and core.number.read(alert.incidentId),
    investigationId = alert.investigationId, assignedTo = alert.assignedTo,
    severity = spell("severity", alert.severity), status = spell("status", alert.status),
    classification = unless_unknown("classification", alert.classification),
    determination = unless_unknown("determination", alert.determination),
    investigationState = spell("investigationState", alert.investigationState),
    detectionSource = spell("detectionSource", alert.detectionSource), detectorId = alert.detectorId,
    category = alert.category, threatFamilyName = alert.threatFamilyName, threatName = alert.threatDisplayName,
    title = alert.title, description = alert.description, alertCreationTime = alert.createdDateTime,
    firstEventTime = alert.firstActivityDateTime, lastEventTime = alert.lastActivityDateTime,
    lastUpdateTime = alert.lastUpdateDateTime, resolvedTime = alert.resolvedDateTime,
    mitreTechniques = alert.mitreTechniques, comments = comments_of(alert), evidence = evidence_of(alert),
    relatedUser = account and { userName = account.accountName, domainName = account.domainName },
  }
end

-- The forms that alerts have had, each with the revision that it is of.
local forms = setmetatable({}, { __mode = "k" })

--- The alert in this form.
---@param tenant mde.sim.tenant
---@param alert mde.sim.alert
---@return table record
function M.of(tenant, alert)
  local kept = forms[alert]
  if not kept or kept.revision ~= alert.revision then
    kept = { revision = alert.revision, record = form(alert_record.told(alert)) }
    forms[alert] = kept
  end
  local record, machine = kept.record, alerts.machine_of(alert) or {}
  record.machineId, record.computerDnsName = machine.id, machine.computerDnsName
  record.rbacGroupName, record.aadTenantId = machine.rbacGroupName, tenant.tenant_id
  return record
end

--- Whether the older API has an alert: it knows those of Defender for Endpoint alone.
---@param alert mde.sim.alert
---@return boolean
function M.shows(alert)
  return alert.serviceSource == "microsoftDefenderForEndpoint"
end

return M
