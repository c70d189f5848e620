-- A session of a run at the terminal: its progress, what stops it, what is said in the end, and the exit status.
-- Labels: not-lua5.3
local carry_out = require "mde.cli.run.carry_out"
local cjson = require "cjson"
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

local function err_of(kind, code, more)
  local fields = { kind = kind, code = code, message = "a message" }
  for name, value in pairs(more or {}) do fields[name] = value end
  return errors.new(fields)
end

local function report_of(fields)
  local report = { run = "20260203T031500Z-7f3a", path = "run.db", state = "complete", entries = {}, open = {},
    pending = {}, not_reached = {}, not_called = {}, not_come_to = {}, differing = {}, unwritten = {}, others = {} }
  for name, value in pairs(fields) do report[name] = value end
  return report
end

local done = { action = { outcome = "accepted" } }
local stopped = { err = err_of("unavailable", "run_stopped") }
local refused = { err = err_of("auth", "token_refused") }

describe("the exit status of a run", function()
  for words, case in pairs {
    ["done"] = { 0, { entries = { done, { action = { outcome = "already_active" } } } } },
    ["a tag that was refused"] = { 2, { entries = { done }, others = { { line = "tag a", word = "failed",
      err = err_of("refused", "indicator_refused") } } } },
    ["a tag of which nobody knows"] = { 5, { entries = { done }, others = { { line = "tag a", word = "unknown",
      err = err_of("unknown", "indicator_left_out") } } } },
    ["protected by a rule"] = { 2, { entries = { done, { err = err_of("protected", "machine_protected",
      { rule = "tags" }) } } } },
    ["a device that was unavailable"] = { 4, { state = "paused", entries = { { err = err_of("unavailable",
      "connect") } } } },
    ["throttled"] = { 3, { entries = { { err = err_of("throttled", "throttled") } } } },
    ["an outcome that is not known"] = { 5, { state = "paused",
      entries = { { err = err_of("unknown", "no_answer") } } } },
    ["a send that is open"] = { 5, { state = "paused", open = { {} } } },
    ["paused"] = { 4, { state = "paused", entries = { done, stopped } } },
    ["stopped"] = { 4, { state = "stopped", entries = { stopped } } },
    ["a sign-in that was refused at once"] = { 4, { state = "paused", entries = { refused } } },
    ["a sign-in that was lost midway"] = { 4, { state = "paused", entries = { done, refused } } },
    ["a playbook that raised before anything was sent"] = { 1, { state = "broken",
      err = err_of("invalid", "playbook_raised") } },
    ["a playbook that raised midway"] = { 4, { state = "broken", entries = { done },
      err = err_of("invalid", "playbook_raised") } },
  } do
    it(("is %d for %s"):format(case[1], words), function()
      assert.equal(case[1], carry_out.status(report_of(case[2])))
    end)
  end

  it("is 2, not 1, for a sign-in that was lost midway of what is complete", function()
    assert.equal(1, carry_out.status(report_of { entries = { refused } }))
    assert.equal(2, carry_out.status(report_of { entries = { done, refused } }))
  end)
end)

