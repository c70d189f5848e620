-- Alerts over real TLS: read from either source, written to, and an example that goes from an alert to its end.
-- Labels: not-lua5.3, long
local rehearsal = require "tests.spec.support.rehearsal"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

local LAPTOP, DESK = "1f00000000000000000000000000000000000017", "7f00000000000000000000000000000000000001"
local MAC = ("c"):rep(40)

local function device(id, role)
  return { kind = "device", machineId = id, roles = { role } }
end

describe("alerts over TLS", function()
  local tenant, client

  setup(function()
    tenant = tenants.start { limits = false, action_seconds = 0.5, fixture = {
      roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate", "Alert.ReadWrite.All" },
      graph_roles = { "SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All", "ThreatHunting.Read.All" } } }
  end)
  teardown(function() tenant.stop() end)
  before_each(function()
    tenant.reset()
    client = tenant.client(rehearsal.unguarded)
  end)

  local function acted_on(kind)
    local machines = {}
    for _, entry in ipairs(tenant.history "action_created") do
      if entry.type == kind then machines[#machines + 1] = entry.machine end
    end
    table.sort(machines)
    return machines
  end

  it("are read from either source, acted on once and written to", function()
    local id, incident = tenant.alert { title = "beacon", severity = "high",
      evidence = { device(LAPTOP, "compromised"), device(DESK, "contextual") } }
    for _, source in ipairs { "defender", "graph" } do
      local alert = client:alerts({ severity = "high" }, { source = source })()
      assert.same({ id, incident, "beacon", LAPTOP }, { alert.id, alert.incidentId, alert.title,
        alert:targets()[1].id })
      assert.equal(1, #alert:targets())
      assert.equal(LAPTOP, assert(client:restrict(alert:targets()[1], alert.title, alert:options())).machineId)
      local comment = "restricted, O'Brien & <b>\228\184\173</b> " .. source
      alert = assert(alert:update { status = "inProgress", determination = "compromisedAccount", comment = comment })
      assert.same({ "inProgress", "compromisedAccount", comment }, { alert.status, alert.determination,
        alert.comments[#alert.comments].comment })
    end
    assert.same({ LAPTOP }, acted_on "RestrictCodeExecution")
    assert.equal(2, #assert(client:incident(incident)).alerts[1].comments)
    assert.equal(incident, client:incidents { status = "active" }().id)
  end)

  it("that answer with nothing are read again, and a comment stands there once", function()
    local id = tenant.alert { title = "beacon" }
    tenant.fault { match = { method = "PATCH", path = "/alerts/" }, fault = "gone" }
    tenant.fault { match = { method = "POST", path = "/comments" }, fault = "gone" }
    for _, source in ipairs { "defender", "graph" } do
      local alert = assert(client:update_alert(id, { status = "resolved", comment = source }, { source = source }))
      assert.equal(source, alert.comments[#alert.comments].comment)
    end
    assert.equal(2, #assert(client:alert(id)).comments)
  end)

  local function example(name, ...)
    local file = io.open("examples/" .. name .. ".lua", "rb")
    local text = file:read "*a"
    file:close()
    return script.run(text, { arguments = { ... }, environment = tenant.env })
  end

  it("are worked on to their end by the example", function()
    tenant.machine { id = MAC, computerDnsName = "mac-1.corp.example", osPlatform = "macOS", version = "14",
      agentVersion = "101.98.84", healthStatus = "Active", onboardingStatus = "Onboarded" }
    local first = tenant.alert { title = "beacon \27[2J", severity = "high",
      evidence = { device(LAPTOP, "compromised") } }
    local second = tenant.alert { title = "beacon too", severity = "high", evidence = { device(MAC, "attacked") } }
    tenant.alert { title = "noise", severity = "low", evidence = { device(DESK, "compromised") } }
    local cursor = shell.new_directory() .. "/cursor"
    for _ = 1, 2 do
      local output, status = example("alert_to_end", cursor, "once")
      assert.equal("exit 0", status, output)
      assert.is_nil(output:find("\27", 1, true))
    end
    -- A restriction of a Mac is refused.
    assert.same({ LAPTOP }, acted_on "RestrictCodeExecution")
    assert.same({ MAC }, acted_on "Isolate")
    for id, comment in pairs { [first] = "laptop-17.corp.example: restricted",
        [second] = "mac-1.corp.example: isolated" } do
      local alert = assert(client:alert(id))
      assert.same({ "inProgress", comment, 1 }, { alert.status, alert.comments[1].comment, #alert.comments })
    end
  end)

  it("lead the example to devices that none of them names", function()
    local hash = ("5b"):rep(20)
    local _, incident = tenant.alert { title = "beacon", severity = "high", evidence = {
      device(LAPTOP, "compromised"), { kind = "file", machineId = LAPTOP, fileName = "x.dll", sha1 = hash,
        verdict = "malicious" }, { kind = "file", machineId = LAPTOP, fileName = "calc.exe", sha1 = ("6c"):rep(20) } } }
    tenant.set { hunting = { rows = { DeviceFileEvents = { { Timestamp = "1h ago", DeviceId = DESK,
      DeviceName = "desk-5", FileName = "y.dll", SHA1 = hash } } } } }
    local output, status = example("hunt_and_contain", incident)
    assert.equal("exit 0", status, output)
    assert.truthy(output:find("laptop%-17%.corp%.example +known"), output)
    assert.truthy(output:find("desk%-5 +found by hunting"), output)
    assert.same({ LAPTOP, DESK }, acted_on "RestrictCodeExecution")
    output, status = example("hunt_and_contain", "1")
    assert.equal("exit 1", status)
    assert.truthy(output:find("knows no incident", 1, true), output)
  end)
end)
