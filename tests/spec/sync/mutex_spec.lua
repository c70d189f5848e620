-- One after the other under one key, and nobody waits for other keys.

local rehearsal = require "tests.spec.support.rehearsal"
local mutexes = require "mde.sync.mutex"

describe("a mutex", function()
  local driver, clock, log

  before_each(function()
    local r = rehearsal.new()
    driver, clock, log = r.driver, r.tenant.clock, {}
  end)

  local function note(text)
    log[#log + 1] = text
  end

  -- Runs the functions as tasks and waits for all of them.
  local function together(...)
    local left, finished = select("#", ...), driver.gate()
    for _, fn in ipairs { ... } do
      driver.spawn(function()
        fn()
        left = left - 1
        if left == 0 then finished:open() end
      end)
    end
    finished:wait()
  end

  local function worker(mutex, key, name, seconds)
    return function()
      mutex:take(key, nil, function()
        note(name .. " in")
        driver.sleep(seconds)
        note(name .. " out")
      end)
    end
  end

  it("is had in the order of asking", function()
    local mutex = mutexes.new(driver)
    together(worker(mutex, "k", "a", 3), worker(mutex, "k", "b", 1), worker(mutex, "k", "c", 2))
    assert.same({ "a in", "a out", "b in", "b out", "c in", "c out" }, log)
  end)

  it("lets nobody wait for other keys", function()
    local mutex = mutexes.new(driver)
    together(worker(mutex, "k", "a", 3), worker(mutex, "l", "b", 1))
    assert.same({ "a in", "b in", "b out", "a out" }, log)
  end)

  it("hands on what the work returns, nils and all", function()
    local mutex = mutexes.new(driver)
    local function pack(...) return select("#", ...), ... end
    assert.same({ 4, true, nil, "b", nil }, { pack(mutex:take("k", 1, function() return nil, "b", nil end)) })
  end)

  it("hands on what the work raises, and the next has it", function()
    local mutex, raised = mutexes.new(driver), {}
    local ok, problem = pcall(mutex.take, mutex, "k", 1, function() error(raised) end)
    assert.is_false(ok)
    assert.equal(raised, problem)
    assert.is_true(mutex:take("k", 1, function() end))
  end)

  it("that does not come in time is given up, and nothing is run", function()
    local mutex = mutexes.new(driver)
    together(worker(mutex, "k", "a", 10), function()
      local before = clock.now()
      assert.is_false(mutex:take("k", 4, function() note "b" end))
      assert.equal(4, clock.now() - before)
    end)
    assert.same({ "a in", "a out" }, log)
  end)

  it("of somebody whose task was ended is taken over in the end", function()
    local mutex, done, before = mutexes.new(driver), false, clock.now()
    driver.spawn(function()
      mutex:take("k", nil, function() driver.sleep(1e6) end)
    end)
    driver.sleep(1)
    assert.is_false(mutex:take("k", 120, function() end))
    assert.is_true(mutex:take("k", 7200, function() done = true end))
    assert.is_true(done)
    assert.is_true(clock.now() - before < 1e5)
  end)

  it("tells whether another owner had it since, also one that never gave it back", function()
    local mutex = mutexes.new(driver)
    local function had_since(time, owner)
      local lock = mutex:acquire("k", nil, owner)
      local since = lock:was_taken_since(time)
      lock:release()
      return since
    end
    local began = driver.now()
    assert.is_false(had_since(began, "a"))
    driver.sleep(1)
    assert.is_false(had_since(began, "a"))
    assert.is_true(had_since(began, "b"))
    assert.is_true(had_since(driver.now(), "a"))
    driver.sleep(1)
    assert.is_false(had_since(driver.now(), "b"))
    local looked = driver.now()
    mutex:acquire("k", nil, "c")
    driver.sleep(5400)
    assert.is_true(had_since(looked, "a"))
  end)

  it("tells who had to wait that it was taken", function()
    local mutex, log_of = mutexes.new(driver), {}
    together(worker(mutex, "k", "a", 3), function()
      local lock = mutex:acquire("k", 60, "b")
      log_of.since = lock:was_taken_since(driver.now() + 1000)
      lock:release()
    end)
    assert.is_true(log_of.since)
  end)

  it("hands on the last note", function()
    local mutex = mutexes.new(driver)
    assert.is_nil(mutex:acquire("k"):note())
    driver.sleep(5401)
    mutex:acquire("k"):release { verb = "release" }
    mutex:acquire("k"):release()
    local lock = mutex:acquire "k"
    assert.same({ verb = "release" }, lock:note())
    lock:release { verb = "restrict" }
    assert.same({ verb = "restrict" }, mutex:acquire("k"):note())
  end)

  it("forgets who had it, in time", function()
    local mutex = mutexes.new(driver)
    for n = 1, 2000 do mutex:acquire(tostring(n)):release() end
    driver.sleep(5401)
    for _ = 1, 256 do mutex:acquire "m":release() end
    local remembered = 0
    for _ in pairs(mutex.holders) do remembered = remembered + 1 end
    assert.equal(1, remembered)
  end)

  it("leaves nothing behind", function()
    local mutex = mutexes.new(driver)
    together(worker(mutex, "k", "a", 1), worker(mutex, "k", "b", 1))
    assert.is_nil(next(mutex.taken))
  end)

  it("needs no clock of the driver's own", function()
    local mutex = mutexes.new { gate = driver.gate, spawn = driver.spawn, send = driver.send }
    assert.same({ true, 1 }, { mutex:take("k", 5, function() return 1 end) })
  end)

  it("is for nothing where the driver does one thing at a time", function()
    local mutex = mutexes.new { send = driver.send }
    assert.same({ true, 1, 2 }, { mutex:take("k", 5, function() return 1, 2 end) })
  end)
end)
