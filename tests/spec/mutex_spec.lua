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

  it("tells whether somebody had it since", function()
    local mutex, began = mutexes.new(driver), driver.now()
    assert.is_false(mutex:was_taken_since("k", began))
    driver.sleep(1)
    local lock = mutex:acquire "k"
    driver.sleep(10)
    assert.is_false(mutex:was_taken_since("k", began))
    lock:release()
    lock:release()
    assert.is_true(mutex:was_taken_since("k", began))
    assert.is_true(mutex:was_taken_since("k", driver.now()))
    assert.is_false(mutex:was_taken_since("k", driver.now() + 1))
    assert.is_false(mutex:was_taken_since("l", began))
    for n = 1, 2000 do mutex:acquire(tostring(n)):release() end
    driver.sleep(121)
    for _ = 1, 256 do mutex:acquire "m":release() end
    local remembered = 0
    for _ in pairs(mutex.ended) do remembered = remembered + 1 end
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
