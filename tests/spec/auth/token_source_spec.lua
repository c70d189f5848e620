-- Tokens as callers meet them: one request for any number of waiters, also when it fails, also when the one who
-- asked dies; a token in use goes on working while the sign-in service is down. One file, since all of it is one
-- set-up: made-up callers and a made-up outage.
-- Labels: sanitized, not-lua5.3
local contexts = require "mde.sync.context"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local clients = require "mde.client"

local ID = ("a1"):rep(20)
local TOKEN_PATH = "/oauth2/v2.0/token"

local function new(options)
  options = options or {}
  options.machines = options.machines or { { id = ID, computerDnsName = "desk-1.corp.example" } }
  if options.limits == nil then options.limits = false end
  options.unguarded = true
  return rehearsal.new(options)
end

local function is_token_request(request)
  return request.url:find(TOKEN_PATH, 1, true) ~= nil
end

-- Puts `answer(n, request, send)` in the place of the sign-in service; returns a table whose [1] counts.
local function replace_sign_in(r, answer)
  local send, count = r.driver.send, { 0 }
  r.driver.send = function(request)
    if not is_token_request(request) then return send(request) end
    count[1] = count[1] + 1
    return answer(count[1], request, send)
  end
  return count
end

-- The sign-in service's own answer with another life.
local function with_life(text)
  return function(_, request, send)
    local response = assert(send(request))
    response.body = response.body:gsub('"expires_in":%d+,?', text)
    return response
  end
end

-- Each with a request of its own: a machine that is given is read again.
local function many(r, count, timeout)
  local items = {}
  for i = 1, count do items[i] = i end
  return r.client:each(items, function()
    return r.client:machine({ id = ID }, timeout and { timeout = timeout } or nil)
  end, { parallel = count })
end

local function read(r, timeout)
  return r.client:machine(ID, timeout and { timeout = timeout } or nil)
end

local function timed(r, fn, ...)
  local began = r.driver.now()
  local value, err = fn(...)
  return r.driver.now() - began, value, err
end

local function token_requests(r)
  local count = 0
  for _, entry in ipairs(r.tenant.history) do
    if entry.event == "request" and entry.path:find(TOKEN_PATH, 1, true) then count = count + 1 end
  end
  return count
end

-- A client whose driver has `send`, `now` and `sleep` alone.
local function sequential(options)
  options = options or {}
  options.sequential = true
  return new(options)
end

