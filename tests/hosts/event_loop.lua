-- What a driver for an event loop promises, whichever loop it is: the driver contract; calls in flight beside one
-- another and beside the program's own timers; and that the loop can end, also while something is in flight.
--
--   event_loop({
--     name = "luv",             -- mde.driver.luv
--     places = {                -- where calls can be made
--       { name = "inside uv.run", run = function(driver, fn) ... end },    -- runs fn there until it has returned
--       { name = "outside of any loop" },                                  -- where nothing else is under way
--     },
--     every = function(seconds, fn) ... return stop end,    -- has the loop call fn again and again until stop()
--     program = [[...]],        -- the beginning of a program of its own, see below
--     endings = { { what, text, output? }, ... },    -- more ways to end a program with requests in flight
--   }, function(program) ... end)     -- describes what this host alone has
--
-- On Lua 5.4 each place has the whole contract, elsewhere its share of the tests; `share` says which where a place
-- stands alone ({ 1, 2 }: the first of two).
--
-- `make(tenant)` makes the driver where options do not, `serve(options)` starts the tenant where the tests cannot, as
-- in nginx; `never_blocks` and `raw` are as tests/spec/driver/conformance.lua has them. Without `program` there is no
-- program of its own.

local busted = require "busted"
local describe, it, setup, teardown = busted.describe, busted.it, busted.setup, busted.teardown
local before_each = busted.before_each
local assert = require "luassert"

local conformance = require "tests.spec.driver.conformance"
local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local TICK_SECONDS = 0.01
local LAPTOP = "1f00000000000000000000000000000000000017"

-- What every program begins with. The host's part adds go(fn), which gives fn to the loop as a task; finish(), which
-- runs the loop to its end; a_while(), which runs it for a moment; and is_idle(), whether nothing is left in it.
local PROGRAM = [[
local base_url, ca_file = arg[1], arg[2]
local new = require "mde.driver.%s".new
local driver = new { ca_file = ca_file, proxy = "" }
local function request(path)
  return { method = "GET", url = base_url .. (path or "/api/machines"), headers = {}, timeout = 20,
    max_bytes = 100000, max_idle = 5 }
end
local function status(path)
  local response, message = driver.send(request(path))
  return response and response.status or message
end
io.stdout:setvbuf "no"
]]

-- ---- calls

-- Runs a function in a place; raises what it raised.
local function run_in(place, driver, fn)
  local ended, ok, err = false, nil, nil
  place.run(driver, function()
    ok, err = pcall(fn)
    ended = true
  end)
  assert(ended, "the host's loop ended before the function did")
  if not ok then error(err, 0) end
end

