-- Alerts over Graph.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"

describe("the alerts of Graph", function()
  local tenant, client, first

  before_each(function()
    tenant = sim.new { start = 1770113472, fleet = { count = 20 }, graph_roles = { "SecurityAlert.ReadWrite.All" } }
    client = caller.new(tenant)
    first = tenant:raise_alert { title = "a", severity = "high",
      evidence = { { kind = "device", machineId = laptop } } }
    tenant:advance(60)
    tenant:raise_alert { title = "b", serviceSource = "microsoftSentinel", status = "resolved" }
    tenant:raise_alert { title = "c", is_suppressed = true }
    tenant:raise_alert { title = "d", is_standalone = true }
  end)

  local function ask(method, path, body, headers)
    local response, answer = client:graph(method, "security/alerts_v2" .. path, body, headers)
    return response.status, answer
  end

  local function titles(query)
    local status, answer = ask("GET", query or "")
    assert.equal(200, status, answer.error and answer.error.message)
    local list = {}
    for i, row in ipairs(answer.value) do list[i] = row.title end
    return table.concat(list, " "), answer
  end

  local function refused(status, code, told_status, answer)
    assert.same({ status, code }, { told_status, answer.error.code })
    assert.is_string(answer.error.innerError["request-id"])
  end

  it("are listed the newest first, without suppressed and lone ones", function()
    local text, answer = titles()
    assert.equal("b a", text)
    assert.equal("https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2", answer["@odata.context"])
    assert.equal(laptop, answer.value[2].evidence[1].mdeDeviceId)
  end)

  it("are filtered, cut and counted", function()
    for filter, expected in pairs { ["severity eq 'high'"] = "a", ["status ne 'resolved'"] = "a",
        ["serviceSource eq 'microsoftSentinel'"] = "b", ["lastUpdateDateTime ge 2026-02-03T10:12:12Z"] = "b",
        ["createdDateTime lt 2026-02-03T10:12:12Z"] = "a", ["classification eq null"] = "b a",
        ["determination eq 'malware'"] = "", ["assignedTo eq 'kai'"] = "" } do
      assert.equal(expected, (titles("?$filter=" .. caller.escape(filter))), filter)
    end
    local text, answer = titles "?$top=1&$count=true"
    assert.same({ "b", 2 }, { text, answer["@odata.count"] })
    local target = answer["@odata.nextLink"]:match "alerts_v2(%?.*)$"
    text, answer = titles(target)
    assert.same({ "a" }, { text, answer["@odata.nextLink"] })
  end)

  it("are filtered by the devices and users in the evidence", function()
    tenant:raise_alert { title = "e", evidence = { { kind = "device", deviceDnsName = "printer" },
      { kind = "user", userPrincipalName = "ana@corp.example" } } }
    local device = "evidence/any(e: e/microsoft.graph.security.deviceEvidence/deviceDnsName eq '%s')"
    local user = "evidence/any(e: e/microsoft.graph.security.userEvidence/userAccount/userPrincipalName eq '%s')"
    local function found(text, value) return (titles("?$filter=" .. caller.escape(text:format(value)))) end
    assert.equal("a", found(device, "laptop-17.corp.example"))
    assert.equal("e", found(device, "printer"))
    assert.equal("", found(device, "Printer"))
    assert.equal("e", found(user, "ana@corp.example"))
    assert.equal("", found(user, "printer"))
    assert.equal("e", found("severity eq 'medium' and " .. device, "printer"))
    tenant:set { comparison = "caseless" }
    assert.equal("e", found(device, "Printer"))
    assert.equal("b a", (titles("?$filter=" .. caller.escape("not (" .. device:format "printer" .. ")"))))
    for _, filter in ipairs { "evidence/any(e: e eq 'x')",
        "evidence/any(e: not e/microsoft.graph.security.deviceEvidence/deviceDnsName eq 'x')",
        "evidence/any(e: e/deviceDnsName eq 'x')",
        "evidence/any(e: e/microsoft.graph.security.deviceEvidence/hostName eq 'x')", "evidence eq 'x'",
        "evidence/any(e: e/microsoft.graph.security.deviceEvidence/ eq 'x')" } do
      refused(400, "BadRequest", ask("GET", "?$filter=" .. caller.escape(filter)))
    end
  end)

  it("take no options that the documents do not name", function()
    for _, query in ipairs { "?$orderby=createdDateTime", "?$select=id", "?$expand=evidence", "?top=1",
        "?$search=x" } do
      refused(400, "BadRequest", ask("GET", query))
    end
    refused(400, "BadRequest", ask("GET", "?$filter=" .. caller.escape "title eq 'a'"))
    refused(400, "BadRequest", ask("GET", "/" .. first.id .. "?$top=1"))
  end)

  it("are told one by one", function()
    local status, answer = ask("GET", "/" .. first.id)
    assert.same({ 200, "a", "https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2/$entity" }, { status,
      answer.title, answer["@odata.context"] })
    refused(404, "NotFound", ask("GET", "/da1_1"))
    for i = 3, 4 do refused(404, "NotFound", ask("GET", "/" .. tenant.alerts[i].id)) end
  end)

  it("tell new members only to a client that asks for them", function()
    local path = "/" .. tenant.alerts[2].id
    assert.equal("unknownFutureValue", select(2, ask("GET", path)).serviceSource)
    assert.equal("microsoftSentinel", select(2, ask("GET", path, nil,
      { Prefer = "include-unknown-enum-members" })).serviceSource)
  end)

  it("are changed", function()
    tenant:advance(60)
    local status, answer = ask("PATCH", "/" .. first.id, { status = "inProgress", assignedTo = "kai@corp.example",
      classification = "truePositive", determination = "compromisedAccount" })
    assert.equal(200, status)
    assert.same({ "inProgress", "kai@corp.example", "truePositive", "compromisedAccount", "2026-02-03T10:13:12Z" },
      { answer.status, answer.assignedTo, answer.classification, answer.determination, answer.lastUpdateDateTime })
    status, answer = ask("PATCH", "/" .. first.id, { assignedTo = json.null })
    assert.same({ 200, json.null, "inProgress" }, { status, answer.assignedTo, answer.status })
    refused(400, "BadRequest", ask("PATCH", "/" .. first.id, { status = "InProgress" }))
    refused(400, "BadRequest", ask("PATCH", "/" .. first.id, { determination = "compromisedUser" }))
    refused(400, "BadRequest", ask("PATCH", "/" .. first.id, { severity = "low" }))
    refused(400, "BadRequest", ask("PATCH", "/" .. first.id, { comment = "x" }))
    refused(404, "NotFound", ask("PATCH", "/da1_1", { status = "new" }))
  end)

  it("get comments", function()
    local status, answer = ask("POST", "/" .. first.id .. "/comments",
      { ["@odata.type"] = "microsoft.graph.security.alertComment", comment = "restricted" })
    assert.equal(200, status)
    assert.same({ ["@odata.type"] = "microsoft.graph.security.alertComment", comment = "restricted",
      createdByDisplayName = "mde", createdDateTime = "2026-02-03T10:12:12Z" }, answer.value[1])
    status, answer = ask("POST", "/" .. first.id .. "/comments", { comment = "again" })
    assert.same({ 200, 2 }, { status, #answer.value })
    refused(400, "BadRequest", ask("POST", "/" .. first.id .. "/comments", { comment = "" }))
    refused(404, "NotFound", ask("POST", "/da1_1/comments", { comment = "x" }))
  end)

  it("need roles", function()
    tenant:put_application { client_id = "i", client_secret = "s", graph_roles = { "SecurityIncident.ReadWrite.All" } }
    client = caller.new(tenant, { client_id = "i", client_secret = "s" })
    refused(403, "Forbidden", ask("GET", ""))
    refused(403, "Forbidden", ask("GET", "/" .. first.id))
    tenant:put_application { client_id = "r", client_secret = "s", graph_roles = { "SecurityAlert.Read.All" } }
    client = caller.new(tenant, { client_id = "r", client_secret = "s" })
    assert.equal(200, (ask("GET", "")))
    refused(403, "Forbidden", ask("PATCH", "/" .. first.id, { status = "new" }))
    refused(403, "Forbidden", ask("POST", "/" .. first.id .. "/comments", { comment = "x" }))
  end)

  it("take 150 calls a minute, whatever they are", function()
    for i = 1, 150 do assert.equal(200, (ask("GET", i % 2 == 0 and "?$top=1" or "/" .. first.id))) end
    refused(429, "TooManyRequests", ask("PATCH", "/" .. first.id, { status = "new" }))
    tenant:advance(61)
    assert.equal(200, (ask("GET", "?$top=1")))
  end)

  it("come late, at equal times and twice across pages, and none is lost", function()
    tenant:set { alert_lists = { late = { every = 3, by = 90 }, granularity = 60, repeats = 1, page_rows = 4 } }
    for i = 1, 12 do
      tenant:raise_alert { title = ("%d"):format(i) }
      tenant:advance(10)
    end
    local function seen()
      local count, found, target = 0, {}, "?$filter=" .. caller.escape "createdDateTime ge 2026-02-03T10:12:00Z"
      while target do
        local _, answer = titles(target)
        for _, row in ipairs(answer.value) do
          count, found[row.title] = count + 1, true
        end
        target = answer["@odata.nextLink"] and answer["@odata.nextLink"]:match "alerts_v2(%?.*)$"
      end
      local distinct = 0
      for _ in pairs(found) do distinct = distinct + 1 end
      return distinct, count
    end
    local early = seen()
    assert.is_true(early < 13)
    tenant:advance(90)
    local distinct, count = seen()
    assert.equal(13, distinct)
    assert.is_true(count > distinct)
  end)
end)
