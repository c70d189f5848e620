-- The records of alerts and incidents: what is filled in, and what is refused.
-- Labels: not-lua5.3
local alert_record = require "mde.sim.model.alert_record"
local json = require "mde.sim.base.json"

local NOW, NOW_TEXT = 1770113472, "2026-02-03T10:11:12Z"

local function alert(fields)
  return alert_record.new_alert(fields, "da1_1", NOW, NOW_TEXT, function() return nil end)
end

local function incident(fields)
  return alert_record.new_incident(fields, "28201", NOW, NOW_TEXT)
end

local function refused(fn, fields)
  local ok, message = pcall(fn, fields)
  assert.is_false(ok)
  return message
end

describe("the record of an alert", function()
  it("is filled in", function()
    local record = alert {}
    assert.same({ "da1_1", "da1_1", "medium", "new", "microsoftDefenderForEndpoint", "microsoftDefenderForEndpoint",
      "Microsoft Defender for Endpoint" }, { record.id, record.providerAlertId, record.severity, record.status,
      record.serviceSource, record.detectionSource, record.productName })
    assert.same({ NOW_TEXT, NOW_TEXT, "2026-02-03T10:09:37Z", "2026-02-03T10:10:12Z" }, { record.createdDateTime,
      record.lastUpdateDateTime, record.firstActivityDateTime, record.lastActivityDateTime })
    assert.same({ {}, {}, {}, {} }, { record.evidence, record.comments, record.mitreTechniques, record.systemTags })
    assert.is_nil(record.incidentId)
    assert.is_nil(record.resolvedDateTime)
  end)

  it("takes times as a person writes them, an incident as text or number, and null for nothing", function()
    local record = alert { createdDateTime = "2h ago", incidentId = 7587, title = json.null, status = "resolved" }
    assert.same({ "2026-02-03T08:11:12Z", "2026-02-03T08:11:12Z", "2026-02-03T08:11:12Z", "7587" },
      { record.createdDateTime, record.lastUpdateDateTime, record.resolvedDateTime, record.incidentId })
    assert.is_string(record.title)
    assert.equal("7587", alert({ incidentId = "7587" }).incidentId)
  end)

  it("has comments", function()
    local comments = alert({ comments = { { comment = "looking", createdDateTime = "1h ago" }, {} } }).comments
    assert.same({ { comment = "looking", createdByDisplayName = "somebody", createdDateTime = "2026-02-03T09:11:12Z" },
      { comment = "", createdByDisplayName = "somebody", createdDateTime = NOW_TEXT } }, comments)
  end)

  it("is told without what it lacks", function()
    local record = alert { lacks = { "id", "lastUpdateDateTime" }, title = "x" }
    local told = alert_record.told(record)
    assert.same({ "da1_1", NOW_TEXT }, { record.id, record.lastUpdateDateTime })
    assert.is_nil(told.id)
    assert.is_nil(told.lastUpdateDateTime)
    assert.equal("x", told.title)
    assert.equal("lacks: there is no 'evidence'", refused(alert, { lacks = { "evidence" } }):sub(1, 29))
  end)

  it("is refused in words", function()
    assert.equal("there is no property 'titel'. Did you mean 'title'?", refused(alert, { titel = "x" }))
    assert.equal("severity must be a text, not 3", refused(alert, { severity = 3 }))
    assert.equal("incidentId must be the number of an incident, not 'INC-1'", refused(alert, { incidentId = "INC-1" }))
    assert.equal("late_by must be a number of seconds, not -1", refused(alert, { late_by = -1 }))
    assert.equal("an alert that stands alone has no incidentId",
      refused(alert, { is_standalone = true, incidentId = 1 }))
    assert.equal("evidence[2]: there is no machine 'x'", refused(alert, { evidence = { { kind = "url" },
      { kind = "device", machineId = "x" } } }))
    assert.equal("comments[1]: there is no 'text'", refused(alert, { comments = { { text = "x" } } }))
    assert.truthy(refused(alert, { createdDateTime = "noon" }):find "^createdDateTime must be a time")
    assert.equal("mitreTechniques[1] must be a text", refused(alert, { mitreTechniques = { 5 } }))
  end)
end)

describe("the record of an incident", function()
  it("is filled in", function()
    local record = incident {}
    assert.same({ "28201", "Incident 28201", "active", "unknown", "unknown", "unknown", NOW_TEXT }, { record.id,
      record.displayName, record.status, record.severity, record.classification, record.determination,
      record.createdDateTime })
    assert.same({ {}, {}, {} }, { record.customTags, record.systemTags, record.comments })
    assert.equal("there is no property 'title'", refused(incident, { title = "x" }))
  end)
end)

describe("a value that the documents do not list", function()
  it("can be told", function()
    assert.truthy(alert_record.undocumented("alert", { status = "active" }):find "^status must be one of unknown, new,")
    assert.is_nil(alert_record.undocumented("incident", { status = "active", severity = "high" }))
    assert.truthy(alert_record.undocumented("incident", { status = "new" }):find "^status must be one of active,")
    assert.truthy(alert_record.undocumented("alert", { evidence = { { kind = "url" }, { verdict = "x" } } })
      :find "^evidence%[2%]: verdict must be")
  end)
end)
