-- A run holds what its plan says, writes down what it sends, stops by its rules, and goes on to its end.
-- Labels: not-lua5.3
local errors = require "mde.base.error"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local watched_journal = require "tests.spec.support.watched_journal"

describe("a session of a run", function()
  local stage

  local function set_up(count, options, flags)
    local all = { machines = playbooks.fleet(count, flags), limits = false }
    for name, value in pairs(options or {}) do all[name] = value end
    stage = playbooks.new(all)
  end

  after_each(function()
    watched_journal.leave()
    if stage then stage.remove() end
    stage = nil
  end)

  -- One call after the other, so that it is clear which is the first.
  local function sequence(count)
    return ([[
      local mde = require "mde"
      for i = 1, %d do
        mde.restrict(("pc-%%d.corp.example"):format(i), "beacon", { incident = "INC-1" })
      end]]):format(count)
  end

  local function once_each(count)
    for i = 1, count do assert.equal(1, stage.actions()["restrict " .. playbooks.id(i)], "pc-" .. i) end
  end

  -- The run stops by a rule; when `mend` was called it goes on to its end, and nothing was done twice.
  local function stops_and_goes_on(count, rule, plan, options, mend, state)
    local report, err, path = stage.start(plan, options)
    assert.is_nil(err)
    assert.is_not_nil(report.stop, report.why)
    assert.equal(rule, report.stop.rule)
    assert.equal(state or "paused", report.state)
    mend()
    stage.renew()
    report = assert(stage.resume(path))
    assert.equal("complete", report.state, report.why)
    once_each(count)
    return path
  end

  local function posted(event, match) return event.event == "sending" and match(event) end

  it("stops at once when the role is missing", function()
    set_up(4, { roles = { "Machine.Read.All" } })
    local plan = assert(stage.plan(sequence(4)))
    stops_and_goes_on(4, "role", plan, nil, function()
      assert.equal(1, stage.posts())
      stage.tenant:put_application { client_id = stage.tenant.client_id, client_secret = stage.tenant.client_secret,
        roles = { "Machine.Read.All", "Machine.RestrictExecution" } }
    end)
  end)

  it("stops at once when the sign-in is refused", function()
    set_up(4)
    local plan = assert(stage.plan(sequence(4)))
    stops_and_goes_on(4, "sign_in", plan, { on_event = function(event)
      if posted(event, function(one) return one.machine_id == playbooks.id(2) end) then
        stage.tenant:revoke()
        stage.rehearsal:answer({ path = "/oauth2/" }, 401, { error = "invalid_client",
          error_description = "AADSTS7000222: The provided client secret keys are expired." }, { count = false })
      end
    end }, function()
      assert.is_true(stage.posts() <= 3)
      stage.tenant.faults:clear()
      stage.tenant:advance(5)
    end)
  end)

  it("stops when three in a row are forbidden", function()
    set_up(6)
    local plan = assert(stage.plan(sequence(6)))
    stage.rehearsal:answer({ method = "POST" }, 403, { error = { code = "Forbidden", message = "No." } },
      { count = false })
    stops_and_goes_on(6, "forbidden_in_a_row", plan, nil, function()
      assert.equal(3, stage.posts())
      stage.tenant.faults:clear()
    end)
  end)

  it("stops when 20 in a row have no answer, none of which was sent", function()
    set_up(24, { client = { timeout = 100 } })
    local plan = assert(stage.plan(sequence(24)))
    local driver, refused = stage.tenant:driver(), {}
    stage.renew(setmetatable({ send = function(request)
      if request.method ~= "POST" or request.url:find("/oauth2/", 1, true) then return driver.send(request) end
      refused[request.url] = true
      return nil, "connection refused", false, "connect"
    end }, { __index = driver }))
    local written = 0
    stops_and_goes_on(24, "unknown_in_a_row", plan, { on_event = function(event)
      if event.event == "sending" then written = written + 1 end
    end }, function()
      local count = 0
      for _ in pairs(refused) do count = count + 1 end
      assert.equal(20, count)
      -- Once for each device, however often it was attempted.
      assert.equal(20, written)
      assert.equal(0, stage.posts())
    end)
    assert.equal(24, stage.posts())
  end)

  it("stops when 20 in a row have names that cannot be looked up", function()
    set_up(1, { client = { timeout = 20 } })
    local plan = assert(stage.plan((sequence(24):gsub("pc%-", "absent-"))))
    stage.rehearsal:answer({ method = "GET", path = "machines" }, 503, "{}", { count = false })
    local report = assert(stage.start(plan))
    assert.equal("unknown_in_a_row", report.stop and report.stop.rule, report.why)
    assert.equal("run_stopped", report.entries[24].err.code)
    assert.equal("unavailable", report.entries[20].err.kind)
    assert.not_equal("run_stopped", report.entries[20].err.code)
  end)

  it("stops when 20 % of the last 50 are unknown", function()
    set_up(40, { client = { timeout = 100 } })
    local plan, sent = assert(stage.plan(sequence(40), { waves = false })), 0
    stops_and_goes_on(40, "unknown_last", plan, { on_event = function(event)
      if event.event == "sending" then
        sent = sent + 1
        if sent % 3 == 0 then stage.lose(event.machine_id) end
      elseif event.event == "ended" then
        stage.tenant.faults:clear()
      end
    end }, function() assert.equal(30, stage.posts()) end)
  end)

  it("stops when three were taken back by somebody", function()
    set_up(5)
    local plan = assert(stage.plan(sequence(5)))
    stage.tenant:advance(10)
    for i = 1, 4 do
      stage.tenant:insert_action { machineId = playbooks.id(i), type = "UnrestrictCodeExecution", status = "Succeeded",
        requestor = "a.colleague@corp.example", requestorComment = "fine" }
    end
    local report, _, path = stage.start(plan)
    assert.equal("superseded", report.stop.rule)
    assert.equal(0, stage.posts())
    report = assert(stage.resume(path))
    -- What was superseded stays so.
    assert.equal(1, stage.posts())
    assert.equal(1, stage.actions()["restrict " .. playbooks.id(5)])
    assert.equal(3, #report.entries - 2)
  end)

  it("stops when the cap is full, and says until when", function()
    set_up(5, { unguarded = false, client = { cap = 3, protect = { servers = false, device_values = {} } } })
    local plan = assert(stage.plan(sequence(5)))
    local before
    stops_and_goes_on(5, "cap", plan, { on_event = function(event)
      if event.event == "stop" then before = event.stop.retry_at end
    end }, function()
      assert.equal(3, stage.posts())
      assert.is_true(before > stage.tenant.clock.now() and before <= stage.tenant.clock.now() + 3700)
      stage.tenant:advance(3700)
    end)
  end)

  it("stops when it is asked to by mde stop", function()
    set_up(4)
    local plan, path = assert(stage.plan(sequence(4))), stage.path "asked.db"
    stops_and_goes_on(4, "asked", plan, { record = path, on_event = function(event)
      if posted(event, function(one) return one.machine_id == playbooks.id(2) end) then assert(runs.stop(path)) end
    end }, function() assert.is_true(stage.posts() <= 2) end, "stopped")
  end)

  it("stops when its time is up", function()
    set_up(2)
    local plan = assert(stage.plan(sequence(2)))
    stops_and_goes_on(2, "until", plan, { until_time = 1 }, function() assert.equal(0, stage.posts()) end, "stopped")
  end)

  it("asks the service nothing for a call that comes after a stop", function()
    set_up(3)
    for i = 1, 3 do stage.rehearsal:past(playbooks.id(i), "restrict", "Succeeded", 900) end
    local plan = assert(stage.plan((sequence(3):gsub("mde.restrict", "mde.release"))))
    stage.tenant:advance(400)
    local requests = #stage.rehearsal:requests()
    assert.equal("until", stage.start(plan, { until_time = 1 }).stop.rule)
    assert.equal(requests, #stage.rehearsal:requests())
  end)

  it("has no step of what certainly did not leave", function()
    set_up(1, { client = { timeout = 20 } })
    local plan, driver = assert(stage.plan(sequence(1))), stage.tenant:driver()
    stage.renew(setmetatable({ send = function(request)
      if request.method ~= "POST" or request.url:find("/oauth2/", 1, true) then return driver.send(request) end
      return nil, "connection refused", false, "connect"
    end }, { __index = driver }))
    local report = stage.start(plan)
    assert.equal("paused", report.state)
    assert.same({}, report.open)
    assert.same({}, report.not_reached)
  end)

  it("tells each call that comes after a stop why nothing was sent", function()
    set_up(3)
    local plan = assert(stage.plan(sequence(3)))
    local report, _, path = stage.start(plan, { until_time = 1 })
    assert.equal(3, #report.entries)
    for _, entry in ipairs(report.entries) do
      assert.equal("run_stopped", entry.err.code)
      assert.matches(path, entry.err.hint, 1, true)
    end
  end)

  -- ---- the record cannot be written

  for _, verb in ipairs { "restrict", "release" } do
    for _, method in ipairs { "sending", "result" } do
      for k = 1, 4 do
        it(("%ss nothing that is not written, when the %dth %s fails and all that follow"):format(verb, k, method),
          function()
            set_up(4)
            local plan = assert(stage.plan((sequence(4):gsub("mde.restrict", "mde." .. verb))))
            local calls, failed = 0, false
            watched_journal.watch(function(name)
              if name == method then calls = calls + 1 end
              failed = failed or calls >= k
              if failed then return "the disk is full" end
            end)
            local report, err, path = stage.start(plan)
            watched_journal.leave()
            assert.is_nil(err)
            assert.equal("journal", report.stop.rule)
            assert.equal("paused", report.state)
            assert.equal(method == "sending" and k - 1 or k, stage.posts())
            -- What is known and not written is told.
            assert.equal(method == "sending" and 0 or 1, #report.unwritten)
            if method == "result" then
              assert.equal(playbooks.id(k), report.unwritten[1].device)
              assert.equal("accepted", report.unwritten[1].outcome)
            end
            -- It is known, if not written.
            assert.same({}, report.open)
            collectgarbage()
            collectgarbage()
            stage.renew()
            report = assert(stage.resume(path))
            assert.equal("complete", report.state, report.why)
            for i = 1, 4 do assert.equal(1, stage.actions()[verb .. " " .. playbooks.id(i)]) end
          end)
      end
    end
  end

  it("goes on with the others when writing a result raises", function()
    set_up(6)
    local plan, calls = assert(stage.plan(sequence(6), { waves = "1,rest" })), 0
    watched_journal.watch(function(name)
      if name ~= "result" then return end
      calls = calls + 1
      if calls == 1 then error("no memory", 0) end
    end)
    local driver, sleeps = stage.tenant:driver(), 0
    stage.renew(setmetatable({ sleep = function(seconds)
      sleeps = sleeps + 1
      if sleeps > 5000 then error("it waits for ever", 0) end
      return driver.sleep(seconds)
    end }, { __index = driver }))
    -- All but the first, which the playbook goes on without.
    plan.playbook = stage.playbook((sequence(6):gsub("mde%.restrict%(", "pcall(mde.restrict, ")))
    local report = stage.start(plan, { gate = "succeeded=0%,wait=1s", ask_gate = function() return true end })
    watched_journal.leave()
    assert.equal(6, stage.posts())
    assert.equal("no memory", report.entries[1].err)
    assert.equal("paused", report.state)
    assert.matches("the outcome of 1 sends is not known", report.why, 1, true)
  end)

  it("gives the place back of one that raised before it left", function()
    set_up(3)
    local plan, calls, counts = assert(stage.plan(sequence(3), { waves = "1,rest" })), 0, nil
    watched_journal.watch(function(name)
      if name ~= "sending" then return end
      calls = calls + 1
      if calls == 1 then error("no memory", 0) end
    end)
    plan.playbook = stage.playbook((sequence(3):gsub("mde%.restrict%(", "pcall(mde.restrict, ")))
    local report = stage.start(plan, { on_event = function(event)
      if event.event == "gate" then counts = event.counts end
    end })
    watched_journal.leave()
    assert.equal("no memory", report.entries[1].err)
    assert.same({ 1, 1, 0 }, { counts.sent, counts.succeeded, counts.unknown })
    assert.equal(2, stage.posts())
  end)

  it("writes at its end what could not be written when it came", function()
    set_up(2)
    local plan, calls = assert(stage.plan(sequence(2))), 0
    watched_journal.watch(function(name)
      if name ~= "result" then return end
      calls = calls + 1
      if calls == 1 then return "the disk is full" end
    end)
    local report, _, path = stage.start(plan)
    watched_journal.leave()
    assert.equal("journal", report.stop.rule)
    assert.same({}, report.unwritten)
    assert.same({}, report.open)
    local opened = assert(runs.open(stage.client, path))
    local found = assert(runs.replan(stage.client, opened))
    assert.same({ 1, 0, 1 }, { found.recorded, found.open, found.to_send })
    runs.close(opened)
  end)

  -- The first call of a method fails, and the next does what `second` says.
  local function watch_two(method, second)
    local calls = 0
    watched_journal.watch(function(name)
      if name ~= method then return end
      calls = calls + 1
      if calls == 1 then return "the disk is full" end
      if calls == 2 then return second() end
    end)
  end

  local function nothing() end

  -- A plan of nothing, and a playbook that releases the second device all the same.
  local function unplanned_release()
    local plan = assert(stage.plan "local mde = require 'mde'")
    plan.playbook = stage.playbook [[require("mde").release("pc-2.corp.example", "cleared")]]
    return plan
  end

  it("has its report, and leaves its record to others, when what comes late raises", function()
    set_up(2)
    local plan = assert(stage.plan(sequence(2)))
    watch_two("result", function() error("no memory", 0) end)
    local report, _, path = stage.start(plan)
    watched_journal.leave()
    assert.equal("paused", report.state)
    assert.same({ playbooks.id(1), "accepted" }, { report.unwritten[1].device, report.unwritten[1].outcome })
    stage.renew()
    assert.equal("complete", assert(stage.resume(path)).state)
    once_each(2)
  end)

  it("writes at its end how an action ended, what a call came to and what happened, if that failed before", function()
    set_up(3)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local action = mde.restrict("pc-1.corp.example", "beacon")
      action:wait()]])
    watch_two("status", nothing)
    local report, _, path = stage.start(plan)
    watched_journal.leave()
    assert.same({ "journal", 0 }, { report.stop.rule, #report.unwritten })
    assert.equal("restricted", assert(runs.account(path)).devices[1].word)
    assert.matches('"outcome":"succeeded"', runs.audit_lines(path)[2], 1, true)

    plan = unplanned_release()
    watch_two("event", nothing)
    report, _, path = stage.start(plan)
    watched_journal.leave()
    assert.same({ "journal", 0 }, { report.stop.rule, #report.unwritten })
    assert.equal("unplanned", assert(runs.account(path)).events[1].kind)
  end)

  it("tells what the record still lacks, events too", function()
    set_up(2)
    local plan, failed = unplanned_release(), false
    watched_journal.watch(function(name)
      failed = failed or name == "event"
      return failed and "the disk is full" or nil
    end)
    local report = stage.start(plan)
    watched_journal.leave()
    assert.equal(1, #report.unwritten)
    assert.same({ "unplanned", "release " .. playbooks.id(2) },
      { report.unwritten[1].kind, report.unwritten[1].detail })
  end)

  it("writes what comes late where the session raises, and tells what is lacking then", function()
    for _, is_mended in ipairs { true, false } do
      set_up(1)
      local plan = assert(stage.plan(sequence(1)))
      local _, _, path = stage.start(plan, { on_event = function(event)
        if event.event == "sending" then stage.lose(event.machine_id) end
      end })
      stage.tenant.faults:clear()
      stage.another()
      local calls, told = 0, {}
      watched_journal.watch(function(name)
        if name ~= "result" then return end
        calls = calls + 1
        if calls == 1 or not is_mended then return "the disk is full" end
      end)
      local opened = assert(runs.open(stage.client, path))
      opened.plan.playbook = nil
      assert.has_error(function()
        runs.resume(stage.client, opened, { on_event = function(event)
          if event.event == "unwritten" then told[#told + 1] = event.unwritten.outcome end
        end })
      end)
      watched_journal.leave()
      assert.same(is_mended and {} or { "accepted" }, told)
      -- Its record is free.
      assert.equal(is_mended and "accepted" or "unknown", assert(runs.steps_of(path))[1].outcome)
      stage.remove()
    end
  end)

  for _, method in ipairs { "begin", "set_state", "end_session", "commit" } do
    it(("is not complete where its end cannot be written: %s fails, or raises"):format(method), function()
      for _, fail in ipairs { function() return "the disk is full" end, function() error("no memory", 0) end } do
        set_up(1)
        local plan, is_over = assert(stage.plan(sequence(1))), false
        watched_journal.watch(function(name)
          if is_over and name == method then return fail() end
        end)
        local report, _, path = stage.start(plan, { on_event = function(event)
          is_over = is_over or event.event == "ended"
        end })
        watched_journal.leave()
        assert.equal("paused", report.state)
        assert.matches("could not be written into its record", report.why, 1, true)
        stage.renew()
        assert.equal("complete", assert(stage.resume(path)).state)
        once_each(1)
        stage.remove()
      end
    end)
  end

  -- ---- what the playbook does

  it("refuses what the plan does not show, by the machine and not by its name", function()
    set_up(3)
    rawset(_G, "meant_by_spec", 1)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      results = { mde.restrict(("pc-%d.corp.example"):format(meant_by_spec), "beacon") }
      assert(meant_by_spec == 1 or results[2].rule == "plan")]])
    rawset(_G, "meant_by_spec", 2)
    local report = stage.start(plan)
    rawset(_G, "meant_by_spec", nil)
    assert.equal("not_planned", report.entries[1].err.code)
    assert.equal(0, stage.posts())
    assert.equal("complete", report.state, report.why)
  end)

  it("leaves what was restricted when the plan was made, whether it still is or not", function()
    set_up(2)
    for i = 1, 2 do stage.rehearsal:past(playbooks.id(i), "restrict", "Succeeded", 900) end
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 2 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end]])
    assert.equal(2, runs.counts(plan).already_active)
    -- This one was released long ago, which shows only now.
    stage.rehearsal:past(playbooks.id(2), "release", "Succeeded", 600)
    stage.tenant:advance(400)
    local report = stage.start(plan)
    assert.equal("already_active", report.entries[1].action.outcome)
    assert.equal("not_planned", report.entries[2].err.code)
    assert.equal(0, stage.posts())
    assert.equal("complete", report.state, report.why)
  end)

  it("restricts a device of the plan again after it has released it", function()
    set_up(1)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local action = assert(mde.restrict("pc-1.corp.example", "beacon", { incident = "INC-1" }))
      assert(action:wait() == "Succeeded")
      action = assert(mde.release("pc-1.corp.example", "cleared", { incident = "INC-1" }))
      assert(action:wait() == "Succeeded")
      assert(mde.restrict("pc-1.corp.example", "beacon", { incident = "INC-1" }))]])
    local report = stage.start(plan)
    assert.equal("complete", report.state, report.why)
    assert.equal(2, stage.actions()["restrict " .. playbooks.id(1)])
    assert.equal(1, stage.actions()["release " .. playbooks.id(1)])
  end)

  it("takes a name for the machine that it meant in the plan", function()
    set_up(2)
    local plan = assert(stage.plan(sequence(1)))
    -- A laptop that was reinstalled: a new record with its name, and the old one is left behind.
    stage.tenant:put_machine { id = playbooks.id(2), computerDnsName = "pc-1.corp.example", osPlatform = "Windows11" }
    stage.tenant:put_machine { id = playbooks.id(1), healthStatus = "Inactive" }
    stage.tenant:advance(400)
    stage.start(plan)
    assert.is_nil(stage.actions()["restrict " .. playbooks.id(2)])
    assert.equal(1, stage.actions()["restrict " .. playbooks.id(1)])
  end)

  it("is broken by a playbook that raises, and can be continued", function()
    set_up(2)
    local plan = assert(stage.plan(sequence(2) .. " if raise_in_spec then error(raise_in_spec) end"))
    rawset(_G, "raise_in_spec", "too bad")
    local report, _, path = stage.start(plan)
    rawset(_G, "raise_in_spec", nil)
    assert.equal("broken", report.state)
    assert.matches("too bad", report.why, 1, true)
    assert.is_true(errors.is(report.err))
    report = stage.resume(path)
    assert.equal("complete", report.state)
    once_each(2)
  end)

  it("is not complete where the end of a restriction could not be told, and goes on", function()
    set_up(4)
    local text = playbooks.restrict(4):gsub('"INC%-1"', '%0, release_after = "8h"')
    local plan = assert(stage.plan(text))
    -- The sign-in is lost.
    local exchange = stage.client.exchange
    function exchange.settle_clock()
      return nil, errors.new { kind = "unavailable", code = "connect", message = "no sign-in" }
    end
    local report, _, path = stage.start(plan)
    exchange.settle_clock = nil
    assert.equal("paused", report.state)
    assert.equal(4, #report.entries)
    assert.equal(0, stage.posts())
    report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    once_each(4)
  end)
end)
