-- An alert as Microsoft Graph writes it: the model's own names, evidence of another type for each kind, and, for a
-- client that did not ask for them, no members behind the sentinel of an enumeration.
local alert_record = require "mde.sim.model.alert_record"
local alert_values = require "mde.sim.model.alert_values"
local core = require "mde.core"
local json = require "mde.sim.base.json"

local M = {}

local names = {}
for name in ([[
  @odata.type id providerAlertId incidentId status severity classification determination serviceSource detectionSource
  productName detectorId tenantId title description recommendedActions category categories assignedTo alertWebUrl
  incidentWebUrl actorDisplayName threatDisplayName threatFamilyName mitreTechniques createdDateTime
  lastUpdateDateTime resolvedDateTime firstActivityDateTime lastActivityDateTime alertPolicyId investigationState
  comments systemTags customDetails additionalData evidence]]):gmatch "%S+" do names[#names + 1] = name end

-- An object that is written with these members, absent ones as null.
local function object(value, text)
  local whole = {}
  for name in text:gmatch "%S+" do
    local member = value[name]
    if member == nil then member = json.null end
    whole[name] = member
  end
  return whole
end

-- ---- evidence

local function lower_first(text)
  return text and core.text.lower(text:sub(1, 1)) .. text:sub(2)
end

local function addresses_of(machine)
  local list = json.array {}
  for _, entry in ipairs(machine.ipAddresses or {}) do list[#list + 1] = entry.ipAddress end
  return list
end

local function virtual_machine_of(machine)
  local known = machine.vmMetadata
  if not known then return nil end
  return object({ vmId = known.vmId, cloudProvider = lower_first(known.cloudProvider), resourceId = known.resourceId,
    subscriptionId = known.subscriptionId }, "vmId cloudProvider resourceId subscriptionId")
end

--- The name of a device in the evidence.
---@param piece mde.sim.evidence
---@return string?
function M.device_name(piece)
  return piece.machine and piece.machine.computerDnsName or piece.deviceDnsName
end

local makers = {}

-- Of a device that Defender does not know there is a name, and Entra's id if the other service knows that.
function makers.device(piece)
  local machine = piece.machine or {}
  local name = M.device_name(piece)
  local host, domain
  if name then host, domain = name:match "^([^.]*)%.?(.*)$" end
  return object({
    firstSeenDateTime = machine.firstSeen, mdeDeviceId = machine.id,
    azureAdDeviceId = piece.azureAdDeviceId or machine.aadDeviceId, deviceDnsName = name, hostName = host,
    dnsDomain = domain ~= "" and domain or nil, osPlatform = machine.osPlatform, osBuild = machine.osBuild,
    version = machine.version, healthStatus = lower_first(machine.healthStatus) or "unknown",
    riskScore = lower_first(machine.riskScore) or "none", rbacGroupId = machine.rbacGroupId,
    rbacGroupName = machine.rbacGroupName,
    onboardingStatus = lower_first(machine.onboardingStatus) or "insufficientInfo",
    defenderAvStatus = lower_first(machine.defenderAvStatus) or "unknown", lastIpAddress = machine.lastIpAddress,
    lastExternalIpAddress = machine.lastExternalIpAddress, ipInterfaces = addresses_of(machine),
    vmMetadata = virtual_machine_of(machine), loggedOnUsers = json.array {}, resourceAccessEvents = json.array {},
  }, [[firstSeenDateTime mdeDeviceId azureAdDeviceId deviceDnsName hostName ntDomain dnsDomain osPlatform osBuild
    version healthStatus riskScore rbacGroupId rbacGroupName onboardingStatus defenderAvStatus lastIpAddress
    lastExternalIpAddress ipInterfaces vmMetadata loggedOnUsers resourceAccessEvents]])
end

local account = "accountName domainName userSid azureAdUserId userPrincipalName displayName"
local file = "sha1 sha256 md5 fileName filePath fileSize filePublisher signer issuer"

function makers.user(piece)
  return { userAccount = object(piece, account) }
end

function makers.file(piece)
  return { detectionStatus = piece.detectionStatus or json.null, mdeDeviceId = piece.machine and piece.machine.id
    or json.null, fileDetails = object(piece, file) }
end

function makers.process(piece)
  local made = object(piece, "processId parentProcessId processCommandLine processCreationDateTime "
    .. "parentProcessCreationDateTime detectionStatus")
  made.mdeDeviceId = piece.machine and piece.machine.id or json.null
  made.imageFile = object(piece, file)
  made.parentProcessImageFile = object({ sha1 = piece.parentSha1, sha256 = piece.parentSha256,
    fileName = piece.parentFileName, filePath = piece.parentFilePath }, file)
  made.userAccount = object(piece, account)
  return made
end

function makers.ip(piece)
  return { ipAddress = piece.ipAddress or json.null, countryLetterCode = json.null }
end

function makers.url(piece)
  return { url = piece.url or json.null }
end

function makers.other() return {} end

local types = { device = "deviceEvidence", user = "userEvidence", file = "fileEvidence", process = "processEvidence",
  ip = "ipEvidence", url = "urlEvidence" }

local function evidence_of(piece, closed)
  local made = makers[piece.kind](piece)
  made["@odata.type"] = "#microsoft.graph.security." .. (types[piece.kind] or piece.type or "unheardOfEvidence")
  made.createdDateTime, made.verdict = piece.createdDateTime, piece.verdict
  made.remediationStatus = closed("remediationStatus", piece.remediationStatus)
  made.remediationStatusDetails = piece.remediationStatusDetails or json.null
  made.roles, made.detailedRoles = json.array(piece.roles), json.array(piece.detailedRoles)
  made.tags = json.array(piece.tags)
  return made
end

-- ---- alerts

local function open(_, value) return value end

--- What tells the value of an enumeration to a client: as it is, or as `unknownFutureValue`.
---@param includes_unknown boolean whether the client has asked for all members
---@return fun(name: string, value: string?): string?
function M.teller(includes_unknown)
  return includes_unknown and open or alert_values.closed
end

local portal = "https://security.microsoft.com/%s/%s?tid=%s"

--- Where a browser would find an alert or an incident.
---@param tenant mde.sim.tenant
---@param what "alerts"|"incidents"
---@param id string?
---@return string?
function M.web_url(tenant, what, id)
  return id and portal:format(what, id, tenant.tenant_id)
end

--- The comments of an alert or an incident.
---@param record mde.sim.alert|mde.sim.incident
---@return table[]
function M.comments(record)
  local list = json.array {}
  for i, comment in ipairs(record.comments) do
    list[i] = { ["@odata.type"] = "microsoft.graph.security.alertComment", comment = comment.comment,
      createdByDisplayName = comment.createdByDisplayName, createdDateTime = comment.createdDateTime }
  end
  return list
end

--- Whether Graph has an alert: it hides those that were tuned away, and those that belong to no incident.
---@param alert mde.sim.alert
---@return boolean
function M.shows(alert)
  return not alert.is_suppressed and alert.incidentId ~= nil
end

--- An alert, written.
---@param tenant mde.sim.tenant
---@param alert mde.sim.alert
---@param includes_unknown boolean whether the client has asked for all members of enumerations
---@return string
function M.write(tenant, alert, includes_unknown)
  local closed = M.teller(includes_unknown)
  local record = {}
  alert = alert_record.told(alert)
  for _, name in ipairs(names) do record[name] = alert[name] end
  record["@odata.type"], record.tenantId = "#microsoft.graph.security.alert", tenant.tenant_id
  record.serviceSource = closed("serviceSource", alert.serviceSource)
  record.detectionSource = closed("detectionSource", alert.detectionSource)
  record.categories = json.array { alert.category }
  record.alertWebUrl = M.web_url(tenant, "alerts", alert.id)
  record.incidentWebUrl = M.web_url(tenant, "incidents", alert.incidentId)
  record.mitreTechniques, record.systemTags = json.array(alert.mitreTechniques), json.array(alert.systemTags)
  record.comments, record.customDetails, record.additionalData = M.comments(alert), {}, {}
  record.evidence = json.array {}
  for i, piece in ipairs(alert.evidence) do record.evidence[i] = evidence_of(piece, closed) end
  return json.object(names, record)
end

return M
