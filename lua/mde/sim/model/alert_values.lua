-- What the documents list as the values of an alert's and an incident's properties, in the spelling of Graph. A client
-- that does not ask for the members of an open enumeration sees those behind its sentinel as `unknownFutureValue`.
local validation = require "mde.sim.base.validation"

local M = {}

--- What stands for a member that a client has not asked for.
M.sentinel = "unknownFutureValue"

-- A bar stands for the sentinel.
local listed = {
  severity = "unknown informational low medium high",
  status = "unknown new inProgress resolved",
  incidentStatus = "active resolved inProgress redirected | awaitingAction",
  classification = "unknown falsePositive truePositive informationalExpectedActivity",
  determination = "unknown apt malware securityPersonnel securityTesting unwantedSoftware other multiStagedAttack "
    .. "compromisedAccount phishing maliciousUserActivity notMalicious notEnoughDataToValidate confirmedActivity "
    .. "lineOfBusinessApplication",
  serviceSource = "unknown microsoftDefenderForEndpoint microsoftDefenderForIdentity microsoftDefenderForCloudApps "
    .. "microsoftDefenderForOffice365 microsoft365Defender azureAdIdentityProtection microsoftAppGovernance "
    .. "dataLossPrevention | microsoftDefenderForCloud microsoftSentinel microsoftInsiderRiskManagement "
    .. "microsoftThreatIntelligence microsoftSecurityForAI",
  detectionSource = "unknown microsoftDefenderForEndpoint antivirus smartScreen customTi "
    .. "microsoftDefenderForOffice365 automatedInvestigation microsoftThreatExperts customDetection "
    .. "microsoftDefenderForIdentity cloudAppSecurity microsoft365Defender azureAdIdentityProtection manual "
    .. "microsoftDataLossPrevention appGovernancePolicy appGovernanceDetection | microsoftDefenderForCloud "
    .. "microsoftDefenderForIoT microsoftDefenderForServers microsoftDefenderForStorage microsoftDefenderForDNS "
    .. "microsoftDefenderForDatabases microsoftDefenderForContainers microsoftDefenderForNetwork "
    .. "microsoftDefenderForAppService microsoftDefenderForKeyVault microsoftDefenderForResourceManager "
    .. "microsoftDefenderForApiManagement microsoftSentinel nrtAlerts scheduledAlerts builtInMl securityCopilot",
  verdict = "unknown suspicious malicious noThreatsFound",
  remediationStatus = "none remediated prevented blocked notFound | active pendingApproval declined unremediated "
    .. "running partiallyRemediated",
  roles = "unknown contextual scanned source destination created added compromised edited attacked attacker "
    .. "commandAndControl loaded suspicious policyViolator",
}

local values, is_value, is_behind = {}, {}, {}
for name, text in pairs(listed) do
  values[name], is_value[name], is_behind[name] = {}, {}, {}
  local behind = false
  for word in text:gmatch "%S+" do
    if word == "|" then
      behind = true
    else
      table.insert(values[name], word)
      is_value[name][word], is_behind[name][word] = true, behind
    end
  end
end

--- Whether a text is among the values of a property.
---@param name string
---@param value any
---@return boolean
function M.is_listed(name, value)
  return is_value[name][value] == true
end

--- Why a text is not one of the values that the documents list for a property.
---@param name string
---@param value any
---@return string? message nil if it is one, or is no text, or there is no such list
function M.undocumented(name, value)
  if not values[name] or type(value) ~= "string" or is_value[name][value] then return nil end
  return validation.mismatch(name == "incidentStatus" and "status" or name,
    "one of " .. table.concat(values[name], ", "), value)
end

--- A value as a client sees it that has not asked for the members behind the sentinel.
---@param name string
---@param value string?
---@return string?
function M.closed(name, value)
  return value and is_behind[name][value] and M.sentinel or value
end

return M
