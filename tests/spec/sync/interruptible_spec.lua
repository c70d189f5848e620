-- interruptible: work that may be left before its end.
local errors = require "mde.base.error"
local interruptible = require "mde.sync.interruptible"
local rehearsal = require "tests.spec.support.rehearsal"
local sim = require "mde.sim"

describe("interruptible work", function()
  local driver

  before_each(function() driver = sim.new({ machines = {} }):driver() end)

  local function never() return false end

  it("is finished, and has its results, if nobody interrupts it", function()
    local asked = 0
    local finished, value, err = interruptible.run(driver, function()
      driver.sleep(10)
      return nil, "an error"
    end, function() asked = asked + 1 end)
    assert.same({ true, nil, "an error", n = 3 }, { finished, value, err, n = 3 })
    assert.is_true(asked >= 99 and asked <= 100, asked)
    assert.same({ true, "at once" }, { interruptible.run(driver, function() return "at once" end, error) })
  end)

  it("is left where it waits", function()
    local began, reached = driver.now(), false
    local finished = interruptible.run(driver, function()
      driver.sleep(10)
      reached = true
    end, function() return driver.now() - began >= 2 end)
    assert.is_false(finished)
    assert.is_false(reached)
    assert.is_true(driver.now() - began < 2.2)
  end)

  it("raises what it raised, and what the one who is asked raised", function()
    local problem = errors.new { kind = "invalid", code = "wrong_type", message = "x" }
    local ok, raised = pcall(interruptible.run, driver, function()
      driver.sleep(1)
      error(problem, 0)
    end, never)
    assert.is_false(ok)
    assert.equal(problem, raised)
    ok, raised = pcall(interruptible.run, driver, function() driver.sleep(1) end, function() error("asked", 0) end)
    assert.is_false(ok)
    assert.equal("asked", raised)
  end)

  it("is done without a question where the driver has no tasks", function()
    local plain = { sleep = driver.sleep }
    assert.same({ true, "done" }, { interruptible.run(plain, function() return "done" end, error) })
  end)

  it("of a client looks at what the each around it shares", function()
    local machines = {}
    for i = 1, 5 do machines[i] = { id = ("%040x"):format(i) } end
    local r = rehearsal.new { machines = machines, limits = false, unguarded = true }
    local results = r.client:each(machines, function(machine)
      local _, action, err = r.client:interruptible(function() return r.client:restrict(machine.id, "why") end, never)
      return action, err
    end)
    assert.equal(0, results.failed)
    -- One list of all, their records together, and for each machine its restriction.
    assert.equal(1 + 1 + 5, #r:requests())
  end)

  it("of a client needs two functions", function()
    local client = rehearsal.new({ machines = {} }).client
    rehearsal.refused(client.interruptible, client, never)
    rehearsal.refused(client.interruptible, client, nil, never)
  end)
end)
