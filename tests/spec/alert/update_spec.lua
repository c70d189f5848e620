-- What is written to alerts and incidents, and what is told where the answer is lost.
-- Labels: only-lua5.4
local clients = require "mde.client"
local dicts = require "tests.spec.support.dict"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP = "1f00000000000000000000000000000000000017"
local SOURCES = { "defender", "graph" }

local function new(options)
  options = options or {}
  options.roles = options.roles or { "Machine.Read.All", "Alert.ReadWrite.All" }
  options.graph_roles = options.graph_roles or { "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All" }
  local r = rehearsal.new(options)
  return r, r.tenant:raise_alert { title = "beacon", severity = "high",
    evidence = { { kind = "device", machineId = LAPTOP, roles = { "compromised" } } } }
end

-- The requests that write.
local function writes(r)
  local list = {}
  for _, request in ipairs(r:requests()) do
    if not request:find "^GET" then list[#list + 1] = request:match "^%S+" .. " " .. request:match "[^/]+$" end
  end
  return list
end

local function comments_of(record)
  local list = {}
  for i, comment in ipairs(record.comments) do list[i] = comment.comment end
  return list
end

describe("a change of an alert", function()
  for _, source in ipairs(SOURCES) do
    it("is written in the source's own words: " .. source, function()
      local r, raised = new()
      local alert = assert(r.client:alert(raised.id, { source = source }))
      alert = assert(alert:update { status = "inProgress", assignedTo = "kai@corp.example",
        classification = "truePositive", determination = "compromisedAccount", comment = "restricted" })
      assert.same({ "inProgress", "kai@corp.example", "truePositive", "compromisedAccount", "restricted", source },
        { alert.status, alert.assignedTo, alert.classification, alert.determination, alert.comments[1].comment,
          alert.source })
      assert.same({ "inProgress", "compromisedAccount" }, { raised.status, raised.determination })
      assert.equal(LAPTOP, alert:targets()[1].id)
      assert.same(source == "graph" and { "PATCH " .. raised.id, "POST comments" } or { "PATCH " .. raised.id },
        writes(r))
    end)

    it("takes each determination that the source knows: " .. source, function()
      local r, raised = new()
      local taken = { "malware", "multiStagedAttack", "maliciousUserActivity", "phishing", "unwantedSoftware", "other",
        "securityTesting", "lineOfBusinessApplication", "confirmedActivity", "notMalicious", "notEnoughDataToValidate" }
      for _, determination in ipairs(taken) do
        local alert = assert(r.client:update_alert(raised.id, { determination = determination }, { source = source }))
        assert.equal(determination, alert.determination)
      end
    end)

    it("writes a comment that is there already no second time: " .. source, function()
      local r, raised = new()
      for _ = 1, 3 do assert(r.client:update_alert(raised.id, { comment = " seen " }, { source = source })) end
      assert(r.client:update_alert(raised.id, { comment = "seen again" }, { source = source }))
      assert.same({ " seen ", "seen again" }, comments_of(raised))
    end)

    for _, name in ipairs { "PATCH", "POST" } do
      if name == "PATCH" or source == "graph" then
        it(("is read again where its answer is lost, and is no failure: %s, %s"):format(source, name), function()
          local r, raised = new()
          r:fault { match = { method = name, path = raised.id }, fault = "gone" }
          local alert = assert(r.client:update_alert(raised.id, { status = "resolved", comment = "done" },
            { source = source }))
          assert.same({ "resolved", "done" }, { alert.status, alert.comments[1].comment })
          assert.same({ "done" }, comments_of(raised))
        end)

        it(("is unknown where it is not there then, and can be done again: %s, %s"):format(source, name), function()
          local r, raised = new()
          r:fault { match = { method = name, path = raised.id }, fault = "gone", processed = false }
          local alert, err = r.client:update_alert(raised.id, { status = "resolved", comment = "done" },
            { source = source })
          assert.is_nil(alert)
          assert.same({ "unknown", "alert_write_unknown" }, { err.kind, err.code })
          assert(r.client:update_alert(raised.id, { status = "resolved", comment = "done" }, { source = source }))
          assert.same({ "done" }, comments_of(raised))
        end)
      end
    end

    it("says what an answer shows that is as it was: " .. source, function()
      local r, raised = new()
      r:answer({ method = "PATCH" }, 200, { id = raised.id, status = source == "graph" and "new" or "New" })
      local _, err = r.client:update_alert(raised.id, { status = "resolved" }, { source = source })
      assert.same({ "protocol", "alert_unchanged" }, { err.kind, err.code })
    end)

    it("says that it is not known where an answer does not show it and it cannot be read since: " .. source, function()
      local r, raised = new()
      r:answer({ method = "PATCH" }, 200, { id = raised.id })
      r:fault { match = { method = "GET", path = raised.id }, fault = "answer", status = 503, count = false }
      local _, err = r.client:update_alert(raised.id, { status = "resolved" }, { source = source })
      assert.same({ "unknown", "alert_write_unknown", 503, "unavailable" }, { err.kind, err.code, err.http_status,
        err.cause.kind })
      assert.truthy(err.message:find(err.cause.message, 1, true))
    end)

    local method = source == "graph" and "POST" or "PATCH"
    it("tells a comment as written only where it was seen: " .. source, function()
      local r, raised = new()
      local answer = source == "graph" and {} or { id = raised.id, status = "New" }
      r:answer({ method = method, path = raised.id }, 200, answer)
      local alert, err = r.client:update_alert(raised.id, { comment = "restricted" }, { source = source })
      assert.same({ nil, "protocol", "alert_unchanged" }, { alert, err.kind, err.code })
      assert.same({}, comments_of(raised))
      -- It is there, and the answer does not show it.
      r:answer({ method = method, path = raised.id }, 200, answer, { processed = true })
      alert = assert(r.client:update_alert(raised.id, { comment = "restricted" }, { source = source }))
      assert.same({ "restricted" }, comments_of(alert))
      assert.same({ "restricted" }, comments_of(raised))
    end)

    it("knows a comment again whose lines the service ends otherwise: " .. source, function()
      local r, raised = new()
      assert(r.client:update_alert(raised.id, { comment = "one\ntwo" }, { source = source }))
      assert(r.client:update_alert(raised.id, { comment = "one\r\ntwo\r" }, { source = source }))
      assert.same({ "one\ntwo" }, comments_of(raised))
    end)
  end

  it("writes a comment once for tasks that write it at the same time, from either source", function()
    local r, raised = new { latency = 0.5 }
    local results = r.client:each({ "graph", "defender", "graph", "defender" }, function(source)
      return r.client:update_alert(raised.id, { comment = "restricted" }, { source = source })
    end, { parallel = 4 })
    assert.equal(0, results.failed)
    assert.same({ "restricted" }, comments_of(raised))
  end)

  it("writes a comment once for clients that share a store", function()
    local place = dicts(function() return 0 end)
    local r, raised = new { latency = 0.5, client = { store = place } }
    local other = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
      credential = r.tenant.client_secret, driver = r.driver, store = place })
    local results = r.client:each({ r.client, other }, function(client)
      return client:update_alert(raised.id, { comment = "restricted" })
    end, { parallel = 2 })
    assert.equal(0, results.failed)
    assert.same({ "restricted" }, comments_of(raised))
  end)

  it("does not wait for another write longer than the caller does, nor for one to another alert", function()
    local r, raised = new { latency = 5 }
    local another = r.tenant:raise_alert { title = "another" }
    local results = r.client:each({ { raised, 60 }, { raised, 3 }, { another, 60 } }, function(item)
      return r.client:update_alert(item[1].id, { comment = "restricted" }, { timeout = item[2] })
    end, { parallel = 3 })
    local err = results[2].err
    assert.same({ 1, "unavailable", "alert_busy" }, { results.failed, err.kind, err.code })
    assert.same({ "restricted" }, comments_of(raised))
    assert.same({ "restricted" }, comments_of(another))
  end)

  it("says that the fields were changed where the comment was refused", function()
    local r, raised = new()
    r:answer({ method = "POST", path = "comments" }, 400, { error = { code = "BadRequest", message = "no" } })
    local _, err = r.client:update_alert(raised.id, { status = "resolved", comment = "done" }, { source = "graph" })
    assert.equal("refused", err.kind)
    assert.truthy(err.message:find("its fields were changed", 1, true))
    assert.equal("resolved", raised.status)
  end)

  it("says that there is no such alert", function()
    local r = new()
    for _, source in ipairs(SOURCES) do
      for _, changes in ipairs { { status = "resolved" }, { comment = "x" } } do
        local _, err = r.client:update_alert("da1_2", changes, { source = source })
        assert.same({ "not_found", "no_such_alert", 'update alert "da1_2"' }, { err.kind, err.code, err.asked })
      end
    end
  end)

  it("names the permission that is missing", function()
    local r, raised = new { roles = { "Alert.Read.All" }, graph_roles = { "SecurityAlert.Read.All" } }
    local _, err = r.client:update_alert(raised.id, { status = "resolved" })
    assert.truthy(tostring(err):find("Alert.ReadWrite.All", 1, true))
    _, err = r.client:update_alert(raised.id, { status = "resolved" }, { source = "graph" })
    assert.truthy(tostring(err):find("SecurityAlert.ReadWrite.All of Microsoft Graph", 1, true))
  end)

  it("raises for what is no change, and sends nothing", function()
    local r, raised = new()
    local function refused(changes, options)
      return rehearsal.refused(r.client.update_alert, r.client, raised.id, changes, options)
    end
    for message, changes in pairs {
      ['Did you mean "inProgress"?'] = { status = "InProgress" },
      ['Did you mean "compromisedAccount"?'] = { determination = "compromisedUser" },
      ['Did you mean "truePositive"?'] = { classification = "TruePositive" },
      ['Did you mean "assignedTo"?'] = { asignedTo = "kai" },
      ["an empty text"] = { comment = " " },
      ["must be a text, not 17"] = { comment = 17 },
      ["not valid UTF-8"] = { comment = "\255" },
    } do
      local err = refused(changes)
      assert.truthy(tostring(err):find(message, 1, true), tostring(err))
    end
    assert.equal("nothing_to_change", refused({}).code)
    assert.equal("missing_value", refused(nil).code)
    assert.truthy(tostring(refused { determination = "apt" }):find('source = "graph"', 1, true))
    assert.equal("wrong_value", refused({ status = "new" }, { source = "sentinel" }).code)
    assert.same({}, r:requests())
    assert(r.client:update_alert(raised.id, { determination = "apt" }, { source = "graph" }))
  end)
