-- The records about a machine that are not its own: users, software, vulnerabilities, recommendations, updates; the
-- rows of the exports; and the exposure of a device group.
local schema = require "mde.sim.odata.schema"

local M = {}

-- A kind of record of words `name` or `name:type`; a text if no type is told.
local function define(set, words)
  local properties = {}
  for word in words:gmatch "%S+" do
    local name, type = word:match "^([^:]+):?(.*)$"
    properties[#properties + 1] = schema.property(name, type ~= "" and type or "String")
  end
  return schema.define(set, properties)
end

M.logonusers = define("Users", [[id accountName accountDomain accountSid firstSeen:DateTimeOffset
  lastSeen:DateTimeOffset logonTypes isDomainAdmin:Boolean isOnlyNetworkUser:Boolean]])

M.software = define("Software", [[id name vendor weaknesses:Int64 publicExploit:Boolean activeAlert:Boolean
  exposedMachines:Int64 installedMachines:Int64 impactScore:Double]])

M.vulnerabilities = define("Collection(Analytics.Contracts.PublicAPI.PublicVulnerabilityDto)", [[id name description
  severity cvssV3:Double cvssVector exposedMachines:Int64 publishedOn:DateTimeOffset updatedOn:DateTimeOffset
  publicExploit:Boolean exploitVerified:Boolean exploitInKit:Boolean exploitTypes:Collection exploitUris:Collection]])

M.recommendations = define("Recommendations", [[id productName recommendationName weaknesses:Int64 vendor
  recommendedVersion recommendationCategory subCategory severityScore:Double publicExploit:Boolean activeAlert:Boolean
  associatedThreats:Collection remediationType status configScoreImpact:Double exposureImpact:Double
  totalMachineCount:Int64 exposedMachinesCount:Int64 nonProductivityImpactedAssets:Int64 relatedComponent]])

M.getmissingkbs = define("Collection(microsoft.windowsDefenderATP.api.PublicProductFixDto)", [[id name
  productsNames:Collection url machineMissedOn:Int64 cveAddressed:Int64]])

M.exported_software = define("Collection(microsoft.windowsDefenderATP.api.AssetSoftware)", [[deviceId rbacGroupName
  deviceName osPlatform softwareVendor softwareName softwareVersion numberOfWeaknesses:Int64 diskPaths:Collection
  registryPaths:Collection softwareFirstSeenTimestamp endOfSupportStatus endOfSupportDate]])

M.exported_vulnerabilities = define("Collection(microsoft.windowsDefenderATP.api.AssetVulnerability)", [[id deviceId
  rbacGroupName deviceName osPlatform osVersion osArchitecture softwareVendor softwareName softwareVersion cveId
  cvssScore:Double vulnerabilitySeverityLevel recommendedSecurityUpdate recommendedSecurityUpdateId
  recommendedSecurityUpdateUrl diskPaths:Collection registryPaths:Collection lastSeenTimestamp firstSeenTimestamp
  exploitabilityLevel recommendationReference securityUpdateAvailable:Boolean]])

M.exposure = define("ExposureScore", "time:DateTimeOffset score:Double rbacGroupName rbacGroupId:Int32")

return M