describe("100 callers at once without a token", function()
  it("make one token request", function()
    local r = new { latency = 0.2 }
    local results = many(r, 100)
    assert.equal(0, results.failed)
    for _, result in ipairs(results) do assert.equal(ID, result.value.id) end
    assert.equal(1, token_requests(r))
  end)

  it("make one with a wrong secret, and get errors that are equal", function()
    local r = new { latency = 0.2, client = { credential = "a secret that is wrong" } }
    local results = many(r, 100)
    assert.equal(100, results.failed)
    local first = results[1].err
    assert.equal("auth", first.kind)
    assert.equal("AADSTS7000215", first.code)
    assert.equal(401, first.http_status)
    assert.matches('the option "credential"', first.hint)
    for i, result in ipairs(results) do
      for _, name in ipairs { "kind", "code", "message", "hint", "http_status", "request_id" } do
        assert.equal(first[name], result.err[name])
      end
      assert.is_true(errors.is(result.err))
      if i > 1 then assert.is_false(rawequal(first, result.err)) end
    end
    assert.equal(1, token_requests(r))
    assert.equal(1, #r.tenant.history - r:count "token_refused")
  end)

  it("make one while the sign-in service is down, beside its attempts", function()
    local r = new { latency = 0.2 }
    r:fault { match = { path = TOKEN_PATH }, fault = "answer", status = 503, count = false }
    local results = many(r, 100)
    assert.equal(100, results.failed)
    for _, result in ipairs(results) do
      assert.equal("unavailable", result.err.kind)
      assert.equal(results[1].err.message, result.err.message)
      assert.matches("login.microsoftonline.com failed (HTTP 503) (4 attempts)", result.err.message, 1, true)
    end
    assert.equal(4, token_requests(r))
  end)

  it("wait for nobody who comes later than their time", function()
    local r = new { latency = 0.2 }
    r:fault { match = { path = TOKEN_PATH }, fault = "slow", interval = 0.01 }
    local results = r.client:each({ 1, 20, 2, 60, 3 }, function(seconds)
      local took, value, err = timed(r, read, r, seconds)
      return { took = took, value = value, err = err }
    end, { parallel = 5 })
    for i, seconds in ipairs { 1, 20, 2, 60, 3 } do
      local result = results[i].value
      if seconds < 5 then
        assert.equal(seconds, result.took)
        assert.equal("unavailable", result.err.kind)
        assert.matches("the time was up before login.microsoftonline.com gave a token", result.err.message, 1, true)
      else
        assert.equal(ID, result.value.id)
      end
    end
    assert.equal(1, token_requests(r))
  end)
end)

describe("a token that is handed out", function()
  local source, context

  local function token() return assert(source:token(context)) end

  before_each(function()
    local r = new()
    source, context = r.client.exchange.token_source, contexts.new(r.driver.now)
    token() -- is fetched
  end)

  it("is the same one for all", function()
    local one = token()
    assert.equal("Bearer " .. one.value, one.header)
    assert.is_true(one.expires > 0)
    assert.is_true(rawequal(one, token()))
  end)

  it("is another one when the service takes it no more", function()
    local one = token()
    source:invalidate(one, { headers = {} })
    token() -- is fetched
    local other = token()
    assert.equal(one.generation + 1, other.generation)
    assert.equal("Bearer " .. other.value, other.header)
  end)

  it("stays in Lua's memory no longer than somebody has it", function()
    local held = setmetatable({}, { __mode = "v" })
    local function hold() held.token = token() end
    hold()
    for _ = 1, 3 do collectgarbage() end
    assert.is_nil(held.token)
    assert.is_string(token().value)
  end)
end)

describe("when the one who fetches dies", function()
  it("by an error in the driver, the next takes over", function()
    local r = new { latency = 0.2 }
    local count = replace_sign_in(r, function(n, request, send)
      if n == 1 then error "the driver is broken" end
      return send(request)
    end)
    local results = many(r, 20)
    assert.equal(1, results.failed)
    assert.matches("the driver is broken", tostring(results[1].err))
    assert.equal(2, count[1])
    assert.equal(1, r:count "token_issued")
  end)

  it("by an error in the credential, the next takes over", function()
    local r = new()
    local asked = 0
    local client = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
      driver = r.driver, credential = {
        kind = "of a test",
        ask = function(_, request)
          asked = asked + 1
          if asked == 1 then error "no credential today" end
          return request:post { client_secret = r.tenant.client_secret }
        end,
        secrets = function() return { r.tenant.client_secret } end,
      } })
    assert.is_false(pcall(client.machine, client, ID))
    local took, machine = timed(r, client.machine, client, ID)
    assert.equal(ID, machine.id)
    assert.equal(0, took)
  end)

  it("by never being heard of again, the next takes over when its lease has ended", function()
    local r = new { latency = 0.2 }
    local count = replace_sign_in(r, function(n, request, send)
      if n == 1 then r.driver.gate():wait() end
      return send(request)
    end)
    local took, results = timed(r, many, r, 20)
    assert.equal(0, results.failed)
    assert.equal(2, count[1])
    assert.equal(1, token_requests(r))
    assert.is_true(took >= 35 and took < 37)
  end)

  it("with its coroutine, which a host has dropped, the next takes over when its lease has ended", function()
    local r = sequential()
    local count = replace_sign_in(r, function(n, request, send)
      if n == 1 then coroutine.yield "sending" end
      return send(request)
    end)
    local host = coroutine.create(function() return read(r) end)
    local _, where = coroutine.resume(host)
    assert.equal("sending", where)
    local took, machine = timed(r, read, r)
    assert.equal(ID, machine.id)
    assert.equal(2, count[1])
    assert.is_true(took >= 35 and took < 36)
  end)

  it("by Ctrl-C in a blocking driver, the next takes over at once", function()
    local r = sequential()
    replace_sign_in(r, function(n, request, send)
      if n == 1 then error("interrupted!", 0) end
      return send(request)
    end)
    local ok, problem = pcall(read, r)
    assert.is_false(ok)
    assert.equal("interrupted!", problem)
    local took, machine = timed(r, read, r)
    assert.equal(ID, machine.id)
    assert.equal(0, took)
  end)

  it("by its own short time, that is no failure of the sign-in service", function()
    local r = sequential()
    r:fault { match = { path = TOKEN_PATH }, fault = "stall" }
    local took, machine, err = timed(r, read, r, 2)
    assert.is_nil(machine)
    assert.equal("unavailable", err.kind)
    assert.equal(2, took)
    took, machine = timed(r, read, r, 2)
    assert.equal(ID, machine and machine.id)
    assert.equal(0, took)
  end)

  it("before it could begin, nobody waits for it", function()
    local r = new()
    local spawn, broken = r.driver.spawn, true
    r.driver.spawn = function(fn)
      if broken then error "not enough memory" end
      return spawn(fn)
    end
    assert.is_false(pcall(read, r))
    broken = false
    local took, machine = timed(r, read, r)
    assert.equal(ID, machine.id)
    assert.equal(0, took)
  end)

  it("a caller whose time is up does not take its place", function()
    local r = new()
    local token, err = r.client.exchange:token(contexts.new(r.driver.now):within(0))
    assert.is_nil(token)
    assert.equal("unavailable", err.kind)
    assert.equal(0, (timed(r, read, r)))
  end)