local function describe_calls(host, place)
  describe(("calls beside a program's own timers: %s, %s,"):format(host.name, place.name), function()
    local tenant, driver

    setup(function() tenant = host.serve { limits = false, action_seconds = 0.5 } end)
    teardown(function() tenant.stop() end)

    before_each(function()
      tenant.reset()
      tenant.clear()
      driver = host.make(tenant)
    end)

    local function client(other)
      return tenant.client { driver = other or driver, limits = false }
    end

    -- Counts the ticks of a timer between the moment when the tenant has created so many actions and the answer to
    -- the first, which takes its time. `call` makes the calls, and calls its argument when the first was answered.
    local function ticks_while_waiting(actions, call)
      local created, ticks, answered = 0, 0, false
      run_in(place, driver, function()
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

    it("each keeps what the function raises to its item", function()
      local defender, results = client(), nil
      run_in(place, driver, function()
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

    if host.never_blocks then return end

    -- The second cannot be suspended where it is, and needs the first to end.
    it("a call that has to block does not wait for one that cannot go on meanwhile", function()
      local defender, outcomes = client(), {}
      answer_slowly("restrictCodeExecution", 0.001)
      run_in(place, driver, function()
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

    it("a driver of another kind may be at work in the same program", function()
      local other = client(require "mde.driver.curl".new { ca_file = tenant.ca_file, proxy = "" })
      local defender, names = client(), {}
      run_in(place, driver, function()
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

-- ---- programs

-- Each begins with `go(function() status() end)` or the like, and is to end in spite of it.
local ENDINGS = {
  { "in tasks", [[
    for i = 1, 20 do go(function() status() end) end
    a_while() ]] },
  { "while the driver is closed", [[
    go(function() status() end)
    a_while()
    driver.close() ]] },
  { "with the multi handle closed first", [[
    go(function() print((status():gsub(" while.*", ""))) end)
    a_while()
    require "mde.curl".multi():close()
    finish() ]], "the driver was closed\n" },
}

local function describe_programs(host, own)
  local beginning = PROGRAM:format(host.name) .. host.program

  describe("mde.driver." .. host.name, function()
    local program = {}

    setup(function() program.tenant = tenants.start { limits = false } end)
    teardown(function() program.tenant.stop() end)

    before_each(function()
      program.tenant.reset()
      program.tenant.clear()
    end)

    --- Starts a program. What a loop has of its own when it ends the program, and what the child of a fork forgets of
    --- its parent on purpose, is no leak of ours.
    ---@param text string
    ---@param may_leak boolean?
    function program.start(text, may_leak)
      return script.start(beginning .. text, { arguments = { program.tenant.base_url, program.tenant.ca_file },
        environment = (may_leak or text:find("fork", 1, true)) and { ASAN_OPTIONS = "detect_leaks=0" } or nil })
    end

    --- What a program writes; `expected` is how it ends, where it ends in another way than well.
    function program.run(text, expected)
      local output, status = program.start(text, expected ~= nil).finish()
      assert.equal(expected or "exit 0", status, output)
      return output
    end

    --- From now on the tenant does not answer.
    function program.stall()
      program.tenant.fault { fault = "stall", match = { path = "/api/machines" }, count = false }
    end

    it("says what is wrong with its options", function()
      local new = require("mde.driver." .. host.name).new
      assert.error_matches(function() new { cafile = "x" } end, "no option 'cafile'")
      assert.error_matches(function() new { ca_file = 1 } end, "ca_file must be a string")
      assert.error_matches(function() new { proxy = 1 } end, "proxy must be a string")
    end)

    it("lets the loop end when nothing is in flight, again and again", function()
      assert.equal("401\ttrue\n404\ttrue\n401\ttrue\n", program.run [[
        for _, path in ipairs { "/api/machines", "/nothing", "/api/machines" } do
          local answer
          go(function()
            driver.sleep(0.01)
            answer = status(path)
          end)
          finish()
          print(answer, is_idle())
        end
      ]])
    end)

    it("leaves nothing in the loop behind a call outside of it", function()
      assert.equal("401\ttrue\n401\ttrue\n", program.run [[
        print(status(), is_idle())
        finish()
        print(status(), is_idle())
      ]])
    end)

    local function describe_ending(ending)
      it("lets the state close with requests in flight: " .. ending[1], function()
        program.stall()
        assert.equal((ending[3] or "") .. "end\n", program.run(ending[2] .. "\nprint 'end' os.exit(true, true)"))
      end)
    end

    for _, ending in ipairs(ENDINGS) do describe_ending(ending) end
    for _, ending in ipairs(host.endings or {}) do describe_ending(ending) end

    if own then own(program) end
  end)
end

---@param host table
---@param own fun(program: table)?
return function(host, own)
  host.serve = host.serve or tenants.start
  host.make = host.make or function(tenant)
    return require("mde.driver." .. host.name).new { ca_file = tenant.ca_file, proxy = "" }
  end
  for i, place in ipairs(host.places) do
    conformance(("%s, %s"):format(host.name, place.name), host.make, host.serve, {
      never_blocks = host.never_blocks, raw = host.raw,
      share = host.share or _VERSION ~= "Lua 5.4" and { i, #host.places } or nil,
      within = place.run and function(driver, body) run_in(place, driver, body) end,
    })
    if place.run then describe_calls(host, place) end
  end
  if host.program then describe_programs(host, own) end
end
