-- One request with all its attempts: what is sent again, what is not, and when.
--
-- A read is `machine(ID)`, an action `restrict(ID, ..., { look = false })`: one request each, with a token
-- that is there already.
-- Labels: sanitized, not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"

local clients = require "mde.client"
local posix = require "mde.posix"
local contexts = require "mde.sync.context"

local ID = ("a1"):rep(20)
local OTHER = ("b2"):rep(20)
local PAGE = "<html><body>502 Bad Gateway</body></html>"

local function new(options)
  options = options or {}
  options.machines = options.machines or { { id = ID, computerDnsName = "desk-1.corp.example" },
    { id = OTHER, computerDnsName = "desk-2.corp.example" } }
  options.unguarded = true
  return rehearsal.new(options)
end

-- With a token.
local function signed_in(options)
  local r = new(options)
  assert(r.client:machine(ID))
  r.tenant.history = {}
  return r
end

local function read(r, timeout)
  return r.client:machine(ID, timeout and { timeout = timeout } or nil)
end

local function act(r, options)
  local complete = { look = false }
  for name, value in pairs(options or {}) do complete[name] = value end
  return r.client:restrict(ID, "a test", complete)
end

-- How long fn(...) took by the made-up clock, and what it returned.
local function timed(r, fn, ...)
  local began = r.driver.now()
  local value, err = fn(...)
  return r.driver.now() - began, value, err
end

