-- An alert as the older API writes it.
-- Labels: only-lua5.4
local alert_form = require "mde.sim.api.alert_form"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"

describe("the form of an alert", function()
  local tenant

  before_each(function() tenant = sim.new { start = 1770113472, fleet = { count = 5 } } end)

  local function form(fields)
    return alert_form.of(tenant, tenant:raise_alert(fields))
  end

  it("has the older names", function()
    local record = form { severity = "high", investigationState = "queued", detectorId = "d", threatDisplayName = "t",
      evidence = { { kind = "device", machineId = laptop },
        { kind = "user", accountName = "ana", domainName = "CORP" } } }
    assert.same({ 28201, "High", "New", "Queued", "WindowsDefenderAtp", "t" }, { record.incidentId, record.severity,
      record.status, record.investigationState, record.detectionSource, record.threatName })
    assert.same({ laptop, "laptop-17.corp.example", "Laptops", tenant.tenant_id }, { record.machineId,
      record.computerDnsName, record.rbacGroupName, record.aadTenantId })
    assert.same({ "2026-02-03T10:11:12Z", "2026-02-03T10:11:12Z", "2026-02-03T10:09:37Z", "2026-02-03T10:10:12Z" },
      { record.alertCreationTime, record.lastUpdateTime, record.firstEventTime, record.lastEventTime })
    assert.same({ userName = "ana", domainName = "CORP" }, record.relatedUser)
    assert.is_nil(record.classification)
  end)

  it("spells values as the older API does, and unknown ones with a capital letter", function()
    for _, case in ipairs { { "severity", "unknown", "UnSpecified" }, { "severity", "critical", "Critical" },
        { "determination", "compromisedAccount", "CompromisedUser" }, { "determination", "notMalicious", "Clean" },
        { "determination", "phishing", "Phishing" }, { "detectionSource", "antivirus", "WindowsDefenderAv" },
        { "detectionSource", "customDetection", "CustomDetection" }, { "status", "inProgress", "InProgress" },
        { "classification", "informationalExpectedActivity", "InformationalExpectedActivity" } } do
      assert.equal(case[3], form({ [case[1]] = case[2] })[case[1]])
    end
    assert.is_nil(form({ determination = "unknown" }).determination)
  end)

  it("reads what an analyst may write", function()
    assert.equal("notMalicious", alert_form.read("determination", "NotMalicious"))
    assert.equal("notMalicious", alert_form.read("determination", "Clean"))
    assert.equal("anything", alert_form.read("assignedTo", "anything"))
    assert.same({ "InProgress", "New", "Resolved" }, alert_form.writable_values "status")
  end)

  it("has evidence of files, processes, users, addresses and URLs, and not of devices", function()
    local evidence = form({ evidence = { { kind = "device", machineId = laptop }, { kind = "other", type = "x" },
      { kind = "process", fileName = "a.exe", sha1 = "00", parentFileName = "b.exe", accountName = "ana",
        detectionStatus = "detected" }, { kind = "ip", ipAddress = "203.0.113.7" }, { kind = "url", url = "u" },
      { kind = "file", fileName = "c" } } }).evidence
    local types = {}
    for i, piece in ipairs(evidence) do types[i] = piece.entityType end
    assert.same({ "Process", "Ip", "Url", "File" }, types)
    assert.same({ "00", "b.exe", "Detected" }, { evidence[1].sha1, evidence[1].parentProcessFileName,
      evidence[1].detectionStatus })
    assert.is_nil(evidence[1].accountName)
  end)

  it("has nothing for what it lacks", function()
    local record = form { title = "x", lacks = { "id", "createdDateTime", "severity", "incidentId" } }
    assert.same({ title = "x", status = "New" }, { id = record.id, alertCreationTime = record.alertCreationTime,
      severity = record.severity, incidentId = record.incidentId, title = record.title, status = record.status })
  end)

  it("goes with the alert and the machine", function()
    local alert = tenant:raise_alert { evidence = { { kind = "device", machineId = laptop } } }
    assert.equal("New", alert_form.of(tenant, alert).status)
    tenant:update_alert(alert, { status = "resolved" })
    tenant:put_machine { id = laptop, computerDnsName = "renamed.corp.example" }
    local record = alert_form.of(tenant, alert)
    assert.same({ "Resolved", "renamed.corp.example" }, { record.status, record.computerDnsName })
  end)
end)
