-- An alert in one shape, from a row of either source.
-- Labels: only-lua5.4
local alerts = require "mde.alert.alert"
local rehearsal = require "tests.spec.support.rehearsal"

local MACHINE = "111e6dd8c833c8a052ea231ec1b19adaf497b625"

-- As Defender for Endpoint writes one.
local function defenders()
  return { id = "da637472900382838869_1364969609", incidentId = 1126093, severity = "Low", status = "New",
    investigationState = "Queued", detectionSource = "WindowsDefenderAtp", category = "Execution",
    classification = "TruePositive", determination = "CompromisedUser", title = "Low-reputation code",
    description = "One.\n\nTwo.", alertCreationTime = "2021-01-26T20:33:57.7220239Z",
    firstEventTime = "2021-01-26T20:31:32.9562661Z", lastEventTime = "2021-01-26T20:31:33.0577322Z",
    lastUpdateTime = "2021-01-26T20:33:59.2Z", machineId = MACHINE, computerDnsName = "temp123.corp.example",
    mitreTechniques = { "T1064", "T1085" },
    comments = { { comment = "a comment", createdBy = "secop@corp.example", createdTime = "2021-01-26T21:00:37Z" } } }
end

-- As Graph writes one.
local function graphs()
  return { ["@odata.type"] = "#microsoft.graph.security.alert", id = "da638997215424812345_-517204388",
    incidentId = "28282", severity = "high", status = "inProgress", serviceSource = "microsoftDefenderForEndpoint",
    detectionSource = "microsoftDefenderForEndpoint", title = "Suspicious rundll32 by O'Brien & <macro>",
    category = "Execution", mitreTechniques = { "T1218.011" }, createdDateTime = "2026-11-20T02:59:02.48Z",
    lastUpdateDateTime = "2026-11-20T03:02:13.9Z", firstActivityDateTime = "2026-11-20T02:57:59.2Z",
    lastActivityDateTime = "2026-11-20T02:58:22.0361Z", comments = { { comment = "seen",
      createdByDisplayName = "kai", createdDateTime = "2026-11-20T03:00:00Z" } }, evidence = {} }
end

