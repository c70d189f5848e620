-- Alerts over the older API.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local other = "1f00000000000000000000000000000000000018"

local refused = caller.refused

describe("the API of alerts", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472.5, fleet = { count = 20 },
      roles = { "Alert.ReadWrite.All", "Machine.Read.All", "User.Read.All", "File.Read.All" } }
    client = caller.new(tenant)
  end)

  local function on(machine_id, fields)
    fields.evidence = fields.evidence or {}
    table.insert(fields.evidence, 1, { kind = "device", machineId = machine_id })
    return tenant:raise_alert(fields)
  end

  local function titles(response, answer)
    assert.equal(200, response.status, response.body)
    local list = {}
    for i, row in ipairs(answer.value) do list[i] = row.title end
    return table.concat(list, " ")
  end

  describe("reading", function()
    local first

    before_each(function()
      first = on(laptop, { title = "a", severity = "high", assignedTo = "kai@corp.example", evidence = {
        { kind = "file", fileName = "x.dll", sha1 = ("8"):rep(40) } } })
      tenant:advance(60)
      on(other, { title = "b", severity = "low", status = "resolved", detectionSource = "antivirus",
        category = "Malware", is_suppressed = true })
      tenant:advance(60)
      on(laptop, { title = "c", severity = "medium", is_standalone = true })
      tenant:raise_alert { title = "d", serviceSource = "microsoftDefenderForIdentity" }
    end)

    it("lists the newest first, suppressed and lone ones too, and none of other services", function()
      assert.equal("c b a", titles(client:get "alerts"))
      assert.equal("b", titles(client:get "alerts?$top=1&$skip=1"))
      local _, answer = client:get "alerts"
      assert.equal("https://api.security.microsoft.com/api/$metadata#Alerts", answer["@odata.context"])
      assert.same({ json.null, json.null, 28201 }, { answer.value[1].incidentId, answer.value[2].incidentId,
        answer.value[3].incidentId })
    end)

    it("shows evidence only where it is asked for", function()
      local response, answer = client:get "alerts?$filter=id+eq+'nobody'"
      assert.same({ 200, {} }, { response.status, answer.value })
      response, answer = client:get "alerts"
      assert.same({ 200, {} }, { response.status, answer.value[3].evidence })
      response, answer = client:get "alerts?$expand=evidence"
      assert.equal(200, response.status)
      assert.same({ "File", "x.dll" }, { answer.value[3].evidence[1].entityType, answer.value[3].evidence[1].fileName })
      response, answer = client:get("alerts/" .. first.id)
      assert.same({ 200, "x.dll" }, { response.status, answer.evidence[1].fileName })
      refused(400, "ODataError", client:get "alerts?$expand=machine")
      refused(400, "ODataError", client:get "machines?$expand=evidence")
    end)

    it("filters by what the service filters by", function()
      for filter, expected in pairs {
        ["severity eq 'High'"] = "a", ["status ne 'Resolved'"] = "c a", ["incidentId eq 28201"] = "a",
        ["detectionSource eq 'WindowsDefenderAv'"] = "b", ["category eq 'Malware'"] = "b",
        ["assignedTo eq 'kai@corp.example'"] = "a", ["id eq '" .. first.id .. "'"] = "a",
        ["alertCreationTime gt 2026-02-03T10:12:00Z"] = "c b", ["lastUpdateTime ge 2026-02-03T10:13:12.5Z"] = "c",
        ["lastEventTime lt 2026-02-03T10:10:13Z"] = "a", ["InvestigationId eq null"] = "c b a",
      } do
        assert.equal(expected, titles(client:get("alerts?$filter=" .. caller.escape(filter))), filter)
      end
      for _, filter in ipairs { "asssignedTo eq 'x'", "machineId eq 'x'", "incidentId eq '28201'", "title eq 'a'",
          "severity eq High" } do
        refused(400, "ODataError", client:get("alerts?$filter=" .. caller.escape(filter)))
      end
      refused(400, "ODataError", client:get "alerts?$top=10001")
    end)

    it("finds the alerts of a machine, and counts them", function()
      assert.equal("c a", titles(client:get("machines/" .. laptop .. "/alerts")))
      local response = client:get("machines/" .. laptop .. "/alerts/$count?$filter="
        .. caller.escape "severity eq 'High'")
      assert.same({ 200, "1", "text/plain" }, { response.status, response.body, response.headers["content-type"] })
      refused(400, "ODataError", client:get("machines/" .. laptop .. "/alerts/$count?$top=1"))
      refused(404, "ResourceNotFound", client:get("machines/" .. ("0"):rep(40) .. "/alerts"))
      refused(404, "ResourceNotFound", client:get("machines/" .. ("0"):rep(40) .. "/alerts/$count"))
    end)

    it("tells what an alert is about", function()
      local alert = on(laptop, { evidence = {
        { kind = "user", accountName = "Ana", domainName = "CORP", userSid = "S" },
        { kind = "process", fileName = "x", sha1 = ("9"):rep(40) }, { kind = "file", sha1 = ("9"):rep(40) },
        { kind = "file", sha1 = ("7"):rep(40), fileSize = 5 } } })
      local _, machine = client:get("alerts/" .. alert.id .. "/machine")
      assert.equal(laptop, machine.id)
      local _, user = client:get("alerts/" .. alert.id .. "/user")
      assert.same({ "corp\\ana", "Ana", "S", laptop }, { user.id, user.accountName, user.accountSid,
        user.mostPrevalentMachineId })
      local _, files = client:get("alerts/" .. alert.id .. "/files")
      assert.same({ 2, ("7"):rep(40), 5 }, { #files.value, files.value[2].sha1, files.value[2].size })
    end)

    it("answers with 404 for what is not there", function()
      local bare = tenant:raise_alert {}
      for _, what in ipairs { "machine", "user", "files" } do
        refused(404, "ResourceNotFound", client:get("alerts/da1_1/" .. what))
        local response = client:get("alerts/" .. bare.id .. "/" .. what)
        assert.same({ 404, "" }, { response.status, response.body })
      end
      refused(404, "ResourceNotFound", client:get "alerts/da1_1")
      refused(404, "ResourceNotFound", client:get("alerts/" .. tenant.alerts[4].id))
    end)

    it("needs roles", function()
      tenant:put_application { client_id = "m", client_secret = "s", roles = { "Machine.ReadWrite.All" } }
      local stranger = caller.new(tenant, { client_id = "m", client_secret = "s" })
      for _, path in ipairs { "alerts", "alerts/" .. first.id, "machines/" .. laptop .. "/alerts",
          "machines/" .. laptop .. "/alerts/$count", "alerts/" .. first.id .. "/user",
          "alerts/" .. first.id .. "/files" } do
        refused(403, "Forbidden", stranger:get(path))
      end
      assert.equal(200, stranger:get("alerts/" .. first.id .. "/machine").status)
      tenant:put_application { client_id = "r", client_secret = "s", roles = { "Alert.Read.All" } }
      local reader = caller.new(tenant, { client_id = "r", client_secret = "s" })
      assert.equal(200, reader:get("alerts").status)
      refused(403, "Forbidden", reader:call("PATCH", "alerts/" .. first.id, { status = "New" }))
      refused(403, "Forbidden", reader:post("alerts/batchUpdate", { alertIds = { first.id }, status = "New" }))
      refused(403, "Forbidden", reader:post("alerts/CreateAlertByReference", {}))
    end)
  end)

  it("repeats rows across pages, if it is told to", function()
    for i = 1, 5 do tenant:raise_alert { title = ("%d"):format(i) } end
    tenant:set { alert_lists = { repeats = 1 } }
    assert.equal("5 4", titles(client:get "alerts?$top=2"))
    assert.equal("4 3", titles(client:get "alerts?$top=2&$skip=2"))
    assert.equal("2 1", titles(client:get "alerts?$top=2&$skip=4"))
  end)

  describe("writing", function()
    local alert

    before_each(function() alert = on(laptop, { title = "a" }) end)

    local function patch(members, id) return client:call("PATCH", "alerts/" .. (id or alert.id), members) end

    it("changes what is told, and nothing else", function()
      tenant:advance(60)
      local response, answer = patch { status = "Resolved", assignedTo = "kai@corp.example",
        classification = "FalsePositive", determination = "Malware", comment = "seen" }
      assert.equal(200, response.status)
      assert.same({ "Resolved", "kai@corp.example", "FalsePositive", "Malware", "2026-02-03T10:12:12.5Z",
        "2026-02-03T10:12:12.5Z" }, { answer.status, answer.assignedTo, answer.classification,
        answer.determination, answer.resolvedTime, answer.lastUpdateTime })
      assert.same({ comment = "seen", createdBy = "mde", createdTime = "2026-02-03T10:12:12.5Z" },
        answer.comments[1])
      response, answer = patch { comment = "again" }
      assert.same({ 200, "Resolved", 2 }, { response.status, answer.status, #answer.comments })
      answer = select(2, patch { determination = "ConfirmedActivity", status = "InProgress" })
      assert.same({ "ConfirmedUserActivity", json.null }, { answer.determination, answer.resolvedTime })
      assert.equal("alert_updated", tenant.history[#tenant.history - 1].event)
    end)

    it("refuses what the service does not know", function()
      refused(400, "InvalidInput", patch { status = "Closed" })
      refused(400, "InvalidInput", patch { status = "new" })
      refused(400, "InvalidInput", patch { classification = "Informational, expected activity" })
      refused(400, "InvalidInput", patch { determination = "Apt" })
      refused(400, "InvalidRequestBody", patch { Status = "New" })
      refused(400, "InvalidRequestBody", patch { severity = "High" })
      refused(400, "InvalidRequestBody", patch { assignedTo = json.null })
      refused(400, "MissingRequiredParameter", patch {})
      refused(404, "ResourceNotFound", patch({ status = "New" }, "da1_1"))
      assert.equal("new", alert.status)
    end)

    it("changes many alike, or none", function()
      local second = on(other, { title = "b" })
      local response = client:post("alerts/batchUpdate", { alertIds = { alert.id, second.id }, status = "InProgress",
        comment = "both" })
      assert.same({ 200, "" }, { response.status, response.body })
      assert.same({ "inProgress", "inProgress", "both" }, { alert.status, second.status, second.comments[1].comment })
      refused(404, "ResourceNotFound", client:post("alerts/batchUpdate", { alertIds = { alert.id, "da1_1" },
        status = "New" }))
      assert.equal("inProgress", alert.status)
      refused(400, "MissingRequiredParameter", client:post("alerts/batchUpdate", { alertIds = json.array {},
        status = "New" }))
      refused(400, "MissingRequiredParameter", client:post("alerts/batchUpdate", { status = "New" }))
      refused(400, "MissingRequiredParameter", client:post("alerts/batchUpdate", { alertIds = { alert.id } }))
      local many = {}
      for i = 1, 600 do many[i] = alert.id end
      assert.equal(200, client:post("alerts/batchUpdate", { alertIds = many, status = "New" }).status)
      assert.equal(405, client:post("alerts/batchupdate", { alertIds = many, status = "New" }).status)
    end)

    it("takes ten changes of many a minute", function()
      for _ = 1, 10 do
        assert.equal(200, client:post("alerts/batchUpdate", { alertIds = { alert.id }, status = "New" }).status)
      end
      refused(429, "429", client:post("alerts/batchUpdate", { alertIds = { alert.id }, status = "New" }))
    end)
  end)

  describe("raising", function()
    local event

    before_each(function()
      tenant:set { hunting = { rows = { DeviceProcessEvents = {
        { DeviceId = laptop, ReportId = 20776, Timestamp = "2026-02-03T10:00:00.5Z" },
        { DeviceId = laptop, ReportId = 20777, Timestamp = "2026-02-03T10:05:00Z" },
        { DeviceId = laptop, ReportId = 20775, Timestamp = "2026-02-03T09:00:00Z" },
      } } } }
      event = { machineId = laptop, reportId = "20776", eventTime = "2026-02-03T10:00:00.5000000Z", severity = "Medium",
        title = "Playbook", description = "why", recommendedAction = "restrict", category = "Execution" }
    end)

    local function create(changes)
      local members = {}
      for name, value in pairs(event) do members[name] = value end
      for name, value in pairs(changes or {}) do members[name] = value or nil end
      return client:post("alerts/CreateAlertByReference", members)
    end

    it("makes an alert on an event", function()
      local response, answer = create()
      assert.equal(200, response.status)
      assert.same({ "Playbook", "Medium", "New", "Execution", laptop, event.eventTime }, { answer.title,
        answer.severity, answer.status, answer.category, answer.machineId, answer.lastEventTime })
      assert.equal("restrict", tenant.alerts[1].recommendedActions)
    end)

    it("adds to one of the same title that is open on the machine", function()
      local _, first = create()
      local _, again = create { reportId = "20777", eventTime = "2026-02-03T10:05:00Z" }
      assert.same({ first.id, event.eventTime, "2026-02-03T10:05:00Z" }, { again.id, again.firstEventTime,
        again.lastEventTime })
      local _, before = create { reportId = "20775", eventTime = "2026-02-03T09:00:00Z" }
      assert.same({ first.id, "2026-02-03T09:00:00Z", "2026-02-03T10:05:00Z" }, { before.id, before.firstEventTime,
        before.lastEventTime })
      tenant:update_alert(tenant.alerts[1], { status = "resolved" })
      local _, new = create()
      assert.not_equal(first.id, new.id)
      local _, other_title = create { title = "Another" }
      assert.not_equal(new.id, other_title.id)
    end)

    it("refuses an event that nobody has reported", function()
      refused(404, "ResourceNotFound", create { reportId = "20778" })
      refused(404, "ResourceNotFound", create { eventTime = "2026-02-03T10:00:00.5000001Z" })
      refused(404, "ResourceNotFound", create { machineId = other })
      refused(404, "ResourceNotFound", create { machineId = ("0"):rep(40) })
      refused(400, "InvalidInput", create { eventTime = "2026-02-03" })
      refused(400, "InvalidInput", create { severity = "Informational" })
      refused(400, "InvalidInput", create { category = "execution" })
      for name in pairs(event) do refused(400, "MissingRequiredParameter", create { [name] = false }) end
    end)

    it("takes fifteen a minute", function()
      tenant.clock.advance(120)
      for _ = 1, 15 do assert.equal(200, create().status) end
      refused(429, "429", create())
    end)
  end)
end)
