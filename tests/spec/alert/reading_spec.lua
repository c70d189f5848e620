-- One alert and one incident, read from the simulated tenant.
-- Labels: only-lua5.4
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP = "1f00000000000000000000000000000000000017"

local function with(options)
  options.roles = options.roles or { "Machine.Read.All", "Alert.Read.All" }
  options.graph_roles = options.graph_roles or { "SecurityAlert.Read.All", "SecurityIncident.Read.All" }
  local r = rehearsal.new(options)
  return r, r.tenant:raise_alert { title = "beacon", severity = "high",
    evidence = { { kind = "device", machineId = LAPTOP, roles = { "compromised" } } } }
end

describe("reading", function()
  it("tells the same of an alert from either source", function()
    local r, raised = with {}
    for source, path in pairs { defender = "/api/alerts/", graph = "/v1.0/security/alerts_v2/" } do
      local alert = assert(r.client:alert(raised.id, { source = source }))
      assert.same({ raised.id, "beacon", "high", "new", raised.incidentId, LAPTOP, true, source }, { alert.id,
        alert.title, alert.severity, alert.status, alert.incidentId, alert.devices[1].id, alert.devices[1].is_target,
        alert.source })
      local requests = r:requests()
      assert.equal("GET " .. path .. raised.id, requests[#requests])
      assert.equal(alert.id, assert(r.client:alert(alert)).id)
      assert.equal("GET " .. path .. raised.id, r:requests()[#requests + 1])
    end
  end)

  it("says what knows no such alert, and where it may be", function()
    local r = with {}
    local hidden = r.tenant:raise_alert { title = "tuned away", is_suppressed = true }
    local alert, err = r.client:alert(hidden.id, { source = "graph" })
    assert.is_nil(alert)
    assert.same({ "not_found", "no_such_alert" }, { err.kind, err.code })
    assert.truthy(tostring(err):find('source = "defender"', 1, true))
    assert.equal("tuned away", assert(r.client:alert(hidden.id)).title)
    alert, err = r.client:alert "da1_2/..?x"
    assert.is_nil(alert)
    assert.same({ "not_found", 'alert "da1_2/..?x"' }, { err.kind, err.asked })
    assert.equal("GET /api/alerts/da1_2%2F..%3Fx", r:requests()[#r:requests()])
  end)

  it("takes no other alert for the one that was asked for", function()
    local r, raised = with {}
    r:answer({ path = "/alerts/" }, 200, { id = "da1_2" }, { count = false })
    local _, err = r.client:alert(raised.id)
    assert.same({ "protocol", "not_as_asked" }, { err.kind, err.code })
  end)

  it("gives an incident with its alerts", function()
    local r, raised = with {}
    local incident = assert(r.client:incident(raised.incidentId))
    assert.same({ raised.incidentId, 1, raised.id, LAPTOP, 0 }, { incident.id, #incident.alerts, incident.alerts[1].id,
      incident.alerts[1]:targets()[1].id, incident.unidentified })
    assert.equal(incident.id, assert(r.client:incident(tonumber(raised.incidentId))).id)
    local _, err = r.client:incident "1"
    assert.same({ "not_found", "no_such_incident" }, { err.kind, err.code })
  end)

  it("counts the alerts of an incident that cannot be identified", function()
    local r = with {}
    r:answer({ path = "/incidents/" }, 200, { id = "7", alerts = { { id = "da1_2", title = "known" }, { id = false },
      { title = "unknown" } } })
    local incident = assert(r.client:incident "7")
    assert.same({ 1, 2 }, { #incident.alerts, incident.unidentified })
    r:answer({ path = "/incidents/" }, 200, { id = "7", alerts = "none" }, { count = false })
    assert.equal("protocol", select(2, r.client:incident "7").kind)
  end)

  it("gives an incident whose list of alerts the service leaves out, and does not call it empty", function()
    local r = with {}
    for _, list in ipairs { false, rehearsal.null } do
      r:answer({ path = "/incidents/" }, 200, { id = "7", status = "active", alerts = list or nil })
      local incident, err = r.client:incident "7"
      assert(incident, err)
      assert.same({ "7", "active" }, { incident.id, incident.status })
      assert.is_nil(incident.alerts)
      assert.is_nil(incident.unidentified)
    end
  end)

  it("names the permission that is missing, of either resource", function()
    local r, raised = with { roles = { "Machine.Read.All" }, graph_roles = { "ThreatHunting.Read.All" } }
    for permission, read in pairs {
      ["Alert.Read.All"] = function() return r.client:alert(raised.id) end,
      ["SecurityAlert.Read.All of Microsoft Graph"] = function()
        return r.client:alert(raised.id, { source = "graph" })
      end,
      ["SecurityIncident.Read.All of Microsoft Graph"] = function() return r.client:incident(raised.incidentId) end,
    } do
      local _, err = read()
      assert.equal("permission", err.kind)
      assert.truthy(tostring(err):find("permission " .. permission, 1, true), tostring(err))
    end
  end)
end)
