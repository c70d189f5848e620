-- What a client can do with alerts and incidents: lists of them, a restrict because of one, and a run.
-- Labels: only-lua5.4, long
local mde = require "mde"
local playbooks = require "tests.spec.support.playbooks"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP = "1f00000000000000000000000000000000000017"
local SOURCES = { "defender", "graph" }

local function new(options)
  options = options or {}
  options.roles = options.roles or { "Machine.Read.All", "Machine.RestrictExecution", "Alert.ReadWrite.All" }
  options.graph_roles = options.graph_roles or { "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All" }
  return rehearsal.new(options)
end

local function titles(iterator)
  local list = {}
  for alert in iterator do list[#list + 1] = alert.title or alert.displayName end
  table.sort(list)
  return table.concat(list, " ")
end

describe("the alerts of a query", function()
  it("are those of either source", function()
    local r = new()
    r.tenant:raise_alert { title = "a", severity = "high", evidence = { { kind = "device", machineId = LAPTOP } } }
    r.tenant:raise_alert { title = "b", severity = "low" }
    r.tenant:raise_alert { title = "c", severity = "high", is_suppressed = true }
    r.tenant:raise_alert { title = "d", severity = "high", serviceSource = "microsoftSentinel" }
    assert.equal("a c", titles(r.client:alerts { severity = "high" }))
    assert.equal("a d", titles(r.client:alerts({ severity = "high" }, { source = "graph" })))
    assert.equal("a b c", titles(r.client:alerts "all"))
    assert.equal("b", titles(r.client:alerts("severity eq 'low'", { source = "graph" })))
    assert.equal("b", titles(r.client:alerts "severity eq 'Low'"))
    assert.equal("a", titles(r.client:alerts { incidentId = r.tenant.alert_book.all[1].incidentId }))
    assert.equal("wrong_value", rehearsal.refused(r.client.alerts, r.client, "all", { source = "Graph" }).code)
    local requests = r:requests()
    assert.same({
      "GET /api/alerts?$filter=severity%20eq%20%27High%27&$top=1000&$expand=evidence",
      "GET /v1.0/security/alerts_v2?$filter=severity%20eq%20%27high%27&$top=1000",
      "GET /api/alerts?$top=1000&$expand=evidence",
    }, { requests[1], requests[2], requests[3] })
  end)

  it("are all of them, each once, however many there are", function()
    local manners = { { page_rows = 100 }, { page_rows = 100, repeats = 3 }, { granularity = 3600 },
      { granularity = 3600, repeats = 7 }, { next_link = "foreign" }, { next_link = "looping" } }
    for _, alert_lists in ipairs(manners) do
      local r = new { alert_lists = alert_lists, limits = false }
      for i = 1, 1250 do
        r.tenant:raise_alert { title = "t", serviceSource = i % 50 == 0 and "microsoftSentinel" or nil }
        r.tenant:advance(0.25)
      end
      for _, source in ipairs(SOURCES) do
        local seen, count = {}, 0
        for alert in r.client:alerts("all", { source = source }) do
          assert.is_nil(seen[alert.id])
          seen[alert.id], count = true, count + 1
        end
        assert.equal(source == "graph" and 1250 or 1225, count)
      end
    end
  end)

  it("are all of them, also where the loop takes each out of what is selected", function()
    local r = new { limits = false }
    for _ = 1, 1200 do
      r.tenant:raise_alert { title = "t" }
      r.tenant:advance(1)
    end
    local count = 0
    for alert in r.client:alerts({ status = "new" }, { source = "graph" }) do
      r.tenant.alert_book:update(r.tenant.alert_book:find(alert.id), { status = "resolved" }, "us")
      count = count + 1
    end
    assert.equal(1200, count)
  end)

  it("are not taken for all where the pages do not lead on", function()
    local r = new()
    r:answer({ path = "alerts_v2" }, 200, { value = require("mde.sim.base.json").array {},
      ["@odata.nextLink"] = "https://elsewhere.example/?$skip=1" })
    local ok, err = pcall(r.client:alerts("all", { source = "graph" }))
    assert.is_false(ok)
    assert.same({ "protocol", "list_cut_short" }, { err.kind, err.code })
    r = new { limits = false, lists = { skip = "ignored" }, alert_lists = { granularity = 3600 } }
    for _ = 1, 1001 do r.tenant:raise_alert { title = "t" } end
    ok, err = pcall(function() for _ in r.client:alerts "all" do end end)
    assert.is_false(ok)
    assert.same({ "protocol", "pages_repeat" }, { err.kind, err.code })
  end)

  it("are left out where they cannot be identified, which is told", function()
    local told = {}
    local r = new { client = { on_event = function(event)
      if event.event == "warning" then told[#told + 1] = event.code end
    end } }
    r:answer({ path = "/api/alerts" }, 200, { value = { { title = "nameless", severity = "High" }, { id = "da1_2",
      title = "known" }, { id = {}, title = "odd" } } })
    assert.equal("known", titles(r.client:alerts "all"))
    assert.same({ "row_unidentified" }, told)
  end)

  it("come with the error where a page cannot be read", function()
    local r = new { roles = { "Machine.Read.All" }, graph_roles = { "SecurityAlert.Read.All" } }
    local ok, err = pcall(r.client:alerts { severity = "high" })
    assert.is_false(ok)
    assert.same({ "permission", "alerts where severity eq 'High'" }, { err.kind, err.asked })
    assert.truthy(tostring(err):find("Alert.Read.All", 1, true))
    ok, err = pcall(r.client:incidents "all")
    assert.is_false(ok)
    assert.truthy(tostring(err):find("SecurityIncident.Read.All of Microsoft Graph", 1, true))
    r:answer({ path = "alerts_v2" }, 400, { error = { code = "BadRequest", message = "Invalid filter clause" } })
    ok, err = pcall(r.client:alerts("severity eq 'high'", { source = "graph" }))
    assert.is_false(ok)
    assert.equal("refused", err.kind)
  end)

  it("are the client's of the environment, by the functions of the module", function()
    for _, name in ipairs { "alerts", "alert", "incidents", "incident", "update_alert", "update_incident" } do
      assert.is_function(mde[name], name)
    end
  end)
end)

describe("the incidents of a query", function()
  it("are those of Graph", function()
    local r = new { story = true }
    local by_status = {}
    for incident in r.client:incidents { createdDateTime = mde.ge(mde.ago "2h") } do
      by_status[incident.status] = incident
    end
    assert.equal(by_status.active.id, by_status.redirected.redirectIncidentId)
    local incident = assert(r.client:incident(by_status.active))
    local targets = {}
    for _, alert in ipairs(incident.alerts) do
      for _, device in ipairs(alert:targets()) do targets[device.id] = true end
    end
    local count = 0
    for _ in pairs(targets) do count = count + 1 end
    assert.equal(3, count)
    assert.equal("", titles(r.client:incidents { status = "resolved" }))
  end)
end)

describe("a device of an alert", function()
  local function one(r, fields)
    local raised = r.tenant:raise_alert { title = "beacon", severity = "high", evidence = { fields } }
    return assert(r.client:alert(raised.id, { source = "graph" }))
  end

  it("is restricted by its id, for the alert's incident, once for each alert", function()
    local r = new { unguarded = true }
    local alert = one(r, { kind = "device", machineId = LAPTOP, roles = { "compromised" } })
    for i = 1, 3 do
      local action = assert(r.client:restrict(alert:targets()[1], "beacon", alert:options()))
      assert.same({ LAPTOP, alert.key, alert.incidentId }, { action.machineId, action.operation_id, action.incident })
      assert.equal(i == 1 and "accepted" or "already_active", action.outcome)
    end
    assert.equal(1, r:count "action_created")
  end)

  it("is not restricted against a decision that was made since the alert", function()
    local r = new { unguarded = true }
    local alert = one(r, { kind = "device", machineId = LAPTOP, roles = { "compromised" } })
    r.tenant:advance(600)
    r:past(LAPTOP, "release", "Succeeded", 60)
    local _, err = r.client:restrict(alert.devices[1], "beacon", alert:options())
    assert.equal("superseded", err.kind)
    assert.equal(0, #r:posts())
  end)

  it("cannot be acted on without an id, which says why", function()
    local r = new { unguarded = true }
    local alert = one(r, { kind = "device", deviceDnsName = "printer.corp.example", roles = { "attacked" } })
    local err = rehearsal.refused(r.client.restrict, r.client, alert.devices[1], "beacon")
    assert.equal("machine_without_id", err.code)
    assert.truthy(tostring(err):find("printer.corp.example of an alert cannot be acted on: Defender for Endpoint does "
      .. "not know it", 1, true), tostring(err))
    assert.same({}, r:posts())
  end)

  it("is guarded as any other", function()
    local r = new {}
    r.tenant:put_machine { id = ("c"):rep(40), computerDnsName = "srv", osPlatform = "WindowsServer2022" }
    local alert = one(r, { kind = "device", machineId = ("c"):rep(40), roles = { "compromised" } })
    local _, err = r.client:restrict(alert.devices[1], "beacon", alert:options())
    assert.equal("protected", err.kind)
  end)
end)

describe("a run", function()
  it("notes what a playbook writes to alerts, and a plan writes nothing", function()
    local r = new()
    local raised = r.tenant:raise_alert { title = "beacon" }
    local noted, planned = {}, true
    r.client.action_center.session = { begin_others = function(_, changes)
      noted[#noted + 1] = ("%s %s: %s"):format(changes[1].what, changes[1].subject, changes[1].detail)
      return planned, {}
    end, end_others = function() end }
    assert.equal("new", assert(r.client:update_alert(raised.id, { status = "resolved", comment = "x" })).status)
    assert(r.client:update_incident(raised.incidentId, { status = "resolved", customTags = { "a", "b" } }))
    assert.equal("new", raised.status)
    assert.same({ ("update_alert %s: comment = x, status = resolved"):format(raised.id),
      ("update_incident %s: customTags = a, b, status = resolved"):format(raised.incidentId) }, noted)
    planned = false
    assert.equal("resolved", assert(r.client:update_alert(raised.id, { status = "resolved" })).status)
    assert.equal(3, #noted)
  end)

  it("restricts and writes what its plan shows", function()
    local stage = playbooks.new { machines = playbooks.fleet(2), limits = false,
      roles = { "Machine.Read.All", "Machine.RestrictExecution", "Alert.ReadWrite.All" } }
    finally(stage.remove)
    local raised = stage.tenant:raise_alert { title = "beacon", severity = "high",
      evidence = { { kind = "device", machineId = playbooks.id(1), roles = { "compromised" } } } }
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for alert in mde.alerts { severity = "high", createdDateTime = mde.ge(mde.ago "2h") } do
        for _, device in ipairs(alert:targets()) do assert(mde.restrict(device, alert.title, alert:options())) end
        assert(alert:update { status = "inProgress", comment = "contained" })
      end]])
    assert.equal(1, #plan.devices)
    assert.same({ ("update_alert %s: comment = contained, status = inProgress"):format(raised.id) }, plan.others)
    assert.same({ "new", 0, 0 }, { raised.status, #raised.comments, stage.posts() })
    assert(stage.start(plan))
    assert.same({ "inProgress", 1, 1 }, { raised.status, #raised.comments, stage.posts() })
  end)
end)
