--- fields: what machines, actions, alerts, incidents and indicators have, for --columns and --sort: every field by its
-- name.
--
-- What the library selects by is its own concern; that both know the same names, the spec looks after.

local core = require "mde.core"
local errors = require "mde.base.error"
local options = require "mde.base.options"

local M = {}

---@class mde.cli.Fields
---@field noun string whose fields they are
---@field names string[] in the order in which they are listed
---@field selectable string[] those that the service can filter by
---@field choices table<string, string[]> the values that a field is known to have, for those that are no other text
---@field levels table<string, table<string, integer>> the rank of each value of a field that has ranks
---@field times table<string, boolean> the fields that are times

local function ranks(choices)
  local rank_of = {}
  for rank, value in ipairs(choices) do rank_of[value] = rank end
  return rank_of
end

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

local function set(text)
  local names = {}
  for _, word in ipairs(words(text)) do names[word] = true end
  return names
end

local machine_choices = {
  osPlatform = words [[
    Windows10 Windows11 WindowsServer2012R2 WindowsServer2016 WindowsServer2019 WindowsServer2022 WindowsServer2025
    Linux macOS Android iOS]],
  healthStatus = words [[
    Active Inactive ImpairedCommunication NoSensorData NoSensorDataImpairedCommunication Unknown]],
  onboardingStatus = words "Onboarded CanBeOnboarded Unsupported InsufficientInfo",
  riskScore = words "None Informational Low Medium High",
  exposureLevel = words "None Low Medium High",
  deviceValue = words "Low Normal High",
}

---@type mde.cli.Fields
M.machines = {
  noun = "a machine",
  names = words [[
    id computerDnsName aadDeviceId osPlatform version osBuild osVersion osProcessor osArchitecture healthStatus
    onboardingStatus riskScore exposureLevel deviceValue machineTags firstSeen lastSeen lastIpAddress
    lastExternalIpAddress ipAddresses rbacGroupId rbacGroupName agentVersion defenderAvStatus isAadJoined managedBy
    managedByStatus mergedIntoMachineId isPotentialDuplication isExcluded exclusionReason vmMetadata]],
  selectable = words [[
    aadDeviceId computerDnsName deviceValue exposureLevel healthStatus id lastIpAddress lastSeen machineTags
    onboardingStatus osPlatform rbacGroupId riskScore version]],
  choices = machine_choices,
  levels = {
    riskScore = ranks(machine_choices.riskScore), exposureLevel = ranks(machine_choices.exposureLevel),
    deviceValue = ranks(machine_choices.deviceValue),
  },
  times = set "firstSeen lastSeen",
}

---@type mde.cli.Fields
M.actions = {
  noun = "an action",
  names = words [[
    id type status title machineId computerDnsName creationDateTimeUtc lastUpdateDateTimeUtc requestor
    requestorComment requestSource scope externalId cancellationRequestor cancellationComment
    cancellationDateTimeUtc errorHResult troubleshootInfo relatedFileInfo commands]],
  selectable = words "creationDateTimeUtc id machineId requestor status type",
  choices = {
    type = words [[
      RestrictCodeExecution UnrestrictCodeExecution Isolate Unisolate RunAntiVirusScan StopAndQuarantineFile
      CollectInvestigationPackage LiveResponse Offboard]],
    status = words "Pending InProgress Succeeded Failed TimeOut Cancelled",
  },
  levels = {},
  times = set "creationDateTimeUtc lastUpdateDateTimeUtc cancellationDateTimeUtc",
}

local alert_choices = {
  severity = words "informational low medium high",
  status = words "new inProgress resolved",
  classification = words "truePositive falsePositive informationalExpectedActivity",
  determination = words [[
    apt malware securityPersonnel securityTesting unwantedSoftware other multiStagedAttack compromisedAccount phishing
    maliciousUserActivity notMalicious notEnoughDataToValidate confirmedActivity lineOfBusinessApplication]],
  serviceSource = words [[
    microsoftDefenderForEndpoint microsoftDefenderForIdentity microsoftDefenderForCloudApps
    microsoftDefenderForOffice365 microsoft365Defender azureAdIdentityProtection microsoftAppGovernance
    dataLossPrevention microsoftDefenderForCloud microsoftSentinel microsoftInsiderRiskManagement
    microsoftThreatIntelligence microsoftSecurityForAI]],
  detectionSource = words [[
    microsoftDefenderForEndpoint antivirus smartScreen customTi microsoftDefenderForOffice365 automatedInvestigation
    microsoftThreatExperts customDetection microsoftDefenderForIdentity cloudAppSecurity microsoft365Defender manual]],
}

