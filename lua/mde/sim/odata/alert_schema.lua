-- The records that the older API has about alerts: the alerts, and the users and files that they are about.
local schema = require "mde.sim.odata.schema"

local property = schema.property

local M = {}

-- Each piece of evidence has all of these, most of them null.
local evidence = {}
for name in ([[
  entityType evidenceCreationTime sha1 sha256 fileName filePath processId processCommandLine processCreationTime
  parentProcessId parentProcessCreationTime parentProcessFileName parentProcessFilePath ipAddress url registryKey
  registryHive registryValueType registryValue accountName domainName userSid aadUserId userPrincipalName
  detectionStatus]]):gmatch "%S+" do evidence[#evidence + 1] = name end

M.alert = schema.define("Alerts", {
  property("id", "String", true),
  property("incidentId", "Int64", true),
  property("investigationId", "Int64", true),
  property("assignedTo", "String", true),
  property("severity", "String", true),
  property("status", "String", true),
  property("classification", "String"),
  property("determination", "String"),
  property("investigationState", "String"),
  property("detectionSource", "String", true),
  property("detectorId", "String"),
  property("category", "String", true),
  property("threatFamilyName", "String"),
  property("title", "String"),
  property("description", "String"),
  property("alertCreationTime", "DateTimeOffset", true),
  property("firstEventTime", "DateTimeOffset"),
  property("lastEventTime", "DateTimeOffset", true),
  property("lastUpdateTime", "DateTimeOffset", true),
  property("resolvedTime", "DateTimeOffset"),
  property("machineId", "String"),
  property("computerDnsName", "String"),
  property("rbacGroupName", "String"),
  property("aadTenantId", "String"),
  property("threatName", "String"),
  property("mitreTechniques", "Collection"),
  property("relatedUser", "Complex", false, { "userName", "domainName" }),
  property("comments", "Collection", false, { "comment", "createdBy", "createdTime" }),
  property("evidence", "Collection", false, evidence),
}, "evidence")

M.user = schema.define("Users", {
  property("id", "String"),
  property("accountName", "String"),
  property("accountDomain", "String"),
  property("accountSid", "String"),
  property("firstSeen", "DateTimeOffset"),
  property("lastSeen", "DateTimeOffset"),
  property("mostPrevalentMachineId", "String"),
  property("leastPrevalentMachineId", "String"),
  property("logonTypes", "String"),
  property("logOnMachinesCount", "Int64"),
  property("isDomainAdmin", "Boolean"),
  property("isOnlyNetworkUser", "Boolean"),
})

M.file = schema.define("Files", {
  property("sha1", "String"),
  property("sha256", "String"),
  property("md5", "String"),
  property("globalPrevalence", "Int64"),
  property("globalFirstObserved", "DateTimeOffset"),
  property("globalLastObserved", "DateTimeOffset"),
  property("size", "Int64"),
  property("fileType", "String"),
  property("isPeFile", "Boolean"),
  property("filePublisher", "String"),
  property("fileProductName", "String"),
  property("signer", "String"),
  property("issuer", "String"),
  property("signerHash", "String"),
  property("isValidCertificate", "Boolean"),
  property("determinationType", "String"),
  property("determinationValue", "String"),
})

return M
