-- What was restricted in the last hour, by the service's list, where a client begins and the cap needs it.
-- Labels: sanitized, not-lua5.3, caseless

local cap_counts = require "mde.action.cap_count"
local clients = require "mde.client"
local contexts = require "mde.sync.context"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local rehearsal = require "tests.spec.support.rehearsal"
local tallies = require "mde.action.tally"
local times = require "mde.sim.base.time"

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

  -- Another client in the same tenant, as another process does.
  local function fresh(cap)
    return assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
      credential = r.tenant.client_secret, driver = r.driver, cap = cap })
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

  local function check_full(action, err)
    assert.is_nil(action)
    assert.equal("protected", err.kind)
    assert.equal("cap", err.rule)
    assert.truthy(err.hint:find('allow = { "cap" } (--allow cap)', 1, true), err.hint)
    assert.truthy(err.hint:find("--cap N", 1, true), err.hint)
    assert.is_true(rehearsal.is_one_line(tostring(err)))
    return err
  end

  describe("in a process that begins", function()
    it("refuses the 26th of 30", function()
      begin()
      local accepted = 0
      for i = 1, 30 do
        r.tenant:advance(1)
        local action, err = fresh():restrict(id(i), "why")
        if action then
          accepted = accepted + 1
          assert.equal(i, accepted)
        else
          check_full(nil, err)
        end
      end
      assert.equal(25, accepted)
      assert.equal(25, #r:posts())
    end)

    it("counts the last hour by the service's clock, to the moment", function()
      begin(1)
      restrict(1, 1)
      r.tenant:advance(HOUR - 2)
      check_full(fresh(1):restrict(id(2), "why"))
      r.tenant:advance(3)
      assert.truthy(fresh(1):restrict(id(2), "why"))
    end)

    for _, ahead in ipairs { 295, 400 } do
      it(("counts the last hour whole where an action is %d s ahead of the service"):format(ahead), function()
        begin()
        for i = 1, 25 do assert(fresh():restrict(id(i), "why")) end
        r.tenant:advance(3400)
        r:past(id(60), "restrict", "Succeeded", -ahead)
        local another = fresh()
        assert(another:state(id(60)))
        for i = 26, 28 do check_full(another:restrict(id(i), "why")) end
        assert.equal(25, #r:posts())
      end)
    end

    it("says when the next may go", function()
      begin(1)
      restrict(1, 1)
      r.tenant:advance(1000)
      local err = check_full(fresh(1):restrict(id(2), "why"))
      assert.is_true(math.abs(err.retry_at - (posix.clock.time() + 2600)) < 5)
    end)

    for what, wrong in pairs { ahead = 7 * HOUR, behind = -7 * HOUR } do
      it("counts them though its own clock is " .. what, function()
        begin(1)
        restrict(1, 1)
        local time = posix.clock.time
        posix.clock.time = function() return time() + wrong end
        local ok, action, err = pcall(function() return fresh(1):restrict(id(2), "why",
          { look = false, allow = { "servers", "device_values" } }) end)
        posix.clock.time = time
        assert.is_true(ok, action)
        check_full(action, err)
      end)
    end

    for _, wrong in ipairs { 2 * HOUR, -2 * HOUR } do
      it(("counts on in a store when this machine's clock is set by %d s"):format(wrong), function()
        begin(1)
        -- The service's list could not tell either.
        r.tenant:set { lists = { lag = 24 * HOUR } }
        local store = require("tests.spec.support.dict")(r.driver.now)
        local function sharing()
          return assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
            credential = r.tenant.client_secret, driver = r.driver, cap = 1, store = store })
        end
        assert(sharing():restrict(id(1), "why"))
        local time = posix.clock.time
        posix.clock.time = function() return time() + wrong end
        local ok, action, err = pcall(function() return sharing():restrict(id(2), "why") end)
        posix.clock.time = time
        assert.is_true(ok, action)
        check_full(action, err)
      end)
    end

    it("counts what carries our mark, of whatever status", function()
      local marked = "x [mde:INC-1:abcdefgh]"
      for what, case in pairs {
        ["ours"] = { { requestorComment = marked }, true },
        ["ours, cancelled"] = { { requestorComment = marked, status = "Cancelled" }, true },
        ["ours, of no known time"] = { { requestorComment = marked, creationDateTimeUtc = "soon" }, true },
        ["ours, of tomorrow"] = { { requestorComment = marked, creationDateTimeUtc = "2999-01-01T00:00:00Z" }, true },
        ["a colleague's in the portal"] = { { requestorComment = "x" }, false },
        ["ours, a release"] = { { requestorComment = marked, type = "UnrestrictCodeExecution" }, false },
        ["ours, long ago"] = { { requestorComment = marked, creationDateTimeUtc = "2001-01-01T00:00:00Z" }, false },
      } do
        begin(1)
        local row = { id = "5a5a5a5a-0000-4000-8000-00000000005a", type = "RestrictCodeExecution", status = "Succeeded",
          machineId = id(9), creationDateTimeUtc = rehearsal.time(r.tenant.clock.now() - 60) }
        for name, value in pairs(case[1]) do row[name] = value end
        r:answer({ method = "GET", path = "RestrictCodeExecution%27%20and" }, 200, { value = { row } })
        local action, err = client:restrict(id(1), "why", { look = false })
        assert.equal(case[2], action == nil, what)
        if not action then check_full(action, err) end
      end
    end)

    it("holds a restrict of a time to come against nobody for longer than an hour", function()
      begin(1)
      r:past(id(9), "restrict", "Succeeded", -7 * HOUR, { requestorComment = "x [mde:abcdefgh]" })
      check_full(client:restrict(id(1), "why"))
      r.tenant:advance(HOUR + 1)
      restrict(1, 1)
    end)

    it("takes no harm from rows that are not well formed", function()
      begin(3)
      local rows = {}
      for i, comment in ipairs { 17, true, {}, "x [mde:abcdefgh]" } do
        rows[i] = { id = ("row %d"):format(i), type = i == 4 and 17 or "RestrictCodeExecution",
          requestorComment = comment, creationDateTimeUtc = i }
      end
      r:answer({ method = "GET", path = "/machineactions" }, 200, { value = rows })
      restrict(1, 2, { look = false })
      check_full(client:restrict(id(3), "why", { look = false }))
    end)

    it("does not count twice what it sent itself before it counted", function()
      begin(3)
      restrict(1, 2, { allow = { "cap" } })
      assert.equal(0, counts())
      restrict(3, 3)
      assert.equal(1, counts())
      check_full(client:restrict(id(4), "why"))
    end)

    it("counts with a repeated key what another sent with it", function()
      begin(3)
      assert(fresh(3):restrict(id(1), "why", { key = "alert-0001" }))
      assert(client:restrict(id(2), "why", { key = "alert-0001", allow = { "cap" } }))
      restrict(3, 3)
      check_full(client:restrict(id(4), "why"))
    end)

    for what, answer in pairs {
      ["fails"] = { 503, "" },
      ["is refused"] = { 403, { error = { code = "Forbidden", message = "no" } } },
      ["is no list"] = { 200, "[]" },
    } do
      it("sends nothing if the count " .. what .. ", and says how to go on", function()
        begin(3)
        r:answer({ method = "GET", path = "/machineactions" }, answer[1], answer[2], { count = false })
        local action, err = client:restrict(id(1), "why", { look = false })
        assert.is_nil(action)
        assert.is_true(err.kind == "unavailable" or err.kind == "permission" or err.kind == "protocol", err.kind)
        assert.equal("cap", err.rule)
        assert.truthy(err.message:find("nothing was sent, since the restricts of the last hour could not be counted", 1,
          true), err.message)
        assert.truthy(err.hint:find('allow = { "cap" } (--allow cap)', 1, true), err.hint)
        assert.same({}, r:posts())
        restrict(1, 1, { look = false, allow = { "cap" } })
        r.tenant.faults:clear()
        restrict(2, 3, { look = false })
        check_full(client:restrict(id(4), "why"))
      end)
    end

    it("sends nothing if the count takes longer than there is time", function()
      begin(3)
      r:fault { match = { method = "GET", path = "/machineactions" }, fault = "stall", count = false }
      local before = r.driver.now()
      local action, err = client:restrict(id(1), "why", { look = false, timeout = 10 })
      assert.is_nil(action)
      assert.equal("unavailable", err.kind)
      assert.equal("cap", err.rule)
      assert.is_true(r.driver.now() - before <= 10)
      assert.same({}, r:posts())
    end)
  end)

  describe("in each", function()
    local function ids(count)
      local list = {}
      for i = 1, count do list[i] = id(i) end
      return list
    end

    it("is counted once for all who wait, also when that fails, and each error is its own", function()
      begin(10, { latency = 0.2 })
      r:answer({ method = "GET", path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } },
        { count = 1 })
      local results = client:each(ids(8), function(device) return client:restrict(device, "why", { look = false }) end)
      assert.equal(8, results.failed)
      assert.equal(1, counts())
      assert.same({}, r:posts())
      for i, result in ipairs(results) do
        assert.equal("permission", result.err.kind)
        assert.truthy(tostring(result.err):find(id(i), 1, true), tostring(result.err))
      end
    end)

    it("is counted by the next one when the one who counted is gone", function()
      begin(1)
      local spawn, lost = r.driver.spawn, 0
      function r.driver.spawn() lost = lost + 1 end
      assert.is_nil(client:restrict(id(1), "why", { look = false, timeout = 10,
        allow = { "servers", "device_values" } }))
      assert.equal(0, counts())
      r.driver.spawn = spawn
      local before = r.driver.now()
      restrict(1, 1, { look = false, allow = { "servers", "device_values" } })
      assert.equal(1, counts())
      assert.is_true(lost > 0)
      assert.is_true(r.driver.now() - before <= 65)
    end)

    it("goes on for those who have time when one has none", function()
      begin(10, { latency = 2 })
      assert(client:machine(id(1)))
      local results = client:each(ids(8), function(device)
        return client:restrict(device, "why", { look = false, timeout = device == id(1) and 5 or nil })
      end)
      assert.is_true(results.failed <= 1)
      assert.equal(1, counts())
    end)
  end)