describe("what is said at the end of a run", function()
  local function said(fields)
    return console.capture(function() carry_out.say_end(report_of(fields)) end, { columns = 200, answers = {} })
  end

  it("counts how calls ended", function()
    local text = said { entries = { done, done, { action = { outcome = "accepted" }, replayed = true },
      { action = { outcome = "already_active" } }, { err = err_of("protected", "not_planned", { rule = "plan" }) },
      { err = err_of("not_found", "no_such_device") }, stopped, { err = "raised" } } }.err
    assert.matches("Run 20260203T031500Z-7f3a is complete: 2 accepted, 1 done by an earlier session, 1 already active, "
      .. "1 left by the rule plan, 1 not_found, 1 not begun, 1 raised.", text:gsub("%s+", " "), 1, true)
    assert.is_nil(text:find("resume", 1, true))
    assert.matches("nothing was to be done", said {}.err, 1, true)
  end)

  it("counts and names what was planned and not reached", function()
    local rest = { { verb = "restrict", machine_id = playbooks.id(1), name = "pc-1" },
      { verb = "isolate", machine_id = playbooks.id(2) } }
    local text = said { state = "broken", why = "the playbook raised: no file", not_come_to = rest }.err
    text = text:gsub("%s+", " ")
    assert.matches("2 planned, and not reached, since the playbook did not come so far: restrict pc-1 isolate "
      .. playbooks.id(2), text, 1, true)
    assert.matches("is broken: nothing was sent this time, 2 planned and not reached. Why: the playbook raised",
      text, 1, true)
    assert.matches("is broken: 1 accepted, 2 planned and not reached.",
      said({ state = "broken", entries = { done }, not_come_to = rest }).err:gsub("%s+", " "), 1, true)
  end)

  it("says why it is not complete and how to go on", function()
    local text = said { state = "paused", why = "the cap is full", entries = { stopped } }.err
    assert.matches("Why: the cap is full.", text, 1, true)
    assert.matches("mde resume 20260203T031500Z-7f3a", text, 1, true)
    text = said { run = "/tmp/a;b.db", state = "paused", why = "the cap is full", entries = { stopped } }.err
    assert.matches("mde resume '/tmp/a;b.db'\n", text, 1, true)
  end)

  it("says plainly what the service has not finished yet, and how to look again", function()
    local text = said { entries = { done, done }, pending = { {}, {} } }.err:gsub("%s+", " ")
    assert.matches("is complete: 2 accepted. 2 sent, and not finished yet when the playbook ended. To look again: "
      .. "mde report 20260203T031500Z-7f3a --verify", text, 1, true)
    assert.is_nil(said({ entries = { done } }).err:find("not finished", 1, true))
  end)

  it("says when the cap lets it go on", function()
    local stop = { rule = "cap", state = "paused", message = "the cap is full", retry_at = 1770088499.5 }
    local text = said { state = "paused", why = stop.message, stop = stop, entries = { stopped } }.err:gsub("%s+", " ")
    assert.matches("To go on when the cap lets the next go, at 2026-02-03T03:15:00Z, or now with a higher --cap: "
      .. "mde resume 20260203T031500Z-7f3a", text, 1, true)
  end)

  it("names what is open and what was not reached", function()
    local step = { verb = "restrict", device = playbooks.id(1), outcome = "accepted" }
    local text = said { state = "paused", open = { step }, not_reached = { step } }.err:gsub("%s+", " ")
    assert.matches("restrict " .. playbooks.id(1) .. ": sent, and not known", text, 1, true)
    assert.matches("1 recorded, and not reached by the playbook this time: restrict " .. playbooks.id(1)
      .. ": accepted", text, 1, true)
    step.name, step.why_left = "pc-1", "a person\27 said no"
    assert.matches("restrict pc-1: accepted; left by the playbook now: a person\\x1b said no",
      said({ not_reached = { step } }).err:gsub("%s+", " "), 1, true)
  end)

  it("says in what calls differ from what is recorded, 40 of them by name", function()
    local list = {}
    for i = 1, 41 do
      list[i] = { verb = "restrict", machine_id = playbooks.id(i), name = ("pc-%d"):format(i), words = "look was true" }
    end
    local text = said { differing = list }.err:gsub("%s+", " ")
    assert.matches("41 recorded, and asked for otherwise this time; what is recorded holds: restrict pc-1: "
      .. "look was true ", text, 1, true)
    assert.matches("restrict pc-40: look was true and 1 more", text, 1, true)
  end)

  it("writes what the record does not have as lines of JSON", function()
    local told = said { state = "paused", unwritten = { { device = playbooks.id(1), outcome = "accepted",
      comment = "x\27[2J" }, { device = playbooks.id(2), outcome = "unknown" } } }
    local lines = {}
    for line in told.out:gmatch "[^\n]+" do lines[#lines + 1] = cjson.decode(line).unwritten end
    assert.same({ playbooks.id(1), "accepted", "x\27[2J", playbooks.id(2) },
      { lines[1].device, lines[1].outcome, lines[1].comment, lines[2].device })
    assert.is_nil(told.out:find("\27", 1, true))
  end)
end)

describe("a run at the terminal", function()
  local stage

  after_each(function()
    if stage then stage.remove() end
    stage = nil
  end)

  local function run(count, options, arguments, flags)
    local machines = playbooks.fleet(count)
    for i, fields in pairs(flags or {}) do
      for name, value in pairs(fields) do machines[i][name] = value end
    end
    stage = playbooks.new { machines = machines, limits = false }
    local plan = assert(stage.plan(playbooks.restrict(count), { waves = "5,rest" }))
    local path = stage.path()
    return console.capture(function()
      return carry_out.run({ client = stage.client, arguments = arguments or {}, request = {} }, plan, function(more)
        more.record = path
        return runs.start(stage.client, plan, more)
      end)
    end, options)
  end

  it("ends with 0 and says so", function()
    local told = run(3)
    assert.equal(0, told.value)
    assert.matches("is complete: 3 accepted.", told.err, 1, true)
  end)

  it("says which cap lets it go on", function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false, roles = { "Machine.ReadWrite.All",
      "Machine.Isolate" }, client = { cap = { restrict = false, isolate = 1 } } }
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 2 do mde.isolate(("pc-%d.corp.example"):format(i), "beacon") end]])
    local told = console.capture(function()
      return carry_out.run({ client = stage.client, arguments = {}, request = {} }, plan, function(more)
        more.record = stage.path()
        return runs.start(stage.client, plan, more)
      end)
    end)
    assert.matches("If so many are meant, give mde resume --cap isolate=N.", told.err, 1, true)
    assert.is_nil(told.err:find("--allow cap", 1, true))
  end)

  local failing = { [1] = { failing = true }, [2] = { failing = true } }

  it("says on a terminal, and nowhere else, that nothing is new while the playbook waits", function()
    for words, movable in pairs { ["on a terminal"] = true, elsewhere = false } do
      if stage then stage.remove() end
      stage = playbooks.new { machines = playbooks.fleet(2), limits = false }
      stage.tenant:find_machine(playbooks.id(2)).offline = true
      local plan = assert(stage.plan(playbooks.restrict(2, [[
        local actions = {}
        for i, result in ipairs(results) do actions[i] = result.value end
        mde.wait(actions, { timeout = 120 })]])))
      local path = stage.path()
      local told = console.capture(function()
        return carry_out.run({ client = stage.client, arguments = {}, request = {} }, plan, function(more)
          more.record = path
          return runs.start(stage.client, plan, more)
        end)
      end, { movable = movable, answers = {} })
      assert.equal(movable, told.err:find("2 of 2, nothing new for [%d min]+ s") ~= nil, words .. told.err)
    end
  end)

  it("does not count as failed what a rule leaves", function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false, unguarded = false,
      client = { protect = { tags = { "vip" }, servers = false, device_values = {} } } }
    local plan, path = assert(stage.plan(playbooks.restrict(2))), stage.path()
    stage.tenant:put_machine { id = playbooks.id(2), machineTags = { "vip" } }
    stage.tenant:advance(600)
    local told = console.capture(function()
      return carry_out.run({ client = stage.client, arguments = {}, request = {} }, plan, function(more)
        more.record = path
        return runs.start(stage.client, plan, more)
      end)
    end, { answers = {} })
    assert.matches("1 left by the rule tags", told.err, 1, true)
    assert.matches("Running: 2 of 2\n", told.err, 1, true)
  end)

  it("asks at a gate that stays closed", function()
    local told = run(7, { answers = { "y" } }, {}, failing)
    assert.matches("Wave 1: 5 sent, 3 succeeded, 2 failed, 0 cancelled, 0 pending, 0 unknown.", told.err, 1, true)
    assert.matches("The gate stays closed: 2 failed, and at most 1 may.", told.err, 1, true)
    assert.matches("is complete: ", told.err, 1, true)
    assert.matches("2 failed", told.err, 1, true)
    assert.matches("5 accepted", told.err, 1, true)
    -- What failed is as it was before.
    assert.equal(4, told.value)
  end)

  for words, case in pairs { ["no"] = { { "n" } }, ["nobody"] = { nil }, ["--yes"] = { { "y" }, { yes = true } } } do
    it("is paused at a gate by " .. words, function()
      local told = run(7, { answers = case[1] }, case[2], failing)
      assert.equal(4, told.value)
      assert.equal(5, stage.posts())
      assert.matches("2 failed", told.err, 1, true)
      assert.matches("3 accepted", told.err, 1, true)
      assert.matches("2 not begun", told.err, 1, true)
      assert.matches("Stopping: the gate after wave 1 stays closed", told.err, 1, true)
    end)
  end

  it("begins nothing new after Ctrl-C, and ends with 130", function()
    local told = run(30, { interruptions = function() return stage.posts() >= 3 and 1 or 0 end })
    assert.equal(130, told.value)
    assert.is_true(stage.posts() >= 3 and stage.posts() < 30)
    assert.matches("Stopping: it was interrupted.", told.err, 1, true)
    assert.matches("is stopped:", told.err, 1, true)
  end)

  it("is left at the second Ctrl-C", function()
    local os_exit = os.exit
    local told = run(30, { interruptions = function() return stage.posts() >= 3 and 2 or 0 end })
    assert.equal(os_exit, os.exit)
    assert.equal(130, told.value)
    assert.matches("Interrupted twice", told.err, 1, true)
  end)

  it("raises the error where nothing was begun", function()
    stage = playbooks.new { machines = playbooks.fleet(1) }
    local plan = assert(stage.plan(playbooks.restrict(1)))
    local ok, err = pcall(console.capture, function()
      return carry_out.run({ client = stage.client, arguments = {}, request = {} }, plan, function()
        return nil, err_of("invalid", "plan_taken")
      end)
    end)
    assert.is_false(ok)
    assert.equal("plan_taken", err.code)
  end)
end)

describe("how the calls of a session ended", function()
  it("names a failed one also where an earlier session has done it, since the exit status counts it", function()
    local function replayed(status) return { action = { outcome = "accepted", status = status }, replayed = true } end
    local report = { entries = { replayed "Succeeded", replayed "Failed", replayed "Succeeded" }, not_called = {},
      not_come_to = {}, open = {}, others = {}, state = "complete" }
    assert.equal("2 done by an earlier session, 1 failed", carry_out.ends(report))
    assert.equal(4, carry_out.status(report))
  end)
end)
