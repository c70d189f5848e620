-- What a driver for an event loop is for: calls in flight beside one another and beside the program's own timers.
--
--   beside("cqueues", { make = function(tenant) ... end, run = function(driver, fn) ... end,
--     every = function(seconds, fn) ... return stop end })
--
-- `run` runs fn inside the loop until it has returned; `every`, called in there, has the loop call fn again and
-- again until `stop` is called.

local busted = require "busted"
local describe, it, setup, teardown = busted.describe, busted.it, busted.setup, busted.teardown
local before_each = busted.before_each
local assert = require "luassert"

local tenants = require "tests.spec.support.tenant"

local TICK_SECONDS = 0.01
local LAPTOP = "1f00000000000000000000000000000000000017"

---@param name string
---@param host table
return function(name, host)
  describe("beside a program's own timers, " .. name, function()
    local tenant, driver

    setup(function() tenant = tenants.start { limits = false, action_seconds = 0.5 } end)
    teardown(function() tenant.stop() end)

    before_each(function()
      tenant.reset()
      tenant.clear()
      driver = host.make(tenant)
    end)

    local function client(options)
      return tenant.client { driver = options and options.driver or driver, limits = false }
    end

    -- Counts the ticks of a timer between the moment when the tenant has created so many actions and the answer to
    -- the first, which takes its time. `call` makes the calls, and calls its argument when the first was answered.
    local function ticks_while_waiting(actions, call)
      local created, ticks, answered = 0, 0, false
      host.run(driver, function()
        local stop = host.every(TICK_SECONDS, function()
          if answered then return end
          if created >= actions then
            ticks = ticks + 1
          else
            created = #tenant.history "action_created"
          end
        end)
        local ok, err = pcall(call, function() answered = true end)
        stop()
        if not ok then error(err, 0) end
      end)
      return ticks, created
    end

    local function answer_slowly(verb, interval)
      tenant.fault { fault = "slow", interval = interval, processed = true, count = false,
        match = { method = "POST", path = verb } }
    end

    it("a device is restricted and released while a timer ticks", function()
      local defender = client()
      answer_slowly("restrictCodeExecution", 0.001)
      answer_slowly("unrestrictCodeExecution", 0.001)
      local restricting = ticks_while_waiting(1, function(answered)
        local action = assert(defender:restrict(LAPTOP, "beacon to known C2", { incident = "INC-4711" }))
        answered()
        assert.equal("accepted", action.outcome)
        assert.equal("Succeeded", action:wait { timeout = 30 })
      end)
      assert(restricting >= 10, restricting .. " ticks while the restrict was in flight")
      local releasing = ticks_while_waiting(2, function(answered)
        local action = assert(defender:release(LAPTOP, "cleared", { incident = "INC-4711" }))
        answered()
        assert.equal("accepted", action.outcome)
        assert.equal("Succeeded", action:wait { timeout = 30 })
      end)
      assert(releasing >= 10, releasing .. " ticks while the release was in flight")
      assert.equal(2, #tenant.history "action_created")
      assert.equal(1, #tenant.history "token_issued")
    end)

    it("sixteen restricts are all at the tenant before the first is answered", function()
      local machines = {}
      for i = 1, 16 do
        machines[i] = tenant.machine { computerDnsName = ("loop-%d.corp.example"):format(i), osPlatform = "Windows11" }
      end
      local defender = client()
      answer_slowly("restrictCodeExecution", 0.004)
      local results
      local ticks, created = ticks_while_waiting(16, function(answered)
        results = defender:each(machines, function(machine)
          local action, err = defender:restrict(machine, "beacon to known C2", { incident = "INC-4711" })
          answered()
          return action, err
        end, { parallel = 16 })
      end)
      assert.equal(0, results.failed, results[1] and tostring(results[1].err))
      assert.equal(16, created)
      assert.is_true(ticks >= 10)
      for i, result in ipairs(results) do assert.equal(machines[i], result.value.machineId) end
      assert.equal(16, #tenant.history "action_created")
    end)

    -- The second cannot be suspended where it is, and needs the first to end.
    it("a call that has to block does not wait for one that cannot go on meanwhile", function()
      local defender, outcomes = client(), {}
      answer_slowly("restrictCodeExecution", 0.001)
      host.run(driver, function()
        defender:each({ 1, 2 }, function(i)
          if i == 1 then
            outcomes[1] = assert(defender:restrict(LAPTOP, "first")).outcome
          else
            while #tenant.history "action_created" == 0 do driver.sleep(TICK_SECONDS) end
            ("x"):gsub("x", function() outcomes[2] = assert(defender:restrict(LAPTOP, "second")).outcome end)
          end
          return true
        end)
      end)
      assert.same({ "accepted", "already_active" }, outcomes)
      assert.equal(1, #tenant.history "action_created")
    end)

    it("each keeps what the function raises to its item", function()
      local defender, results = client(), nil
      host.run(driver, function()
        results = defender:each({ 1, 2, 3 }, function(i)
          if i == 2 then error "oops" end
          return assert(defender:machine(LAPTOP)).id
        end)
      end)
      assert.equal(1, results.failed)
      assert.equal(LAPTOP, results[1].value)
      assert.equal(LAPTOP, results[3].value)
      assert.truthy(tostring(results[2].err):find("oops", 1, true))
    end)

    it("a driver of another kind may be at work in the same program", function()
      local other = client { driver = require "mde.driver.curl".new { ca_file = tenant.ca_file, proxy = "" } }
      local defender, names = client(), {}
      host.run(driver, function()
        defender:each({ 1, 2, 3, 4 }, function(i)
          local asked = i % 2 == 0 and other or defender
          names[i] = assert(asked:machine(LAPTOP)).computerDnsName
          return true
        end)
      end)
      assert.same({ names[1], names[1], names[1], names[1] }, names)
      assert.is_string(names[1])
    end)
  end)
end
