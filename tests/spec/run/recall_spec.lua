-- A run that ended at any moment goes on: nothing is done twice, nothing is lost, and what is recorded is given back.
-- MDE_RUN_ENDS=200 ends it more often.
-- Labels: only-lua5.4, long
local core = require "mde.core"
local errors = require "mde.base.error"
local playbooks = require "tests.spec.support.playbooks"
local recalls = require "mde.run.recall"
local runs = require "mde.run"
local watched_journal = require "tests.spec.support.watched_journal"

describe("a run that is continued", function()
  local stage

  after_each(function()
    watched_journal.leave()
    if stage then stage.remove() end
    stage = nil
  end)

  local function is_post(request) return request.method == "POST" and request.url:find("/machines/", 1, true) end

  -- ---- the answer is lost, and the process ends

  for verb, action in pairs { restrict = "beacon", release = "cleared" } do
    for words, at in pairs { ["before its answer"] = "answer", ["before it was sent"] = "request" } do
      it(("finds out what came of a %s that ended %s"):format(verb, words), function()
        stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
        if verb == "release" then
          for i = 1, 3 do stage.rehearsal:past(playbooks.id(i), "restrict", "Succeeded", 900) end
        end
        local plan = assert(stage.plan(([[
          local mde = require "mde"
          for i = 1, 3 do
            answers = { mde.%s(("pc-%%d.corp.example"):format(i), %q, { incident = "INC-1" }) }
            assert(answers[1], answers[2])
          end]]):format(verb, action)))
        local path = stage.path()
        stage.mortal(function(what, request)
          return what == at and is_post(request) and request.url:find(playbooks.id(2), 1, true) ~= nil
        end)
        pcall(runs.start, stage.client, plan, { record = path })
        stage.another()
        assert.equal(at == "answer" and 2 or 1, stage.posts())
        local report, found = stage.resume(path)
        assert.equal(1, found.open)
        assert.equal(1, found.recorded)
        assert.equal("complete", report.state, report.why)
        assert.equal(3, #report.entries)
        for i = 1, 3 do assert.equal(1, stage.actions()[verb .. " " .. playbooks.id(i)]) end
        assert.equal(3, stage.posts())
      end)
    end
  end

  it("keeps what is not known while the list cannot be read, and does the others", function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false, client = { timeout = 100 } }
    local plan, path = assert(stage.plan(playbooks.restrict(2))), stage.path()
    stage.mortal(function(what, request) return what == "answer" and is_post(request) end)
    pcall(runs.start, stage.client, plan, { record = path })
    stage.another()
    local sent = stage.posts()
    stage.rehearsal:answer({ method = "GET", path = "machineactions" }, 503, "{}", { count = false })
    local report = stage.resume(path)
    assert.equal("paused", report.state)
    assert.equal(sent, #report.open)
    assert.equal(sent, stage.posts())
    stage.tenant.faults:clear()
    stage.renew()
    report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    for i = 1, 2 do assert.equal(1, stage.actions()["restrict " .. playbooks.id(i)]) end
  end)

  -- A session that ends in the midst of the send to the second of two devices; `at`: "answer" or "request".
  local function ended_within(at)
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false }
    local text = playbooks.restrict(2):gsub('"INC%-1"', '%0, release_after = "1h"')
    local plan, path = assert(stage.plan(text)), stage.path()
    stage.mortal(function(what, request)
      return what == at and is_post(request) and request.url:find(playbooks.id(2), 1, true) ~= nil
    end)
    pcall(runs.start, stage.client, plan, { record = path })
    stage.another()
    return path
  end

  it("has a restriction whose end has passed meanwhile as it was, where the service has it", function()
    local path = ended_within "answer"
    stage.tenant:advance(7200)
    local report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.same({ playbooks.id(2), "accepted" }, { report.entries[2].machine_id, report.entries[2].action.outcome })
    assert.equal("accepted", runs.steps_of(path)[2].outcome)
    assert.equal(2, stage.posts())
  end)

  it("does not send one whose end has passed again, and says what came of it", function()
    local path = ended_within "request"
    local posts = stage.posts()
    stage.tenant:advance(7200)
    local report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.same({}, report.open)
    assert.equal(posts, stage.posts())
    local err
    for _, entry in ipairs(report.entries) do err = err or entry.err end
    assert.same({ "not_found", "end_passed" }, { err.kind, err.code })
    assert.matches("its end has passed (2", err.message, 1, true)
    assert.matches("it was not found in the device's list, and nothing more was sent", err.message, 1, true)
    local device
    for _, one in ipairs(assert(runs.account(path)).devices) do
      if one.id == playbooks.id(2) then device = one end
    end
    assert.equal("lapsed", device.word)
    assert.equal(err.message, device.changes[1].said)
    local lines = runs.audit_lines(path)
    assert.matches('"code":"end_passed"', lines[#lines], 1, true)
    -- It holds nothing that an undo could take back.
    assert.equal(1, runs.counts(assert(runs.plan_undo(stage.client, path, "cleared"))).release)
  end)

  it("sends one again whose end is still to come", function()
    local path = ended_within "request"
    stage.tenant:advance(1200)
    assert.equal("complete", stage.resume(path).state)
    assert.equal(2, stage.posts())
  end)

  -- ---- random ends

  local LISTS = [[
    local mde = require "mde"
    local function names(first, last)
      local list = {}
      for i = first, last do list[#list + 1] = ("pc-%d.corp.example"):format(i) end
      return list
    end
    for _, case in ipairs { { "INC-1", 1, 8 }, { "INC-2", 5, 12 } } do
      local results = mde.each(names(case[2], case[3]), function(name)
        return mde.restrict(name, "beacon", { incident = case[1] })
      end, { parallel = 8 })
      for _, result in ipairs(results) do
        if result.value then mde.wait { result.value } end
      end
    end]]

  -- For each machine and incident how many actions the tenant has that say so.
  local function recorded_by_tenant()
    local counts = {}
    for _, event in ipairs(stage.tenant.history) do
      if event.event == "action_created" then
        local _, incident = core.comment.parse(event.comment)
        local name = event.machine .. " " .. tostring(incident)
        counts[name] = (counts[name] or 0) + 1
      end
    end
    return counts
  end

  local ENDS = tonumber(os.getenv "MDE_RUN_ENDS" or "") or 50

  it(("does nothing twice and loses nothing, after %d ends at random places"):format(ENDS), function()
    -- A generator of its own: the runs draw from math.random.
    local state
    local function draw(count)
      state = (state * 16807) % 2147483647
      return state % count + 1
    end
    local ended = 0
    local seed = 0
    while ended < ENDS do
      seed = seed + 1
      state = seed * 7919
      stage = playbooks.new { machines = playbooks.fleet(12), limits = false }
      local plan, path = assert(stage.plan(LISTS)), stage.path()
      local left
      local report
      for session = 1, 8 do
        -- The last one may live.
        left = session < 8 and draw(session == 1 and 120 or 90) or math.huge
        stage.mortal(function(what)
          if what == "request" or what == "answer" or what == "sending" or what == "result" or what == "commit" then
            left = left - 1
          end
          return left <= 0
        end)
        local ok, value = pcall(function()
          if session == 1 then return assert(runs.start(stage.client, plan, { record = path })) end
          return assert(stage.resume(path))
        end)
        local was_dead = stage.is_dead
        stage.another()
        if was_dead then ended = ended + 1 else assert(ok, tostring(value)) end
        report = not was_dead and value or nil
        if report and report.state == "complete" then break end
        -- One that ended before its plan stood there is begun again.
        if was_dead and session == 1 then
          local opened = runs.open(stage.client, path)
          local is_begun = opened and opened.state ~= "planned"
          if opened then runs.close(opened) end
          if not is_begun then break end
        end
      end
      local where = "seed " .. seed
      for name, count in pairs(recorded_by_tenant()) do assert.equal(1, count, where .. " " .. name) end
      if report and report.state ~= "complete" then
        -- A send that the process ended twice before it arrived is not repeated once more. It is named.
        assert.matches("the outcome of", report.why, 1, true)
        for _, step in ipairs(report.open) do assert.equal(2, step.attempts, where) end
      elseif report then
        assert.equal(16, #report.entries, where)
        for _, entry in ipairs(report.entries) do assert.is_nil(entry.err, where) end
        assert.same({}, report.not_reached, where)
        for i = 1, 12 do
          local state_of = assert(stage.client:state(playbooks.id(i)))
          assert.is_true(state_of == "restricted" or state_of == "restricting", where)
        end
      end
      stage.remove()
      stage = nil
    end
  end)

  -- ---- what is given back

  it("names what is recorded and not reached, and is complete all the same", function()
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 3 do
        if not (skip_in_spec and i == 2) then mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end
      end
      if not go_on_in_spec then error "later" end]])
    rawset(_G, "go_on_in_spec", nil)
    local report, _, path = stage.start(plan)
    assert.equal("broken", report.state)
    rawset(_G, "go_on_in_spec", true)
    rawset(_G, "skip_in_spec", true)
    local found
    report, found = stage.resume(path)
    rawset(_G, "skip_in_spec", nil)
    rawset(_G, "go_on_in_spec", nil)
    assert.equal(1, found.not_reached)
    assert.equal("complete", report.state, report.why)
    assert.equal(playbooks.id(2), report.not_reached[1].device)
    assert.equal(1, #report.not_reached)
    assert.equal(3, stage.posts())
    -- What it has done to the device stays told.
    local account = assert(runs.account(path))
    assert.equal(1, account.not_reached)
    assert.equal(3, account.numbers.accepted)
  end)

  it("gives the second of the same back as the second", function()
    stage = playbooks.new { machines = playbooks.fleet(1), limits = false }
    local heard
    rawset(_G, "tell_spec", function(ids) heard = ids end)
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local ids = {}
      for _, verb in ipairs { "restrict", "release", "restrict", "release" } do
        local action = assert(mde[verb]("pc-1.corp.example", "beacon", { incident = "INC-1" }))
        assert(action:wait())
        ids[#ids + 1] = action.id
      end
      tell_spec(ids)
      if not go_on_in_spec then error "later" end]])
    rawset(_G, "go_on_in_spec", nil)
    local _, _, path = stage.start(plan)
    local first = heard
    assert.equal(4, #first)
    for _ = 1, 2 do
      stage.resume(path)
      assert.same(first, heard)
    end
    rawset(_G, "go_on_in_spec", true)
    assert.equal("complete", stage.resume(path).state)
    rawset(_G, "go_on_in_spec", nil)
    rawset(_G, "tell_spec", nil)
    assert.equal(4, stage.posts())
  end)

  it("gives back outcomes, refusals and final states, and asks nothing", function()
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 900, { requestor = "a.colleague" })
    stage.tenant:put_machine { id = playbooks.id(1), failing = true }
    local heard = {}
    rawset(_G, "on_heard", function(told) heard[#heard + 1] = told end)
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local told = {}
      for i = 1, 3 do
        local action, err = mde.restrict(("pc-%d.corp.example"):format(i), "beacon")
        local status, why
        if action then status, why = action:wait() end
        told[i] = { action and action.outcome or err.code, action and action.id, status or why and why.kind }
      end
      _G.on_heard(told)
      if not go_on_in_spec then error "later" end]])
    heard = {}
    rawset(_G, "go_on_in_spec", nil)
    stage.rehearsal:answer({ method = "POST", path = playbooks.id(3) }, 400, { error = { code = "BadRequest",
      message = "No." } }, { count = false })
    local report, _, path = stage.start(plan)
    assert.equal("broken", report.state)
    assert.same({ "accepted", "failed" }, { heard[1][1][1], heard[1][1][3] })
    assert.same({ "already_active", "Succeeded" }, { heard[1][2][1], heard[1][2][3] })
    assert.equal("refused", report.entries[3].err.kind)
    rawset(_G, "go_on_in_spec", true)
    stage.tenant.faults:clear()
    local posts = stage.posts()
    report = stage.resume(path)
    rawset(_G, "go_on_in_spec", nil)
    rawset(_G, "on_heard", nil)
    assert.equal("complete", report.state, report.why)
    assert.same(heard[1], heard[#heard])
    assert.equal(posts, stage.posts())
    assert.equal("refused", report.entries[3].err.kind)
    assert.is_true(report.entries[1].replayed)
    assert.is_true(report.entries[1].action.replayed)
  end)

  it("is resuming until the first step that is new", function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false }
    local heard
    rawset(_G, "tell_spec", function(told) heard = told end)
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local told = { mde.resuming() }
      tell_spec(told)
      mde.restrict("pc-1.corp.example", "beacon")
      told[2] = mde.resuming()
      if not go_on_in_spec then error "later" end
      mde.restrict("pc-2.corp.example", "beacon")
      told[3] = mde.resuming()]])
    assert.same({ false, false, false }, heard)
    rawset(_G, "go_on_in_spec", nil)
    local _, _, path = stage.start(plan)
    assert.same({ false, false }, heard)
    rawset(_G, "go_on_in_spec", true)
    stage.resume(path)
    rawset(_G, "go_on_in_spec", nil)
    rawset(_G, "tell_spec", nil)
    assert.same({ true, true, false }, heard)
  end)

  -- ---- how actions and errors are kept

  it("keeps actions and errors without what cannot be written", function()
    local json = require "mde.base.json"
    local row = json.decode(recalls.of_action(setmetatable({ id = "x", status = "Pending", n = 1, flag = true,
      list = { "a", "b" }, deep = { { 1 } }, fn = print, [1] = "first" }, {})))
    assert.same({ id = "x", status = "Pending", n = 1, flag = true, list = { "a", "b" } }, row)
    local err = errors.new { kind = "superseded", code = "send_overtaken", message = "m", cause = { {} },
      action = { id = "y", own = print } }
    local kept = json.decode(recalls.of_error(err))
    assert.same({ "superseded", "send_overtaken", "m", "y" }, { kept.kind, kept.code, kept.message, kept.action.id })
    assert.is_nil(kept.cause)
  end)
end)
