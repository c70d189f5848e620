-- The service's limits as callers meet them: how long they wait, in which order, and that the service never has to say
-- 429. The clock is made up; the simulated tenant counts for itself.
-- Labels: not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"

local clients = require "mde.client"
local posix = require "mde.posix"
local contexts = require "mde.sync.context"
local dicts = require "tests.spec.support.dict"
local limiters = require "mde.request.limiter"
local shared_files = require "mde.sync.shared_file"
local stores = require "mde.sync.store"

local RESTRICT = { method = "POST", path = "restrictCodeExecution" }

local function id(number)
  return ("%040x"):format(number)
end

local function ids(count)
  local list = {}
  for i = 1, count do list[i] = id(i) end
  return list
end

local function machines(count)
  local list = {}
  for i = 1, count do list[i] = { id = id(i) } end
  return list
end

-- A tenant with limits, and a client that looks at nothing before it sends unless told.
local function new(count, options)
  options = options or {}
  options.machines, options.unguarded = machines(count), true
  return rehearsal.new(options)
end

local function statuses(r, wanted)
  local count = 0
  for _, entry in ipairs(r.tenant.history) do
    if entry.event == "request" and entry.status == wanted then count = count + 1 end
  end
  return count
end

-- How long it took.
local function timed(r, fn, ...)
  local began = r.driver.now()
  fn(...)
  return r.driver.now() - began
end

-- Runs the functions as tasks, all at once, and waits for all of them.
local function together(r, list)
  local left, finished = #list, r.driver.gate()
  for _, fn in ipairs(list) do
    r.driver.spawn(function()
      fn()
      left = left - 1
      if left == 0 then finished:open() end
    end)
  end
  finished:wait()
end

local function send(r, number, options)
  options = options or {}
  options.look = false
  return r.client:restrict(id(number), "why", options)
end

