-- examples/webhook in nginx with an id alone: an alert of the service, from its id to its end.
local certificates = require "tests.spec.support.certificates"
local cjson = require "cjson"
local names = require "tests.spec.support.server.nameserver"
local rehearsal = require "tests.spec.support.rehearsal"
local tenants = require "tests.spec.support.server.tenant"
local wait_until = require "tests.spec.support.process.wait_until"
local webhook = require "tests.hosts.nginx.webhook"

local RESTRICT = { "Machine.Read.All", "Machine.RestrictExecution" }

describe("the webhook, given the id of an alert", function()
  local tenant, resolver, client, service, of_graph, earlier
  local count = 0

  setup(function()
    tenant = tenants.start { limits = false, action_seconds = 0.3, duplicates = "new", fixture = {
      roles = { RESTRICT[1], RESTRICT[2], "Alert.ReadWrite.All" },
      graph_roles = { "SecurityAlert.ReadWrite.All" } } }
    resolver = names.start()
    client = tenant.client(rehearsal.unguarded)
    service = webhook.start(tenant, resolver.address)
    of_graph = webhook.start(tenant, resolver.address, { ALERT_SOURCE = "graph" })
  end)
  teardown(function()
    service.stop()
    of_graph.stop()
    resolver.stop()
    tenant.stop()
    certificates.remove()
  end)
  before_each(function() earlier = #tenant.history "action_created" end)
  after_each(function() tenant.clear() end)

  local function laptop(fields)
    count = count + 1
    local machine = { computerDnsName = ("desk-%d.corp.example"):format(count), osPlatform = "Windows11" }
    for name, value in pairs(fields or {}) do machine[name] = value end
    return tenant.machine(machine), machine.computerDnsName
  end

  local function hit(machine, role)
    return { kind = "device", machineId = machine, roles = { role or "compromised" } }
  end

  local function alert_about(evidence, fields)
    local alert = { title = "beacon to known C2", severity = "high", evidence = evidence }
    for name, value in pairs(fields or {}) do alert[name] = value end
    return tenant.alert(alert)
  end

  local function deliver(to, id)
    local status, answer = to.send(webhook.delivery(cjson.encode { id = id }))
    assert.equal(202, status, cjson.encode(answer))
  end

  local function until_it_is(from, id, state)
    local record
    wait_until(function()
      local status, answer = from.send(webhook.question(id))
      record = status == 200 and answer
      return record and record.state == state
    end, function() return (record and cjson.encode(record) or "there is no record") .. from.errors() end)
    return record
  end

  -- The machines of the actions that the test has made the tenant create.
  local function acted_on()
    local all, machines = tenant.history "action_created", {}
    for i = earlier + 1, #all do machines[#machines + 1] = all[i].machine end
    table.sort(machines)
    return machines
  end

  local function comments_of(id)
    local list = {}
    for i, comment in ipairs(assert(client:alert(id)).comments) do list[i] = comment.comment end
    return list
  end

  it("restricts its device under its incident, and writes that to it once", function()
    local machine, name = laptop()
    local id, incident = alert_about { hit(machine) }
    deliver(service, id)
    local record = until_it_is(service, id, "restricted")
    assert.same({ name, "accepted", "Succeeded" }, { record.devices[1].device, record.devices[1].outcome,
      record.devices[1].action.status })
    local created = tenant.history "action_created"
    assert.equal(("beacon to known C2 [mde:%s:%s]"):format(incident, id), created[#created].comment)
    local comment = ("%s: action %s restricts it"):format(name, record.devices[1].action.id)
    assert.equal("inProgress", assert(client:alert(id)).status)
    assert.same({ comment }, comments_of(id))
    -- Delivered again, to one who knows it and to one who has forgotten it.
    deliver(service, id)
    assert.equal("restricted", select(2, service.send(webhook.question(id))).state)
    service.finish()
    service.begin()
    deliver(service, id)
    local again = until_it_is(service, id, "restricted")
    assert.equal(record.devices[1].action.id, again.devices[1].action.id)
    assert.same({ machine }, acted_on())
    assert.same({ comment }, comments_of(id))
  end)

  it("decides about each of several devices, and names each", function()
    local first, first_name = laptop()
    local second, second_name = laptop()
    local controller, controller_name = laptop { machineTags = { "tier0" } }
    local nearby, nearby_name = laptop()
    local vip, vip_name = laptop { machineTags = { "vip" } }
    local id = alert_about { hit(first), hit(second, "attacked"), hit(controller), hit(nearby, "contextual"), hit(vip),
      { kind = "device", deviceDnsName = "printer.corp.example", roles = { "compromised" } } }
    deliver(of_graph, id)
    -- Both actions come to their end while another device stays refused.
    local record = until_it_is(of_graph, id, "refused")
    local outcomes = {}
    for _, device in ipairs(record.devices) do outcomes[device.device] = device end
    assert.equal(6, #record.devices)
    assert.equal("restricted", outcomes[first_name].state)
    assert.equal("restricted", outcomes[second_name].state)
    assert.same({ "refused", "protected" }, { outcomes[controller_name].state, outcomes[controller_name].error.kind })
    for name, reason in pairs { [nearby_name] = "only seen nearby", [vip_name] = "to be called first",
      ["printer.corp.example"] = "the alert has no machine id for it" } do
      assert.equal("review", outcomes[name].state)
      assert.truthy(outcomes[name].reason:find(reason, 1, true), outcomes[name].reason)
    end
    local wanted = { first, second }
    table.sort(wanted)
    assert.same(wanted, acted_on())
    local comments = comments_of(id)
    assert.equal(1, #comments)
    for name in pairs(outcomes) do assert.truthy(comments[1]:find(name .. ": ", 1, true), comments[1]) end
    of_graph.finish()
    of_graph.begin()
    deliver(of_graph, id)
    until_it_is(of_graph, id, "refused")
    assert.same(wanted, acted_on())
    assert.same(comments, comments_of(id))
  end)

  it("says that the service does not know it, until it does", function()
    local machine = laptop()
    local id = alert_about { hit(machine) }
    tenant.fault { match = { method = "GET", path = "/api/alerts/" }, fault = "answer", status = 404,
      body = '{"error":{"code":"NotFound","message":"there is no such alert"}}', count = false }
    deliver(service, id)
    local record = until_it_is(service, id, "failed")
    assert.same({ "not_found" }, { record.error.kind, record.devices })
    assert.truthy(record.error.message:find(id, 1, true), record.error.message)
    assert.same({}, acted_on())
    tenant.clear()
    deliver(service, id)
    until_it_is(service, id, "restricted")
    assert.same({ machine }, acted_on())
    deliver(service, "da637551227677560813_-1")
    assert.equal("not_found", until_it_is(service, "da637551227677560813_-1", "failed").error.kind)
  end)

  it("leaves one that is not severe new, and one that is resolved as it is", function()
    local machine, name = laptop()
    local id = alert_about({ hit(machine) }, { severity = "medium" })
    deliver(service, id)
    assert.equal("its severity is medium", until_it_is(service, id, "review").devices[1].reason)
    assert.same({ name .. ": left: its severity is medium" }, comments_of(id))
    assert.equal("new", assert(client:alert(id)).status)
    id = alert_about { hit(machine) }
    assert(client:update_alert(id, { status = "resolved" }))
    deliver(service, id)
    assert.equal("the alert is resolved already", until_it_is(service, id, "review").devices[1].reason)
    assert.same({}, comments_of(id))
    assert.same({}, acted_on())
  end)

  it("says that nothing could be written to it, and writes it when it is delivered again", function()
    local machine = laptop()
    local id = alert_about { hit(machine) }
    tenant.fault { match = { method = "PATCH", path = "/api/alerts/" }, fault = "answer", status = 403,
      body = '{"error":{"code":"Forbidden","message":"no"}}', count = false }
    deliver(service, id)
    local record = until_it_is(service, id, "failed")
    assert.equal("permission", record.error.kind)
    assert.truthy(record.devices[1].action)
    assert.truthy(record.error.message:find("Alert.ReadWrite.All", 1, true), record.error.message)
    tenant.clear()
    deliver(service, id)
    until_it_is(service, id, "restricted")
    assert.same({ machine }, acted_on())
    assert.equal(1, #comments_of(id))
  end)

  it("is taken up where its worker was killed in the midst", function()
    local first = laptop()
    local second, second_name = laptop()
    local id = alert_about { hit(first), hit(second) }
    -- The second device waits for longer than the worker lives.
    tenant.fault { match = { method = "POST", path = second .. "/restrict" }, fault = "stall", processed = false,
      count = 1 }
    deliver(of_graph, id)
    wait_until(function() return acted_on()[1] == first end, of_graph.errors)
    assert.equal("pending", select(2, of_graph.send(webhook.question(id))).state)
    of_graph.kill_workers()
    tenant.clear()
    wait_until(function()
      of_graph.send(webhook.delivery(cjson.encode { id = id }))
      return #acted_on() > 1
    end, of_graph.errors)
    local record = until_it_is(of_graph, id, "restricted")
    assert.same({ 2, second_name }, { #record.devices, record.devices[2].device })
    local wanted = { first, second }
    table.sort(wanted)
    assert.same(wanted, acted_on())
    assert.equal(1, #comments_of(id))
  end)

  it("is one thing under its id: an alert of the service, or one from elsewhere", function()
    local machine, name = laptop()
    local id = alert_about { hit(machine) }
    deliver(service, id)
    until_it_is(service, id, "restricted")
    local status, answer = service.send(webhook.delivery(cjson.encode { id = id, device = name, severity = "High",
      title = "beacon" }))
    assert.same({ 409, "device" }, { status, answer.error.code })
  end)

  it("is read from a source that exists, or nothing starts", function()
    local broken = webhook.start(tenant, resolver.address, { ALERT_SOURCE = "sentinel" })
    local said, status = broken.finish()
    broken.stop()
    assert.not_equal(0, status)
    assert.truthy(said:find("ALERT_SOURCE must be defender or graph, not sentinel", 1, true), said)
  end)
end)
