-- What a run has restricted is taken back, and nothing else.
local errors = require "mde.base.error"
local journals = require "tests.spec.support.journals"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

describe("an undo", function()
  local stage, record

  -- A run of so many devices, carried out.
  local function set_up(count, options)
    options = options or {}
    options.machines = playbooks.fleet(count)
    stage = playbooks.new(options)
    local report, err, path = stage.start(assert(stage.plan(playbooks.restrict(count))))
    assert.is_nil(err)
    assert.equal("complete", report.state, report.why)
    record = path
  end

  after_each(function() stage.remove() end)

  local function undo(comment)
    local plan, err = runs.plan_undo(stage.client, record, comment or "false alarm")
    if not plan then return nil, err end
    local path = stage.path()
    local report, problem = runs.start(stage.client, plan, { record = path })
    return report, problem, path, plan
  end

  local function change_of(plan, i)
    for _, device in ipairs(plan.devices) do
      if device.id == playbooks.id(i) then return device.changes[1] end
    end
  end

  local function settle() stage.rehearsal.driver.sleep(1800) end

  it("releases each device that the run has restricted, once, and says for which incident", function()
    set_up(12)
    settle()
    local report, err, path, plan = undo()
    assert.is_nil(err)
    assert.equal("complete", report.state, report.why)
    assert.equal(12, runs.counts(plan).release)
    for i = 1, 12 do assert.equal(1, stage.actions()["release " .. playbooks.id(i)]) end
    for action in stage.client:actions { type = "UnrestrictCodeExecution" } do
      assert.equal("INC-1", action.incident)
      assert.matches("^false alarm %[", action.requestorComment)
    end
    local opened = assert(runs.open(stage.client, path))
    assert.equal("undo", opened.record.journal:run().verb)
    assert.equal(record, opened.record.journal:run().undoes)
    runs.close(opened)
  end)

  -- ---- a run that did several things

  local MIXED = [[
    local mde = require "mde"
    for i = 1, 3 do
      local pc = ("pc-%d.corp.example"):format(i)
      assert(mde.restrict(pc, "beacon", { incident = "INC-1" }))
      assert(mde.isolate(pc, "beacon", { incident = "INC-1", isolation_type = "Selective" }))
      assert(mde.scan(pc, "beacon", { incident = "INC-1" }))
    end
    assert(mde.isolate("pc-4.corp.example", "beacon", { incident = "INC-1" }))]]

  local function set_up_mixed()
    stage = playbooks.new { machines = playbooks.fleet(4), limits = false, roles = { "Machine.ReadWrite.All",
      "Machine.RestrictExecution", "Machine.Isolate", "Machine.Scan" } }
    -- Somebody has isolated pc-4 before.
    stage.rehearsal:past(playbooks.id(4), "restrict", "Succeeded", 900, { type = "Isolate", scope = "Full",
      requestorComment = "by hand [mde:INC-1:byhand-09]" })
    local report, err, path = stage.start(assert(stage.plan(MIXED)))
    assert.is_nil(err)
    assert.equal("complete", report.state, report.why)
    record = path
    settle()
  end

  it("takes isolations back before restrictions, and names what nothing takes back", function()
    set_up_mixed()
    local posts = stage.posts()
    local report, err, _, plan = undo()
    assert.is_nil(err)
    assert.equal("complete", report.state, report.why)
    assert.same({ 3, 3, 6 }, { runs.counts(plan).release, runs.counts(plan).unisolate, runs.counts(plan).to_send })
    assert.equal(posts + 6, stage.posts())
    assert.same({ "pc-4.corp.example (isolated)" }, plan.undone.found)
    assert.same({ { verb = "scan", name = "pc-1.corp.example" }, { verb = "scan", name = "pc-2.corp.example" },
      { verb = "scan", name = "pc-3.corp.example" } }, plan.undone.lasting)
    local order = {}
    for _, entry in ipairs(report.entries) do
      order[entry.machine_id] = (order[entry.machine_id] or "") .. entry.verb .. " " .. entry.action.outcome .. ","
    end
    for i = 1, 3 do assert.equal("unisolate accepted,release accepted,", order[playbooks.id(i)]) end
    assert.is_nil(order[playbooks.id(4)])
    assert.equal("isolated", (stage.client:state(playbooks.id(4), { of = "isolate" })))
  end)

  it("names what the run did by verbs that nobody knows here, as of a newer version", function()
    set_up_mixed()
    assert.equal("", journals.by_sqlite(record, ("UPDATE step SET verb = 'offboard' WHERE verb = 'scan' AND device = "
      .. "(SELECT n FROM device WHERE id = '%s'); "):format(playbooks.id(2))
      .. ("UPDATE step SET verb = 'shut_down', outcome = 'refused' WHERE verb = 'scan' AND device = "
      .. "(SELECT n FROM device WHERE id = '%s')"):format(playbooks.id(3))))
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    assert.same({ { verb = "offboard", name = "pc-2.corp.example" } }, plan.undone.foreign)
    assert.same({ { verb = "scan", name = "pc-1.corp.example" } }, plan.undone.lasting)
    assert.equal(6, runs.counts(plan).to_send)
  end)

  it("leaves a device restricted whose isolation could not be taken back", function()
    set_up_mixed()
    stage.rehearsal:answer({ method = "POST", path = playbooks.id(2) .. "/unisolate" }, 400,
      '{"error":{"code":"InvalidInput","message":"no"}}', { count = false })
    local report = assert(undo())
    settle()
    for i, states in ipairs { { "released", "released" }, { "isolated", "restricted" } } do
      assert.same(states, { (stage.client:state(playbooks.id(i), { of = "isolate" })),
        (stage.client:state(playbooks.id(i))) })
    end
    for _, entry in ipairs(report.entries) do
      if entry.machine_id == playbooks.id(2) then
        assert.same({ "unisolate", "refused" }, { entry.verb, entry.err.kind })
      end
    end
  end)

  it("leaves an isolation that somebody else holds, and releases the device all the same", function()
    set_up_mixed()
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 600, { type = "Isolate", scope = "Selective",
      requestorComment = "why [mde:INC-1:byhand-01]" })
    local report, err, _, plan = undo()
    assert.is_nil(err)
    local decisions = {}
    for _, device in ipairs(plan.devices) do
      if device.id == playbooks.id(2) then
        for _, change in ipairs(device.changes) do decisions[change.verb] = change.decision end
      end
    end
    assert.same({ unisolate = "held", release = "release" }, decisions)
    assert.equal("isolated", (stage.client:state(playbooks.id(2), { of = "isolate" })))
    assert.equal(1, stage.posted_to(playbooks.id(2), "unrestrictCodeExecution"))
    assert.equal(0, stage.posted_to(playbooks.id(2), "unisolate"))
    for _, entry in ipairs(report.entries) do
      if entry.err then
        assert.equal("held_by_others", entry.err.code)
        assert.matches("it was not unisolated, since somebody else holds it isolated", entry.err.message, 1, true)
      end
    end
  end)

  it("sends nothing while it is planned", function()
    set_up(3)
    settle()
    local posts = stage.posts()
    assert(runs.plan_undo(stage.client, record, "false alarm"))
    assert.equal(posts, stage.posts())
  end)

  -- What somebody else did to a device between the run and its undo: whether the undo leaves it, by which decision, and
  -- whom it names. `ago` counts back from the undo.
  local foreign = {
    { "restricted for the same incident", "restrict", "Succeeded", "why [mde:INC-1:byhand-01]", "held", "INC-1" },
    { "restricted for another incident", "restrict", "Succeeded", "why [mde:INC-2:byhand-02]", "held", "INC-2" },
    { "restricted in the portal", "restrict", "Succeeded", "from the portal", "held", "somebody.else@corp.example" },
    { "being restricted in the portal", "restrict", "Pending", "from the portal", "held",
      "somebody.else@corp.example" },
    { "being restricted for another incident", "restrict", "InProgress", "why [mde:INC-3:byhand-03]", "held",
      "INC-3" },
    { "restricted until tomorrow", "restrict", "Succeeded", "why [mde:INC-4:byhand-04.until.9999999999]", "held",
      "INC-4" },
    { "restricted until yesterday", "restrict", "Succeeded", "why [mde:INC-5:byhand-05.until.1000000001]", "held",
      "INC-5" },
    { "restricted by a comment that was cut", "restrict", "Succeeded", "beacon [mde:INC-1:abc", "held",
      "somebody.else@corp.example" },
    { "released in the portal", "release", "Succeeded", "from the portal", "already_active",
      "somebody.else@corp.example" },
    { "being released in the portal", "release", "Pending", "from the portal", "already_active",
      "somebody.else@corp.example" },
    { "released for another incident", "release", "Succeeded", "why [mde:INC-2:byhand-06]", "already_active", "INC-2" },
    { "restricted in the portal, in vain", "restrict", "Failed", "from the portal", "release" },
    { "restricted in the portal, and cancelled", "restrict", "Cancelled", "from the portal", "release" },
    { "released in the portal, in vain", "release", "Failed", "from the portal", "release" },
    { "released in the portal, and cancelled", "release", "Cancelled", "from the portal", "release" },
  }

  it("leaves and names what others decided since, and only that", function()
    set_up(#foreign + 2)
    settle()
    for i, case in ipairs(foreign) do
      stage.rehearsal:past(playbooks.id(i), case[2], case[3], 600, { requestorComment = case[4],
        requestor = "somebody.else@corp.example" })
    end
    local report, err, _, plan = undo()
    assert.is_nil(err)
    for i, case in ipairs(foreign) do
      local change = change_of(plan, i)
      assert.equal(case[5], change.decision, case[1] .. ": " .. tostring(change.why))
      assert.equal(case[6], change.holder, case[1])
      local posted = stage.posted_to(playbooks.id(i), "unrestrictCodeExecution")
      assert.equal(case[5] == "release" and 1 or 0, posted, case[1])
    end
    for i = #foreign + 1, #foreign + 2 do
      assert.equal(1, stage.posted_to(playbooks.id(i), "unrestrictCodeExecution"))
    end
    assert.equal("complete", report.state, report.why)
  end)

  it("leaves what a second run holds too, and that one's undo releases it", function()
    set_up(3)
    settle()
    local text = playbooks.restrict(2):gsub("INC%-1", "INC-2")
    local second, err, path = stage.start(assert(stage.plan(text)))
    assert.is_nil(err)
    assert.equal("complete", second.state)
    settle()
    local first = record
    undo()
    assert.equal(0, stage.posted_to(playbooks.id(1), "unrestrictCodeExecution"))
    assert.equal(1, stage.posted_to(playbooks.id(3), "unrestrictCodeExecution"))
    record = path
    settle()
    local report = undo()
    assert.equal(0, stage.posted_to(playbooks.id(1), "unrestrictCodeExecution"), "the first still holds it")
    assert.equal("complete", report.state)
    assert.is_string(first)
  end)

  it("leaves what the run found restricted", function()
    stage = playbooks.new { machines = playbooks.fleet(3) }
    assert(assert(stage.client:restrict(playbooks.id(2), "before", { incident = "INC-1" })):wait())
    local _, _, path = stage.start(assert(stage.plan(playbooks.restrict(3))))
    record = path
    settle()
    local _, _, _, plan = undo()
    assert.same({ "pc-2.corp.example" }, plan.undone.found)
    assert.equal(2, runs.counts(plan).release)
    assert.equal(0, stage.posted_to(playbooks.id(2), "unrestrictCodeExecution"))
  end)

  it("leaves what is restricted between its plan and its run", function()
    set_up(3)
    settle()
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    stage.rehearsal.driver.sleep(120)
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 1, { requestorComment = "from the portal" })
    local report = assert(runs.start(stage.client, plan, { record = stage.path() }))
    assert.equal(0, stage.posted_to(playbooks.id(2), "unrestrictCodeExecution"))
    assert.equal(1, stage.posted_to(playbooks.id(1), "unrestrictCodeExecution"))
    assert.equal(1, stage.posted_to(playbooks.id(3), "unrestrictCodeExecution"))
    local named
    for _, entry in ipairs(report.entries) do
      if entry.machine_id == playbooks.id(2) then named = entry.err end
    end
    assert.is_true(errors.is(named))
  end)

  it("cancels what is still pending, and releases it", function()
    local machines = playbooks.fleet(2)
    machines[1].offline, machines[2].offline = true, true
    stage = playbooks.new { machines = machines }
    local _, _, path = stage.start(assert(stage.plan(playbooks.restrict(2))))
    record = path
    local report = undo()
    assert.equal("complete", report.state, report.why)
    for i = 1, 2 do
      assert.equal(1, stage.posted_to(playbooks.id(i), "unrestrictCodeExecution"))
    end
    for action in stage.client:actions { type = "RestrictCodeExecution" } do
      assert.equal("Cancelled", action.status)
    end
  end)

  it("can be done once: the run is over, and an undo is not undone", function()
    set_up(2)
    settle()
    local _, _, path = undo()
    local opened = assert(runs.open(stage.client, record))
    assert.equal("complete", opened.state)
    assert.matches("^undone by ", opened.record.journal:run().why)
    runs.close(opened)
    settle()
    local plan = assert(runs.plan_undo(stage.client, record, "again"))
    assert.equal(0, runs.counts(plan).release)
    record = path
    local _, err = undo()
    assert.equal("undo_of_undo", err.code)
  end)

  it("is refused for a plan that was not carried out, and for what is no record", function()
    stage = playbooks.new { machines = playbooks.fleet(1) }
    record = stage.path()
    assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(1))), record))
    assert.equal("run_not_begun", select(2, undo()).code)
    record = stage.path "nothing.db"
    assert.equal("run_missing", select(2, undo()).code)
  end)

  it("goes on where it was stopped, and does nothing twice", function()
    set_up(8)
    settle()
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    local path, ended = stage.path(), 0
    local session
    local report = assert(runs.start(stage.client, plan, { record = path,
      on_session = function(one) session = one end,
      on_event = function(event)
        if event.event ~= "ended" then return end
        ended = ended + 1
        if ended == 3 then session:halt { rule = "asked", state = "stopped", message = "enough" } end
      end }))
    assert.equal("stopped", report.state)
    local again = assert(stage.resume(path))
    assert.equal("complete", again.state, again.why)
    for i = 1, 8 do assert.equal(1, stage.posted_to(playbooks.id(i), "unrestrictCodeExecution")) end
  end)

  it("of 500 devices plans with a handful of lists, and reads each device's own before its release", function()
    set_up(500, { limits = false })
    settle()
    local before = #stage.rehearsal:requests()
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    local reads = #stage.rehearsal:requests() - before
    assert.is_true(reads <= 10, reads .. " reads")
    assert.equal("complete", assert(runs.start(stage.client, plan, { record = stage.path() })).state)
    reads = #stage.rehearsal:requests() - before - 500
    assert.is_true(reads >= 500 and reads <= 520, reads .. " reads")
  end)

  it("leaves what was restricted a moment ago, although the list of all was read before that", function()
    set_up(20)
    settle()
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    local has_begun = false
    assert(runs.start(stage.client, plan, { record = stage.path(), on_event = function(event)
      if event.event ~= "sending" or has_begun then return end
      has_begun = true
      stage.rehearsal:past(playbooks.id(20), "restrict", "Succeeded", 0, { requestorComment = "from the portal" })
    end }))
    assert.equal(0, stage.posted_to(playbooks.id(20), "unrestrictCodeExecution"))
    assert.equal(1, stage.posted_to(playbooks.id(19), "unrestrictCodeExecution"))
  end)

  it("is planned again where the run went on meanwhile", function()
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    local ended, session = 0, nil
    local _, _, path = stage.start(assert(stage.plan(playbooks.restrict(3))), {
      on_session = function(one) session = one end,
      on_event = function(event)
        if event.event ~= "ended" then return end
        ended = ended + 1
        if ended == 1 then session:halt { rule = "asked", state = "stopped", message = "enough" } end
      end })
    record = path
    settle()
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    assert.equal("complete", assert(stage.resume(path)).state)
    settle()
    local own = stage.path()
    local report, err = runs.start(stage.client, plan, { record = own })
    assert.is_nil(report)
    assert.equal("run_went_on", err.code)
    assert.is_nil(io.open(own), "it leaves no record behind")
    report = undo()
    assert.equal("complete", report.state)
    for i = 1, 3 do assert.equal(1, stage.posted_to(playbooks.id(i), "unrestrictCodeExecution")) end
  end)

  it("begins nothing where the run is at work, or its record is of another tenant", function()
    set_up(2)
    settle()
    local plan = assert(runs.plan_undo(stage.client, record, "false alarm"))
    local held = assert(require("mde.run.record").hold(record))
    local own = stage.path()
    local report, err = runs.start(stage.client, plan, { record = own })
    assert.is_nil(report)
    assert.equal("run_in_use", err.code)
    assert.is_nil(io.open(own))
    require("mde.run.record").abandon(held)
    local other = playbooks.new { machines = playbooks.fleet(2), tenant_id = "7e000000-0000-4000-8000-0000000000ff" }
    assert.equal("plan_of_another", select(2, runs.plan_undo(other.client, record, "x")).code)
    other.remove()
  end)

  it("takes nothing for its own that has failed: somebody may have sent the same key since", function()
    stage = playbooks.new { machines = playbooks.fleet(1) }
    stage.tenant:put_machine { id = playbooks.id(1), failing = true }
    local _, _, path = stage.start(assert(stage.plan [[
      local mde = require "mde"
      local action = assert(mde.restrict("pc-1.corp.example", "beacon", { key = "alert-4711" }))
      action:wait { timeout = 600 }]]))
    record = path
    stage.tenant:put_machine { id = playbooks.id(1), failing = false }
    assert(assert(stage.client:restrict(playbooks.id(1), "again", { key = "alert-4711" })):wait())
    settle()
    local _, _, _, plan = undo()
    assert.equal(0, runs.counts(plan).release)
    assert.equal(0, stage.posted_to(playbooks.id(1), "unrestrictCodeExecution"))
  end)
end)
