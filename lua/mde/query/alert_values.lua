--- alert_values: the values that alerts are known to have, and how Defender for Endpoint spells what Microsoft Graph
-- spells otherwise.
--
-- This library has Graph's names and values, from either source. What is not listed here stays as the service wrote it.

local core = require "mde.core"

local M = {}

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

--- The lowest first.
M.severities = words "informational low medium high"
M.statuses = words "new inProgress resolved"
M.incident_statuses = words "active inProgress resolved redirected awaitingAction"
M.classifications = words "truePositive falsePositive informationalExpectedActivity"

--- As the metadata of Graph has them; a page of its documentation has other names for four of them.
M.determinations = words [[
  apt malware securityPersonnel securityTesting unwantedSoftware other multiStagedAttack compromisedAccount phishing
  maliciousUserActivity notMalicious notEnoughDataToValidate confirmedActivity lineOfBusinessApplication]]

M.service_sources = words [[
  microsoftDefenderForEndpoint microsoftDefenderForIdentity microsoftDefenderForCloudApps
  microsoftDefenderForOffice365 microsoft365Defender azureAdIdentityProtection microsoftAppGovernance
  dataLossPrevention microsoftDefenderForCloud microsoftSentinel microsoftInsiderRiskManagement
  microsoftThreatIntelligence microsoftSecurityForAI]]

--- Those that Defender for Endpoint tells.
M.detection_sources = words [[
  microsoftDefenderForEndpoint antivirus smartScreen customTi microsoftDefenderForOffice365 automatedInvestigation
  microsoftThreatExperts customDetection microsoftDefenderForIdentity cloudAppSecurity microsoft365Defender manual]]

--- What Defender for Endpoint calls the fields of an alert; those that are not here have the same name.
M.columns = { createdDateTime = "alertCreationTime", lastUpdateDateTime = "lastUpdateTime",
  firstActivityDateTime = "firstEventTime", lastActivityDateTime = "lastEventTime", resolvedDateTime = "resolvedTime",
  threatDisplayName = "threatName" }

-- With a capital letter, but for these.
local otherwise = {
  severity = { unknown = "UnSpecified" },
  determination = { compromisedAccount = "CompromisedUser", notEnoughDataToValidate = "InsufficientData" },
  detectionSource = { microsoftDefenderForEndpoint = "WindowsDefenderAtp", antivirus = "WindowsDefenderAv",
    smartScreen = "WindowsDefenderSmartScreen", customTi = "CustomerTI", microsoftThreatExperts = "ThreatExperts",
    microsoftDefenderForOffice365 = "OfficeATP", microsoft365Defender = "MTP",
    microsoftDefenderForIdentity = "AzureATP", cloudAppSecurity = "MCAS" },
}

local function spelled(name, values)
  local spellings = {}
  for _, value in ipairs(values) do
    local own = otherwise[name] and otherwise[name][value]
    spellings[value] = own or core.text.upper(value:sub(1, 1)) .. value:sub(2)
  end
  return spellings
end

-- Those that only Graph takes.
local graph_alone = { apt = true, securityPersonnel = true }

local function of_defender(list)
  local kept = {}
  for _, value in ipairs(list) do
    if not graph_alone[value] then kept[#kept + 1] = value end
  end
  return kept
end

local function with_unknown(list)
  local all = { "unknown" }
  for _, value in ipairs(list) do all[#all + 1] = value end
  return all
end

--- For each field how Defender for Endpoint spells a value.
---@type table<string, table<string, string>>
M.spellings = {
  severity = spelled("severity", with_unknown(M.severities)),
  status = spelled("status", with_unknown(M.statuses)),
  classification = spelled("classification", M.classifications),
  determination = spelled("determination", of_defender(M.determinations)),
  detectionSource = spelled("detectionSource", M.detection_sources),
}

-- What a page of the documentation, or an old reply, has instead.
local other_spellings = {
  classification = { ["Informational, expected activity"] = "informationalExpectedActivity" },
  determination = { Clean = "notMalicious", ConfirmedUserActivity = "confirmedActivity" },
}

local meanings = {}
for name, spellings in pairs(M.spellings) do
  meanings[name] = {}
  for value, own in pairs(spellings) do meanings[name][own] = value end
  for own, value in pairs(other_spellings[name] or {}) do meanings[name][own] = value end
end

--- A value of Defender for Endpoint as Graph spells it; one that is not known as it is.
---@param name string the field
---@param value any
---@return any
function M.from_defender(name, value)
  return meanings[name] and meanings[name][value] or value
end

return M
