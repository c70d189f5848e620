-- Alerts and incidents: how they are raised, changed and merged, and which of them a list shows.
-- Labels: not-lua5.3
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"

describe("the alerts of a tenant", function()
  local tenant

  before_each(function() tenant = sim.new { start = 1770113472, fleet = { count = 20 } } end)

  local function titles()
    local list = {}
    for i, alert in ipairs(tenant.alert_book:listed()) do list[i] = alert.title end
    return table.concat(list, " ")
  end

  it("have ids like the service's, each another", function()
    local seen = {}
    for _ = 1, 2000 do
      local id = tenant:raise_alert({ is_standalone = true }).id
      assert.truthy(id:find "^da6390571%d%d%d%d%d%d%d%d%d%d%d_%-?%d+$", id)
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("get an incident of their own, join one that is named, or stand alone", function()
    local first = tenant:raise_alert { title = "one", severity = "low" }
    assert.equal("28201", first.incidentId)
    assert.same({ "one", "low", "active" }, { tenant.incidents[1].displayName, tenant.incidents[1].severity,
      tenant.incidents[1].status })
    tenant:advance(60)
    tenant:raise_alert { title = "two", severity = "high", incidentId = "28201" }
    assert.equal(1, #tenant.incidents)
    assert.same({ "high", "2026-02-03T10:12:12Z" }, { tenant.incidents[1].severity,
      tenant.incidents[1].lastUpdateDateTime })
    assert.equal("7587", tenant:raise_alert({ incidentId = 7587 }).incidentId)
    assert.equal("7587", tenant.incidents[2].id)
    assert.is_nil(tenant:raise_alert({ is_standalone = true }).incidentId)
    assert.is_nil(tenant:raise_alert({ is_suppressed = true }).incidentId)
    assert.equal(2, #tenant.incidents)
    assert.equal("28202", tenant:put_incident({}).id)
  end)

  it("are about the first device that Defender knows", function()
    local alert = tenant:raise_alert { evidence = { { kind = "device", deviceDnsName = "elsewhere.example" },
      { kind = "user", accountName = "x" }, { kind = "device", machineId = laptop },
      { kind = "device", computerDnsName = "laptop-18.corp.example" } } }
    assert.equal(laptop, tenant.alert_book.machine_of(alert).id)
    assert.is_nil(tenant.alert_book.machine_of(tenant:raise_alert {}))
    assert.equal(laptop, tenant.history[#tenant.history - 2].machine)
  end)

  it("are listed the newest first, in the order of their times", function()
    tenant:raise_alert { title = "b" }
    tenant:advance(10)
    tenant:raise_alert { title = "c" }
    tenant:raise_alert { title = "a", createdDateTime = "1h ago" }
    assert.equal("c b a", titles())
    assert.equal("a", tenant.alerts[1].title)
  end)

  it("are changed as an analyst does", function()
    local alert = tenant:raise_alert {}
    tenant:advance(60)
    tenant:update_alert(alert, { status = "resolved", assignedTo = "kai@corp.example" }, "kai")
    assert.same({ "resolved", "kai@corp.example", "2026-02-03T10:12:12Z", "2026-02-03T10:12:12Z",
      "2026-02-03T10:11:12Z" }, { alert.status, alert.assignedTo, alert.resolvedDateTime, alert.lastUpdateDateTime,
      alert.createdDateTime })
    tenant:advance(60)
    tenant:update_alert(alert, { assignedTo = false }, "kai")
    assert.same({ "2026-02-03T10:12:12Z", "2026-02-03T10:13:12Z" }, { alert.resolvedDateTime,
      alert.lastUpdateDateTime })
    assert.is_nil(alert.assignedTo)
    tenant:update_alert(alert, { status = "inProgress" }, "kai")
    assert.is_nil(alert.resolvedDateTime)
    tenant.alert_book:comment(alert, "seen", "kai")
    assert.same({ comment = "seen", createdByDisplayName = "kai", createdDateTime = "2026-02-03T10:13:12Z" },
      alert.comments[1])
    local last = tenant.history[#tenant.history]
    assert.same({ "commented", alert.id, "seen", "kai" }, { last.event, last.alert, last.comment, last.requestor })
  end)

  it("move with their incident when it is merged into another", function()
    local first, second = tenant:raise_alert { severity = "low" }, tenant:raise_alert { severity = "high" }
    tenant:advance(60)
    tenant:merge_incidents(second.incidentId, first.incidentId)
    assert.same({ "28201", "28201" }, { first.incidentId, second.incidentId })
    assert.same({ "2026-02-03T10:11:12Z", "2026-02-03T10:12:12Z" }, { first.lastUpdateDateTime,
      second.lastUpdateDateTime })
    assert.same({ "redirected", "28201" }, { tenant.incidents[2].status, tenant.incidents[2].redirectIncidentId })
    assert.same({ "active", "high" }, { tenant.incidents[1].status, tenant.incidents[1].severity })
    assert.equal("28201", tenant:raise_alert({ incidentId = "28202" }).incidentId)
    for _, pair in ipairs { { "28201", "28201" }, { "28201", "28202" }, { "1", "28201" }, { "28201" } } do
      assert.has_error(function() tenant:merge_incidents(pair[1], pair[2]) end)
    end
  end)

  it("can arrive late, with the time that they should have had", function()
    tenant:raise_alert { title = "late", late_by = 30 }
    tenant:advance(10)
    tenant:raise_alert { title = "punctual" }
    assert.equal("punctual", titles())
    assert.equal("late", tenant.alert_book:find(tenant.alerts[1].id).title)
    tenant:advance(20)
    assert.equal("punctual late", titles())
    tenant:set { alert_lists = { late = { every = 2, by = 60 } } }
    for i = 1, 4 do tenant:raise_alert { title = ("%d"):format(i) } end
    assert.equal("3 1 punctual late", titles())
    tenant:advance(60)
    assert.equal("4 3 2 1 punctual late", titles())
  end)

  it("lag behind where lists do", function()
    tenant:set { lists = { lag = 5 } }
    tenant:raise_alert { title = "new" }
    assert.equal("", titles())
    tenant:advance(5)
    assert.equal("new", titles())
    tenant = sim.new { start = 1770113472, fleet = { count = 5 }, lists = { lag = 5 },
      alerts = { { title = "old" }, { title = "late", late_by = 3 } } }
    assert.equal("old", titles())
    tenant:advance(8)
    assert.equal("late old", titles())
  end)

  it("can have equal times", function()
    tenant:set { alert_lists = { granularity = 60 } }
    local times = {}
    for i = 1, 3 do
      times[i] = tenant:raise_alert({}).createdDateTime
      tenant:advance(20)
    end
    assert.same({ "2026-02-03T10:11:00Z", "2026-02-03T10:11:00Z", "2026-02-03T10:11:00Z" }, times)
    tenant:update_alert(tenant.alerts[1], {}, "kai")
    assert.equal("2026-02-03T10:12:00Z", tenant.alerts[1].lastUpdateDateTime)
  end)

  it("have ids once", function()
    tenant:raise_alert { id = "da1_1" }
    assert.has_error(function() tenant:raise_alert { id = "da1_1" } end, "there is an alert da1_1 already")
    tenant:put_incident { id = 5 }
    assert.has_error(function() tenant:put_incident { id = "5" } end, "there is an incident 5 already")
  end)

  it("are gone after a reset, but for those of birth", function()
    tenant = sim.new { start = 1770113472, fleet = { count = 20 }, alerts = { { title = "old", late_by = 0 } },
      incidents = { { id = 3, redirectIncidentId = 4 }, { id = 4 } } }
    assert.equal("redirected", tenant.incidents[1].status)
    tenant:raise_alert { title = "new" }
    tenant:reset()
    assert.equal("old", titles())
    assert.equal(3, #tenant.incidents)
  end)
end)