--- Selectable is what one of the sources can filter by; the other one refuses it by name.
---@type mde.cli.Fields
M.alerts = {
  noun = "an alert",
  names = words [[
    id incidentId title severity status category classification determination assignedTo createdDateTime
    lastUpdateDateTime firstActivityDateTime lastActivityDateTime resolvedDateTime serviceSource detectionSource
    devices users files processes addresses urls mitreTechniques comments threatFamilyName threatDisplayName
    description recommendedActions alertWebUrl source key decided_at]],
  selectable = words [[
    assignedTo category classification createdDateTime detectionSource determination id incidentId
    lastActivityDateTime lastUpdateDateTime serviceSource severity status]],
  choices = alert_choices,
  levels = { severity = ranks(alert_choices.severity) },
  times = set [[
    createdDateTime lastUpdateDateTime firstActivityDateTime lastActivityDateTime resolvedDateTime]],
}

---@type mde.cli.Fields
M.incidents = {
  noun = "an incident",
  names = words [[
    id displayName severity status redirectIncidentId classification determination assignedTo createdDateTime
    lastUpdateDateTime priorityScore customTags comments summary description lastModifiedBy resolvingComment
    incidentWebUrl]],
  selectable = words [[
    assignedTo classification createdDateTime determination lastUpdateDateTime severity status]],
  choices = { severity = alert_choices.severity, classification = alert_choices.classification,
    determination = alert_choices.determination,
    status = words "active inProgress resolved redirected awaitingAction" },
  levels = { severity = ranks(alert_choices.severity) },
  times = set "createdDateTime lastUpdateDateTime",
}

local severities = words "Informational Low Medium High"

---@type mde.cli.Fields
M.indicators = {
  noun = "an indicator",
  names = words [[
    id indicatorValue indicatorType action title description severity expirationTime creationTimeDateTimeUtc
    createdBy createdByDisplayName application generateAlert rbacGroupNames rbacGroupIds recommendedActions source
    sourceType lastUpdateTime lastUpdatedBy category educateUrl externalId]],
  selectable = words [[
    action application createdBy createdByDisplayName creationTimeDateTimeUtc expirationTime generateAlert
    indicatorType indicatorValue rbacGroupNames severity title]],
  choices = {
    indicatorType = words [[
      FileSha1 FileSha256 FileMd5 CertificateThumbprint IpAddress DomainName Url WebCategory]],
    action = words "Allowed Audit Block BlockAndRemediate Warn Alert AlertAndBlock",
    severity = severities,
  },
  levels = { severity = ranks(severities) },
  times = set "expirationTime creationTimeDateTimeUtc lastUpdateTime",
}

--- Raises for a name that is no field's.
---@param name string
---@param of mde.cli.Fields
---@param option string which names it
function M.check(name, of, option)
  local known = {}
  for _, one in ipairs(of.names) do known[one] = true end
  if known[name] then return end
  if name == "" then
    errors.invalid("empty_text", ("%s has an empty name in it; an empty shell variable?"):format(option),
      ("Write %s %s, say."):format(option, of.names[2]))
  end
  local near = options.nearest(name, known)
  errors.invalid("unknown_field", ("%s: %s has no field %s"):format(option, of.noun, errors.quote(name)),
    near and ("Did you mean %q?"):format(near) or ("There are %s."):format(table.concat(of.names, ", ")))
end

--- The names in `NAME,NAME`. Raises if one of them is no field's.
---@param text string
---@param of mde.cli.Fields
---@param option string
---@return string[]
function M.list(text, of, option)
  local names = {}
  for item in (text .. ","):gmatch "([^,]*)," do
    local name = core.text.trim(item)
    M.check(name, of, option)
    names[#names + 1] = name
  end
  return names
end

return M
