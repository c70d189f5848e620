-- The cap: how many restricts there may be in an hour, and what counts.
-- Labels: sanitized, not-lua5.3, caseless

local clients = require "mde.client"
local caps = require "mde.action.cap"
local dicts = require "tests.spec.support.dict"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local rehearsal = require "tests.spec.support.rehearsal"
local stores = require "mde.sync.store"

local HOUR = 3600

local function id(number)
  return ("%040x"):format(number)
end

describe("the cap", function()
  local r, client

  local function machines(count)
    local list = {}
    for i = 1, count do list[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    return list
  end

  local function begin(cap, options)
    options = options or {}
    options.machines, options.limits = machines(options.count or 60), false
    options.count = nil
    options.client = { cap = cap, protect = options.protect }
    options.protect = nil
    r = rehearsal.new(options)
    client = r.client
  end

  local function restrict(first, last, options)
    for i = first, last do assert.truthy(client:restrict(id(i), "why", options)) end
  end

  local function counts()
    local n = 0
    for _, request in ipairs(r:requests()) do
      if request:find("?$filter=type%20eq%20%27RestrictCodeExecution%27%20and", 1, true) then n = n + 1 end
    end
    return n
  end

  -- The next POSTs to machines meet a connection that is refused.
  local function refuse(count)
    local send = r.driver.send
    function r.driver.send(request)
      if count > 0 and request.method == "POST" and request.url:find("/machines/", 1, true) then
        count = count - 1
        return nil, "the connection was refused", false
      end
      return send(request)
    end
  end

  local function check_full(action, err)
    assert.is_nil(action)
    assert.equal("protected", err.kind)
    assert.equal("cap", err.rule)
    assert.truthy(err.hint:find('allow = { "cap" } (--allow cap)', 1, true), err.hint)
    assert.truthy(err.hint:find("--cap N", 1, true), err.hint)
    assert.is_true(rehearsal.is_one_line(tostring(err)))
    return err
  end

  it("lets 25 restricts an hour go by default", function()
    begin()
    restrict(1, 25)
    local before = posix.clock.time()
    local err = check_full(client:restrict(id(26), "why"))
    assert.matches('rule "cap": as many restricts were sent as may be in an hour (cap = 25); the next may go at 20',
      tostring(err), 1, true)
    assert.is_true(err.retry_at > before + HOUR - 60 and err.retry_at <= posix.clock.time() + HOUR)
    assert.equal(25, #r:posts())
    assert.equal(1, counts())
  end)

  for cap = 0, 1 do
    it("lets exactly " .. cap .. " go if told so", function()
      begin(cap)
      restrict(1, cap)
      local err = check_full(client:restrict(id(50), "why"))
      assert.equal(cap > 0, err.retry_at ~= nil)
      assert.equal(cap, #r:posts())
    end)
  end

  it("tells what is left of it, once it knows what was sent before", function()
    begin(3)
    assert.same({ limit = 3 }, client:cap())
    restrict(1, 1)
    local requests = #r:requests()
    assert.same({ limit = 3, remaining = 2 }, client:cap())
    assert.equal(requests, #r:requests())
    restrict(2, 3)
    local left = client:cap()
    assert.equal(0, left.remaining)
    local err = check_full(client:restrict(id(4), "why"))
    assert.equal(err.message, left.refusal.message)
    assert.is_true(math.abs(left.refusal.retry_at - err.retry_at) < 5)
    r.tenant:advance(HOUR)
    assert.same({ limit = 3, remaining = 3 }, client:cap())
    begin(0)
    assert.equal("cap", client:cap().refusal.rule)
    begin(false)
    assert.same({ limit = math.huge, remaining = math.huge }, client:cap())
  end)

  for what, cap in pairs { ["false"] = false, ["endless"] = math.huge } do
    it("that is " .. what .. " lets all go and counts nothing", function()
      begin(cap)
      restrict(1, 30)
      assert.equal(0, counts())
      assert.equal(30, #r:posts())
    end)
  end

  it("is lifted for a call, which counts all the same", function()
    begin(2)
    restrict(1, 2)
    restrict(3, 4, { allow = { "cap" } })
    check_full(client:restrict(id(5), "why"))
    assert.equal(4, #r:posts())
  end)

  it("is not lifted with the other rules", function()
    begin(0)
    check_full(client:restrict(id(1), "why", { allow = { "tags", "names", "device_values", "servers", "platforms" } }))
  end)

  it("is not used up by what is active already, nor by the repeat of a key", function()
    begin(2)
    assert(client:restrict(id(1), "why", { key = "alert-0001" }))
    for _ = 1, 5 do
      assert.equal("already_active", assert(client:restrict(id(1), "why")).outcome)
      assert(client:restrict(id(1), "why", { key = "alert-0001" }))
    end
    restrict(2, 2)
    assert.equal(2, #r:posts())
    assert.equal("already_active", assert(client:restrict(id(2), "why")).outcome)
    check_full(client:restrict(id(3), "why"))
  end)

  it("is not used up by a release", function()
    begin(1)
    restrict(1, 1)
    for _ = 1, 3 do
      r.tenant:advance(10)
      assert(client:release(id(1), "why", { look = false }))
    end
    assert.equal(4, #r:posts())
    begin(1)
    for i = 1, 3 do assert(client:release(id(i), "why")) end
    restrict(1, 1, { look = false })
  end)

  it("gets a slot back that was certainly not sent, and no other", function()
    begin(1)
    refuse(4)
    assert.equal("unavailable", select(2, client:restrict(id(1), "why")).kind)
    restrict(2, 2)
    check_full(client:restrict(id(3), "why"))
    for _, fault in ipairs { "gone", "reset", "stall" } do
      begin(1)
      r:fault { match = { method = "POST", path = "restrictCode" }, fault = fault }
      r:answer({ path = "/machineactions?$filter=machineId" }, 403, "", { count = false })
      assert.equal("unknown", select(2, client:restrict(id(1), "why")).kind)
      check_full(client:restrict(id(2), "why"))
    end
  end)

  it("counts what the service refused", function()
    begin(1)
    r:answer({ method = "POST", path = "restrictCode" }, 400, { error = { code = "Other", message = "no" } })
    assert.is_nil(client:restrict(id(1), "why"))
    check_full(client:restrict(id(2), "why"))
  end)

  it("counts a refused attempt before one that was not sent", function()
    begin(1)
    r:answer({ method = "POST", path = "restrictCode" }, 429, "", { headers = { ["Retry-After"] = "1" } })
    local send, posts = r.driver.send, 0
    function r.driver.send(request)
      if request.method == "POST" and request.url:find("/machines/", 1, true) then
        posts = posts + 1
        if posts > 1 then return nil, "the connection was refused", false end
      end
      return send(request)
    end
    assert.equal("unavailable", select(2, client:restrict(id(1), "why")).kind)
    assert.equal(4, posts)
    check_full(client:restrict(id(2), "why"))
  end)

  it("gets a slot back when no token can be had", function()
    begin(1)
    assert(client:machine(id(1)))
    r.tenant:advance(3598)
    local source = client.exchange.token_source
    local original = client.exchange.call
    function client.exchange.call(self, call)
      if call.method == "POST" then
        source.token = function() return nil, errors.new { kind = "auth", code = "no_token", message = "made up" } end
      end
      return original(self, call)
    end
    assert.equal("auth", select(2, client:restrict(id(1), "why")).kind)
    client.exchange.call, source.token = nil, nil
    restrict(2, 2)
    check_full(client:restrict(id(3), "why"))
  end)

  it("begins its hour when the request was sent, not when it was to be sent", function()
    begin(1)
    r:answer({ method = "POST", path = "restrictCode" }, 429, "", { headers = { ["Retry-After"] = "50" } })
    assert.equal(2, assert(client:restrict(id(1), "why")).attempts)
    r.tenant:advance(HOUR - 10)
    check_full(client:restrict(id(2), "why"))
    r.tenant:advance(10)
    restrict(2, 2)
  end)

  it("keeps a slot taken when a send that may have arrived is sent again and that is refused at connect", function()
    begin(1, { lists = { lag = 60 } })
    r:fault { match = { method = "POST", path = "restrictCode" }, fault = "gone" }
    local send, posts = r.driver.send, 0
    function r.driver.send(request)
      if request.url:find("restrictCode", 1, true) then posts = posts + 1 end
      if posts >= 2 then
        if request.method == "POST" then return nil, "the connection was refused", false end
      end
      return send(request)
    end
    local action, err = client:restrict(id(1), "why")
    assert.is_nil(action)
    assert.equal("unknown", err.kind)
    assert.equal(1, r:count "action_created")
    r.driver.send = send
    action, err = client:restrict(id(2), "why")
    assert.is_nil(action)
    assert.equal("cap", err.rule)
    assert.equal(1, r:count "action_created")
  end)

  it("gets a slot back if nothing of any send can have arrived", function()
    begin(1)
    local send = r.driver.send
    function r.driver.send(request)
      if request.method == "POST" and request.url:find("/api/", 1, true) then
        return nil, "the connection was refused", false
      end
      return send(request)
    end
    local action, err = client:restrict(id(1), "why", { timeout = 20 })
    assert.is_nil(action)
    assert.equal("unavailable", err.kind)
    r.driver.send = send
    assert.equal("accepted", assert(client:restrict(id(1), "why")).outcome)
  end)

  it("leaves a pending release as it is when it is full", function()
    begin(1)
    restrict(1, 1)
    local pending = r:past(id(2), "release", "Pending", 100)
    check_full(client:restrict(id(2), "why", { cancel_opposite = true }))
    assert.equal("Pending", assert(client:action(pending.id)).status)
    assert.same({ "restrictCodeExecution" }, r:posts())
  end)

  it("takes one slot where a release is cancelled first, and gives it back if that cannot be done", function()
    begin(1)
    r:past(id(1), "release", "Pending", 100)
    r:answer({ path = "/cancel" }, 403, { error = { code = "Forbidden", message = "no" } })
    assert.is_nil(client:restrict(id(1), "why", { cancel_opposite = true }))
    restrict(2, 2)
    check_full(client:restrict(id(3), "why"))

    begin(1)
    local action = r:past(id(1), "release", "Pending", 100)
    assert(client:restrict(id(1), "why", { cancel_opposite = true }))
    assert.equal("Cancelled", assert(client:action(action.id)).status)
    check_full(client:restrict(id(3), "why"))
  end)

  describe("in each", function()
    local function ids(count)
      local list = {}
      for i = 1, count do list[i] = id(i) end
      return list
    end

    for _, parallel in ipairs { 1, 8, 60 } do
      for what, options in pairs { ["with a look"] = {}, ["without a look"] = { look = false } } do
        it(("is never passed, %d in flight, %s"):format(parallel, what), function()
          begin(nil, { latency = 0.2 })
          local results = client:each(ids(60), function(device) return client:restrict(device, "why", options) end,
            { parallel = parallel })
          assert.equal(35, results.failed)
          assert.equal(25, #r:posts())
          assert.equal(25, r:count "action_created")
          assert.equal(1, counts())
          for i, result in ipairs(results) do
            assert.equal(id(i), result.item)
            if result.err then check_full(nil, result.err) end
          end
        end)
      end
    end

    it("is used in full though some are not sent", function()
      begin(10, { latency = 0.2 })
      refuse(40)
      for _ = 1, 3 do client:each(ids(60), function(device) return client:restrict(device, "why") end) end
      assert.equal(10, r:count "action_created")
      assert.equal(10, #r:posts())
    end)

    it("and the rules name each machine that is protected", function()
      begin()
      for i = 1, 60, 2 do r.tenant:put_machine { id = id(i), osPlatform = "WindowsServer2019" } end
      local results = client:each(ids(40), function(device) return client:restrict(device, "why") end)
      assert.equal(20, results.failed)
      for i, result in ipairs(results) do
        if i % 2 == 1 then
          assert.equal("servers", result.err.rule)
          assert.truthy(tostring(result.err):find(id(i), 1, true))
        else
          assert.equal("accepted", result.value.outcome)
        end
      end
    end)
  end)

  it("is kept where the driver does one thing at a time", function()
    begin(nil, { sequential = true })
    restrict(1, 25)
    check_full(client:restrict(id(26), "why"))
    assert.equal(1, counts())
  end)

  describe("raises", function()
    for what, case in pairs {
      ["for a cap in words"] = { { cap = "25" }, "cap" },
      ["for a cap below none"] = { { cap = -1 }, "cap" },
      ["for a fraction of a cap"] = { { cap = 2.5 }, "cap" },
      ["for a cap that is no number"] = { { cap = 0 / 0 }, "cap" },
      ["for a cap that is true"] = { { cap = true }, "cap" },
      ["for a cap beyond counting"] = { { cap = 100001 }, "cap = false" },
    } do
      it(what, function()
        local err = rehearsal.refused(clients.new, case[1])
        assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end)
    end
  end)
end)

describe("a cap by itself", function()
  local now, dict, store
  -- What the service tells of the last hour, why it cannot, and how often it was asked.
  local earlier, trouble, asked

  local function time() return now end

  local CLOCK = { now = time, time = posix.clock.time }

  before_each(function()
    now, earlier, trouble, asked = 1000, {}, nil, 0
    dict = dicts(time)
    store = stores.new(dict, "application", {}, { now = time, sleep = function(seconds) now = now + seconds end })
  end)

  -- The service's list of what was sent earlier, and its time.
  local function listed()
    local service_now, rows = 1770112860, {}
    for i, send in ipairs(earlier) do
      rows[i] = { id = tostring(i), type = "RestrictCodeExecution", requestorComment = ("x [mde:%s]"):format(send.id),
        creationDateTimeUtc = os.date("!%Y-%m-%dT%H:%M:%SZ", service_now - send.age) }
    end
    return rows, service_now
  end

  local function count(tally)
    local whole, err = tally:is_whole()
    if whole or err then return whole, err end
    asked = asked + 1
    if trouble then return nil, trouble end
    return tally:merge(listed())
  end

  local function new(limit, shared)
    return caps.new { verb = "restrict", limit = limit, clock = CLOCK, store = shared and store or nil,
      count = count }
  end

  -- A slot that was taken; or nil and why not.
  local function taken(cap, operation_id, lifted)
    local slot = cap:slot(operation_id, lifted)
    local ok, err = cap:take(slot, {})
    return ok and slot, err
  end

  local function check_refused(kind, slot, err)
    assert.is_nil(slot or nil)
    assert.equal(kind, err.kind)
    assert.equal("cap", err.rule)
    return err
  end

  it("counts a slot once, however often it is taken", function()
    local cap = new(2)
    local slot = cap:slot "ABCDEFGH"
    assert.same({ id = "ABCDEFGH", lifted = false }, slot)
    for _ = 1, 3 do assert.is_true(cap:take(slot, {})) end
    assert.truthy(taken(cap, "another0"))
    check_refused("protected", taken(cap, "third000"))
    assert.equal(1, asked)
  end)

  it("asks nothing where there is no cap, and nothing more where it lets nothing pass", function()
    assert.is_nil(new(math.huge):slot "abcdefgh")
    local err = check_refused("protected", taken(new(0), "abcdefgh"))
    assert.is_nil(err.retry_at)
    assert.equal(0, asked)
  end)

  it("counts what lifts it, and asks nothing for its sake", function()
    local cap = new(1)
    for i = 1, 2 do assert.truthy(taken(cap, "lifted0" .. i, true)) end
    assert.truthy(taken(new(0), "abcdefgh", true))
    assert.equal(0, asked)
    earlier = { { id = "lifted01", age = 0 } }
    check_refused("protected", taken(cap, "abcdefgh"))
  end)

  it("refuses what it cannot count, says why and how to go on, and asks again for the next", function()
    local cap = new(1)
    trouble = errors.new { kind = "permission", message = "may not be read", hint = "Ask for it.", code = "Forbidden" }
    local err = check_refused("permission", taken(cap, "abcdefgh"))
    assert.equal(trouble, err.cause)
    assert.equal("Forbidden", err.code)
    assert.truthy(err.message:find("could not be counted (cap 1): may not be read", 1, true), err.message)
    assert.truthy(err.hint:find('^Ask for it. .*allow = { "cap" } %(%-%-allow cap%)'), err.hint)
    trouble = nil
    assert.truthy(taken(cap, "abcdefgh"))
    check_refused("protected", taken(cap, "another0"))
    assert.equal(2, asked)
  end)

  it("tells what is left without asking, once it is counted; and of nothing, or of all, at once", function()
    local cap = new(2)
    taken(cap, "lifted00", true)
    assert.same({ limit = 2 }, cap:state())
    assert.equal(0, asked)
    assert(taken(cap, "abcdefgh"))
    local state = cap:state()
    assert.same({ 2, 0 }, { state.limit, state.remaining })
    assert.equal("protected", state.refusal.kind)
    assert.is_number(state.refusal.retry_at)
    state = new(0):state()
    assert.same({ 0, 0, "cap" }, { state.limit, state.remaining, state.refusal.rule })
    assert.is_nil(state.refusal.retry_at)
    assert.same({ limit = math.huge, remaining = math.huge }, new(math.huge):state())
    assert.equal(1, asked)
  end)

  describe("in a store that fails", function()
    it("counts by itself, beginning with what the service tells", function()
      local cap = new(2, true)
      assert(taken(cap, "abcdefgh"))
      dict.broken = true
      earlier = { { id = "abcdefgh", age = 10 } }
      assert.truthy(taken(cap, "another0"))
      assert.equal(2, asked)
      local err = check_refused("protected", taken(cap, "third000"))
      assert.is_number(err.retry_at)
      assert.equal(2, asked)
    end)

    it("counts also what lifts it", function()
      local cap = new(2, true)
      dict.broken = true
      assert.truthy(taken(cap, "abcdefgh", true))
      earlier = { { id = "abcdefgh", age = 0 }, { id = "another0", age = 0 } }
      check_refused("protected", taken(cap, "third000"))
    end)

    it("refuses where the service cannot be asked either", function()
      local cap = new(2, true)
      dict.broken = true
      trouble = errors.new { kind = "unavailable", code = "no_answer", message = "nobody answers" }
      assert.equal(trouble, check_refused("unavailable", taken(cap, "abcdefgh")).cause)
    end)

    it("goes back to the store when that works, which has to be told what was sent meanwhile", function()
      local cap, other = new(3, true), new(3, true)
      assert(taken(cap, "first000"))
      dict.broken = true
      assert(taken(cap, "second00"))
      dict.broken = false
      earlier = { { id = "first000", age = 0 }, { id = "second00", age = 0 } }
      assert.truthy(taken(cap, "third000"))
      assert.equal(3, asked)
      check_refused("protected", taken(other, "fourth00"))
      assert.equal(3, asked)
    end)

    it("gives back to where it was taken from", function()
      local cap = new(1, true)
      dict.broken = true
      for _ = 1, 3 do caps.give_back(assert(taken(cap, "abcdefgh"))) end
      dict.broken = false
      assert(taken(cap, "another0"))
      check_refused("protected", taken(cap, "third000"))
    end)

    it("counts in one place, though it began to fail while several were counting", function()
      local tasks, results = {}, {}
      local cap = caps.new { verb = "restrict", limit = 1, clock = CLOCK, store = store, count = function(tally)
        coroutine.yield()
        return count(tally)
      end }
      for i = 1, 2 do
        tasks[i] = coroutine.create(function() results[i] = taken(cap, "operation" .. i) end)
        coroutine.resume(tasks[i])
      end
      dict.broken = true
      for _ = 1, 2 do
        for i = 1, 2 do assert(coroutine.resume(tasks[i])) end
      end
      assert.same({ "dead", "dead" }, { coroutine.status(tasks[1]), coroutine.status(tasks[2]) })
      assert.truthy(results[1])
      assert.falsy(results[2])
    end)
  end)
end)