describe("the service's limits", function()
  -- A token bucket that never passes 100 in a minute and 1,500 in an hour, whenever it begins.
  local function token_bucket_seconds(count)
    local burst, per_second = 75, 1425 / 3600
    return math.max(0, count - burst) / per_second
  end

  local function shown(seconds)
    return ("%d:%02d:%04.1f"):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60), seconds % 60)
  end

  -- In one hour, and over the ends of two. Elsewhere than on 5.4 the shorter one will do.
  for _, case in ipairs { { 1500, 14 * 60 + 40 }, _VERSION == "Lua 5.4" and { 3200, 2 * 3600 + 3 * 60 } or nil } do
    local count, most = case[1], case[2]
    it(("let %d devices through as fast as they may"):format(count), function()
      local r = new(count, { latency = 0.05 })
      local took = timed(r, function()
        local results = r.client:each(ids(count), function(device) return send(r, tonumber(device, 16)) end)
        assert.equal(0, results.failed)
      end)
      print(("%d devices: %s; a token bucket that is as safe: %s"):format(count, shown(took),
        shown(token_bucket_seconds(count))))
      assert.is_true(took <= most, shown(took))
      assert.equal(0, statuses(r, 429))
      assert.equal(count, r:count "action_created")
    end)
  end

  it("are kept by those who call one by one as well, a look before each", function()
    local r = new(250, { client = { cap = false } })
    for i = 1, 250 do
      local action = assert(r.client:restrict(id(i), "why"))
      assert.is_true(action.looked)
    end
    assert.equal(0, statuses(r, 429))
  end)

  it("of each API are its own", function()
    local r = new(100)
    for i = 1, 100 do assert(send(r, i)) end
    assert.equal(0, timed(r, function() assert(r.client:machine(id(1))) end))
    assert.equal(0, timed(r, function() assert(r.client:release(id(1), "why", { look = false })) end))
  end)

  it("are others if the client is told so", function()
    local r = new(12, { limits = { per_minute = 5, per_hour = 10 },
      client = { limits = { per_minute = 5, per_hour = 10 } } })
    local took = timed(r, function()
      for i = 1, 11 do assert(send(r, i)) end
    end)
    assert.is_true(took >= 3600 and took <= 3603, took)
    assert.equal(0, statuses(r, 429))
  end)

  it("are not counted if the client is told so", function()
    local r = new(120, { limits = false })
    assert.equal(0, timed(r, function()
      for i = 1, 120 do assert(send(r, i)) end
    end))
    assert.is_nil(r.client:peek().limit)
  end)

  it("are not used up by what was never sent", function()
    local r = new(100)
    local down, driver_send = true, r.driver.send
    r.driver.send = function(request)
      if down and request.method == "POST" and request.url:find("/api/", 1, true) then
        return nil, "could not connect", false
      end
      return driver_send(request)
    end
    for i = 1, 50 do
      local _, err = send(r, i, { timeout = 0.5 })
      assert.equal("unavailable", err.kind)
    end
    down = false
    assert.equal(0, timed(r, function()
      for i = 1, 100 do assert(send(r, i)) end
    end))
  end)

  it("count what was answered late from the moment of the answer", function()
    local r = new(101, { limits = false, client = { limits = { per_minute = 100 } } })
    local driver_send, slow = r.driver.send, true
    r.driver.send = function(request)
      if slow and request.method == "POST" and request.url:find("/api/", 1, true) then r.driver.sleep(20) end
      return driver_send(request)
    end
    local tasks = {}
    for i = 1, 100 do tasks[i] = function() assert(send(r, i)) end end
    together(r, tasks)
    slow = false
    -- They may have arrived after 20 seconds, and then they are counted for a minute.
    assert.equal(60, math.floor(timed(r, function() assert(send(r, 101)) end) + 0.5))
  end)

  it("add two seconds for the way of what has no answer", function()
    local r = new(2, { limits = false, client = { limits = { per_minute = 1 } } })
    r:fault { match = RESTRICT, fault = "gone", count = 1 }
    send(r, 1, { resend = false })
    assert(send(r, 2))
    local times = {}
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "request" and entry.method == "POST" and entry.path:find("restrictCode", 1, true) then
        times[#times + 1] = entry.at
      end
    end
    assert.equal(2, #times)
    local apart = times[2] - times[1]
    assert.is_true(apart >= 62 and apart < 63, apart)
  end)

  it("are seen to be free sooner by one who waited before the answer came", function()
    local r = new(2, { limits = false, latency = 1, client = { limits = { per_minute = 1 } } })
    local ended = {}
    local function one(number)
      return function()
        assert(send(r, number))
        ended[number] = r.driver.now()
      end
    end
    together(r, { one(1), one(2) })
    local apart = ended[2] - ended[1]
    assert.is_true(apart >= 60 and apart < 61.5, apart)
  end)
end)

describe("whoever waits for the limits", function()
  it("does not use up the time that the call itself may take", function()
    local r = new(1600)
    for i = 1, 1500 do assert(send(r, i)) end
    r:fault { match = RESTRICT, fault = "answer", status = 421, count = 2 }
    local action = assert(send(r, 1501))
    assert.equal(3, action.attempts)
  end)

  it("is seen by whoever looks on, and nobody else", function()
    local waits = {}
    local r = new(3, { limits = false, client = { limits = { per_minute = 2 }, on_event = function(event)
      if event.event == "queued" then waits[#waits + 1] = event.seconds end
    end } })
    for i = 1, 3 do assert(send(r, i)) end
    assert.equal(1, #waits)
    assert.is_true(math.abs(waits[1] - 60.03) < 1e-6, waits[1])
  end)

  it("is told at once if its own time is shorter, and nothing is sent", function()
    local r = new(101)
    for i = 1, 100 do assert(send(r, i)) end
    local before = posix.clock.time()
    local took = timed(r, function()
      local action, err = send(r, 101, { timeout = 30 })
      assert.is_nil(action)
      assert.equal("throttled", err.kind)
      assert.matches("100 in a minute", err.message)
      assert.is_true(err.retry_at >= before + 60 and err.retry_at <= before + 64)
    end)
    assert.equal(0, took)
    assert.equal(100, r:count "action_created")
  end)

  it("is told at once, too, if it is others who are before it", function()
    local r = new(210)
    for i = 1, 100 do assert(send(r, i)) end
    local tasks, took, err = {}, nil, nil
    for i = 1, 100 do tasks[i] = function() assert(send(r, 100 + i)) end end
    tasks[101] = function()
      took = timed(r, function() err = select(2, send(r, 201, { timeout = 90 })) end)
    end
    together(r, tasks)
    assert.equal("throttled", err.kind)
    assert.equal(0, took)
  end)

  it("goes in the order of urgency: a release, a single call, one of many", function()
    local r = new(200, { limits = false, client = { limits = { per_minute = 2, per_hour = 1500 } } })
    local order = {}
    local function noted(name, fn)
      return function()
        assert(fn())
        order[#order + 1] = name
      end
    end
    assert(send(r, 1))
    assert(send(r, 2))
    local limiter = r.client.exchange.requests.limiters.restrict
    local function enter(rank)
      return function() return limiter:enter(contexts.new(r.driver.now, nil, rank):within(60)) end
    end
    together(r, {
      function()
        local results = r.client:each({ 11, 12 }, function(number)
          return send(r, number) and table.insert(order, "many") == nil
        end)
        assert.equal(0, results.failed)
      end,
      function()
        r.driver.sleep(5)
        noted("single", function() return send(r, 3) end)()
      end,
      function()
        r.driver.sleep(10)
        noted("release", enter(contexts.RELEASE))()
      end,
      function()
        r.driver.sleep(12)
        noted("release", enter(contexts.RELEASE))()
      end,
    })
    assert.same({ "release", "release", "single", "many", "many" }, order)
  end)

  it("is not held up by one who was dropped while it waited", function()
    local r = new(3, { limits = false, client = { limits = { per_minute = 1, per_hour = 1500 } } })
    assert(send(r, 1))
    local limiter = r.client.exchange.requests.limiters.restrict
    -- A host that drops it resumes it never again.
    local dropped = coroutine.create(function() limiter:enter(contexts.new(r.driver.now):within(60)) end)
    local gate = r.driver.gate
    r.driver.gate = function() return { wait = function() coroutine.yield() end, open = function() end } end
    assert(coroutine.resume(dropped))
    r.driver.gate = gate
    local took = timed(r, function() assert(send(r, 2)) end)
    assert.is_true(took < 70, took)
  end)

  it("is still waiting where everything stood still for a while", function()
    local r = new(10, { limits = false, client = { limits = { per_minute = 1, per_hour = 1500 } } })
    assert(send(r, 1))
    local limiter, entered = r.client.exchange.requests.limiters.restrict, 0
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = function()
        assert(limiter:enter(contexts.new(r.driver.now):within(60)))
        entered = entered + 1
      end
    end
    -- A machine that slept: the time of all of them has long come.
    tasks[4] = function()
      r.driver.sleep(10)
      r.tenant:advance(1000)
    end
    together(r, tasks)
    assert.equal(3, entered)
  end)

  it("leaves a reserve to those who are more urgent", function()
    local r = new(200, { client = { reserve = 10 } })
    local took = timed(r, function()
      assert.equal(0, r.client:each(ids(90), function(device) return send(r, tonumber(device, 16)) end).failed)
    end)
    assert.equal(0, took)
    assert.equal(10, r.client:peek().remaining)
    assert.equal(0, timed(r, function() assert(send(r, 91)) end))
    took = timed(r, function()
      assert.equal(0, r.client:each({ 101 }, function(number) return send(r, number) end).failed)
    end)
    assert.is_true(took > 60, took)
  end)

  it("waits with everybody else when the service says 429", function()
    local r = new(20)
    assert(send(r, 1))
    r:fault { match = RESTRICT, fault = "answer", status = 429, headers = { ["retry-after"] = "40" } }
    local tasks, began, first = {}, r.driver.now(), nil
    for i = 1, 10 do
      tasks[i] = function()
        if i > 1 then r.driver.sleep(1) end
        assert(send(r, 1 + i))
        first = first or r.driver.now()
      end
    end
    together(r, tasks)
    assert.is_true(first - began >= 40)
    assert.equal(12, #r:posts())
  end)
end)

describe("peek", function()
  it("tells what is left, and how long so many more will take", function()
    local r = new(100)
    assert.same({ limit = 100, remaining = 100, retry_after = 0, reset_after = 0, seconds = 0 }, r.client:peek())
    for i = 1, 100 do assert(send(r, i)) end
    local peek = r.client:peek("restrict", 101)
    assert.equal(0, peek.remaining)
    -- A minute and an hour, and what the clocks may be apart at their end.
    assert.is_true(math.abs(peek.retry_after - 60.03) < 1e-6, peek.retry_after)
    assert.is_true(math.abs(peek.reset_after - 3601.8) < 1e-6, peek.reset_after)
    assert.is_true(math.abs(peek.seconds - 120.06) < 1e-6, peek.seconds)
    assert.equal(100, r.client:peek("release").remaining)
    assert.equal(0, r.client:peek("restrict", 0).seconds)
  end)

  it("tells of a pause that the service asked for", function()
    local r = new(2)
    r:fault { match = RESTRICT, fault = "answer", status = 429, headers = { ["retry-after"] = "300" } }
    assert.is_nil((send(r, 1)))
    local peek = r.client:peek()
    assert.equal(0, peek.remaining)
    assert.is_true(peek.retry_after >= 300 and peek.retry_after <= 330)
    assert.is_true(peek.seconds >= 300)
  end)
end)

describe("limits that processes share", function()
  local function sharing(r, store, options)
    local own = { driver = r.driver, store = store, tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
      credential = r.tenant.client_secret, protect = rehearsal.unguarded.protect, cap = false }
    for name, value in pairs(options or {}) do own[name] = value end
    return assert(clients.new(own))
  end

  it("are kept by all of them together", function()
    local r = new(250, { latency = 0.05 })
    local dict = dicts(r.driver.now)
    local workers, tasks = {}, {}
    for n = 1, 3 do workers[n] = sharing(r, dict) end
    for i = 1, 250 do
      tasks[i] = function() assert(workers[i % 3 + 1]:restrict(id(i), "why", { look = false })) end
    end
    local took = timed(r, together, r, tasks)
    assert.is_true(took >= 120 and took < 121, took)
    assert.equal(0, statuses(r, 429))
  end)

  it("let the more urgent of another process go first", function()
    local r = new(20, { limits = false })
    local dict = dicts(r.driver.now)
    local one = sharing(r, dict, { limits = { per_minute = 1, per_hour = 100 } })
    local other = sharing(r, dict, { limits = { per_minute = 1, per_hour = 100 } })
    assert(one:restrict(id(1), "why", { look = false }))
    local order = {}
    together(r, {
      function()
        one:each({ 2 }, function(number)
          assert(one:restrict(id(number), "why", { look = false }))
          order[#order + 1] = "many"
        end)
      end,
      function()
        r.driver.sleep(20)
        assert(other:restrict(id(3), "why", { look = false }))
        order[#order + 1] = "single"
      end,
    })
    assert.same({ "single", "many" }, order)
  end)

  it("stop all of them when the service says 429 to one", function()
    local r = new(20)
    local dict = dicts(r.driver.now)
    local one, other = sharing(r, dict), sharing(r, dict)
    r:fault { match = RESTRICT, fault = "answer", status = 429, headers = { ["retry-after"] = "30" } }
    local took
    together(r, {
      function() assert(one:restrict(id(1), "why", { look = false })) end,
      function()
        r.driver.sleep(1)
        took = timed(r, function() assert(other:restrict(id(2), "why", { look = false })) end)
      end,
    })
    assert.is_true(took >= 29, took)
    assert.equal(2, r:count "action_created")
  end)

  it("stop what is done to many where the store fails; single calls pass, one a second", function()
    local r = new(20)
    local dict = dicts(r.driver.now)
    local client = sharing(r, dict)
    assert(client:machine(id(1)))
    local limiter = limiters.new { name = "restrict", windows = { { count = 100, seconds = 60 } }, reserve = 0,
      now = r.driver.now, time = r.driver.now, sleep = r.driver.sleep, driver = r.driver,
      store = stores.new(dict, "x", r.driver, { now = r.driver.now, sleep = r.driver.sleep }) }
    dict.broken = true
    local slot, err = limiter:enter(contexts.new(r.driver.now, nil, contexts.MANY):within(60))
    assert.is_nil(slot)
    assert.equal("unavailable", err.kind)
    assert.matches("nothing was sent", err.message)
    local took = timed(r, function()
      for n = 1, 4 do
        assert(limiter:enter(contexts.new(r.driver.now, nil, n % 2 + 1):within(60)))
      end
    end)
    assert.equal(3, took)
    dict.broken = false
    assert.equal(0, timed(r, function() assert(limiter:enter(contexts.new(r.driver.now):within(60))) end))
  end)

  -- Four on one file and one made-up clock, each call by one of them at random, or a moment without any.
  it("in a file are kept by four limiters, and used as well as by one", function()
    local seed = tonumber(os.getenv "MDE_TEST_SEED" or "") or math.floor(posix.clock.time())
    print(("limiters on one file: MDE_TEST_SEED=%d"):format(seed))
    math.randomseed(seed)
    local now, windows = 1000, { { count = 20, seconds = 60 }, { count = 90, seconds = 600 } }
    local path = os.tmpname()
    local clock = function() return now end
    local function sleep(seconds) now = now + seconds end
    local function limiter(store)
      return limiters.new { name = "restrict", windows = windows, reserve = 0, now = clock, time = clock, sleep = sleep,
        driver = {}, store = store }
    end
    local function new_store()
      return stores.new(shared_files.new(path, clock), "x", {}, { now = clock, sleep = sleep })
    end
    local function play(list, count)
      local began, sends = now, {}
      for n = 1, count do
        if math.random(4) == 1 then now = now + math.random() / 10 end
        assert(list[math.random(#list)]:enter(contexts.new(clock):within(60)))
        sends[n] = now
        for _, window in ipairs(windows) do
          local first = sends[n - window.count]
          assert(not first or now - first >= window.seconds, ("send %d is in a window that was full"):format(n))
        end
      end
      return now - began
    end
    local together_took = play({ limiter(new_store()), limiter(new_store()), limiter(new_store()),
      limiter(new_store()) }, 500)
    os.remove(path)
    local alone_took = play({ limiter() }, 500)
    print(("500 calls: four limiters %.1f s, one %.1f s"):format(together_took, alone_took))
    assert.is_true(math.abs(together_took - alone_took) <= 0.01 * alone_took)
  end)

  it("make everybody wait where what stands there is damaged", function()
    local r = new(2)
    local dict = dicts(r.driver.now)
    local client = sharing(r, dict)
    assert(client:restrict(id(1), "why", { look = false }))
    for _, key in ipairs(dict.keys()) do
      if key:find("limit|restrict", 1, true) then dict:safe_set(key, "nonsense", 100) end
    end
    local took = timed(r, function() assert(client:restrict(id(2), "why", { look = false })) end)
    assert.equal(60, took)
  end)
end)
