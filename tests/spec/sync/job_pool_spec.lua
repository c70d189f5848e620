-- The same for many devices. All of it runs with each kind of driver, so it is one file.
-- Labels: not-lua5.3

local job_pool = require "mde.sync.job_pool"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

-- The real globals; a test file may have its own.
local globals = package.loaded._G

local function id(number)
  return ("%040x"):format(number)
end

-- What is promised whether the driver can do several things at once or not.
local function common(new)
  local r

  before_each(function() r = new() end)

  local function sleep_backwards(item)
    r.driver.sleep(10 - item)
    return item * 10
  end

  it("gives results in the order of the items, whichever ends first", function()
    local results = r.client:each({ 1, 2, 3, 4, 5 }, sleep_backwards)
    assert.equal(5, #results)
    assert.equal(0, results.failed)
    for i, result in ipairs(results) do assert.same({ item = i, value = i * 10 }, result) end
  end)

  it("refuses a list with a hole, behind which an item would be left out, one item, and what has no items", function()
    for _, list in ipairs { { [1] = 1, [3] = 3 }, { id = id(1) }, { ["laptop-17"] = true }, { [0] = "laptop-17" } } do
      local ok, err = pcall(r.client.each, r.client, list, error)
      assert.is_false(ok)
      assert.equal("invalid", err.kind)
    end
  end)

  it("gives nothing for nothing", function()
    assert.same({ failed = 0 }, r.client:each({}, error))
    assert.same({ failed = 0 }, r.client:each(function() end, error))
  end)

  it("takes an iterator, and of what it gives the first", function()
    local results = r.client:each(("a b c"):gmatch "%a", function(item) return item:upper() end)
    assert.same({ { item = "a", value = "A" }, { item = "b", value = "B" }, { item = "c", value = "C" }, failed = 0 },
      results)
    local n = 0
    results = r.client:each(function()
      n = n + 1
      if n < 3 then return n, "more" end
    end, function(...) return select("#", ...) end)
    assert.same({ { item = 1, value = 1 }, { item = 2, value = 1 }, failed = 0 }, results)
  end)

  it("takes an iterator that is a table, as mde.hunt gives it", function()
    local n = 0
    local rows = setmetatable({ schema = {}, count = 2 }, { __call = function()
      n = n + 1
      if n < 3 then return n end
    end })
    assert.same({ { item = 1, value = 10 }, { item = 2, value = 20 }, failed = 0 },
      r.client:each(rows, function(item) return item * 10 end))
  end)

  it("does not ask an iterator again after its end", function()
    local left = 3
    local results = r.client:each(function()
      if not left then error "asked after the end" end
      left = left > 0 and left - 1 or nil
      return left
    end, function(item) return item + 1 end)
    assert.equal(3, #results)
  end)

  it("has one puller, also for an iterator that waits", function()
    local pulling, n = false, 0
    local results = r.client:each(function()
      assert(not pulling, "pulled while it was being pulled")
      pulling = true
      r.driver.sleep(1)
      pulling = false
      n = n + 1
      if n <= 20 then return n end
    end, function(item) return item end, { parallel = 5 })
    assert.equal(0, results.failed)
    assert.equal(20, #results)
    for i, result in ipairs(results) do assert.equal(i, result.item) end
  end)

  it("keeps what fn returns beside nil or false as the item's error", function()
    local results = r.client:each({ "a", "b", "c", "d" }, function(item)
      if item == "a" then return nil, "why not" end
      if item == "b" then return false, "no" end
      if item == "c" then return "yes", "ignored" end
    end)
    assert.same({ { item = "a", err = "why not" }, { item = "b", value = false, err = "no" },
      { item = "c", value = "yes" }, { item = "d" }, failed = 2 }, results)
  end)

  it("keeps what fn raises as the item's error, and goes on", function()
    local raised = errors.new { kind = "refused", code = "refused", message = "no" }
    local results = r.client:each({ raised, "text", 17, "nothing", "false", "last" }, function(item)
      if item == "last" then return true end
      if item == "nothing" then error(nil) end
      if item == "false" then error(false) end
      error(item, 0)
    end)
    assert.equal(5, results.failed)
    assert.equal(raised, results[1].err)
    assert.equal("text", results[2].err)
    assert.equal(17, results[3].err)
    for i = 4, 5 do assert.truthy(tostring(results[i].err):find "was raised") end
    assert.is_true(results[6].value)
  end)

  -- An iterator that breaks at its third item, and a function that takes its time.
  local function breaks(problem)
    local n, ended = 0, {}
    return function()
      n = n + 1
      if n == 3 then error(problem, 0) end
      return n
    end, function(item)
      r.driver.sleep(5)
      ended[#ended + 1] = item
      return "done " .. item
    end, ended
  end

  it("raises what the iterator raises, when the calls under way have ended, with the results so far", function()
    local broken = errors.new { kind = "unavailable", code = "closed", message = "the page could not be read",
      hint = "Later." }
    local iterator, fn, ended = breaks(broken)
    local ok, problem = pcall(r.client.each, r.client, iterator, fn)
    assert.is_false(ok)
    assert.same({ 1, 2 }, ended)
    assert.equal(tostring(broken), tostring(problem))
    assert.equal("unavailable", problem.kind)
    assert.same({ { item = 1, value = "done 1" }, { item = 2, value = "done 2" }, failed = 0 }, problem.results)
    assert.is_nil(broken.results)
  end)

  for what, raised in pairs { text = "no such file", table = { "theirs" }, ["nil"] = false } do
    it("keeps the results too if the iterator raises a " .. what .. " of its own", function()
      local iterator, fn = breaks(raised or nil)
      local ok, problem = pcall(r.client.each, r.client, iterator, fn)
      assert.is_false(ok)
      assert.is_true(errors.is(problem))
      assert.equal("invalid", problem.kind)
      assert.equal(raised or nil, problem.cause)
      assert.truthy(tostring(problem):find("the iterator raised: " .. tostring(raised or nil), 1, true))
      assert.equal(2, #problem.results)
    end)
  end

  it("keeps the results, too, if what the iterator raises cannot even be shown", function()
    local raised = setmetatable({}, { __tostring = function() error "not shown" end })
    local iterator, fn = breaks(raised)
    local ok, problem = pcall(r.client.each, r.client, iterator, fn)
    assert.is_false(ok)
    assert.is_true(errors.is(problem))
    assert.equal(raised, problem.cause)
    assert.truthy(tostring(problem):find("the iterator raised", 1, true))
    assert.equal(2, #problem.results)
  end)

  describe("told to stop on an error", function()
    local function fails_at(bad)
      return function(item)
        r.driver.sleep(item == bad and 1 or 2)
        if item == bad then return nil, "bad" end
        return item
      end
    end

    it("takes no more, and gives what there is", function()
      local items, begun = {}, 0
      for i = 1, 20 do items[i] = i end
      local fn = fails_at(3)
      local results = r.client:each(items, function(item)
        begun = begun + 1
        return fn(item)
      end, { parallel = 4, stop_on_error = true })
      assert.is_true(results.stopped)
      assert.equal(1, results.failed)
      assert.equal(begun, #results)
      assert.is_true(begun >= 3 and begun <= 4)
      for i, result in ipairs(results) do
        assert.equal(i, result.item)
        if i == 3 then assert.equal("bad", result.err) else assert.equal(i, result.value) end
      end
    end)

    it("stops for what is raised, too", function()
      local results = r.client:each({ 1, 2, 3 }, function(item) error("raised " .. item, 0) end,
        { parallel = 1, stop_on_error = true })
      assert.same({ { item = 1, err = "raised 1" }, failed = 1, stopped = true }, results)
    end)

    it("was not stopped by the last of a list, since nothing was left", function()
      for _, parallel in ipairs { 1, 3, 8 } do
        local results = r.client:each({ 1, 2, 3 }, fails_at(3), { parallel = parallel, stop_on_error = true })
        assert.same({ 3, 1 }, { #results, results.failed })
        assert.is_nil(results.stopped)
      end
      local results = r.client:each({ 1, 2, 3, 4 }, fails_at(3), { parallel = 1, stop_on_error = true })
      assert.equal(3, #results)
      assert.is_true(results.stopped)
    end)

    it("goes to the end if there is none", function()
      local results = r.client:each({ 1, 2, 3 }, fails_at(4), { stop_on_error = true })
      assert.equal(3, #results)
      assert.is_nil(results.stopped)
    end)

    it("goes on if it is told not to", function()
      local results = r.client:each({ 1, 2, 3 }, fails_at(1), { parallel = 1, stop_on_error = false })
      assert.equal(3, #results)
      assert.equal(1, results.failed)
      assert.is_nil(results.stopped)
    end)
  end)

  describe("tells of the progress", function()
    it("after each item, with how many there are", function()
      local told = {}
      local results = r.client:each({ 5, 6, 7 }, sleep_backwards, { on_progress = function(...)
        told[#told + 1] = { select("#", ...), ... }
      end })
      assert.equal(3, #told)
      local seen = {}
      for i, call in ipairs(told) do
        assert.same({ 3, i, 3 }, { call[1], call[2], call[3] })
        seen[call[4]] = true
      end
      for _, result in ipairs(results) do assert.is_true(seen[result]) end
    end)

    it("of an iterator, nobody knows how many there are", function()
      local totals = {}
      r.client:each(("a b"):gmatch "%a", string.upper, { on_progress = function(done, total)
        totals[done] = tostring(total)
      end })
      assert.same({ "nil", "nil" }, totals)
    end)

    it("of a list that grows", function()
      local list, totals = { 1, 2 }, {}
      r.client:each(list, function(item)
        if item < 3 then list[#list + 1] = item + 2 end
      end, { parallel = 1, on_progress = function(done, total)
        totals[done] = total
        assert.is_true(total >= done)
      end })
      assert.equal(4, #totals)
      assert.equal(4, totals[4])
    end)

    it("of errors, with the result", function()
      local errs = {}
      r.client:each({ 1, 2 }, function(item) return nil, "err " .. item end,
        { on_progress = function(_, _, result) errs[#errs + 1] = result.err end })
      assert.same({ "err 1", "err 2" }, errs)
    end)

    it("in the caller's own coroutine, which may even yield there", function()
      local seen = {}
      local caller = coroutine.create(function()
        return r.client:each({ 1, 2, 3 }, sleep_backwards, { on_progress = function(done)
          seen[done] = coroutine.running()
          coroutine.yield(done)
        end })
      end)
      for i = 1, 3 do assert.same({ true, i }, { coroutine.resume(caller) }) end
      local ok, results = coroutine.resume(caller)
      assert.is_true(ok)
      assert.equal(3, #results)
      for i = 1, 3 do assert.equal(caller, seen[i]) end
    end)

    it("and waits if that makes calls of its own", function()
      local done = 0
      local results = r.client:each({ 1, 2, 3, 4 }, sleep_backwards, { parallel = 2, on_progress = function()
        assert(r.client:state "laptop-17")
        r.driver.sleep(100)
        done = done + 1
      end })
      assert.equal(4, #results)
      assert.equal(4, done)
    end)

    it("and ends if that raises, when what is under way has ended", function()
      local problem, told, begun, ended = { "enough" }, 0, 0, 0
      local items = {}
      for i = 1, 20 do items[i] = i end
      local ok, raised = pcall(r.client.each, r.client, items, function(item)
        begun = begun + 1
        r.driver.sleep(item)
        ended = ended + 1
      end, { parallel = 3, on_progress = function()
        told = told + 1
        if told == 2 then error(problem, 0) end
      end })
      assert.is_false(ok)
      assert.equal(problem, raised)
      assert.equal(2, told)
      assert.equal(begun, ended)
      assert.is_true(begun < 20)
    end)
  end)

  it("contains many, and one token is enough", function()
    r = new { client = { cap = 100 } }
    local names = {}
    for i = 1, 100 do
      r.tenant:put_machine { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) }
      names[i] = id(i)
    end
    r.tenant:set { limits = false }
    local results = r.client:each(names, function(name) return r.client:restrict(name, "why", { look = false }) end,
      { parallel = 100 })
    assert.equal(0, results.failed)
    for i, result in ipairs(results) do assert.equal(id(i), result.value.machineId) end
    assert.equal(1, r:count "token_issued")
    assert.equal(100, r:count "action_created")
  end)

  it("tells for each item what went wrong with it", function()
    local results = r.client:each({ "laptop-17", "kiosk", "nowhere", "192.0.2.1", "build-3" }, function(device)
      return r.client:restrict(device, "why")
    end)
    local kinds = {}
    for i, result in ipairs(results) do kinds[i] = result.err and result.err.kind or result.value.outcome end
    assert.same({ "accepted", "ambiguous", "not_found", "invalid", "refused" }, kinds)
    assert.equal(4, results.failed)
  end)

  it("can be called inside of itself", function()
    local results = r.client:each({ 1, 2, 3 }, function(outer)
      local inner = r.client:each({ 1, 2, 3 }, function(item)
        r.driver.sleep(1)
        return outer * item
      end)
      return inner[3].value
    end)
    assert.same({ { item = 1, value = 3 }, { item = 2, value = 6 }, { item = 3, value = 9 }, failed = 0 }, results)
  end)

  for what, case in pairs {
    ["no list"] = { nil, print, nil, "list or an iterator" },
    ["a text for a list"] = { "laptop-17", print, nil, "list or an iterator" },
    ["no function"] = { {}, nil, nil, "function" },
    ["none at once"] = { {}, print, { parallel = 0 }, "parallel" },
    ["half of one at once"] = { {}, print, { parallel = 1.5 }, "parallel" },
    ["a word for a callback"] = { {}, print, { on_progress = "print" }, "on_progress" },
    ["a word for a flag"] = { {}, print, { stop_on_error = "yes" }, "stop_on_error" },
    ["an unknown option"] = { {}, print, { parralel = 4 }, 'Did you mean "parallel"' },
  } do
    it("refuses " .. what, function()
      local err = rehearsal.refused(r.client.each, r.client, case[1], case[2], case[3])
      assert.truthy(tostring(err):find(case[4], 1, true), tostring(err))
    end)
  end
end

describe("each", function()
  describe("with a driver that does several things at once", function()
    common(function() return rehearsal.new { unguarded = true } end)

    for _, case in ipairs { { nil, 8 }, { 1, 1 }, { 3, 3 }, { 100, 20 } } do
      it(("has %d of 20 under way at once, told %s"):format(case[2], tostring(case[1])), function()
        local r = rehearsal.new()
        local items, now, most = {}, 0, 0
        for i = 1, 20 do items[i] = i end
        r.client:each(items, function()
          now = now + 1
          most = math.max(most, now)
          r.driver.sleep(1)
          now = now - 1
        end, { parallel = case[1] })
        assert.equal(case[2], most)
        assert.equal(0, now)
      end)
    end

    it("makes no more tasks than there are items", function()
      local r = rehearsal.new()
      local spawn, made = r.driver.spawn, 0
      r.driver.spawn = function(fn)
        made = made + 1
        return spawn(fn)
      end
      assert.equal(3, #r.client:each({ 1, 2, 3 }, function(item) return item end, { parallel = 100000 }))
      assert.equal(3, made)
      assert.equal(0, #r.client:each({}, error, { parallel = 100000 }))
      assert.is_true(made <= 4)
    end)

    for what, through in pairs {
      ["a gsub callback"] = function(fn)
        local value, err
        local _ = ("x"):gsub("x", function() value, err = fn() end)
        return value, err
      end,
      ["a coroutine of the user's"] = function(fn) return coroutine.wrap(fn)() end,
    } do
      for _, parallel in ipairs { 8, 64 } do
        it(("loses no item where fn calls from %s, %d at once"):format(what, parallel), function()
          local r = rehearsal.new { machines = {}, limits = false, latency = 1, unguarded = true }
          local items = {}
          for i = 1, 100 do
            items[i] = id(i)
            r.tenant:put_machine { id = id(i), computerDnsName = ("desk-%d"):format(i) }
          end
          local results = r.client:each(items, function(item)
            return through(function() return r.client:restrict(item, "why") end)
          end, { parallel = parallel })
          assert.equal(#items, #results)
          for i, result in ipairs(results) do
            assert.equal(items[i], result.item)
            assert.truthy(result.value, tostring(result.err))
          end
          assert.equal(#items, r:count "action_created")
        end)
      end
    end

    it("says so where an iterator that tasks share is pulled where nobody can wait for it", function()
      local r = rehearsal.new { latency = 1 }
      local iterator, seen = r.client:machines "all", 0
      local results = r.client:each({ 1, 2, 3 }, function()
        return coroutine.wrap(function()
          local count = 0
          for _ in iterator do count = count + 1 end
          seen = seen + count
          return count
        end)()
      end)
      assert.equal(3, #results)
      for _, result in ipairs(results) do
        if result.err then
          assert.truthy(tostring(result.err):find("this wait could never end", 1, true), tostring(result.err))
        end
      end
      assert.equal(#r.tenant.machines, seen)
    end)

    it("goes on working while the iterator waits", function()
      local r = rehearsal.new()
      local pulled, now, most = 0, 0, 0
      r.client:each(function()
        r.driver.sleep(1)
        pulled = pulled + 1
        if pulled <= 20 then return pulled end
      end, function()
        now = now + 1
        most = math.max(most, now)
        r.driver.sleep(10)
        now = now - 1
      end, { parallel = 5 })
      assert.equal(21, pulled)
      assert.equal(5, most)
    end)

    it("signs in once for all, also when that fails", function()
      local r = rehearsal.new { client = { credential = "not the right one" } }
      local items = {}
      for i = 1, 100 do items[i] = id(i) end
      local results = r.client:each(items, function(device) return r.client:restrict(device, "why") end,
        { parallel = 100 })
      assert.equal(100, results.failed)
      for _, result in ipairs(results) do
        local err, first = result.err, results[1].err
        assert.same({ first.kind, first.code, first.message }, { err.kind, err.code, err.message })
      end
      assert.equal("auth", results[1].err.kind)
      assert.equal("AADSTS7000215", results[1].err.code)
      assert.equal(1, r:count "token_refused")
    end)

    it("lets changes of one machine take turns: one restriction, whoever is first", function()
      local r = rehearsal.new { latency = 0.1 }
      r.tenant:set { duplicates = "new" }
      local items = { "laptop-17", "LAPTOP-17.corp.example", "17171717-0000-4000-8000-000000000017",
        "1f00000000000000000000000000000000000017" }
      local results = r.client:each(items, function(device) return r.client:restrict(device, "why") end)
      local outcomes = {}
      for _, result in ipairs(results) do
        local outcome = assert(result.value).outcome
        outcomes[outcome] = (outcomes[outcome] or 0) + 1
      end
      assert.same({ accepted = 1, already_active = 3 }, outcomes)
      assert.equal(1, r:count "action_created")
    end)
  end)

  it("begins nothing that was still being pulled when another failed", function()
    local r = rehearsal.new()
    local pulled, begun = 0, {}
    local results = r.client:each(function()
      r.driver.sleep(3)
      pulled = pulled + 1
      return pulled
    end, function(item)
      begun[#begun + 1] = item
      r.driver.sleep(1)
      return nil, "bad"
    end, { stop_on_error = true, parallel = 4 })
    assert.same({ 1 }, begun)
    assert.equal(2, pulled)
    assert.same({ { item = 1, err = "bad" }, failed = 1, stopped = true }, results)
  end)

  it("is not stopped by an error after everything was begun", function()
    local r = rehearsal.new()
    local results = r.client:each({ 1, 2, 3 }, function()
      r.driver.sleep(1)
      return nil, "bad"
    end, { stop_on_error = true })
    assert.same({ 3, 3 }, { #results, results.failed })
    assert.is_nil(results.stopped)
  end)

  -- A host with threads of its own, as a web server has them: whoever waits is asked again and again.
  describe("in a host's own concurrency", function()
    local function new_host(most)
      local threads, host, started = {}, {}, 0
      local function pass() coroutine.yield "host" end
      function host.spawn(fn)
        started = started + 1
        if started > most then error "too many threads" end
        threads[#threads + 1] = coroutine.create(fn)
      end
      function host.gate()
        local opened = false
        return {
          open = function() opened = true end,
          wait = function()
            while not opened do pass() end
            return true
          end,
        }
      end
      host.pass = pass
      function host.run(fn)
        threads[1] = coroutine.create(fn)
        while threads[1] do
          local thread = table.remove(threads, 1)
          local ok, what = coroutine.resume(thread)
          assert(ok, what)
          if coroutine.status(thread) ~= "dead" then
            assert.equal("host", what)
            threads[#threads + 1] = thread
          end
        end
      end
      return host
    end

    for _, most in ipairs { 100, 3, 1 } do
      it(("works with %d threads"):format(most), function()
        local host, now, highest, results, told = new_host(most), 0, 0, nil, 0
        host.run(function()
          local n = 0
          results = job_pool.each(host, function()
            host.pass()
            n = n + 1
            if n <= 20 then return n end
          end, function(item)
            now = now + 1
            highest = math.max(highest, now)
            for _ = 1, item % 7 * 10 do host.pass() end
            now = now - 1
            if item == 11 then error "raised" end
            return item
          end, { parallel = 5, on_progress = function()
            host.pass()
            told = told + 1
          end })
        end)
        assert.equal(20, #results)
        assert.equal(20, told)
        assert.equal(1, results.failed)
        assert.equal(math.min(most, 5), highest)
        for i, result in ipairs(results) do assert.equal(i, result.item) end
      end)
    end

    it("tells of all of it where a thread runs at once", function()
      local told = 0
      local results = job_pool.each({ spawn = function(fn) fn() end, gate = new_host(1).gate }, { 1, 2, 3 }, tostring,
        { on_progress = function() told = told + 1 end })
      assert.equal(3, #results)
      assert.equal(3, told)
    end)

    it("says so if there are no threads at all", function()
      local host = new_host(0)
      local ok, problem = pcall(job_pool.each, host, { 1 }, print)
      assert.is_false(ok)
      assert.truthy(problem:find "too many threads")
    end)
  end)

  describe("with a driver that does one thing at a time", function()
    common(function() return rehearsal.new { sequential = true, unguarded = true } end)

    it("does one after the other, whatever it is told", function()
      local r = rehearsal.new { sequential = true }
      local now = 0
      local results = r.client:each({ 1, 2, 3 }, function()
        now = now + 1
        r.driver.sleep(1)
        now = now - 1
        return now
      end, { parallel = 8 })
      for _, result in ipairs(results) do assert.equal(0, result.value) end
    end)
  end)

  it("says that it cannot work in plain Lua 5.1", function()
    local version, jit = rawget(globals, "_VERSION"), rawget(globals, "jit")
    rawset(globals, "_VERSION", "Lua 5.1")
    rawset(globals, "jit", nil)
    local ok, err = pcall(job_pool.each, {}, {}, print)
    rawset(globals, "_VERSION", version)
    rawset(globals, "jit", jit)
    assert.is_false(ok)
    assert.equal("invalid", err.kind)
    assert.truthy(tostring(err):find("plain Lua 5.1", 1, true))
  end)
end)
