-- Waves of a run and the gates behind them, in a tenant in the same process.
-- Labels: not-lua5.3
local playbooks = require "tests.spec.support.playbooks"
local waves = require "mde.run.waves"

describe("the gate of a run", function()
  local stage

  after_each(function()
    if stage then stage.remove() end
    stage = nil
  end)

  -- A run of seven in waves of five and the rest. `flags`: fields of machines by their number; `more`: of the start.
  local function run(flags, more, plan_more)
    local machines = playbooks.fleet(7)
    for i, fields in pairs(flags) do
      for name, value in pairs(fields) do machines[i][name] = value end
    end
    stage = playbooks.new { machines = machines }
    local all = { waves = "5,rest" }
    for name, value in pairs(plan_more or {}) do all[name] = value end
    local plan = assert(stage.plan(playbooks.restrict(7), all))
    -- They come in the order of the list.
    for i = 1, 7 do assert.equal(playbooks.id(i), plan.devices[i].id) end
    return stage.start(plan, more)
  end

  local function restricted()
    local count = 0
    for _, of_machine in pairs(stage.actions()) do
      assert.equal(1, of_machine)
      count = count + 1
    end
    return count
  end

  local offline, failing = { offline = true }, { failing = true }

  it("opens when 60 % have succeeded", function()
    local began
    local report = run({ [1] = offline, [2] = offline }, { on_event = function(event)
      began = began or stage.tenant.clock.now()
      -- None of the second wave leaves before three of the first have succeeded.
      if event.event == "sending" and (event.machine_id == playbooks.id(6) or event.machine_id == playbooks.id(7)) then
        assert(stage.rehearsal:count "action_changed" >= 6)
      end
    end })
    assert.equal("complete", report.state, report.why)
    assert.equal(7, restricted())
    assert.is_true(stage.tenant.clock.now() - began < 60)
  end)

  it("stays closed with less, after its time", function()
    local report, _, path = run { [1] = offline, [2] = offline, [3] = offline }
    assert.equal("paused", report.state)
    assert.equal("gate", report.stop.rule)
    assert.matches("2 succeeded, and 3 are needed", report.why, 1, true)
    assert.equal(5, restricted())
    -- What was not begun says how to go on.
    assert.equal("run_stopped", report.entries[#report.entries].err.code)
    -- The same again: what was sent is judged again, and nothing is sent twice.
    report = stage.resume(path)
    assert.equal("paused", report.state)
    assert.equal(5, restricted())
    -- They have come back.
    for i = 1, 3 do stage.tenant:put_machine { id = playbooks.id(i), offline = false } end
    stage.tenant:advance(10)
    report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.equal(7, restricted())
  end)

  it("is of the wave before it, and of no other", function()
    local opened = {}
    local report = run({}, { on_event = function(event)
      if event.event == "gate" and event.verdict == "open" then
        opened[#opened + 1] = { event.counts.wave, event.counts.sent }
      end
    end }, { waves = "2,2,rest" })
    assert.equal("complete", report.state, report.why)
    assert.same({ { 1, 2 }, { 2, 2 } }, opened)
  end)

  it("lets nobody wait for a turn once the run has stopped", function()
    local stopped
    local own = waves.new { sizes = { 1, "rest" }, sent = {},
      client = { exchange = { sleep = function() error "it waits" end } } }
    local session = { halted = function() return stopped end }
    assert.is_true(own:admit(session))
    stopped = "why"
    local admitted, err = own:admit(session)
    assert.is_nil(admitted)
    assert.equal("why", err)
  end)

  -- One has gone and has come to this; the gate behind it has not been looked at.
  local function at_gate(status, settings)
    local all = { verb = "restrict", sizes = { 1, "rest" }, sent = {},
      client = { exchange = { now = function() return 0 end, sleep = function() error("it waits", 0) end } } }
    for name, value in pairs(settings) do all[name] = value end
    local own, rounds = waves.new(all), 0
    local session = { note = function() end, halted = function()
      rounds = rounds + 1
      if rounds > 100 then error("it goes round for ever", 0) end
    end }
    assert.is_true(own:admit(session))
    own:left { outcome = "accepted", status = status }
    return function() return own:admit(session) end
  end

  it("is looked at by the next one, if the first to look raised", function()
    local told = 0
    local admit = at_gate("Succeeded", { on_event = function()
      told = told + 1
      if told == 1 then error("the screen is gone", 0) end
    end })
    assert.same({ false, "the screen is gone" }, { pcall(admit) })
    assert.is_true(admit())
  end)

  it("is shown to the next one, if the person who was asked raised", function()
    local asked = 0
    local admit = at_gate("Failed", { ask = function()
      asked = asked + 1
      if asked == 1 then error("the terminal is gone", 0) end
      return true
    end })
    assert.same({ false, "the terminal is gone" }, { pcall(admit) })
    assert.is_true(admit())
    assert.equal(2, asked)
  end)

  it("takes what was raised for what is not known", function()
    local counts
    local own = waves.new { verb = "restrict",
      sizes = { 3, "rest" }, sent = {}, gate = { succeeded = 0, failed = 0, wait = 0 },
      client = { exchange = { now = function() return 0 end } }, ask = function() return true end,
      on_event = function(event) counts = event.counts or counts end }
    local session = { halted = function() end, note = function() end }
    for _, raised in ipairs { "no memory", 5, {} } do
      assert.is_true(own:admit(session))
      own:left(raised)
    end
    assert.is_true(own:admit(session))
    assert.same({ 3, 3 }, { counts.sent, counts.unknown })
  end)

  it("waits as long as the plan says", function()
    local waited = 0
    run({ [1] = offline, [2] = offline, [3] = offline }, { on_event = function(event)
      if event.event == "gate" then waited = event.seconds end
    end }, { gate = "succeeded=60%,wait=10m" })
    assert.is_true(waited >= 600 and waited < 630)
    stage.remove()
    local report = run({ [1] = offline, [2] = offline, [3] = offline }, nil, { gate = "succeeded=40%" })
    assert.equal("complete", report.state)
  end)

  it("stays closed when too many have failed, at once", function()
    local seconds
    local report = run({ [1] = failing, [2] = failing }, { on_event = function(event)
      if event.event == "gate" then seconds = event.seconds end
    end })
    assert.equal("paused", report.state)
    assert.matches("2 failed, and at most 1 may", report.why, 1, true)
    assert.is_true(seconds < 60)
    assert.equal(5, restricted())
  end)

  it("lets one fail", function()
    assert.equal("complete", run({ [1] = failing }).state)
  end)

  it("stays closed while one is unknown", function()
    local id = playbooks.id(5)
    local report, _, path = run({}, { on_event = function(event)
      if event.machine_id ~= id then return end
      if event.event == "sending" then stage.lose(id) else stage.tenant.faults:clear() end
    end })
    assert.equal("paused", report.state)
    assert.equal("gate", report.stop.rule)
    assert.matches("1 it is not known", report.why, 1, true)
    assert.equal(1, #report.open)
    assert.equal(5, restricted())
    stage.tenant.faults:clear()
    report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.equal(7, restricted())
  end)

  it("is opened by a person, who is told what it is about", function()
    local asked = {}
    local report = run({ [1] = failing, [2] = failing }, { ask_gate = function(counts, why)
      asked[#asked + 1] = { counts.wave, counts.sent, counts.succeeded, counts.failed, why }
      return true
    end })
    assert.same({ { 1, 5, 3, 2, "2 failed, and at most 1 may" } }, asked)
    assert.equal("complete", report.state)
    assert.equal(7, restricted())
    stage.remove()
    report = run({ [1] = failing, [2] = failing }, { ask_gate = function() return false end })
    assert.equal("paused", report.state)
    assert.equal(5, restricted())
  end)

  it("is not there where no waves are wanted", function()
    local machines = playbooks.fleet(30, { offline = true })
    stage = playbooks.new { machines = machines, limits = false }
    local report = stage.start(assert(stage.plan(playbooks.restrict(30), { waves = false })))
    assert.equal("complete", report.state)
    assert.equal(30, restricted())
  end)

  it("counts what was sent, and not what was left", function()
    -- Three of the first five are not there any more: two of the others take their places.
    local machines = playbooks.fleet(9)
    stage = playbooks.new { machines = machines }
    local plan = assert(stage.plan(playbooks.restrict(9), { waves = "5,rest" }))
    for i = 1, 3 do stage.tenant:put_machine { id = playbooks.id(i), mergedIntoMachineId = playbooks.id(9) } end
    stage.tenant:advance(400)
    local before
    local report = stage.start(plan, { on_event = function(event)
      if event.event == "gate" then before = before or event.counts.sent end
    end })
    assert.equal(5, before)
    assert.equal(6, restricted())
    assert.equal("complete", report.state, report.why)
  end)
end)
