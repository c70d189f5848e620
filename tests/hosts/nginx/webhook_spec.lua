-- examples/webhook in nginx, as it is, against a simulated tenant: what it takes, what it refuses, what it does.
local certificates = require "tests.spec.support.certificates"
local cjson = require "cjson"
local names = require "tests.spec.support.server.nameserver"
local tenants = require "tests.spec.support.server.tenant"
local wait_until = require "tests.spec.support.process.wait_until"
local webhook = require "tests.hosts.nginx.webhook"

local SECRET, WORKERS = webhook.SECRET, 4
local start, signature, delivery, question = webhook.start, webhook.signature, webhook.delivery, webhook.question

-- ---- alerts

local count = 0

local function alert_of(fields)
  count = count + 1
  local alert = { id = ("alert-%s-%d"):format(SECRET:sub(1, 4), count), device = "laptop-17.corp.example",
    severity = "High", title = "beacon to known C2" }
  for name, value in pairs(fields or {}) do alert[name] = value or nil end
  return alert
end

describe("the webhook", function()
  local tenant, resolver, service, laptop, laptop_id, earlier

  setup(function()
    tenant = tenants.start { limits = false, action_seconds = 0.3, duplicates = "new" }
    resolver = names.start()
    service = start(tenant, resolver.address)
  end)
  teardown(function()
    service.stop()
    resolver.stop()
    tenant.stop()
    certificates.remove()
  end)

  -- Each test has a laptop of its own: what the service has done with another it remembers.
  before_each(function()
    count = count + 1
    laptop = ("desk-%d.corp.example"):format(count)
    laptop_id = tenant.machine { computerDnsName = laptop, osPlatform = "Windows11" }
    earlier = #tenant.history "action_created"
  end)

  local function alert_about_laptop(fields)
    local alert = alert_of(fields)
    alert.device = laptop
    return alert
  end

  local function deliver(body, options)
    return service.send(delivery(type(body) == "table" and cjson.encode(body) or body, options))
  end

  -- The record of an alert, once it is in one of the states.
  local function until_it_is(id, ...)
    local wanted, record = {}, nil
    for _, state in ipairs { ... } do wanted[state] = true end
    wait_until(function()
      local status, answer = service.send(question(id))
      record = status == 200 and answer
      return record and wanted[record.state]
    end, function() return record and cjson.encode(record) or "there is no record" end)
    return record
  end

  -- What the test has made the tenant do.
  local function actions()
    local all, own = tenant.history "action_created", {}
    for i = earlier + 1, #all do own[#own + 1] = all[i] end
    return own
  end

  it("contains a device, and tells where to ask for the outcome", function()
    local alert = alert_about_laptop()
    local status, answer, _, headers = deliver(alert)
    assert.equal(202, status)
    assert.equal("/alerts/" .. alert.id, answer.ask)
    assert.truthy(headers:find("location: /alerts/" .. alert.id .. "\r\n", 1, true))
    local record = until_it_is(alert.id, "restricted")
    assert.equal("accepted", record.devices[1].outcome)
    assert.equal("Succeeded", record.devices[1].action.status)
    assert.same({ laptop, laptop, 1 }, { record.device, record.devices[1].device, #record.devices })
    local created = actions()
    assert.equal(1, #created)
    assert.equal(laptop_id, created[1].machine)
    assert.equal(record.devices[1].action.id, created[1].action)
    assert.equal(("beacon to known C2 [mde:%s]"):format(alert.id), created[1].comment)
  end)

  it("makes one action of an alert that 50 deliver at once to four workers", function()
    local before = service.workers "POST"
    assert.is_true(before < WORKERS, "what follows would show nothing of all workers")
    -- The first to look sees nothing for long enough that all the others are there.
    tenant.fault { match = { path = "/machineactions?" }, fault = "slow", interval = 0.002, count = false }
    local alert = alert_about_laptop()
    local statuses = service.send_many(50, delivery(cjson.encode(alert)))
    assert.equal(("202\n"):rep(50), statuses .. "\n")
    assert.equal(WORKERS, service.workers "POST")
    tenant.clear()
    local record = until_it_is(alert.id, "restricted")
    assert.equal(1, #actions())
    assert.equal("accepted", record.devices[1].outcome)
  end)

  it("makes no second action of an alert that it has forgotten, nor after somebody's all-clear", function()
    local alert = alert_about_laptop()
    assert.equal(202, (deliver(alert)))
    local record = until_it_is(alert.id, "restricted")
    service.finish()
    service.begin()
    assert.equal(404, (service.send(question(alert.id))))
    assert.equal(202, (deliver(alert)))
    local again = until_it_is(alert.id, "restricted")
    assert.equal(record.devices[1].action.id, again.devices[1].action.id)
    assert.equal(1, #actions())
    tenant.action { machineId = laptop_id, type = "UnrestrictCodeExecution", status = "Succeeded",
      requestorComment = "all clear" }
    local before = #actions()
    service.finish()
    service.begin()
    assert.equal(202, (deliver(alert)))
    assert.equal("superseded", until_it_is(alert.id, "refused").devices[1].error.kind)
    assert.equal(before, #actions())
  end)

  it("refuses what is not signed with its secret", function()
    local body = cjson.encode(alert_about_laptop())
    local now = tostring(os.time())
    local good = signature(now, body)
    local flipped = (good:sub(1, 1) == "0" and "1" or "0") .. good:sub(2)
    local timestamp = "X-Alert-Timestamp: " .. now
    for name, options in pairs {
      ["one digit is wrong"] = { signature = flipped },
      ["half of it"] = { signature = good:sub(1, 32) },
      ["nothing"] = { signature = "" },
      ["of another secret"] = { signature = signature(now, body, SECRET .. "x") },
      ["of another body"] = { signature = signature(now, body .. " ") },
      ["of another time"] = { signature = signature(("%d"):format(now + 1), body), timestamp = now },
      ["not even there"] = { headers = { timestamp } },
      ["of another version"] = { headers = { timestamp, "X-Alert-Signature: v2=" .. good } },
      ["there twice"] = { headers = { timestamp, "X-Alert-Signature: v1=" .. good, "X-Alert-Signature: v1=" .. good } },
      ["without a time"] = { headers = { "X-Alert-Signature: v1=" .. good } },
    } do
      options.timestamp = options.timestamp or now
      local status, answer = deliver(body, options)
      assert.equal(401, status, name)
      assert.equal("signature", answer.error.code, name)
    end
    assert.equal(202, (deliver(body, { timestamp = now, signature = good:upper() })))
    until_it_is(cjson.decode(body).id, "restricted")
    assert.equal(1, #actions())
  end)

  it("refuses a replay outside of the time window, from the past and from the future", function()
    local body = cjson.encode(alert_about_laptop())
    local now = os.time()
    for _, timestamp in ipairs { now - 302, now + 330, 0, "soon", "1e9", ("9"):rep(400), "-1", "" } do
      local status, answer = deliver(body, { timestamp = tostring(timestamp) })
      assert.equal(401, status, tostring(timestamp))
      assert.equal("timestamp", answer.error.code, tostring(timestamp))
    end
    assert.equal(0, #actions())
    assert.equal(202, (deliver(body, { timestamp = ("%d"):format(now - 270) })))
    assert.equal(202, (deliver(body, { timestamp = ("%d"):format(now + 290) })))
    until_it_is(cjson.decode(body).id, "restricted")
    assert.equal(1, #actions())
  end)

  it("refuses a body that is no alert, and says none of it again", function()
    local whole = cjson.encode(alert_about_laptop())
    for _, body in ipairs { "", "{", whole:sub(1, -2), whole .. "}", "null", "17", '"text"', "<script>", "\0",
      (whole:gsub("beacon", "\255")), ("["):rep(5000) } do
      local status, answer, text = deliver(body)
      assert.equal(400, status, body)
      assert.equal("malformed", answer.error.code)
      assert.is_nil(text:find("script", 1, true))
    end
    for _, case in ipairs {
      { "id", false }, { "id", 17 }, { "id", "short" }, { "id", ("x"):rep(65) }, { "id", "has a blank" },
      { "id", "<script>alert" }, { "id", "../../health" }, { "id", "alert-1\n" }, { "id", { "alert-17" } },
      { "device", false }, { "device", "" }, { "device", {} }, { "device", ("x"):rep(256) }, { "device", "a\0b" },
      { "severity", false }, { "severity", "<script>" }, { "severity", "high" }, { "severity", true },
      { "title", false }, { "title", "" }, { "title", ("x"):rep(501) }, { "title", "two\nlines" },
      { "title", "\27[2J" },
    } do
      local status, answer, text = deliver(alert_of { [case[1]] = case[2] })
      assert.equal(422, status, case[1])
      assert.equal("field", answer.error.code)
      assert.truthy(answer.error.message:find("^" .. case[1] .. " must be "), answer.error.message)
      assert.is_nil(text:find("script", 1, true))
    end
    local status, answer = deliver "[1]"
    assert.equal(422, status)
    assert.equal("field", answer.error.code)
    assert.equal(0, #actions())
  end)

  it("refuses other types, methods, paths and sizes, each as JSON", function()
    local body = cjson.encode(alert_about_laptop())
    for _, type_of in ipairs { "text/plain", "application/jsonx", "application/x-www-form-urlencoded", "" } do
      local status, answer = deliver(body, { content_type = type_of })
      assert.equal(415, status, type_of)
      assert.equal("content_type", answer.error.code)
    end
    local status, answer, _, headers = service.send { method = "PUT", path = "/alerts", body = body }
    assert.equal(405, status)
    assert.equal("method", answer.error.code)
    assert.truthy(headers:find "allow: post\r\n")
    status, answer = service.send { method = "DELETE", path = "/alerts/alert-17" }
    assert.equal(405, status)
    assert.equal("method", answer.error.code)
    status, answer = service.send { path = "/other" }
    assert.equal(404, status)
    assert.equal("not_found", answer.error.code)
    for _, more in ipairs { {}, { "Transfer-Encoding: chunked" } } do
      local request = delivery(("x"):rep(16 * 1024 + 1))
      for _, header in ipairs(more) do table.insert(request.headers, header) end
      status, answer = service.send(request)
      assert.equal(413, status)
      assert.equal("too_large", answer.error.code)
    end
    assert.equal(0, #actions())
  end)

  it("tells nobody without the secret the outcome of an alert", function()
    local alert = alert_about_laptop { severity = "Low" }
    deliver(alert)
    until_it_is(alert.id, "review")
    local status, answer = service.send { path = "/alerts/" .. alert.id }
    assert.equal(401, status)
    assert.equal("signature", answer.error.code)
    local request = question(alert.id)
    request.path = "/alerts/alert-of-somebody-else"
    assert.equal(401, (service.send(request)))
    assert.equal(404, (service.send(question "alert-that-never-was")))
  end)

  it("leaves to people what is not severe or cannot be restricted", function()
    for _, case in ipairs {
      { { severity = "Medium" }, "its severity is Medium" },
      { { device = "design-2.corp.example" }, "only Windows can be restricted" },
    } do
      local alert = alert_of(case[1])
      assert.equal(202, (deliver(alert)))
      assert.equal(case[2], until_it_is(alert.id, "review").devices[1].reason)
    end
    tenant.machine { id = laptop_id, machineTags = { "VIP" } }
    local alert = alert_about_laptop()
    deliver(alert)
    assert.equal("its user is to be called first", until_it_is(alert.id, "review").devices[1].reason)
    assert.equal(0, #actions())
  end)

  it("refuses a domain controller by name", function()
    for _, name in ipairs { "dc-01.corp.example", "DC-LIMA" } do
      local alert = alert_of { device = name }
      assert.equal(202, (deliver(alert)))
      local record = until_it_is(alert.id, "refused").devices[1]
      assert.equal("protected", record.error.kind)
      assert.truthy(record.error.message:find(name:lower(), 1, true), record.error.message)
      assert.truthy(record.error.message:find('rule "names"', 1, true), record.error.message)
      assert.truthy(record.error.message:find('rule "servers"', 1, true), record.error.message)
      assert.equal(202, (deliver(alert)))
      assert.equal("refused", select(2, service.send(question(alert.id))).state)
    end
    assert.equal(0, #actions())
  end)

  it("says what went wrong, and tries again when the alert is delivered again", function()
    local alert = alert_of { device = "kiosk" }
    deliver(alert)
    assert.equal("ambiguous", until_it_is(alert.id, "failed").devices[1].error.kind)
    alert = alert_of { device = "nobody" }
    deliver(alert)
    assert.equal("not_found", until_it_is(alert.id, "failed").devices[1].error.kind)
    local id = tenant.machine { computerDnsName = "nobody", osPlatform = "Windows11" }
    assert.equal(202, (deliver(alert)))
    assert.equal("accepted", until_it_is(alert.id, "restricted").devices[1].outcome)
    assert.equal(id, actions()[1].machine)
    alert = alert_of { device = "laptop-19.corp.example" }
    deliver(alert)
    local record = until_it_is(alert.id, "failed")
    assert.equal("the action ended as Failed", record.devices[1].error.message)
    assert.equal(2, #actions())
  end)

  it("takes no alert for another device under the id of an earlier one", function()
    local alert = alert_about_laptop { severity = "Low" }
    deliver(alert)
    until_it_is(alert.id, "review")
    alert.device = "front-desk.corp.example"
    local status, answer = deliver(alert)
    assert.equal(409, status)
    assert.equal("device", answer.error.code)
  end)

  it("shows its health to a load balancer, and no secret", function()
    local status, answer = service.send { path = "/health" }
    assert.equal(200, status)
    assert.equal("ok", answer.status)
    local wrong = tenant.client_secret:reverse()
    local ill = start(tenant, resolver.address, { AZURE_CLIENT_SECRET = wrong })
    local text
    status, answer, text = ill.send { path = "/health" }
    assert.equal(503, status)
    assert.same({ status = "failing", kind = "auth" }, answer)
    local alert = alert_about_laptop()
    assert.equal(202, (ill.send(delivery(cjson.encode(alert)))))
    wait_until(function()
      status, answer, text = ill.send { path = "/health" }
      return answer.last_error
    end, ill.errors)
    assert.equal(503, status)
    assert.equal("auth", answer.last_error.kind)
    assert.is_true(#text < 200)
    local said = ill.finish()
    ill.stop()
    for _, hidden in ipairs { SECRET, wrong, tenant.client_secret } do
      assert.is_nil((said .. text .. service.errors()):find(hidden, 1, true), "a secret was shown")
    end
  end)

  it("asks the service once, however many want to know its health", function()
    local fresh = start(tenant, resolver.address)
    local function asked()
      local times = 0
      for _, entry in ipairs(tenant.history "request") do
        if entry.path:find("/machineactions/00000000", 1, true) then times = times + 1 end
      end
      return times
    end
    local before = asked()
    tenant.fault { match = { path = "/machineactions/00000000" }, fault = "slow", interval = 0.005, count = false }
    fresh.send_many(40, { path = "/health" })
    tenant.clear()
    assert.equal(1, asked() - before)
    assert.equal(200, (fresh.send { path = "/health" }))
    fresh.stop()
  end)

  it("takes up an alert whose worker was killed, when it is delivered again", function()
    local fresh = start(tenant, resolver.address)
    -- The one who looks waits for longer than its worker lives.
    tenant.fault { match = { path = "/machineactions?" }, fault = "stall", count = 1 }
    local alert = alert_about_laptop()
    local before = #tenant.history "request"
    assert.equal(202, (fresh.send(delivery(cjson.encode(alert)))))
    wait_until(function()
      local all = tenant.history "request"
      for i = before + 1, #all do
        if all[i].path:find("/machineactions", 1, true) then return true end
      end
    end, fresh.errors)
    fresh.kill_workers()
    tenant.clear()
    wait_until(function()
      fresh.send(delivery(cjson.encode(alert)))
      return #actions() > 0
    end, fresh.errors)
    assert.equal(1, #actions())
    fresh.stop()
  end)

  it("does not start without what it needs, and says what that is", function()
    for name, hint in pairs { ALERT_SECRET = "openssl rand", AZURE_TENANT_ID = "AZURE_TENANT_ID" } do
      local broken = start(tenant, resolver.address, { [name] = false })
      local said, status = broken.finish()
      broken.stop()
      assert.not_equal(0, status)
      assert.truthy(said:find(name, 1, true), said)
      assert.truthy(said:find(hint, 1, true), said)
    end
  end)
end)