describe("an alert", function()
  it("of Defender for Endpoint has the names and values of Graph", function()
    local row = defenders()
    local alert = alerts.of_row(row, "defender")
    assert.equal(row, alert.row)
    assert.equal(MACHINE, alert.devices[1].id)
    for name, expected in pairs { id = row.id, source = "defender", incidentId = "1126093", severity = "low",
        status = "new", detectionSource = "microsoftDefenderForEndpoint", category = "Execution",
        classification = "truePositive", determination = "compromisedAccount", title = "Low-reputation code",
        description = "One.\n\nTwo.", createdDateTime = "2021-01-26T20:33:57.7220239Z",
        firstActivityDateTime = "2021-01-26T20:31:32.9562661Z", lastActivityDateTime = "2021-01-26T20:31:33.0577322Z",
        lastUpdateDateTime = "2021-01-26T20:33:59.2Z", key = row.id } do
      assert.equal(expected, alert[name], name)
    end
    assert.same({ "T1064", "T1085" }, alert.mitreTechniques)
    assert.same({ { comment = "a comment", createdByDisplayName = "secop@corp.example",
      createdDateTime = "2021-01-26T21:00:37Z" } }, alert.comments)
    assert.is_nil(alert.assignedTo)
    assert.is_nil(alert.serviceSource)
  end)

  it("of Graph has them already", function()
    local row = graphs()
    local alert = alerts.of_row(row, "graph")
    for _, name in ipairs { "id", "incidentId", "severity", "status", "serviceSource", "detectionSource", "title",
        "category", "createdDateTime", "lastUpdateDateTime", "firstActivityDateTime", "lastActivityDateTime" } do
      assert.equal(row[name], alert[name], name)
    end
    assert.same({ { comment = "seen", createdByDisplayName = "kai", createdDateTime = "2026-11-20T03:00:00Z" } },
      alert.comments)
    assert.same({ {}, {}, {}, {}, {}, {} }, { alert.devices, alert.users, alert.files, alert.processes,
      alert.addresses, alert.urls })
  end)

  it("costs no more than the value that is not as it was meant to be", function()
    local row = graphs()
    row.title, row.comments, row.mitreTechniques, row.severity = {}, { 17, { comment = 3 } }, "T1", "unheardOf"
    row.createdDateTime, row.incidentId, row.evidence = 17, 28282, "none"
    local alert = alerts.of_row(row, "graph")
    assert.is_nil(alert.title)
    assert.same({ {}, { "T1" }, "unheardOf", "28282" },
      { alert.comments, alert.mitreTechniques, alert.severity, alert.incidentId })
    assert.equal(1795143733.9, alert.decided_at)
    row.lastUpdateDateTime = nil
    assert.is_nil(alerts.of_row(row, "graph").decided_at)
    assert.equal("Odd", alerts.of_row({ id = "x", severity = "Odd" }, "defender").severity)
  end)

  it("lets nothing that the service sends pose as a field of ours", function()
    local row = graphs()
    for _, name in ipairs { "devices", "key", "decided_at", "source", "targets", "row", "update", "options" } do
      row[name] = "planted"
    end
    local alert = alerts.of_row(row, "graph")
    assert.same({ {}, row.id, "graph", row }, { alert.devices, alert.key, alert.source, alert.row })
    assert.same({ nil, nil, nil }, { alert.targets, alert.update, alert.options })
    assert.is_number(alert.decided_at)
  end)

  it("has options for a change", function()
    local alert = alerts.of_row(graphs(), "graph")
    assert.same({ key = "da638997215424812345_-517204388", decided_at = 1795143542.48, incident = "28282" },
      alerts.options(alert))
    assert.same({ key = alert.key, decided_at = alert.decided_at, incident = "INC-4711", timeout = 60 },
      alerts.options(alert, { incident = "INC-4711", timeout = 60 }))
    alert.incidentId = "no incident at all"
    assert.is_nil(alerts.options(alert).incident)
    rehearsal.refused(alerts.options, alert, 17)
  end)

  it("has a key whatever its id is", function()
    assert.equal(40, #alerts.of_row({ id = "an id with blanks" }, "graph").key)
  end)

  it("is identified by an id that can be in a URL", function()
    for _, id in ipairs { "x", "da1_-2", "a/b?c", 17 } do
      local row = { id = id }
      assert.is_true(alerts.mend(row))
      assert.is_string(row.id)
    end
    for _, id in ipairs { "", " ", ".", "..", ("x"):rep(257), "a\nb", "\255", {}, true } do
      assert.is_false(alerts.mend { id = id }, tostring(id))
    end
    assert.is_false(alerts.mend {})
    assert.equal("28282", alerts.check_id(28282, "mde.incident", "incident"))
    assert.equal("x", alerts.check_id({ id = "x" }, "mde.alert", "alert"))
    assert.equal("missing_value", rehearsal.refused(alerts.check_id, nil, "mde.alert", "alert").code)
    assert.equal("not_an_alert", rehearsal.refused(alerts.check_id, {}, "mde.alert", "alert").code)
    assert.equal("not_an_incident", rehearsal.refused(alerts.check_id, true, "mde.incident", "incident").code)
  end)

  it("has the devices that may be acted on", function()
    local row = graphs()
    row.evidence = { { ["@odata.type"] = "#microsoft.graph.security.deviceEvidence", mdeDeviceId = MACHINE },
      { ["@odata.type"] = "#microsoft.graph.security.deviceEvidence", deviceDnsName = "printer" } }
    local alert = alerts.of_row(row, "graph")
    assert.equal(2, #alert.devices)
    assert.same({ alert.devices[1] }, alerts.targets(alert))
  end)
end)