end)

describe("the count by itself", function()
  local r, count, tally

  local function begin(options)
    options = options or {}
    options.limits, options.machines = false, {}
    r = rehearsal.new(options)
    count = cap_counts.new(r.client.exchange, r.driver, "restrict", "restrict")
    tally = tallies.new({ verb = "restrict" }, 3, r.driver.now)
  end

  local function context(seconds) return contexts.new(r.driver.now, seconds) end

  -- Each function as a task of its own, until all have ended.
  local function together(...)
    local gate, left = r.driver.gate(), select("#", ...)
    for _, fn in ipairs { ... } do
      r.driver.spawn(function()
        fn()
        left = left - 1
        if left == 0 then gate:open() end
      end)
    end
    gate:wait(1000)
    assert.equal(0, left)
  end

  it("asks for a minute more than the hour, once", function()
    begin()
    for _ = 1, 2 do assert.is_true(count(tally, context())) end
    assert.equal(1, #r:requests())
    local since = r:requests()[1]:match "creationDateTimeUtc%%20ge%%20([^&]+)"
    since = times.parse((since:gsub("%%3A", ":")))
    assert.is_true(math.abs(r.tenant.clock.now() - 3660 - since) < 3, r:requests()[1])
  end)

  it("knows its own restricts by their ids, however these and the type are written", function()
    begin()
    tally:take("alert-0001", true)
    for i, operation_id in ipairs { "ALERT-0001", "ALERT-0002" } do
      r:past(id(i), "restrict", "Succeeded", 0, { requestorComment = ("x [mde:%s]"):format(operation_id) })
    end
    local send = r.driver.send
    function r.driver.send(request)
      local response = send(request)
      response.body = response.body:gsub('"RestrictCodeExecution"', '"restrictCODEexecution"')
      return response
    end
    assert.is_true(count(tally, context()))
    assert.truthy(tally:take "third000")
    assert.is_nil((tally:take "fourth00"))
  end)

  it("tells why nobody can know whether it is needed", function()
    begin()
    local trouble = errors.new { kind = "unavailable", code = "store_failed", message = "the store is broken" }
    local whole, err = count({ is_whole = function() return nil, trouble end }, context())
    assert.is_nil(whole)
    assert.equal(trouble, err)
    assert.same({}, r:requests())
  end)

  it("goes on for those who have time, where the one who began it has none", function()
    begin { latency = 2 }
    local results = {}
    together(function() results[1] = { count(tally, context(1)) } end,
      function() results[2] = { count(tally, context(30)) } end)
    assert.equal("unavailable", results[1][2].kind)
    assert.is_true(results[2][1])
    assert.equal(1, #r:requests())
  end)

  it("raises what it met to all who wait for it, and is begun again by the next", function()
    begin { latency = 2 }
    function tally.merge() error "made up" end
    local raised = {}
    local function try(i)
      return function() raised[i] = { pcall(count, tally, context()) } end
    end
    together(try(1), try(2))
    for i = 1, 2 do
      assert.is_false(raised[i][1])
      assert.matches("made up", tostring(raised[i][2]))
    end
    tally.merge = nil
    assert.is_true(count(tally, context()))
    assert.equal(2, #r:requests())
  end)

  it("is given up after a minute, for all", function()
    begin()
    r:fault { match = { path = "/machineactions" }, fault = "stall", count = false }
    local results, began = {}, r.driver.now()
    together(function() results[1] = { count(tally, context()) } end,
      function() results[2] = { count(tally, context()) } end)
    for i = 1, 2 do assert.equal("unavailable", results[i][2].kind) end
    assert.is_true(r.driver.now() - began <= 61, r.driver.now() - began)
  end)

  it("is waited for by nobody for longer than two minutes", function()
    begin()
    local lost = 0
    function r.driver.spawn() lost = lost + 1 end
    local began = r.driver.now()
    local whole, err = count(tally, context())
    assert.is_nil(whole)
    assert.equal("unavailable", err.kind)
    assert.equal(120, r.driver.now() - began)
    assert.equal(2, lost)
  end)

  it("is made on the spot where the driver does one thing at a time, in the caller's time", function()
    begin { sequential = true, latency = 5 }
    local whole, err = count(tally, context(3))
    assert.is_nil(whole)
    assert.equal("unavailable", err.kind)
    assert.is_true(count(tally, context(30)))
  end)
end)