end)

describe("coroutines of a host that a driver knows nothing of", function()
  it("share one token request, too", function()
    local r = sequential()
    replace_sign_in(r, function(_, request, send)
      coroutine.yield()
      return send(request)
    end)
    r.driver.sleep = function(seconds)
      coroutine.yield()
      r.tenant:advance(seconds)
    end
    local began, got, hosts = r.driver.now(), 0, {}
    r.client = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
      credential = r.tenant.client_secret, driver = r.driver })
    for i = 1, 5 do
      hosts[i] = coroutine.create(function()
        if read(r) then got = got + 1 end
      end)
    end
    for _ = 1, 10 do
      for _, host in ipairs(hosts) do
        if coroutine.status(host) ~= "dead" then assert(coroutine.resume(host)) end
      end
    end
    assert.equal(5, got)
    assert.equal(1, token_requests(r))
    assert.is_true(r.driver.now() - began < 2)
  end)
end)

describe("a failure of the sign-in service", function()
  it("is remembered for a minute if it was a definite no", function()
    local r = new { client = { credential = "a secret that is wrong" } }
    local _, first = read(r)
    assert.is_nil(first.age)
    r.tenant:advance(20)
    local _, second = read(r)
    assert.equal(20, second.age)
    assert.equal(first.message, second.message)
    assert.equal(1, token_requests(r))
    r.tenant:advance(41)
    read(r)
    assert.equal(2, token_requests(r))
  end)

  it("is remembered for a minute, too, once all attempts were in vain", function()
    local r = new()
    r:fault { match = { path = TOKEN_PATH }, fault = "answer", status = 500, count = 4 }
    local _, first = read(r)
    assert.equal("unavailable", first.kind)
    r.tenant:advance(59)
    local _, second = read(r)
    assert.equal("unavailable", second.kind)
    assert.equal(59, second.age)
    assert.equal(first.message, second.message)
    assert.equal(4, token_requests(r))
    r.tenant:advance(1.5)
    assert.truthy(read(r))
    assert.equal(5, token_requests(r))
  end)

  it("is remembered for a minute if it is the proxy that refuses its password", function()
    local r = new()
    local count = replace_sign_in(r, function(n, request, send)
      if n > 1 then return send(request) end
      return nil, "the proxy refused it", false, "proxy_auth"
    end)
    assert.equal("proxy_auth", select(2, read(r)).code)
    r.tenant:advance(59)
    local _, err = read(r)
    assert.same({ "proxy_auth", 59 }, { err.code, err.age })
    assert.matches("user and password in https_proxy", err.hint, 1, true)
    assert.equal(1, count[1])
    r.tenant:advance(1)
    assert.truthy(read(r))
  end)

  it("stands in a store for as long as the cache hands it out", function()
    for life, usable in pairs { [3600] = 3570, [20] = 10 } do
      local r = new()
      replace_sign_in(r, with_life(('"expires_in":%d,'):format(life)))
      local dict, stands = require("tests.spec.support.dict")(r.driver.now), nil
      local set = dict.safe_set
      function dict.safe_set(self, key, value, seconds)
        if key:find("token and age", 1, true) then stands = seconds end
        return set(self, key, value, seconds)
      end
      local client = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        driver = r.driver, credential = r.tenant.client_secret, store = dict, limits = false, cap = false })
      assert(client:machine(ID))
      assert.is_true(stands <= usable and stands > usable - 5, tostring(stands))
    end
  end)

  it("is told to those who share a store, but not to one who has another proxy or the right password for it", function()
    local r = new()
    local asked, dict = 0, require("tests.spec.support.dict")(r.driver.now)
    -- A process of its own, as far as a token is concerned, behind a proxy that takes one password alone.
    local function process(password)
      local driver = setmetatable({
        proxy = { shown = "http://p", source = "proxy", everywhere = true, traits = function() return password end },
        send = function(request)
          asked = asked + 1
          if password ~= "right" then return nil, "the proxy refused it", false, "proxy_auth" end
          return r.driver.send(request)
        end,
      }, { __index = r.driver })
      return assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id, driver = driver,
        credential = r.tenant.client_secret, store = dict, limits = false, cap = false })
    end
    for _ = 1, 3 do assert.equal("proxy_auth", select(2, process("wrong"):machine(ID)).code) end
    assert.equal(1, asked)
    assert.truthy(process("right"):machine(ID))
  end)

  it("is remembered for five seconds if there was no time for all attempts", function()
    local r = new()
    r:fault { match = { path = TOKEN_PATH }, fault = "stall", count = 2 }
    assert.equal("unavailable", select(2, read(r)).kind)
    r.tenant:advance(4)
    local _, err = read(r)
    assert.equal("unavailable", err.kind)
    assert.equal(4, err.age)
    r.tenant:advance(1.5)
    assert.truthy(read(r))
    assert.equal(3, token_requests(r))
  end)

  -- Ten minutes of an outage with a token in use, and then without one.
  local outages = {
    { "503", { fault = "answer", status = 503 } },
    { "a page of a proxy", { fault = "answer", status = 502, body = "<" } },
    { "503 that asks for two minutes", { fault = "answer", status = 503, headers = { ["Retry-After"] = "120" } } },
    { "a refusal", { fault = "answer", status = 400, body = '{"error":"invalid_client"}' } },
    { "no answer", { fault = "gone" } }, { "a reset", { fault = "reset" } }, { "silence", { fault = "stall" } },
  }
  for _, case in ipairs(outages) do
    it("of ten minutes is not noticed while there is a token: " .. case[1], function()
      local r = new { latency = 0.1 }
      assert(read(r))
      r.tenant:advance(3599 - 640)
      local rule = { match = { path = TOKEN_PATH }, count = false }
      for name, value in pairs(case[2]) do rule[name] = value end
      r:fault(rule)
      local before, ends = token_requests(r), r.driver.now() + 600
      local restricted = 0
      while r.driver.now() < ends do
        assert(r.client:restrict(ID, "an outage", { look = false }))
        assert(r.client:release(ID, "an outage", { look = false }))
        restricted = restricted + 1
        r.driver.sleep(10)
      end
      assert.is_true(restricted >= 25)
      local asked = token_requests(r) - before
      assert.is_true(asked >= 1 and asked <= 20, ("%d requests"):format(asked))
    end)

    it("without a token is told to everybody at once, and not asked about for a minute: " .. case[1], function()
      local r = new { latency = 0.1 }
      local rule = { match = { path = TOKEN_PATH }, count = false }
      for name, value in pairs(case[2]) do rule[name] = value end
      r:fault(rule)
      local results = many(r, 100)
      assert.equal(100, results.failed)
      for _, result in ipairs(results) do
        assert.equal(results[1].err.kind, result.err.kind)
        assert.equal(results[1].err.message, result.err.message)
      end
      local asked = token_requests(r)
      assert.is_true(asked <= 4)
      if case[1] ~= "silence" then
        r.tenant:advance(59 - 0.1)
        local _, err = read(r)
        assert.equal(results[1].err.message, err.message)
        assert.is_true(err.age > 58 and err.age <= 60)
        assert.equal(asked, token_requests(r))
      end
    end)
  end

  it("is remembered for as long as it asks", function()
    local r = new()
    r:fault { match = { path = TOKEN_PATH }, fault = "answer", status = 429, headers = { ["Retry-After"] = "100" } }
    local took, machine, err = timed(r, read, r)
    assert.is_nil(machine)
    assert.equal("throttled", err.kind)
    assert.equal(0, took)
    assert.is_true(err.retry_at >= os.time() + 98 and err.retry_at <= os.time() + 111)
    assert.matches("login.microsoftonline.com asks to wait for 1%d%d seconds", err.message)
    r.tenant:advance(98)
    machine, err = read(r)
    assert.is_nil(machine)
    assert.equal("throttled", err.kind)
    assert.equal(1, token_requests(r))
    r.tenant:advance(2)
    assert.truthy(read(r))
  end)

  it("is nobody's to change for another", function()
    local r = new { client = { credential = "a secret that is wrong" } }
    local _, first = read(r)
    local message = first.message
    first.message, first.hint = "changed", nil
    local _, second = read(r)
    assert.equal(message, second.message)
    assert.truthy(second.hint)
  end)

  it("passes: it is asked again within the call", function()
    local faults = {
      { fault = "answer", status = 500 }, { fault = "answer", status = 429, headers = { ["Retry-After"] = "3" } },
      { fault = "reset" }, { fault = "cut", at = "half" }, { fault = "stall" },
      { fault = "answer", status = 200, body = "<html></html>" }, { fault = "answer", status = 408 },
    }
    for _, fault in ipairs(faults) do
      local r = new()
      fault.match = { path = TOKEN_PATH }
      r:fault(fault)
      local took, machine = timed(r, read, r)
      assert.equal(ID, machine and machine.id, fault.fault)
      assert.equal(2, token_requests(r))
      assert.is_true(took < 16)
    end
  end)

  it("ends before its lease, whatever happens", function()
    local r = new()
    r:fault { match = { path = TOKEN_PATH }, fault = "stall", count = false }
    local took, machine, err = timed(r, read, r)
    assert.is_nil(machine)
    assert.equal("unavailable", err.kind)
    assert.matches("signing in at login.microsoftonline.com failed: timed out", err.message, 1, true)
    assert.is_true(took <= 30)
  end)