describe("a read", function()
  local faults = {
    { "500", { fault = "answer", status = 500 }, "unavailable" },
    { "503 with a page", { fault = "answer", status = 503, body = PAGE }, "unavailable" },
    { "408", { fault = "answer", status = 408 }, "unavailable" },
    { "421", { fault = "answer", status = 421 }, "unavailable" },
    { "425", { fault = "answer", status = 425 }, "unavailable" },
    { "429 that does not say how long", { fault = "answer", status = 429 }, "throttled" },
    { "a reset", { fault = "reset" }, "unavailable" },
    { "a connection that closes without an answer", { fault = "gone" }, "unavailable" },
    { "an answer cut off", { fault = "cut", at = "half" }, "unavailable" },
    { "a page instead of JSON", { fault = "answer", status = 200, body = PAGE }, "protocol" },
    { "an empty answer", { fault = "answer", status = 200, body = "" }, "protocol" },
    { "JSON that is no object", { fault = "answer", status = 200, body = "[1" }, "protocol" },
    { "JSON null", { fault = "answer", status = 200, body = "null" }, "protocol" },
    { "another machine than was asked for", { fault = "answer", status = 200, body = '{"id":"' .. OTHER .. '"}' },
      "protocol" },
    { "an answer of 100 MB", { fault = "huge" }, "unavailable" },
  }

  local function faulty(fault, count)
    local r = signed_in()
    local rule = { match = { method = "GET" }, count = count }
    for name, value in pairs(fault) do rule[name] = value end
    r:fault(rule)
    return r
  end

  for _, case in ipairs(faults) do
    it("is sent again after " .. case[1], function()
      local r = faulty(case[2], 3)
      local took, machine = timed(r, read, r)
      assert.equal(ID, machine and machine.id)
      assert.equal(4, #r:requests())
      assert.is_true(took <= 0.8 + 1.6 + 3.2)
    end)

    it("is given up after four times " .. case[1], function()
      local r = faulty(case[2], false)
      local machine, err = read(r)
      assert.is_nil(machine)
      assert.equal(case[3], err.kind)
      assert.matches("4 attempts", err.message)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.equal(4, #r:requests())
    end)
  end

  it("is sent again after a time-out, which may take 30 seconds", function()
    local r = signed_in()
    r:fault { fault = "stall", count = 1 }
    local took, machine = timed(r, read, r)
    assert.truthy(machine)
    assert.is_true(took >= 30 and took <= 30.8)
    assert.equal(2, #r:requests())
  end)

  it("waits a random time between attempts", function()
    local seen = {}
    for i = 1, 8 do
      local r = signed_in()
      r:fault { fault = "reset", count = 1 }
      seen[i] = timed(r, read, r)
      assert.is_true(seen[i] >= 0 and seen[i] < 0.8)
    end
    table.sort(seen)
    assert.is_true(seen[1] < seen[8])
  end)

  it("is not sent again when the time is up", function()
    local r = signed_in()
    r:fault { fault = "stall", count = false }
    local took, machine, err = timed(r, read, r, 7)
    assert.is_nil(machine)
    assert.equal("unavailable", err.kind)
    assert.matches("timed out", err.message)
    assert.equal(7, took)
    assert.equal(1, #r:requests())
  end)

  it("obeys the Retry-After of a 503, too", function()
    local r = signed_in()
    r:answer({ method = "GET" }, 503, "", { headers = { ["Retry-After"] = "40" } })
    local took, machine = timed(r, read, r)
    assert.truthy(machine)
    assert.is_true(took >= 40 and took <= 44)
  end)

  it("is refused once by any other 4xx", function()
    for _, case in ipairs { { 400, "refused" }, { 404, "not_found" }, { 405, "refused" }, { 409, "refused" } } do
      local r = signed_in()
      r:answer({ method = "GET" }, case[1], { error = { code = "Some", message = "Because.", target = "|7.7." } },
        { count = false })
      local answer, err = r.client.exchange:call { method = "GET", path = "/machines/" .. ID, kind = "read",
        api = "machines", permission = "Machine.Read.All", context = contexts.new(r.driver.now):within(60) }
      assert.is_nil(answer)
      assert.equal(case[2], err.kind)
      assert.equal(case[1], err.http_status)
      assert.equal("Some", err.code)
      assert.equal("|7.7.", err.request_id)
      assert.matches("Because%.", tostring(err))
      assert.equal(1, #r:requests())
    end
  end)

  it("has the driver's code where there is no answer", function()
    for _, case in ipairs { { "resolve", "resolve" }, { "tls_name", "tls_name" }, { "Own\27", "Own\\x1b" },
      { nil, "no_answer" }, { 17, "no_answer" }, { {}, "no_answer" } } do
      local r = signed_in()
      r.driver.send = function() return nil, "no", false, case[1] end
      for _, call in ipairs { read, function() return r.client:restrict(ID, "why") end } do
        local answer, err = call(r)
        assert.is_nil(answer)
        assert.same({ "unavailable", case[2] }, { err.kind, err.code })
      end
      r.driver.send = function() return nil, "no", true, case[1] end
      local _, err = r.client:restrict(ID, "why", { look = false, resend = false, allow = { "servers" } })
      assert.same({ "unknown", case[2] }, { err.kind, err.code })
    end
  end)

  it("has a code of ours where the service gave none", function()
    for status, case in pairs { [400] = { "refused", "refused" }, [401] = { "auth", "token_refused" },
      [403] = { "permission", "group_role_missing" }, [404] = { "not_found", "no_such_resource" },
      [429] = { "throttled", "throttled" }, [503] = { "unavailable", "service_failed" },
      [302] = { "protocol", "redirected" } } do
      local r = signed_in()
      r:answer({ method = "GET" }, status, "", { count = false })
      local _, err = read(r)
      assert.same({ case[1], case[2], status }, { err.kind, err.code, err.http_status })
    end
  end)

  it("has a code for an answer that is not what was asked for, and for a driver that gives none", function()
    for body, code in pairs { ["{"] = "not_json", ["[]"] = "not_as_asked", ["{}"] = "not_as_asked" } do
      local r = signed_in()
      r:answer({ method = "GET" }, 200, body, { count = false })
      local _, err = read(r)
      assert.same({ "protocol", code }, { err.kind, err.code })
    end
    local r = signed_in()
    r.driver.send = function() return { status = 200 } end
    local _, err = read(r)
    assert.same({ "unavailable", "driver_broken" }, { err.kind, err.code })
  end)

  it("does not take a proxy's page for the service's word", function()
    for _, status in ipairs { 401, 403, 404, 407 } do
      local r = signed_in()
      r:answer({ method = "GET" }, status, PAGE, { count = false })
      local machine, err = read(r)
      assert.is_nil(machine)
      assert.equal("protocol", err.kind)
      assert.matches("api.security.microsoft.com", err.message, 1, true)
      assert.matches("proxy", err.hint)
      assert.is_nil(tostring(err):find("Bad Gateway", 1, true))
    end
  end)
end)

describe("an action that may have been sent", function()
  local faults = {
    { "500", { fault = "answer", status = 500, processed = true }, 1 },
    { "502 with a page", { fault = "answer", status = 502, body = PAGE }, 0 },
    { "503 with Retry-After", { fault = "answer", status = 503, headers = { ["Retry-After"] = "1" } }, 0 },
    { "a reset", { fault = "reset" }, 0 },
    { "a connection that closes after it was carried out", { fault = "gone" }, 1 },
    { "silence", { fault = "stall" }, 1 },
    { "a head without a body", { fault = "cut", at = "head" }, 1 },
    { "half an answer", { fault = "cut", at = "half" }, 1 },
    { "a 200 that is no JSON", { fault = "answer", status = 200, body = PAGE, processed = true }, 1 },
    { "an empty 201", { fault = "answer", status = 201, processed = true }, 1 },
    { "a 201 that is no action", { fault = "answer", status = 201, body = '{"value":[]}', processed = true }, 1 },
    { "a 204", { fault = "answer", status = 204, processed = true }, 1 },
    { "an answer of 100 MB", { fault = "huge" }, 1 },
  }
  for _, case in ipairs(faults) do
    it("is never sent again unseen: " .. case[1], function()
      local r = signed_in()
      r:answer({ path = "/machineactions" }, 403, "", { count = false })
      local rule = { match = { method = "POST" }, count = false }
      for name, value in pairs(case[2]) do rule[name] = value end
      r:fault(rule)
      local sent_at = r.driver.now()
      local action, err = act(r)
      assert.is_nil(action)
      assert.equal("unknown", err.kind)
      assert.matches("^%w+$", err.operation_id)
      assert.equal(26, #err.operation_id)
      assert.equal(ID, err.machine_id)
      assert.is_true(math.abs(err.sent_at - sent_at) < 2)
      assert.matches("Do not repeat it blindly", tostring(err), 1, true)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({ "restrictCodeExecution" }, r:posts())
      assert.equal(case[3], r:count "action_created")
    end)
  end
end)

describe("an action that was certainly not carried out", function()
  local function check(rule, attempts)
    local r = signed_in()
    r:fault(rule)
    local action, err = act(r)
    assert.is_nil(err)
    assert.equal("accepted", action.outcome)
    assert.equal(attempts, action.attempts)
    assert.equal(1, r:count "action_created")
  end

  it("is sent again after a connection that was refused", function()
    check({ fault = "refuse", count = 3 }, 4)
  end)
  for _, status in ipairs { 401, 408, 421, 425, 429 } do
    it("is sent again after " .. status, function()
      check({ match = { method = "POST", path = "restrict" }, fault = "answer", status = status }, 2)
    end)
  end

  it("says that nothing was changed when it is given up", function()
    local r = signed_in()
    r:fault { fault = "refuse", count = false }
    local action, err = act(r)
    assert.is_nil(action)
    assert.equal("unavailable", err.kind)
    assert.matches("no answer from api.security.microsoft.com: the connection was refused", err.message, 1, true)
    assert.matches("Nothing was changed", tostring(err), 1, true)
    assert.equal(0, #r:posts())
  end)

  it("is refused once by 400, and by 400 for one that is active", function()
    local r = signed_in()
    r:answer({ method = "POST" }, 400, { error = { code = "BadRequest", message = "No." } }, { count = false })
    local action, err = act(r)
    assert.is_nil(action)
    assert.equal("refused", err.kind)
    assert.same({ "restrictCodeExecution" }, r:posts())
    r = signed_in()
    r:answer({ method = "POST" }, 400, { error = { code = "ActiveRequestAlreadyExists", message = "There is one." } },
      { count = false })
    action, err = act(r)
    assert.is_nil(action)
    assert.equal("conflict", err.kind)
    assert.same({ "restrictCodeExecution" }, r:posts())
  end)
end)

describe("a time limit", function()
  it("counts signing in, reading and sending", function()
    local r = new { latency = 2 }
    local took, state, err = timed(r, function() return r.client:state("desk-1", { timeout = 5 }) end)
    assert.is_nil(state)
    assert.equal(5, took)
    assert.equal("unavailable", err.kind)
    took, state = timed(r, function() return r.client:state("desk-1", { timeout = 5 }) end)
    assert.equal("none", state)
    assert.equal(4, took)
  end)

  it("counts the attempts and the pauses between them", function()
    for _ = 1, 5 do
      local r = signed_in { latency = 0.3 }
      r:answer({ method = "GET" }, 500, "", { count = false })
      local took, machine = timed(r, read, r, 1)
      assert.is_nil(machine)
      assert.is_true(took <= 1)
    end
  end)

  it("may pass while the token is found to be rejected", function()
    local r = signed_in { latency = 2 }
    r.tenant.tokens = {}
    local send = r.driver.send
    r.driver.send = function(request)
      local response, message, maybe_sent = send(request)
      r.tenant:advance(1)
      return response, message, maybe_sent
    end
    local _, err = read(r, 2.5)
    assert.equal("unavailable", err.kind)
    assert.matches("HTTP 401", err.message)
    assert.matches("longer timeout", err.hint)
    assert.equal(1, #r:requests())
  end)

  it("leaves every attempt some time, however the clock goes on", function()
    for timeout = 1, 15 do
      local r, now = new(), 0
      local client = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = {
          now = function() now = now + 1 return now end,
          sleep = function(seconds) now = now + seconds end,
          send = function(request)
            assert.is_true(request.timeout > 0)
            return r.driver.send(request)
          end,
        } })
      local machine, err = client:machine(ID, { timeout = timeout })
      assert.is_true(machine ~= nil or err.kind == "unavailable")
    end
  end)

  it("may be the client's, which a call's own replaces", function()
    local r = new { client = { timeout = 3 } }
    assert(r.client:machine(ID))
    r:fault { fault = "stall", count = false }
    assert.equal(3, (timed(r, read, r)))
    assert.equal(4, (timed(r, read, r, 4)))
  end)

  it("of an attempt ends before the call's and before the token's", function()
    local r = new { lifetime = 100 }
    local send, requests = r.driver.send, {}
    r.driver.send = function(request)
      requests[#requests + 1] = { at = r.driver.now(), url = request.url, timeout = request.timeout }
      return send(request)
    end
    assert(r.client:machine "desk-1.corp.example")
    r.tenant:advance(60)
    assert(r.client:machine "desk-1.corp.example")
    assert(r.client:machine("desk-1.corp.example", { timeout = 12 }))
    local born, pages = requests[1].at, {}
    for _, request in ipairs(requests) do
      if request.url:find("/api/machines", 1, true) then
        pages[#pages + 1] = request.timeout
        assert.is_true(request.at + request.timeout <= born + 100)
      end
    end
    assert.same({ 100, 40, 12 }, pages)
  end)
end)

describe("a redirect", function()
  it("is never followed", function()
    local r = signed_in()
    r:fault { fault = "redirect", location = "https://evil.example/\27[2J?client_secret=abcdefgh", count = false }
    for _, call in ipairs { read, act } do
      local value, err = call(r)
      assert.is_nil(value)
      assert.equal("protocol", err.kind)
      assert.equal(302, err.http_status)
      assert.matches("evil.example", err.message, 1, true)
      assert.is_nil(err.message:find("abcdefgh", 1, true))
      assert.matches("MDE_BASE_URL", err.hint)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end
    assert.equal(2, #r:requests())
    assert.equal(0, r:count "action_created")
  end)

  it("may lead nowhere", function()
    local r = signed_in()
    r:answer({ method = "GET" }, 304, "", { count = false })
    local _, err = read(r)
    assert.equal("protocol", err.kind)
    assert.matches("HTTP 304%), which is not followed", err.message)
  end)
end)

describe("what the service says", function()
  it("is shown in one line, escaped and cut, wherever it stands", function()
    local r = signed_in()
    local nasty = "\27[31mred\r\n\226\128\174" .. ("x"):rep(5000)
    r:answer({ method = "GET" }, 400, { error = { code = nasty, message = nasty, target = nasty } })
    local _, err = read(r)
    for _, name in ipairs { "code", "request_id" } do
      assert.is_true(rehearsal.is_one_line(err[name]))
      assert.is_true(#err[name] < 400)
    end
    assert.is_true(rehearsal.is_one_line(tostring(err)))
    assert.is_true(#tostring(err) < 1000)
  end)

  it("may be of any type", function()
    for _, body in ipairs { '{"error":"text"}', '{"error":{"code":429,"message":{},"target":[]}}', "[]", "{}",
        '"x"' } do
      local r = signed_in()
      r:answer({ method = "GET" }, 400, body)
      local _, err = read(r)
      assert.is_string(tostring(err))
      assert.equal(400, err.http_status)
    end
  end)
end)

describe("a driver that has only `send`", function()
  local function client_of(r, send)
    return assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
      credential = r.tenant.client_secret, driver = { send = send },
      protect = rehearsal.unguarded.protect, cap = false })
  end

  -- A client whose API requests are answered by `answer`, and how many there were.
  local function with(answer)
    local r, count = new(), { 0 }
    return client_of(r, function(request)
      if request.url:find("/oauth2/", 1, true) then return r.driver.send(request) end
      count[1] = count[1] + 1
      local response, message, maybe_sent = answer(count[1], request)
      if response == "the tenant" then return r.driver.send(request) end
      return response, message, maybe_sent
    end), count, r
  end

  it("does everything, one after the other", function()
    local r = new()
    local client = client_of(r, r.driver.send)
    local action = assert(client:restrict("desk-1", "a test"))
    assert.equal("accepted", action.outcome)
    local results = client:each({ ID, OTHER }, function(id) return client:machine(id) end, { parallel = 2 })
    assert.equal(0, results.failed)
    assert.equal(OTHER, results[2].value.id)
    assert.equal(1, r:count "token_issued")
  end)

  it("that does not say whether something was sent may have sent it", function()
    for _, message in ipairs { "it broke", false } do
      local client, count = with(function() return nil, message or nil end)
      local action, err = client:restrict(ID, "a test", { look = false, timeout = 1.5 })
      assert.is_nil(action)
      assert.equal("unknown", err.kind)
      assert.matches(message or "the driver gave no reason", err.message, 1, true)
      assert.equal(1, count[1])
    end
  end)

  it("that is certain that nothing was sent is asked again", function()
    local client, count = with(function(n)
      if n == 1 then return nil, "no route", false end
      return "the tenant"
    end)
    local action = assert(client:restrict(ID, "a test", { look = false }))
    assert.equal("accepted", action.outcome)
    assert.equal(2, count[1])
  end)

  it("that answers nonsense may have sent it", function()
    for _, answer in ipairs { {}, { status = 200 }, { status = "200", headers = {}, body = "" }, "text", true,
        { status = 200, headers = {} }, { status = 201.5, headers = {}, body = "" } } do
      local client = with(function() return answer end)
      local action, err = client:restrict(ID, "a test", { look = false, timeout = 1.5 })
      assert.is_nil(action)
      assert.equal("unknown", err.kind)
      assert.matches("the driver gave an answer without", err.message, 1, true)
    end
  end)

  it("may give values of headers that are no strings", function()
    local client = with(function(_, request)
      local status = request.method == "GET" and 302 or 500
      return { status = status, body = "", headers = { date = {}, ["retry-after"] = {}, location = { "x" },
        ["set-cookie"] = { "a", "b" }, ["request-id"] = true } }
    end)
    local _, err = client:machine(ID)
    assert.equal("protocol", err.kind)
    _, err = client:restrict(ID, "a test", { look = false, timeout = 1.5 })
    assert.equal("unknown", err.kind)
  end)

  it("gets a request as the contract has it", function()
    local client, _, r = with(function(_, request)
      assert.equal("string", type(request.url))
      assert.matches("^mde/%d", request.headers["User-Agent"])
      assert.equal("application/json", request.headers["Accept"])
      assert.is_true(request.timeout > 0 and request.timeout <= 30)
      assert.is_true(request.max_bytes > 0)
      if request.method == "POST" then
        assert.matches("^application/json; charset=utf%-8$", request.headers["Content-Type"])
        assert.equal(256 * 1024, request.max_bytes)
        assert.equal(5, request.max_idle)
        assert.is_string(request.body)
      else
        assert.is_nil(request.body)
        assert.is_nil(request.headers["Content-Type"])
        assert.equal(50, request.max_idle)
      end
      return "the tenant"
    end)
    assert(client:restrict(ID, "a test"))
    assert.equal(1, r:count "action_created")
  end)
end)

describe("a sleep that a signal cuts short", function()
  it("goes on, so that no wait is shortened", function()
    local r = new()
    local original, slept, now = posix.clock, {}, 1000
    posix.clock = setmetatable({
      now = function() return now end,
      sleep = function(seconds)
        slept[#slept + 1] = seconds
        now = now + math.min(seconds, 4)
      end,
    }, { __index = original })
    local ok, problem = pcall(function()
      local client = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = { send = r.driver.send } })
      r:answer({ method = "GET", path = "/api/" }, 503, "", { headers = { ["Retry-After"] = "10" } })
      assert(client:machine(ID))
    end)
    posix.clock = original
    assert(ok, problem)
    assert.is_true(now >= 1010)
    assert.is_true(#slept >= 3)
  end)
end)
