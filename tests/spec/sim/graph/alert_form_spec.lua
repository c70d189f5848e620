-- An alert as Graph writes it.
-- Labels: only-lua5.4
local alert_form = require "mde.sim.graph.alert_form"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"

describe("an alert of Graph", function()
  local tenant

  before_each(function() tenant = sim.new { start = 1770113472, fleet = { count = 5 } } end)

  local function written(fields, includes_unknown)
    return json.decode(alert_form.write(tenant, tenant:raise_alert(fields), includes_unknown))
  end

  it("has the members that the documents list, absent ones as null", function()
    local alert = written { title = "x", severity = "high", category = "Execution" }
    assert.same({ "#microsoft.graph.security.alert", "28201", "high", "new", tenant.tenant_id, json.null, json.null },
      { alert["@odata.type"], alert.incidentId, alert.severity, alert.status, alert.tenantId, alert.classification,
        alert.assignedTo })
    assert.same({ { "Execution" }, {}, {}, {}, {}, {} }, { alert.categories, alert.comments, alert.systemTags,
      alert.evidence, alert.customDetails, alert.additionalData })
    assert.equal(alert.id, alert.providerAlertId)
    assert.equal("https://security.microsoft.com/incidents/28201?tid=" .. tenant.tenant_id, alert.incidentWebUrl)
    local text = alert_form.write(tenant, tenant:raise_alert {}, true)
    assert.truthy(text:find('"customDetails":{},"additionalData":{},"evidence":[]}', 1, true))
    assert.truthy(text:find('"comments":[],"systemTags":[]', 1, true))
  end)

  it("tells a device by its machine, with values that begin small", function()
    local device = written({ evidence = { { kind = "device", machineId = laptop, roles = { "compromised" } } } })
      .evidence[1]
    assert.same({ "#microsoft.graph.security.deviceEvidence", laptop, "17171717-0000-4000-8000-000000000017",
      "laptop-17.corp.example", "laptop-17", "corp.example", "active", "high", "onboarded", "updated", 140 },
      { device["@odata.type"], device.mdeDeviceId, device.azureAdDeviceId, device.deviceDnsName, device.hostName,
        device.dnsDomain, device.healthStatus, device.riskScore, device.onboardingStatus, device.defenderAvStatus,
        device.rbacGroupId })
    assert.same({ { "compromised" }, { "192.0.2.101" }, json.null }, { device.roles, device.ipInterfaces,
      device.ntDomain })
  end)

  it("tells a virtual machine as such", function()
    local id = tenant:put_machine({ vmMetadata = { vmId = "v", cloudProvider = "Azure" } }).id
    local device = written({ evidence = { { kind = "device", machineId = id } } }).evidence[1]
    assert.same({ vmId = "v", cloudProvider = "azure", resourceId = json.null, subscriptionId = json.null },
      device.vmMetadata)
  end)

  it("has null for the id of a device that Defender does not know", function()
    local device = written({ evidence = { { kind = "device", deviceDnsName = "printer" } } }).evidence[1]
    assert.same({ json.null, json.null, "printer", "printer", json.null, json.null, "insufficientInfo", "unknown", {} },
      { device.mdeDeviceId, device.azureAdDeviceId, device.deviceDnsName, device.hostName, device.dnsDomain,
        device.osPlatform, device.onboardingStatus, device.healthStatus, device.ipInterfaces })
  end)

  it("has other evidence, also of a type that no client knows", function()
    local evidence = written({ evidence = { { kind = "user", accountName = "ana" },
      { kind = "file", machineId = laptop, sha1 = "00", fileSize = 5 },
      { kind = "process", fileName = "a.exe", parentFileName = "b.exe", processId = 4780, accountName = "ana" },
      { kind = "ip", ipAddress = "203.0.113.7" }, { kind = "url", url = "u" },
      { kind = "other", type = "quantumEvidence" } } }).evidence
    assert.same({ "ana", json.null }, { evidence[1].userAccount.accountName, evidence[1].userAccount.userSid })
    assert.same({ laptop, "00", 5, json.null }, { evidence[2].mdeDeviceId, evidence[2].fileDetails.sha1,
      evidence[2].fileDetails.fileSize, evidence[2].fileDetails.md5 })
    assert.same({ json.null, "a.exe", "b.exe", 4780, "ana" }, { evidence[3].mdeDeviceId, evidence[3].imageFile.fileName,
      evidence[3].parentProcessImageFile.fileName, evidence[3].processId, evidence[3].userAccount.accountName })
    assert.same({ "203.0.113.7", "u", "#microsoft.graph.security.quantumEvidence" }, { evidence[4].ipAddress,
      evidence[5].url, evidence[6]["@odata.type"] })
  end)

  it("hides the members behind a sentinel, unless they are asked for", function()
    local fields = { serviceSource = "microsoftSentinel", detectionSource = "scheduledAlerts",
      evidence = { { kind = "url", remediationStatus = "active" } } }
    local alert = written(fields)
    assert.same({ "unknownFutureValue", "unknownFutureValue", "unknownFutureValue" }, { alert.serviceSource,
      alert.detectionSource, alert.evidence[1].remediationStatus })
    alert = written(fields, true)
    assert.same({ "microsoftSentinel", "scheduledAlerts", "active" }, { alert.serviceSource, alert.detectionSource,
      alert.evidence[1].remediationStatus })
  end)

  it("has null for what it lacks", function()
    local alert = written { title = "x", lacks = { "id", "lastUpdateDateTime", "serviceSource" } }
    assert.same({ json.null, json.null, json.null, "x" }, { alert.id, alert.lastUpdateDateTime, alert.serviceSource,
      alert.title })
  end)

  it("is not shown if it was tuned away or stands alone", function()
    assert.is_true(alert_form.shows(tenant:raise_alert {}))
    assert.is_false(alert_form.shows(tenant:raise_alert { is_standalone = true }))
    assert.is_false(alert_form.shows(tenant:raise_alert { is_suppressed = true, incidentId = 5 }))
  end)
end)