end)

describe("an aging token", function()
  -- Its life is an hour; in the last five minutes it is refreshed.
  local function aged(options)
    local r = new(options)
    assert(read(r))
    r.tenant:advance(3400)
    return r
  end

  it("is handed out at once, while one request gets the next", function()
    local r = aged { latency = 0.5 }
    local took, results = timed(r, many, r, 100)
    assert.equal(0, results.failed)
    assert.equal(0.5, took)
    r.driver.sleep(5)
    assert.equal(2, token_requests(r))
    r.tenant:advance(300)
    took = timed(r, read, r)
    assert.equal(0.5, took)
    assert.equal(2, token_requests(r))
  end)

  it("goes on working while the sign-in service is down, which is asked every 30 seconds", function()
    for _, fault in ipairs { { fault = "stall" }, { fault = "answer", status = 500 },
        { fault = "answer", status = 401 }, { fault = "reset" } } do
      local r = aged { latency = 0.5 }
      fault.match, fault.count = { path = TOKEN_PATH }, false
      r:fault(fault)
      for _ = 1, 4 do
        local took, machine = timed(r, read, r)
        assert.equal(ID, machine.id)
        assert.equal(0.5, took)
      end
      local before = token_requests(r)
      r.driver.sleep(29)
      read(r)
      assert.is_true(token_requests(r) <= before + 1)
    end
  end)

  it("whose refresh raises goes on working", function()
    local r = aged { latency = 0.5 }
    replace_sign_in(r, function() error "broken" end)
    assert.truthy(read(r))
    r.driver.sleep(1)
    assert.truthy(read(r))
  end)

  it("that ends during its refresh has the others wait for that very one", function()
    local r = new { latency = 0.5 }
    assert(read(r))
    r.tenant:advance(3560)
    r:fault { match = { path = TOKEN_PATH }, fault = "slow", interval = 0.01 }
    assert(read(r))
    r.driver.sleep(9)
    local took, machine = timed(r, read, r)
    assert.equal(ID, machine.id)
    assert.is_true(took < 15)
    assert.equal(2, token_requests(r))
  end)

  it("is refreshed by one caller where nothing runs in the background", function()
    local r = aged { sequential = true, latency = 0.5 }
    local took = timed(r, read, r)
    assert.equal(1, took)
    took = timed(r, read, r)
    assert.equal(0.5, took)
    assert.equal(2, token_requests(r))
  end)

  it("costs that caller little of its time if the sign-in service is down", function()
    for _, case in ipairs { { nil, 5 }, { 8, 2 }, { 100, 5 } } do
      local r = aged { sequential = true }
      r:fault { match = { path = TOKEN_PATH }, fault = "stall", count = false }
      local took, machine = timed(r, read, r, case[1])
      assert.equal(ID, machine and machine.id)
      assert.equal(case[2], took)
      took, machine = timed(r, read, r, case[1])
      assert.equal(ID, machine and machine.id)
      assert.equal(0, took)
    end
  end)
end)

