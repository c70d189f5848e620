-- A run of several response actions: planned and bound with their scopes and files, recorded, ended at many places and
-- continued, with nothing done twice; what its plan does not show is not done. MDE_RUN_ENDS=all ends it at every place.
-- Labels: only-lua5.4, long
local json = require "mde.base.json_line"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local watched_journal = require "tests.spec.support.watched_journal"

local FILE, OTHER_FILE = ("a1"):rep(20), ("b2"):rep(20)

describe("a run of several response actions", function()
  local stage

  after_each(function()
    watched_journal.leave()
    if stage then stage.remove() end
    stage = nil
    for _, name in ipairs { "scope_in_spec", "skip_in_spec", "tell_spec" } do rawset(_G, name, nil) end
  end)

  local ROLES = { "Machine.ReadWrite.All", "Machine.RestrictExecution", "Machine.Isolate", "Machine.Scan",
    "Machine.StopAndQuarantine", "Machine.CollectForensics" }

  local function set_up(count, options)
    local all = { machines = playbooks.fleet(count), limits = false, roles = ROLES }
    for name, value in pairs(options or {}) do all[name] = value end
    stage = playbooks.new(all)
  end

  -- How often each machine got an action of a type, whatever the playbook calls it.
  local function made()
    local counts = {}
    for _, event in ipairs(stage.tenant.history) do
      if event.event == "action_created" then
        local key = event.type .. " " .. event.machine
        counts[key] = (counts[key] or 0) + 1
      end
    end
    return counts
  end

  local function entries_by(report)
    local list = {}
    for i, entry in ipairs(report.entries) do
      list[i] = ("%s %s"):format(entry.verb, entry.action and entry.action.outcome or entry.err.rule or entry.err.code)
    end
    return list
  end

  local ALL = ([[
    local mde = require "mde"
    local pc = "pc-1.corp.example"
    local function add(action, err) tell_spec(action and action.outcome or err.code) end
    add(mde.restrict(pc, "beacon", { incident = "INC-1" }))
    add(mde.isolate(pc, "beacon", { incident = "INC-1", isolation_type = "Selective" }))
    add(mde.scan(pc, "beacon", { incident = "INC-1", scan_type = "Full" }))
    local quarantine = assert(mde.quarantine(pc, "dropper", { incident = "INC-1", sha1 = "%s" }))
    add(quarantine)
    quarantine:wait()
    add(mde.quarantine(pc, "loader", { incident = "INC-1", sha1 = "%s" }))
    add(mde.collect(pc, "evidence", { incident = "INC-1" }))
    add(mde.unisolate("pc-2.corp.example", "cleared", { incident = "INC-1" }))
    add(mde.contain("%s", "rogue", { incident = "INC-1" }))]]):format(FILE, OTHER_FILE, playbooks.id(3))

  local told

  local function isolate_by_hand(id)
    stage.rehearsal:past(id, "restrict", "Succeeded", 900, { type = "Isolate", scope = "Full",
      requestor = "a.colleague@corp.example", requestorComment = "by hand" })
  end

  local function set_up_all()
    local machines = playbooks.fleet(3)
    machines[3].onboardingStatus = "CanBeOnboarded"
    set_up(3, { machines = machines })
    told = {}
    rawset(_G, "tell_spec", function(word) told[#told + 1] = word end)
    isolate_by_hand(playbooks.id(2))
  end

  it("shows each with its scope or its file, and sends nothing", function()
    set_up_all()
    local plan = assert(stage.plan(ALL))
    assert.same({ "planned", "planned", "planned", "planned", "planned", "planned", "planned", "planned" }, told)
    assert.equal(0, stage.posts())
    local shown = {}
    for i, device in ipairs(runs.object(plan).devices) do
      shown[i] = ("%s %s %s %s"):format(device.verb, device.decision, device.scope or device.sha1 or "-",
        device.wave or "-")
    end
    assert.same({ "restrict restrict - 1", "isolate isolate Selective 1", "scan scan Full -",
      "quarantine quarantine " .. FILE .. " -", "quarantine quarantine " .. OTHER_FILE .. " -", "collect collect - -",
      "unisolate unisolate - -", "contain contain - 1" }, shown)
    local counts = runs.counts(plan)
    assert.same({ 1, 1, 2, 8 }, { counts.isolate, counts.scan, counts.quarantine, counts.to_send })
    assert.matches('"sha1":"' .. FILE, json.encode(runs.object(plan)), 1, true)
  end)

  it("carries them out, records each as a step, and the service's lists agree", function()
    set_up_all()
    local plan = assert(stage.plan(ALL))
    told = {}
    local report, err, path = stage.start(plan)
    assert.is_nil(err)
    assert.equal("complete", report.state, report.why)
    assert.same({ "accepted", "accepted", "accepted", "accepted", "accepted", "accepted", "accepted", "accepted" },
      told)
    assert.equal(8, stage.posts())
    stage.tenant:advance(3600)
    local account = assert(runs.account(path))
    assert.equal(8, account.numbers.accepted)
    local verification = assert(runs.verify(stage.client, account))
    assert.equal(8, verification.compared)
    for _, one in ipairs(verification.differences) do assert.equal("status", one.kind, one.words) end
  end)

  it("is bound to the scope and the file by its digest", function()
    local digests = {}
    for _, options in ipairs { '{ isolation_type = "Selective" }', '{ isolation_type = "Full" }' } do
      set_up(1)
      rawset(_G, "scope_in_spec", assert(load("return " .. options))())
      digests[#digests + 1] = assert(stage.plan
        [[require "mde".isolate("pc-1.corp.example", "beacon", scope_in_spec)]]).digest
      stage.remove()
    end
    assert.not_equal(digests[1], digests[2])
  end)

  local isolate_as_told = [[require "mde".isolate("pc-1.corp.example", "beacon", scope_in_spec)]]

  it("does not isolate in another scope than its plan shows", function()
    set_up(1)
    rawset(_G, "scope_in_spec", { isolation_type = "Selective" })
    local plan = assert(stage.plan(isolate_as_told))
    rawset(_G, "scope_in_spec", { isolation_type = "Full" })
    local report = assert(stage.start(plan))
    assert.equal("plan", report.entries[1].err.rule)
    assert.matches("it shows isolate (Selective), and this is isolate (Full)", report.entries[1].err.message, 1, true)
    assert.equal(0, stage.posts())
  end)

  it("gives back what is recorded where another scope is asked for, and tells that", function()
    set_up(2)
    local text = isolate_as_told .. [[
      if not skip_in_spec then require "mde".isolate("pc-2.corp.example", "beacon") error "later" end]]
    rawset(_G, "scope_in_spec", { isolation_type = "Selective" })
    rawset(_G, "skip_in_spec", true)
    local plan = assert(stage.plan(text))
    rawset(_G, "skip_in_spec", nil)
    local _, _, path = stage.start(plan)
    rawset(_G, "scope_in_spec", { isolation_type = "Full" })
    rawset(_G, "skip_in_spec", true)
    local report = assert(stage.resume(path))
    assert.equal(1, stage.posts())
    assert.equal("accepted", report.entries[1].action.outcome)
    assert.matches('isolation_type was "Selective" and is "Full" now', report.differing[1].words, 1, true)
  end)

  for verb, case in pairs {
    isolate = { "", "protected", 0 }, contain = { "", "protected", 0 },
    quarantine = { (', { sha1 = "%s" }'):format(FILE), "protected", 0 }, scan = { "", "accepted", 1 },
    collect = { "", "accepted", 1 }, unisolate = { "", "accepted", 1 },
  } do
    it(("%s %s that the plan does not show"):format(case[3] == 0 and "refuses a" or "lets through a", verb), function()
      local machines = playbooks.fleet(1)
      if verb == "contain" then machines[1].onboardingStatus = "CanBeOnboarded" end
      set_up(1, { machines = machines })
      if verb == "unisolate" then
        isolate_by_hand(playbooks.id(1))
      end
      rawset(_G, "skip_in_spec", true)
      local plan = assert(stage.plan(([[if not skip_in_spec then
        require "mde".%s("%s", "beacon"%s) end]]):format(verb, playbooks.id(1), case[1])))
      rawset(_G, "skip_in_spec", nil)
      local report = assert(stage.start(plan))
      local entry = report.entries[1]
      assert.equal(case[2], entry.action and entry.action.outcome or entry.err.kind)
      assert.equal(case[3], stage.posts())
    end)
  end

  it("has waves and a gate of its own for each verb that cuts off", function()
    set_up(8)
    local gates = {}
    local plan = assert(stage.plan([[
      local mde = require "mde"
      for _, verb in ipairs { "restrict", "isolate", "scan" } do
        for i = 1, 8 do mde[verb](("pc-%d.corp.example"):format(i), "beacon", { incident = "INC-1" }) end
      end]], { waves = "2,rest" }))
    local report, _, path = stage.start(plan, { on_event = function(event)
      if event.event == "wave" then gates[#gates + 1] = ("%s %d"):format(event.verb, event.wave) end
    end })
    assert.equal("complete", report.state, report.why)
    assert.same({ "restrict 2", "isolate 2" }, gates)
    assert.equal(24, stage.posts())
    local waves = {}
    for i, wave in ipairs(assert(runs.account(path)).waves) do
      waves[i] = ("%s %d: %d, %d %s"):format(wave.verb, wave.wave, wave.planned, wave.sent, wave.verdict or "-")
    end
    assert.same({ "restrict 1: 2, 2 2 sent, 2 succeeded, 0 pending", "restrict 2: 6, 6 -",
      "isolate 1: 2, 2 2 sent, 2 succeeded, 0 pending", "isolate 2: 6, 6 -" }, waves)
  end)

  it("takes the cap of each verb", function()
    set_up(4, { client = { cap = { restrict = false, isolate = 2 } } })
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 4 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end
      for i = 1, 4 do mde.isolate(("pc-%d.corp.example"):format(i), "beacon") end]])
    local report, _, path = stage.start(plan)
    assert.equal("cap", report.stop and report.stop.rule)
    assert.same({ restrict = false, isolate = 2, contain = 25, quarantine = 25 }, runs.cap_of(path))
    assert.equal(6, stage.posts())
  end)

  it("refuses one key for two files of a device, and goes on", function()
    set_up(1)
    local report = assert(stage.start(assert(stage.plan(([[
      local mde = require "mde"
      for _, file in ipairs { "%s", "%s" } do
        mde.quarantine("pc-1.corp.example", "beacon", { sha1 = file, key = "alert-4711" })
      end]]):format(FILE, OTHER_FILE)))))
    assert.same({ "quarantine accepted", "quarantine another_scope" }, entries_by(report))
    assert.equal(1, stage.posts())
  end)

  -- ---- a ladder

  local LADDER = [[
    local mde = require "mde"
    for i = 1, 2 do
      local pc = ("pc-%d.corp.example"):format(i)
      mde.may("isolate", pc, "the restriction failed", { incident = "INC-1" })
      local action = assert(mde.restrict(pc, "beacon", { incident = "INC-1" }))
      if not action:wait() then
        local isolation = assert(mde.isolate(pc, "the restriction failed", { incident = "INC-1" }))
        isolation:wait()
      end
    end]]

  it("does what its plan shows as what it may come to, if it comes to it", function()
    set_up(2)
    stage.tenant:put_machine { id = playbooks.id(2), failing = true }
    local plan = assert(stage.plan(LADDER))
    local counts = runs.counts(plan)
    assert.same({ 2, 0, 2, 4 }, { counts.restrict, counts.isolate, counts.if_needed, counts.to_send })
    local report, _, path = stage.start(plan)
    assert.equal("complete", report.state, report.why)
    assert.same({ "restrict accepted", "restrict accepted", "isolate accepted" }, entries_by(report))
    assert.same({}, report.not_called)
    local account = assert(runs.account(path))
    local words = {}
    for _, device in ipairs(account.devices) do
      for _, change in ipairs(device.changes) do words[#words + 1] = change.verb .. " " .. change.word end
    end
    table.sort(words)
    assert.same({ "isolate failed", "isolate not_needed", "restrict failed", "restrict restricted" }, words)
    assert.equal(2, account.numbers.planned)
  end)

  it("tells its incident as the playbook spells it, whatever came of a device", function()
    set_up(2)
    assert(stage.client:restrict(playbooks.id(1), "before", { incident = "INC-1" })):wait()
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 2 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon", { incident = "Inc-1" }) end
      mde.may("isolate", "pc-2.corp.example", "beacon", { incident = "Inc-1" })]])
    assert.equal("Inc-1", runs.object(plan).devices[1].incident)
    local kept = stage.path "kept.plan"
    assert(runs.save(stage.client, plan, kept))
    local _, _, path = stage.start(plan)
    for _, record in ipairs { kept, path } do
      local account = assert(runs.account(record))
      assert.same({ "Inc-1" }, account.run.incidents)
      for _, device in ipairs(account.devices) do
        for _, change in ipairs(device.changes) do assert.equal("Inc-1", change.incident, change.verb) end
      end
    end
  end)

  -- ---- it ends at every place

  local COUNT = 6
  local MIXED = ([[
    local mde = require "mde"
    for i = 1, %d do
      local pc = ("pc-%%d.corp.example"):format(i)
      assert(mde.restrict(pc, "beacon", { incident = "INC-1" }))
      assert(mde.isolate(pc, "beacon", { incident = "INC-1", isolation_type = "Selective" }))
      assert(mde.scan(pc, "beacon", { incident = "INC-1" }))
    end]]):format(COUNT)

  -- Lets the process end at its nth step; whether it came so far.
  local function end_at(n)
    set_up(COUNT)
    local plan, path, at = assert(stage.plan(MIXED)), stage.path(), 0
    stage.mortal(function()
      at = at + 1
      return at == n
    end)
    pcall(runs.start, stage.client, plan, { record = path })
    local has_ended = stage.is_dead
    stage.another()
    local opened = runs.open(stage.client, path)
    local is_begun = opened and opened.state ~= "planned"
    if opened then runs.close(opened) end
    return has_ended, is_begun and path
  end

  local function goes_on(n, path)
    local report
    for _ = 1, 3 do
      report = assert(stage.resume(path))
      if report.state == "complete" then break end
      stage.renew()
    end
    local where = ("ended at %d"):format(n)
    assert.equal("complete", report.state, ("%s: %s"):format(where, report.why))
    assert.equal(3 * COUNT, #report.entries, where)
    local counts = made()
    for i = 1, COUNT do
      for _, name in ipairs { "RestrictCodeExecution", "Isolate", "RunAntiVirusScan" } do
        assert.equal(1, counts[name .. " " .. playbooks.id(i)], ("%s: %s %d"):format(where, name, i))
      end
    end
    for _, action in ipairs(stage.tenant.actions) do
      if action.type == "Isolate" then assert.equal("Selective", action.scope, where) end
    end
  end

  it("goes on wherever it ended, and does nothing twice", function()
    local distance = os.getenv "MDE_RUN_ENDS" == "all" and 1 or 7
    local n, continued = 0, 0
    while true do
      n = n + distance
      local has_ended, path = end_at(n)
      if not has_ended then break end
      if path then
        -- One that was complete already has nothing to go on with.
        local opened = assert(runs.open(stage.client, path))
        local state = opened.state
        runs.close(opened)
        if state ~= "complete" then
          goes_on(n, path)
          continued = continued + 1
        end
      end
      stage.remove()
      stage = nil
    end
    assert.is_true(continued > 100 / distance, ("continued %d times"):format(continued))
  end)
end)
