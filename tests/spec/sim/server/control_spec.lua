-- The simulator's own requests, without a server.
-- Labels: not-lua5.3
local control = require "mde.sim.server.control"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local LAPTOP = "1f00000000000000000000000000000000000017"

describe("a control request", function()
  local tenant

  before_each(function() tenant = sim.new { start = 1770113472 } end)

  local function ask(method, path, body)
    local response = control.answer(tenant, { method = method, url = path,
      body = type(body) == "table" and json.encode(body) or body })
    return response.status, json.decode(response.body)
  end

  it("is what lies below /sim/", function()
    assert.is_true(control.owns "/sim/history")
    assert.is_false(control.owns "/api/sim/history")
    assert.is_false(control.owns "/simulated")
  end)

  it("tells what the tenant did", function()
    ask("POST", "/sim/actions", { machineId = LAPTOP, type = "RestrictCodeExecution" })
    ask("POST", "/sim/clock", { advance = 60 })
    local status, answer = ask("GET", "/sim/history?x=y")
    assert.equal(200, status)
    assert.equal("action_created", answer.history[1].event)
    assert.equal("Succeeded", answer.history[3].to)
  end)

  it("puts machines, applications and settings there, and takes them back by a reset", function()
    local status, answer = ask("POST", "/sim/machines", { computerDnsName = "new.corp.example" })
    assert.equal(200, status)
    assert.equal(answer.id, tenant:find_machine("new.corp.example", true).id)
    assert.equal(200, (ask("POST", "/sim/applications", { client_id = "x", client_secret = "y" })))
    assert.equal(200, (ask("POST", "/sim/settings", { lifetime = 5 })))
    assert.equal(5, tenant.lifetime)
    assert.equal(200, (ask("POST", "/sim/revoke")))
    assert.equal(200, (ask("POST", "/sim/reset")))
    assert.equal(3599, tenant.lifetime)
    assert.is_nil(tenant:find_machine("new.corp.example", true))
  end)

  it("raises alerts, and adds and merges incidents", function()
    local status, answer = ask("POST", "/sim/alerts", { title = "x", evidence = { { kind = "device",
      machineId = LAPTOP } } })
    assert.same({ 200, tenant.alerts[1].id, "28201" }, { status, answer.id, answer.incidentId })
    status, answer = ask("POST", "/sim/incidents", { displayName = "y" })
    assert.same({ 200, "28202" }, { status, answer.id })
    assert.equal(200, (ask("POST", "/sim/incidents/merge", { from = "28202", into = "28201" })))
    assert.equal("redirected", tenant.incidents[2].status)
    assert.equal(400, (ask("POST", "/sim/incidents/merge", { from = "28202" })))
    assert.equal(200, (ask("POST", "/sim/settings", { alert_lists = { repeats = 1 } })))
    assert.equal(1, tenant.alert_lists.repeats)
  end)

  it("adds rules of what goes wrong, lists and forgets them", function()
    assert.equal(200, (ask("POST", "/sim/faults", { match = { method = "POST" }, fault = "gone" })))
    local _, answer = ask("GET", "/sim/faults")
    assert.same({ "gone", 0 }, { answer.faults[1].fault, answer.faults[1].applied })
    ask("DELETE", "/sim/faults")
    assert.same({}, select(2, ask("GET", "/sim/faults")).faults)
  end)

  it("is refused in words", function()
    for _, case in ipairs { { "GET", "/sim/machines", nil, 404 }, { "POST", "/sim/other", nil, 404 },
      { "POST", "/sim/machines", "[1]", 400 }, { "POST", "/sim/machines", "{", 400 },
      { "POST", "/sim/machines", { nickname = "x" }, 400 }, { "POST", "/sim/clock", { advance = "1h" }, 400 },
      { "POST", "/sim/settings", { patience = 5 }, 400 }, { "POST", "/sim/faults", { fault = "none" }, 400 } } do
      local status, answer = ask(case[1], case[2], case[3])
      assert.equal(case[4], status)
      assert.is_string(answer.message)
    end
  end)
end)
