-- One after the other under one key, and nobody waits for other keys.

local rehearsal = require "tests.spec.support.rehearsal"
local turns = require "mde.sync.mutex"

describe("turns", function()
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

  local function worker(turn, key, name, seconds)
    return function()
      turn:take(key, nil, function()
        note(name .. " in")
        driver.sleep(seconds)
        note(name .. " out")
      end)
    end
  end

  it("come in the order in which they were asked for", function()
    local turn = turns.new(driver)
    together(worker(turn, "k", "a", 3), worker(turn, "k", "b", 1), worker(turn, "k", "c", 2))
    assert.same({ "a in", "a out", "b in", "b out", "c in", "c out" }, log)
  end)

  it("of other keys are not waited for", function()
    local turn = turns.new(driver)
    together(worker(turn, "k", "a", 3), worker(turn, "l", "b", 1))
    assert.same({ "a in", "b in", "b out", "a out" }, log)
  end)

  it("hand on what the work returns, nils and all", function()
    local turn = turns.new(driver)
    local function pack(...) return select("#", ...), ... end
    assert.same({ 4, true, nil, "b", nil }, { pack(turn:take("k", 1, function() return nil, "b", nil end)) })
  end)

  it("hand on what the work raises, and the next has its turn", function()
    local turn, raised = turns.new(driver), {}
    local ok, problem = pcall(turn.take, turn, "k", 1, function() error(raised) end)
    assert.is_false(ok)
    assert.equal(raised, problem)
    assert.is_true(turn:take("k", 1, function() end))
  end)

  it("that do not come in time are given up, and nothing is run", function()
    local turn = turns.new(driver)
    together(worker(turn, "k", "a", 10), function()
      local before = clock.now()
      assert.is_false(turn:take("k", 4, function() note "b" end))
      assert.equal(4, clock.now() - before)
    end)
    assert.same({ "a in", "a out" }, log)
  end)

  it("of somebody whose task was ended are taken over in the end", function()
    local turn, done, before = turns.new(driver), false, clock.now()
    driver.spawn(function()
      turn:take("k", nil, function() driver.sleep(1e6) end)
    end)
    driver.sleep(1)
    assert.is_false(turn:take("k", 120, function() end))
    assert.is_true(turn:take("k", 7200, function() done = true end))
    assert.is_true(done)
    assert.is_true(clock.now() - before < 1e5)
  end)

  it("leave nothing behind", function()
    local turn = turns.new(driver)
    together(worker(turn, "k", "a", 1), worker(turn, "k", "b", 1))
    assert.is_nil(next(turn.taken))
  end)

  it("need no clock of the driver's own", function()
    local turn = turns.new { gate = driver.gate, spawn = driver.spawn, send = driver.send }
    assert.same({ true, 1 }, { turn:take("k", 5, function() return 1 end) })
  end)

  it("are for nothing where the driver does one thing at a time", function()
    local turn = turns.new { send = driver.send }
    assert.same({ true, 1, 2 }, { turn:take("k", 5, function() return 1, 2 end) })
  end)
end)
