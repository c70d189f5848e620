-- Incidents over Graph.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

describe("the incidents of Graph", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472, fleet = { count = 20 },
      graph_roles = { "SecurityIncident.ReadWrite.All" } }
    client = caller.new(tenant)
    tenant:raise_alert { title = "a", severity = "high" }
    tenant:raise_alert { title = "tuned", is_suppressed = true, incidentId = 28201 }
    tenant:advance(60)
    tenant:raise_alert { title = "b", severity = "low" }
    tenant:advance(60)
    tenant:merge_incidents("28202", "28201")
  end)

  local function ask(method, path, body, headers)
    local response, answer = client:graph(method, "security/incidents" .. path, body, headers)
    return response.status, answer, response
  end

  local function ids(query)
    local status, answer = ask("GET", query or "")
    assert.equal(200, status, answer.error and answer.error.message)
    local list = {}
    for i, row in ipairs(answer.value) do list[i] = row.id end
    return table.concat(list, " "), answer
  end

  local function refused(status, code, told_status, answer)
    assert.same({ status, code }, { told_status, answer.error.code })
  end

  local function titles(alerts)
    local list = {}
    for i, alert in ipairs(alerts) do list[i] = alert.title end
    return table.concat(list, " ")
  end

  it("are listed the newest first; one that was merged says where its alerts are", function()
    local text, answer = ids()
    assert.equal("28202 28201", text)
    local merged, whole = answer.value[1], answer.value[2]
    assert.same({ "redirected", "28201", "b", "#microsoft.graph.security.incident" }, { merged.status,
      merged.redirectIncidentId, merged.displayName, merged["@odata.type"] })
    assert.same({ "active", json.null, "high", "unknown", {}, {} }, { whole.status, whole.redirectIncidentId,
      whole.severity, whole.classification, whole.customTags, whole.comments })
    assert.equal(whole.incidentWebUrl, merged.incidentWebUrl)
    assert.is_nil(whole.alerts)
  end)

  it("bring their alerts, if that is asked", function()
    local _, answer = ids "?$expand=alerts"
    assert.same({ "", "b a" }, { titles(answer.value[1].alerts), titles(answer.value[2].alerts) })
    assert.equal("https://graph.microsoft.com/v1.0/$metadata#security/incidents(alerts())", answer["@odata.context"])
    local status, one, response = ask("GET", "/28201?$expand=alerts")
    assert.same({ 200, "b a" }, { status, titles(one.alerts) })
    assert.is_nil(response.body:find "tuned")
    status, answer = ask("GET", "/28201/alerts")
    assert.same({ 200, "b a" }, { status, titles(answer.value) })
    assert.same({}, select(2, ask("GET", "/28202/alerts")).value)
    refused(400, "BadRequest", ask("GET", "?$expand=comments"))
    refused(400, "BadRequest", ask("GET", "/28201?$expand=comments"))
  end)

  it("are filtered, cut and counted", function()
    for filter, expected in pairs { ["status eq 'redirected'"] = "28202", ["severity eq 'high'"] = "28201",
        ["createdDateTime ge 2026-02-03T10:12:12Z"] = "28202", ["classification eq 'unknown'"] = "28202 28201",
        ["lastUpdateDateTime lt 2026-02-03T10:13:12Z"] = "", ["determination ne 'unknown'"] = "",
        ["assignedTo eq null"] = "28202 28201" } do
      assert.equal(expected, (ids("?$filter=" .. caller.escape(filter))), filter)
    end
    local text, answer = ids "?$top=1&$count=true&$skip=1"
    assert.same({ "28201", 2 }, { text, answer["@odata.count"] })
    refused(400, "BadRequest", ask("GET", "?$orderby=createdDateTime"))
    refused(400, "BadRequest", ask("GET", "?$filter=" .. caller.escape "displayName eq 'a'"))
    refused(400, "BadRequest", ask("GET", "?$filter=" .. caller.escape "status eq 'new'"))
  end)

  it("tell a new status only to a client that asks for it", function()
    tenant:put_incident { id = 9, status = "awaitingAction" }
    assert.equal("unknownFutureValue", select(2, ask("GET", "/9")).status)
    assert.equal("awaitingAction", select(2, ask("GET", "/9", nil, { Prefer = "include-unknown-enum-members" })).status)
  end)

  it("are changed, but for one that was merged", function()
    local status, answer = ask("PATCH", "/28201", { status = "inProgress", assignedTo = "kai@corp.example",
      classification = "truePositive", determination = "multiStagedAttack", customTags = { "CASE-1", "contained" },
      severity = "medium", resolvingComment = "x" })
    assert.equal(200, status)
    assert.same({ "inProgress", "kai@corp.example", "truePositive", "multiStagedAttack", { "CASE-1", "contained" },
      "medium", "x", "mde", "2026-02-03T10:13:12Z" }, { answer.status, answer.assignedTo, answer.classification,
      answer.determination, answer.customTags, answer.severity, answer.resolvingComment, answer.lastModifiedBy,
      answer.lastUpdateDateTime })
    refused(400, "BadRequest", ask("PATCH", "/28201", { status = "redirected" }))
    refused(400, "BadRequest", ask("PATCH", "/28201", { displayName = "x" }))
    refused(400, "BadRequest", ask("PATCH", "/28202", { status = "resolved" }))
    refused(404, "NotFound", ask("PATCH", "/1", { status = "resolved" }))
    refused(404, "NotFound", ask("GET", "/1"))
    refused(404, "NotFound", ask("GET", "/1/alerts"))
  end)

  it("get comments", function()
    local status, answer = ask("POST", "/28201/comments", { comment = "contained" })
    assert.same({ 200, "contained", "mde" }, { status, answer.value[1].comment, answer.value[1].createdByDisplayName })
    assert.equal("commented", tenant.history[#tenant.history - 1].event)
    refused(400, "BadRequest", ask("POST", "/28202/comments", { comment = "x" }))
    refused(404, "NotFound", ask("POST", "/1/comments", { comment = "x" }))
  end)

  it("need roles", function()
    tenant:put_application { client_id = "a", client_secret = "s", graph_roles = { "SecurityAlert.ReadWrite.All" } }
    client = caller.new(tenant, { client_id = "a", client_secret = "s" })
    refused(403, "Forbidden", ask("GET", ""))
    tenant:put_application { client_id = "r", client_secret = "s", graph_roles = { "SecurityIncident.Read.All" } }
    client = caller.new(tenant, { client_id = "r", client_secret = "s" })
    assert.equal(200, (ask("GET", "/28201?$expand=alerts")))
    refused(403, "Forbidden", ask("PATCH", "/28201", { status = "active" }))
    refused(403, "Forbidden", ask("POST", "/28201/comments", { comment = "x" }))
  end)
end)