end)

describe("a change of an incident", function()
  it("is written", function()
    local r, raised = new()
    local incident = assert(r.client:update_incident(raised.incidentId, { status = "inProgress", comment = "contained",
      customTags = { "CASE-4711", "contained" }, severity = "low", resolvingComment = "later" }))
    assert.same({ "inProgress", { "CASE-4711", "contained" }, "low", "later", "contained", 1 }, { incident.status,
      incident.customTags, incident.severity, incident.resolvingComment, incident.comments[1].comment,
      #incident.alerts })
    incident = assert(r.client:update_incident(incident, { comment = "contained", assignedTo = "kai" }))
    assert.same({ "kai", 1 }, { incident.assignedTo, #incident.comments })
  end)

  it("of one that was merged into another is an error that names that one", function()
    local r, raised = new()
    local other = r.tenant:raise_alert { title = "other" }
    local book = r.tenant.alert_book
    local from, into = book:find_incident(other.incidentId), book:find_incident(raised.incidentId)
    r.tenant:merge_incidents(from.id, into.id)
    local _, err = r.client:update_incident(from.id, { status = "resolved" })
    assert.same({ "conflict", "incident_redirected" }, { err.kind, err.code })
    assert.truthy(tostring(err):find(('mde.update_incident("%s"'):format(into.id), 1, true))
    assert.same({}, writes(r))
  end)

  it("is written where the service leaves the list of its alerts out", function()
    local r, raised = new()
    r:answer({ method = "GET", path = "/incidents/" }, 200, { id = raised.incidentId, status = "active" })
    local incident = assert(r.client:update_incident(raised.incidentId, { comment = "contained" }))
    assert.same({ "contained", "active" }, { incident.comments[1].comment, incident.status })
    assert.is_nil(incident.alerts)
  end)

  it("is there, however the service orders tags and spells a name", function()
    local r, raised = new()
    local row = { id = raised.incidentId, customTags = { "b", "a" }, assignedTo = "kai@corp.example" }
    local changes = { customTags = { "a", "b" }, assignedTo = " Kai@corp.example" }
    r:answer({ method = "PATCH" }, 200, row)
    assert.same({ "b", "a" }, assert(r.client:update_incident(raised.incidentId, changes)).customTags)
    for _, tags in ipairs { { "a" }, { "a", "b", "c" } } do
      row.customTags = tags
      r:answer({ method = "PATCH" }, 200, row)
      assert.equal("alert_unchanged", select(2, r.client:update_incident(raised.incidentId, changes)).code)
    end
  end)

  it("raises for what is no change", function()
    local r = new()
    for _, changes in ipairs { {}, { status = "redirected" }, { customTags = "x" }, { customTags = { "" } },
        { severity = "urgent" } } do
      rehearsal.refused(r.client.update_incident, r.client, "7", changes)
    end
    assert.same({}, r:requests())
  end)
end)
