-- single_flight: one piece of work for many waiters.
local contexts = require "mde.sync.context"
local single_flights = require "mde.sync.single_flight"
local sim = require "mde.sim"

-- Flights over a driver on a made-up clock.
local function concurrent()
  local tenant = sim.new { machines = {} }
  local driver = tenant:driver()
  return single_flights.new(driver, driver.sleep), driver
end

-- Flights over a driver that can do one thing at a time; `slept` collects what it was told to sleep.
local function sequential()
  local slept = {}
  return single_flights.new({}, function(seconds) slept[#slept + 1] = seconds end), slept
end

describe("a single flight", function()
  it("does the work once and has its result for everybody who waited", function()
    local all, driver = concurrent()
    local times, got = 0, {}
    local function work()
      times = times + 1
      driver.sleep(3)
      return "the result"
    end
    local call = all:start("a", work)
    for i = 1, 5 do
      driver.spawn(function()
        all:wait(all:current "a", 10)
        got[i] = call.value
      end)
    end
    all:wait(call, 10)
    driver.sleep(1)
    assert.equal(1, times)
    assert.same({ "the result", "the result", "the result", "the result", "the result" }, got)
  end)

  it("has a failure for everybody, too", function()
    local all = concurrent()
    local call = all:start("a", function() return nil, "no" end)
    all:wait(call, 1)
    assert.is_true(call.ended)
    assert.is_false(call.raised)
    assert.is_nil(call.value)
    assert.equal("no", call.err)
  end)

  it("keeps what the work raised, even nil, for whoever has to know", function()
    local all = concurrent()
    local call = all:start("a", function() error "broken" end)
    all:wait(call, 1)
    assert.is_true(call.raised)
    assert.matches("broken", call.problem)
    call = all:start("a", function() error(nil) end)
    all:wait(call, 1)
    assert.is_true(call.raised)
  end)

  it("lets a waiter go when its time is up, and goes on", function()
    local all, driver = concurrent()
    local call = all:start("a", function() driver.sleep(60) return "late" end)
    local began = driver.now()
    all:wait(call, 2)
    assert.equal(2, driver.now() - began)
    assert.is_nil(call.ended)
    assert.equal(call, all:current "a")
    all:wait(call, 100)
    assert.equal("late", call.value)
    assert.is_nil(all:current "a")
  end)

  it("is replaced by a later one, which its landing does not end", function()
    local all, driver = concurrent()
    local first = all:start("a", function() driver.sleep(5) return 1 end)
    local second = all:start("a", function() driver.sleep(9) return 2 end)
    all:wait(first, 100)
    assert.equal(1, first.value)
    assert.equal(second, all:current "a")
    all:wait(second, 100)
    assert.equal(2, second.value)
  end)

  it("knows its key", function()
    local all, driver = concurrent()
    local a = all:start("a", function() driver.sleep(1) return "a" end)
    local b = all:start("b", function() driver.sleep(1) return "b" end)
    assert.equal(a, all:current "a")
    assert.equal(b, all:current "b")
  end)

  it("is done on the spot where the driver cannot run things concurrently", function()
    local all, slept = sequential()
    local call = all:start("a", function() return "at once" end)
    assert.equal("at once", call.value)
    assert.is_nil(all:current "a")
    all:wait(call, 60)
    assert.same({}, slept)
    assert.is_true(all:start("a", function() error "broken" end).raised)
  end)

  it("is looked after every now and then if it was started by a coroutine of the host", function()
    local all, slept = sequential()
    local host = coroutine.wrap(function()
      all:start("a", function() coroutine.yield() return "in the end" end)
    end)
    host()
    local call = all:current "a"
    all:wait(call, 60)
    assert.is_true(slept[1] > 0 and slept[1] <= 1)
    all:wait(call, 0.01)
    assert.equal(0.01, slept[2])
    host()
    assert.equal("in the end", call.value)
  end)

  it("may be over as soon as it began", function()
    local all, driver = concurrent()
    driver.spawn = function(fn) fn() end
    local call = all:start("a", function() return "at once" end)
    assert.is_true(call.ended)
    assert.is_nil(all:current "a")
  end)

  it("may be out of sight", function()
    local all, slept = sequential()
    all:wait(nil, 60)
    assert.is_true(slept[1] > 0 and slept[1] <= 1)
  end)

  it("is nobody's where the task could not be made", function()
    local all, driver = concurrent()
    driver.spawn = function() error "not enough memory" end
    assert.has_error(function() all:start("a", function() end) end)
    assert.is_nil(all:current "a")
  end)

  describe("where the host may drop a caller", function()
    local all, driver, detached

    before_each(function()
      all, driver = concurrent()
      detached = 0
      driver.detach = function(fn)
        detached = detached + 1
        driver.spawn(fn)
        return true
      end
    end)

    it("is in a task that stays", function()
      local call = all:start("a", function() return "the result" end)
      all:wait(call, 1)
      assert.equal("the result", call.value)
      assert.equal(1, detached)
    end)

    it("is seen through, and its caller has its result", function()
      local done = false
      local value, err = all:run_detached(contexts.new(os.clock), function()
        driver.sleep(500)
        done = true
        return nil, "an error"
      end)
      assert.is_true(done)
      assert.is_nil(value)
      assert.equal("an error", err)
      assert.has_error(function() all:run_detached(contexts.new(os.clock), function() error "broken" end) end)
      assert.equal(2, detached)
    end)

    it("is refused where there is no place for it, and nothing was run", function()
      driver.detach = function() return nil, "1,000 are waiting" end
      local run = false
      local value, err = all:run_detached(contexts.new(os.clock), function() run = true end)
      assert.is_nil(value)
      assert.equal("unavailable", err.kind)
      assert.matches("1,000 are waiting", err.message)
      assert.is_false(run)
      local call = all:start("a", function() run = true end)
      assert.is_true(call.refused)
      assert.is_nil(all:current "a")
      assert.is_false(run)
    end)
  end)

  it("whose task the host ended is not waited for for ever, and nobody knows what it did", function()
    local all, driver = concurrent()
    local tasks = {}
    driver.detach = function(fn)
      tasks[#tasks + 1] = fn
      return true
    end
    local before = driver.now()
    local value, err = all:run_detached(contexts.new(driver.now, 10), function() return true end)
    assert.is_nil(value)
    assert.equal("unknown", err.kind)
    assert.is_true(driver.now() - before >= 10)
    value, err = all:run_detached(contexts.new(os.clock), function() return true end)
    assert.is_nil(value)
    assert.equal("unknown", err.kind)
    assert.equal(2, #tasks)
  end)

  it("is seen through on the spot elsewhere", function()
    local all = sequential()
    local value, err = all:run_detached(contexts.new(os.clock), function() return 1, 2 end)
    assert.same({ 1, 2 }, { value, err })
  end)
end)
