-- A request that is told to come back later: how long it waits, and who waits with it.
--
-- A read is `machine(ID)`, an action `restrict(ID, ..., { look = false })`: one request each, with a token
-- that is there already. In an each it is `machine { id = ID }`, which reads that record by itself.
-- Labels: sanitized
local rehearsal = require "tests.spec.support.rehearsal"
local time = require "mde.sim.base.time"

local posix = require "mde.posix"

local ID = ("a1"):rep(20)
local OTHER = ("b2"):rep(20)

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

local function times_of_requests(r)
  local began, list = nil, {}
  for _, entry in ipairs(r.tenant.history) do
    if entry.event == "request" then
      began = began or entry.at
      list[#list + 1] = entry.at - began
    end
  end
  return list
end

describe("429", function()
  -- Headers of the answer, its text, and the least and most seconds that are waited.
  local forms = {
    { "seconds", function() return { ["Retry-After"] = "7" } end, nil, 7, 7.7 },
    { "a date", function(now)
      return { ["Retry-After"] = time.http(now + 9), ["Date"] = time.http(now) }
    end, nil, 9, 9.9 },
    { "a date by a clock that is a day ahead", function(now)
      return { ["Retry-After"] = time.http(now + 86409), ["Date"] = time.http(now + 86400) }
    end, nil, 9, 9.9 },
    { "milliseconds", function() return { ["retry-after-ms"] = "1500" } end, nil, 1.5, 1.65 },
    { "milliseconds by another name", function() return { ["x-ms-retry-after-ms"] = "2500" } end, nil, 2.5, 2.75 },
    { "garbage", function() return { ["Retry-After"] = "soon" } end, nil, 60, 66 },
    { "a negative number", function() return { ["Retry-After"] = "-5" } end, nil, 60, 66 },
    { "words in the text", function() return {} end,
      "API calls quota exceeded! Maximum allowed 30 per 00:01:00. You can send requests again in 8 seconds.", 8, 8.8 },
    { "nothing", function() return {} end, "Slow down.", 0, 0.8 },
    { "an absurd number in the text", function() return {} end,
      "You can send requests again in 99999999999999999999 seconds.", 0, 0.8 },
  }
  for _, form in ipairs(forms) do
    it("is waited out: " .. form[1], function()
      local r = signed_in()
      local body = form[3] and { error = { code = "429", message = form[3], target = "x" } } or ""
      r:answer({ method = "POST" }, 429, body, { headers = form[2](r.tenant.clock.now()) })
      local took, action, err = timed(r, act, r)
      assert.is_nil(err)
      assert.equal("accepted", action.outcome)
      assert.is_true(took >= form[4] and took <= form[5], ("it took %g seconds"):format(took))
      assert.equal(2, #r:posts())
    end)
  end

  for _, off in ipairs { -3600, 3600 } do
    it(("is waited out by a date of the service's where this machine is %d s off and no Date comes along"):format(off),
      function()
        local r = new()
        local real = posix.clock.time
        posix.clock.time = function() return r.tenant.clock.now() + off end
        finally(function() posix.clock.time = real end)
        assert(read(r))
        r:answer({ method = "GET" }, 429, "")
        local send = r.driver.send
        function r.driver.send(request)
          local response, message, maybe_sent, code = send(request)
          if response and response.status == 429 then
            response.headers = { ["retry-after"] = time.http(r.tenant.clock.now() + 20) }
          end
          return response, message, maybe_sent, code
        end
        local took, machine, err = timed(r, read, r)
        assert.is_nil(err)
        assert.equal(ID, machine.id)
        assert.is_true(took >= 19 and took <= 23.1, ("it took %g seconds"):format(took))
      end)
  end

  it("pauses everybody who calls that API, and nobody else", function()
    local r = signed_in { latency = 0.1 }
    local action = assert(act(r))
    r.tenant.history = {}
    r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = "20" } })
    local done = {}
    r.client:each({ 1, 2, 3, 4 }, function(i)
      if i > 1 then r.driver.sleep(1) end
      local value, err
      if i == 4 then
        value, err = r.client:action(action.id)
      else
        value, err = r.client:machine { id = i == 2 and OTHER or ID }
      end
      done[i] = r.driver.now()
      return value, err
    end, { parallel = 4 })
    local times = times_of_requests(r)
    assert.equal(5, #times)
    assert.is_true(times[2] < 2, "another API is not paused")
    for i = 3, 5 do assert.is_true(times[i] >= 20, "a paused one is not called") end
    assert.is_true(done[4] < done[1])
  end)

  it("pauses also those who were getting a token meanwhile", function()
    local r = signed_in { latency = 10 }
    r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = "60" } })
    local results = r.client:each({ 0, 1 }, function(seconds)
      r.driver.sleep(seconds)
      if seconds > 0 then assert(r.client.exchange.token_source.tokens:rejected(1)) end
      return r.client:machine { id = ID }
    end, { parallel = 2 })
    assert.equal(0, results.failed)
    local times = times_of_requests(r)
    assert.equal(4, #times)
    for i = 3, 4 do assert.is_true(times[i] >= 60) end
  end)

  it("that does not fit is told at once, and nobody sleeps in vain", function()
    local r = signed_in()
    r:answer({ method = "GET" }, 429, "", { headers = { ["Retry-After"] = "90" } })
    local took, machine, err = timed(r, read, r, 30)
    assert.is_nil(machine)
    assert.equal("throttled", err.kind)
    assert.equal(0, took)
    assert.is_true(err.retry_at >= os.time() + 88 and err.retry_at <= os.time() + 100)
    assert.equal(429, err.http_status)
    assert.matches("9%d seconds", err.message)

    r.tenant:advance(10)
    took, machine, err = timed(r, read, r, 30)
    assert.is_nil(machine)
    assert.equal("throttled", err.kind)
    assert.equal(0, took)
    assert.is_true(err.retry_at >= os.time() + 78 and err.retry_at <= os.time() + 90)
    assert.equal(1, #r:requests())

    took, machine = timed(r, read, r, 120)
    assert.truthy(machine)
    assert.is_true(took >= 80 and took <= 89)
  end)

  it("four times ends it with a time to come back", function()
    local r = signed_in()
    r:answer({ method = "POST" }, 429, "", { count = false })
    local action, err = act(r)
    assert.is_nil(action)
    assert.equal("throttled", err.kind)
    assert.is_true(err.retry_at > os.time() + 30)
    assert.equal(4, #r:posts())
    assert.equal(0, r:count "action_created")
  end)

  it("never shortens the wait that another answer has asked for", function()
    local r = signed_in { latency = 1 }
    r:answer({ method = "GET" }, 429, "", { headers = { ["Retry-After"] = "50" } })
    r:answer({ method = "GET" }, 429, "", { headers = { ["Retry-After"] = "2" } })
    local results = r.client:each({ ID, OTHER }, function(id)
      return r.client:machine { id = id }
    end, { parallel = 2 })
    assert.equal(0, results.failed)
    local times = times_of_requests(r)
    assert.equal(4, #times)
    assert.is_true(times[3] >= 50)
  end)
end)

describe("Retry-After", function()
  for what, value in pairs { ["of twenty nines"] = ("9"):rep(20), ["of a day"] = "86400",
    ["of the year 9999"] = "Fri, 31 Dec 9999 23:59:59 GMT" } do
    it(what .. " stops an API for an hour at most, and says so", function()
      local warnings = {}
      local r = new { client = { on_event = function(event)
        if event.event == "warning" then warnings[#warnings + 1] = event end
      end } }
      r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = value } })
      local began = posix.clock.time()
      local found, err = r.client:machine(ID)
      assert.is_nil(found)
      assert.equal("throttled", err.kind)
      assert.is_true(err.retry_at >= began + 3599 and err.retry_at <= posix.clock.time() + 3600)
      assert.matches("of which an hour at most is believed", err.message, 1, true)
      assert.equal("retry_after_too_long", warnings[1].code)
      assert.equal("throttled", select(2, r.client:machine(ID)).kind)
      r.driver.sleep(3601)
      assert(r.client:machine(ID))
    end)
  end

  it("that cannot be meant is corrected by the next answer", function()
    for _, next_answer in ipairs { "8", false } do
      local r = new { latency = 1 }
      r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = ("9"):rep(20) } })
      if next_answer then
        r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = next_answer } })
      end
      local results = r.client:each({ ID, OTHER }, function(id)
        return r.client:machine({ id = id })
      end, { parallel = 2 })
      assert.equal(1, results.failed)
      local began = r.driver.now()
      assert(r.client:machine(ID))
      assert.is_true(r.driver.now() - began < 10)
    end
  end)

  for _, status in ipairs { 200, 400, 403, 404, 409 } do
    it("that cannot be meant is over once the service answers " .. status, function()
      local r = new { latency = 1 }
      r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = ("9"):rep(20) } })
      if status > 200 then
        r:answer({ method = "GET", path = "/machines/" }, status, { error = { code = "Other", message = "no" } })
      end
      r.client:each({ ID, OTHER }, function(id)
        return r.client:machine({ id = id }, { timeout = 10 })
      end, { parallel = 2 })
      local began = r.driver.now()
      assert(r.client:machine(ID))
      assert.is_true(r.driver.now() - began < 10)
    end)
  end

  it("that cannot be meant stays where the next answer is none", function()
    for _, status in ipairs { 500, 503 } do
      local r = new { latency = 1 }
      r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = ("9"):rep(20) } })
      r:answer({ method = "GET", path = "/machines/" }, status, "")
      r.client:each({ ID, OTHER }, function(id)
        return r.client:machine({ id = id }, { timeout = 10 })
      end, { parallel = 2 })
      assert.equal("throttled", select(2, r.client:machine(ID)).kind)
    end
  end)

  it("that cannot be meant does not outlive an hour in a store", function()
    local store = require("tests.spec.support.dict")
    local r = new { client = { limits = { per_minute = 100 } } }
    local shared = store(r.driver.now)
    local function client()
      return assert(require("mde.client").new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = r.driver, store = shared })
    end
    r:answer({ method = "GET", path = "/machines/" }, 429, "", { headers = { ["Retry-After"] = ("9"):rep(20) } })
    assert.equal("throttled", select(2, client():machine(ID)).kind)
    local _, err = client():machine(ID)
    assert.equal("throttled", err.kind)
    assert.is_true(err.retry_at <= posix.clock.time() + 3600)
    r.driver.sleep(3601)
    assert(client():machine(ID))
  end)

  for what, value in pairs { ["of zero"] = "0", ["in the past"] = "Thu, 01 Jan 2015 00:00:00 GMT" } do
    it(what .. " is no reason to hurry", function()
            local entropy = posix.entropy.bytes
      -- Of the time to wait, half.
      posix.entropy.bytes = function(count) return count == 3 and "\128\0\0" or entropy(count) end
      local r = new()
      r:answer({ method = "GET", path = "/machines/" }, 503, "", { headers = { ["Retry-After"] = value }, count = 3 })
      local began = r.driver.now()
      local found = r.client:machine(ID)
      posix.entropy.bytes = entropy
      assert(found)
      -- 0.4, 0.8 and 1.6 seconds.
      assert.equal(2.8, math.floor((r.driver.now() - began) * 10 + 0.5) / 10)
    end)
  end
end)