describe("a token that the service rejects", function()
  it("is replaced, and the request sent once more, by as many callers as there are", function()
    local r = new { latency = 0.3 }
    assert(read(r))
    r.tenant.tokens = {}
    local results = many(r, 50)
    assert.equal(0, results.failed)
    assert.equal(2, token_requests(r))
    assert.equal(1 + 100, #r:requests())
  end)

  it("is replaced for an action, too, which then happens once", function()
    local r = new()
    assert(read(r))
    r.tenant.tokens = {}
    local action = assert(r.client:restrict(ID, "a test", { look = false }))
    assert.equal("accepted", action.outcome)
    assert.equal(2, action.attempts)
    assert.equal(1, r:count "action_created")
    assert.equal(2, token_requests(r))
  end)

  it("is replaced once; a second rejection is final", function()
    local r = new()
    r:answer({ method = "GET" }, 401, { error = { code = "Unauthorized", message = "No." } }, { count = false })
    local machine, err = read(r)
    assert.is_nil(machine)
    assert.equal("auth", err.kind)
    assert.equal(401, err.http_status)
    assert.matches("MDE_SCOPE", err.hint)
    assert.equal(2, #r:requests())
    assert.equal(2, token_requests(r))
  end)

  it("ends with the sign-in service's word if there is no other token", function()
    local r = new()
    assert(read(r))
    r.tenant.tokens = {}
    r.tenant:put_application { client_id = r.tenant.client_id, client_secret = "another made-up secret" }
    local action, err = r.client:restrict(ID, "a test", { look = false })
    assert.is_nil(action)
    assert.equal("auth", err.kind)
    assert.equal("AADSTS7000215", err.code)
    assert.equal(0, r:count "action_created")
  end)

  it("by a claims challenge is replaced by one with these claims, for all callers by one request", function()
    local r = new { latency = 0.2 }
    assert(read(r))
    r.tenant:advance(5)
    r.tenant:revoke()
    r.tenant:advance(1)
    local results = many(r, 20)
    assert.equal(0, results.failed)
    local issued = {}
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "token_issued" then issued[#issued + 1] = entry.challenged or false end
    end
    assert.same({ false, true }, issued)
    assert.equal(ID, r.client:restrict(ID, "why", { look = false }).machineId)
  end)

  it("with a challenge that makes no sense is replaced as any other", function()
    for _, challenge in ipairs { 'Bearer error="insufficient_claims", claims="%%%"', "Bearer error", 'Bearer realm="',
      'Bearer error="insufficient_claims"', 'Bearer error="insufficient_claims", claims="W10"', "", "\1" } do
      local r = new()
      assert(read(r))
      r:fault { match = { method = "GET" }, fault = "answer", status = 401, headers = { ["WWW-Authenticate"] =
        challenge:gsub("%c", "") } }
      assert.truthy(read(r))
      assert.equal(2, token_requests(r))
    end
  end)

  it("does not count as an attempt", function()
    local r = new()
    assert(read(r))
    r.tenant.tokens, r.tenant.history = {}, {}
    r:fault { match = { method = "GET", nth = 2 }, fault = "reset", count = 3 }
    assert.equal(ID, assert(read(r)).id)
    assert.equal(5, #r:requests())
  end)
end)

describe("the sign-in service refuses", function()
  local UNKNOWN = "99999999-0000-4000-8000-000000000000"
  local cases = {
    { "a wrong secret", { credential = "a secret that is wrong" }, "AADSTS7000215", 'the option "credential"' },
    { "an unknown application", { client_id = UNKNOWN },
      "AADSTS700016", 'check option "client_id" and option "tenant_id"' },
    { "a wrong tenant", { tenant_id = UNKNOWN }, "AADSTS90002", 'check option "tenant_id", and MDE_CLOUD' },
    { "a tenant that is none", { tenant_id = "nobody.example" },
      "AADSTS90002", 'check option "tenant_id", and MDE_CLOUD' },
    { "an unknown resource", { scope = "https://elsewhere.example/.default" }, "AADSTS500011", 'check option "scope"' },
    { "a malformed scope", { scope = "nonsense/.default" }, "AADSTS70011", 'option "scope" must be one resource' },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local r = new()
      local options = { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = r.driver }
      for name, value in pairs(case[2]) do options[name] = value end
      local client = assert(clients.new(options))
      local action, err = client:restrict(ID, "a test")
      assert.is_nil(action)
      assert.equal("auth", err.kind)
      assert.equal(case[3], err.code)
      assert.matches(case[4], err.hint)
      assert.matches(case[3], tostring(err))
      assert.is_string(err.request_id)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.is_nil(err.message:find("Trace ID", 1, true))
      assert.same({}, r:requests())
    end)
  end

  it("in numbers that make no sense", function()
    local bodies = {
      '{"error":"invalid_client","error_codes":[1.5]}', '{"error":"invalid_client","error_codes":[1e300]}',
      '{"error":"invalid_client","error_codes":[-1]}', '{"error":"invalid_client","error_codes":["7000215"]}',
      '{"error":"invalid_client","error_description":"AADSTS99999999999999999999999999999999999999: x"}',
    }
    for _, body in ipairs(bodies) do
      local r = new()
      r:answer({ path = TOKEN_PATH }, 401, body)
      local _, err = read(r)
      assert.equal("auth", err.kind)
      assert.equal("invalid_client", err.code)
      assert.matches("AZURE_", err.hint)
    end
  end)

  it("in a way that is not a sign-in service's", function()
    for _, body in ipairs { "<html>no</html>", "", "{}", "[]", "null", '{"error":{}}' } do
      local r = new()
      r:answer({ path = TOKEN_PATH }, 403, body)
      local _, err = read(r)
      assert.equal("protocol", err.kind)
      assert.equal(403, err.http_status)
      assert.matches("AZURE_AUTHORITY_HOST", err.hint)
      assert.matches("login.microsoftonline.com", err.message, 1, true)
    end
  end)

  it("with a redirect, which is not followed", function()
    local r = new()
    r:fault { match = { path = TOKEN_PATH }, fault = "redirect", location = "https://evil.example/", count = false }
    local _, err = read(r)
    assert.equal("protocol", err.kind)
    assert.equal(302, err.http_status)
    assert.matches("evil.example", err.message, 1, true)
    assert.matches("AZURE_AUTHORITY_HOST", err.hint)
    assert.equal(1, token_requests(r))
    assert.same({}, r:requests())
  end)
end)

describe("an answer of the sign-in service", function()
  local answers = {
    { "that is a page", "<html></html>", "not a JSON object" },
    { "that is empty", "", "not a JSON object" },
    { "that is cut off", '{"access_token":"abc', "not a JSON object" },
    { "that is a list", "[]", "no access_token" },
    { "that is null", "null", "not a JSON object" },
    { "without a token", '{"token_type":"Bearer","expires_in":3599}', "no access_token" },
    { "with an empty token", '{"token_type":"Bearer","access_token":""}', "no access_token" },
    { "with a number for a token", '{"token_type":"Bearer","access_token":7}', "no access_token" },
    { "with a line break in the token", '{"token_type":"Bearer","access_token":"a\\r\\nX: y"}', "characters" },
    { "with NUL in the token", '{"token_type":"Bearer","access_token":"a\\u0000b"}', "characters" },
    { "with a space in the token", '{"token_type":"Bearer","access_token":"a b"}', "characters" },
    { "with a token that is not ASCII", '{"token_type":"Bearer","access_token":"\195\164"}', "characters" },
    { "of another type", '{"token_type":"mac","access_token":"abc"}', "token_type" },
    { "of a type that is none", '{"token_type":7,"access_token":"abc"}', "token_type" },
  }
  for _, case in ipairs(answers) do
    it(case[1] .. " is told", function()
      local r = new()
      r:answer({ path = TOKEN_PATH }, 200, case[2], { count = false })
      local _, err = read(r)
      assert.equal("protocol", err.kind)
      assert.matches(case[3], err.message)
      assert.matches("AZURE_AUTHORITY_HOST", err.hint)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({}, r:requests())
    end)
  end

  it("may be no longer than 64 KB", function()
    local r = new()
    r:fault { match = { path = TOKEN_PATH }, fault = "huge", size = 70000, count = false }
    local _, err = read(r)
    assert.equal("unavailable", err.kind)
    assert.matches("longer than 65536 bytes", err.message)
  end)

  it("may name its type in any case, or not at all", function()
    for _, kind in ipairs { '"token_type":"bearer",', "" } do
      local r = new()
      replace_sign_in(r, function(_, request, send)
        local response = send(request)
        response.body = response.body:gsub('"token_type":"Bearer",', kind)
        return response
      end)
      assert.truthy(read(r))
    end
  end)

  it("may have its life as text", function()
    local r = new()
    local count = replace_sign_in(r, with_life '"expires_in":"1000",')
    assert(read(r))
    r.tenant:advance(600)
    assert(read(r))
    assert.equal(1, count[1])
    r.tenant:advance(380)
    assert(read(r))
    assert.equal(2, count[1])
  end)

  it("without a life is good for ten minutes", function()
    for _, life in ipairs { "", '"expires_in":"soon",', '"expires_in":null,', '"expires_in":{},' } do
      local r = new()
      local count = replace_sign_in(r, with_life(life))
      assert(read(r))
      r.tenant:advance(230)
      assert(read(r))
      assert.equal(1, count[1])
      r.tenant:advance(345)
      assert(read(r))
      assert.equal(2, count[1])
    end
  end)

  it("that took longer than the token lives is good for those who waited", function()
    local r = new { latency = 3 }
    local count = replace_sign_in(r, with_life '"expires_in":2,')
    local results = many(r, 30)
    assert.equal(0, results.failed)
    assert.equal(1, count[1])
  end)

  it("whose life is over is good for those who waited, and for nobody else", function()
    for _, life in ipairs { '"expires_in":0,', '"expires_in":-5,', '"expires_in":"0",' } do
      local r = new { latency = 0.2 }
      local count = replace_sign_in(r, with_life(life))
      local results = many(r, 30)
      assert.equal(0, results.failed)
      assert.equal(1, count[1])
      assert(read(r))
      assert.equal(2, count[1])
    end
  end)
end)
