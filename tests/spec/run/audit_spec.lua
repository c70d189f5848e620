-- What is told of a run: what happens once is told once, and the record tells it again byte for byte.
local audit = require "mde.run.audit"
local by_hand = require "tests.spec.support.journals"
local errors = require "mde.base.error"
local journals = require "mde.journal"
local mde = require "mde"
local ocsf_fields = require "tests.spec.support.ocsf"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local watched_journal = require "tests.spec.support.watched_journal"

local cjson = require "cjson"

describe("the audit of a run", function()
  local stage, told

  local function set_up(count, options, flags)
    told = {}
    local all = { machines = playbooks.fleet(count, flags), limits = false }
    for name, value in pairs(options or {}) do all[name] = value end
    all.client = all.client or {}
    all.client.on_event = mde.audit.ocsf(function(line) told[#told + 1] = line end)
    stage = playbooks.new(all)
  end

  -- What a playbook sees of the test.
  local seen

  before_each(function()
    seen = {}
    rawset(_G, "spec_of_audit", seen)
  end)

  after_each(function()
    rawset(_G, "spec_of_audit", nil)
    watched_journal.leave()
    stage.remove()
  end)

  local function lines_of(path)
    local journal, lines = assert(journals.open(path)), {}
    for line in audit.lines(journal) do lines[#lines + 1] = line end
    journal:close()
    return lines
  end

  -- What a record tells: "restrict accepted 1" of the first device, in order. Each line is sound, and none is missing.
  local function events_of(path)
    local list, run = {}, nil
    for i, line in ipairs(lines_of(path)) do
      local event = cjson.decode(line)
      assert.same({}, ocsf_fields.problems(event))
      run = run or event.metadata.uid:match "^(.*)/1$"
      assert.equal(("%s/%d"):format(run, i), event.metadata.uid)
      local own = event.unmapped.mde
      local number = event.device and (event.device.uid or event.device.name):match "%d%d?$"
      list[i] = ("%s %s %d"):format(own.verb, own.outcome, tonumber(number))
    end
    return list
  end

  -- Carries out a playbook and compares what was told with what the record tells: the events, and the report.
  local function carry_out(text, mend, more)
    local plan = assert(stage.plan(text))
    if mend then mend() end
    local report, err, path = stage.start(plan, more)
    assert.is_nil(err)
    assert.same(told, lines_of(path))
    return events_of(path), report, path
  end

  local function one(verb, more)
    return ([[
      local mde = require "mde"
      local action, err = mde.%s("pc-1.corp.example", "beacon", { incident = "INC-1" })
      %s]]):format(verb or "restrict", more or "")
  end

  it("has the device, the plan and who ran it in each line", function()
    set_up(1, nil, { lastIpAddress = "10.1.2.3", rbacGroupName = "Laptops",
      aadDeviceId = "17171717-0000-4000-8000-000000000017" })
    local _, _, path = carry_out(one(nil, "action:wait()"))
    assert.equal(2, #told)
    for _, line in ipairs(told) do
      local event = cjson.decode(line)
      assert.same({ "pc-1.corp.example", "10.1.2.3", "17171717-0000-4000-8000-000000000017", "Laptops", "Windows11" },
        { event.device.hostname, event.device.ip, event.device.uid_alt, event.device.groups[1].name,
          event.device.os.name })
      local own, journal = event.unmapped.mde, assert(journals.open(path))
      local run, session = journal:run(), journal:sessions()()
      assert.same({ run.id, 1, "INC-1", "beacon" }, { own.run, own.wave, own.incident, own.comment })
      assert.equal(64, #own.playbook_sha256)
      assert.same({ run.tenant, run.client, session.mde }, { event.metadata.tenant_uid, event.actor.app_uid,
        event.metadata.product.version })
      assert.equal(session.who, event.actor.user and event.actor.user.name)
      journal:close()
    end
  end)

  it("has no wave of another verb", function()
    set_up(1, { roles = { "Machine.ReadWrite.All", "Machine.RestrictExecution", "Machine.Isolate" } })
    stage.rehearsal:past(playbooks.id(1), "restrict", "Succeeded", 900,
      { requestorComment = "x [mde:INC-1:byhand-01]" })
    local waves = {}
    carry_out(one() .. one "isolate")
    for _, line in ipairs(told) do
      local own = cjson.decode(line).unmapped.mde
      waves[#waves + 1] = ("%s %s %s"):format(own.verb, own.outcome, own.wave and ("%d"):format(own.wave))
    end
    assert.same({ "restrict already_active nil", "isolate accepted 1" }, waves)
  end)

  -- ---- what is told

  it("tells that it was accepted, and how it ended", function()
    set_up(3, { machines = { playbooks.fleet(1)[1],
      { id = playbooks.id(2), computerDnsName = "pc-2.corp.example", osPlatform = "Windows11", failing = true } } })
    local events = carry_out(playbooks.restrict(2, [[
      for _, result in ipairs(results) do result.value:wait() end]]))
    table.sort(events)
    assert.same({ "restrict accepted 1", "restrict accepted 2", "restrict failed 2", "restrict succeeded 1" }, events)
  end)

  it("tells what was so already, cancelled, superseded and in conflict", function()
    set_up(4)
    local events = carry_out([[
      local mde = require "mde"
      local verbs = { "restrict", "restrict", "restrict", "restrict" }
      for i, verb in ipairs(verbs) do
        mde[verb](("pc-%d.corp.example"):format(i), "beacon", { incident = "INC-1" })
      end]], function()
      stage.rehearsal:past(playbooks.id(1), "restrict", "Succeeded", 600,
        { requestorComment = "x [mde:INC-1:abcdefgh]" })
      stage.tenant:put_machine { id = playbooks.id(2), offline = true }
      stage.rehearsal:past(playbooks.id(2), "release", "Pending", 600)
      stage.tenant:advance(10)
      stage.tenant:insert_action { machineId = playbooks.id(3), type = "UnrestrictCodeExecution", status = "Succeeded",
        requestor = "a.colleague@corp.example", requestorComment = "fine" }
    end)
    assert.same({ "restrict already_active 1", "restrict conflict 2", "restrict superseded 3", "restrict accepted 4" },
      events)
  end)

  it("tells of what is no step: a rule, a name that means nothing, the cap", function()
    set_up(3, { unguarded = false, client = { cap = 1, protect = { servers = false, device_values = {} } } })
    local events, report = carry_out([[
      local mde = require "mde"
      mde.restrict("nobody-77", "beacon")
      mde.restrict("pc-1.corp.example", "beacon")
      mde.restrict("pc-2.corp.example", "beacon")
      mde.restrict("pc-3.corp.example", "beacon")]])
    assert.equal("cap", report.stop.rule)
    -- The third was not begun.
    assert.same({ "restrict not_found 77", "restrict accepted 1", "restrict cap 2" }, events)
  end)

  it("tells of a device that the plan does not list", function()
    set_up(2)
    seen.number = 1
    local events = carry_out([[require("mde").restrict(("pc-%d.corp.example"):format(spec_of_audit.number), "x")]],
      function() seen.number = 2 end)
    assert.same({ "restrict protected 2" }, events)
    local own = cjson.decode(told[1]).unmapped.mde
    assert.same({ "plan", "not_planned" }, { own.rule, own.code })
  end)

  it("tells of what was refused, throttled and out of reach", function()
    for outcome, fault in pairs {
      refused = { status = 400, body = { error = { code = "BadRequest", message = "No." } } },
      throttled = { status = 429, body = {} },
    } do
      set_up(1, { client = { timeout = 20 } })
      local events = carry_out(one(), function()
        stage.rehearsal:answer({ method = "POST", path = "restrict" }, fault.status, fault.body, { count = false })
      end)
      assert.same({ "restrict " .. outcome .. " 1" }, events)
      if outcome == "refused" then stage.remove() end
    end
  end)

  it("tells that nobody knows, and what it came to when the next session finds out", function()
    set_up(1, { client = { timeout = 100 } })
    local events, _, path = carry_out(one(), nil, { on_event = function(event)
      if event.event == "sending" then stage.lose(playbooks.id(1)) end
    end })
    assert.same({ "restrict unknown 1" }, events)
    local event = cjson.decode(told[1])
    assert.same({ 0, "Unknown", 4 }, { event.status_id, event.status, event.severity_id })
    assert.is_number(event.unmapped.mde.sent_at)
    -- Again in vain: nothing has changed.
    stage.renew()
    stage.resume(path)
    assert.same({ "restrict unknown 1" }, events_of(path))
    stage.tenant.faults:clear()
    stage.renew()
    assert.equal("complete", stage.resume(path).state)
    assert.same({ "restrict unknown 1", "restrict accepted 1", "restrict succeeded 1" }, events_of(path))
    assert.same(told, lines_of(path))
    assert.equal(event.command_uid, cjson.decode(told[2]).command_uid)
  end)

  it("tells of the cancellation that makes way for a release, before it", function()
    set_up(1, nil, { offline = true })
    local events = carry_out(one("restrict", [[
      mde.release("pc-1.corp.example", "fine", { incident = "INC-1" })]]))
    assert.same({ "restrict accepted 1", "cancel succeeded 1", "restrict cancelled 1", "release accepted 1" }, events)
  end)

  it("tells of a cancellation by the playbook, and is not disturbed by its notes", function()
    set_up(1, nil, { offline = true })
    local events, _, path = carry_out(one("restrict", [[
      mde.cancel(action, "wrong laptop")
      mde.tag("pc-1.corp.example", "seen")
      mde.release("pc-1.corp.example", "unplanned")]]))
    assert.same({ "restrict accepted 1", "cancel succeeded 1", "release accepted 1" }, events)
    local journal, notes = assert(journals.open(path)), 0
    for event in journal:events() do
      if event.kind ~= "change" then notes = notes + 1 end
    end
    journal:close()
    assert.is_true(notes >= 2)
  end)

  it("tells nothing of what was not begun, what is given back and a dry run", function()
    set_up(2)
    local plan = assert(stage.plan(playbooks.restrict(2)))
    local report, _, path = stage.start(plan, { until_time = 1 })
    assert.equal(2, #report.entries)
    assert.same({}, events_of(path))
    seen.go_on = true
    local events
    events, _, path = carry_out(playbooks.restrict(2, [[
      mde.restrict("pc-1.corp.example", "x", { dry_run = true })
      if not spec_of_audit.go_on then error "later" end]]), function() seen.go_on = false end)
    assert.equal(2, #events)
    seen.go_on = true
    stage.renew()
    assert.equal("complete", stage.resume(path).state)
    assert.same(events, events_of(path))
  end)

  it("is without a secret, in the record too", function()
    set_up(1)
    local secret = stage.tenant.client_secret
    local _, _, path = carry_out(([[require("mde").restrict("pc-1.corp.example", "saw %s")]]):format(secret))
    assert.matches("saw [redacted]", cjson.decode(told[1]).unmapped.mde.comment, 1, true)
    for event in assert(journals.open(path)):events() do assert.is_nil(event.detail:find(secret, 1, true)) end
  end)

  it("keeps what hostile texts say, the same in both", function()
    set_up(1, { machines = { { id = playbooks.id(1), computerDnsName = "pc\27[2J\226\128\174-1", osPlatform =
      "Windows11" } } })
    carry_out(([[require("mde").restrict(%q, "caf\195\169 \226\128\174x")]]):format(playbooks.id(1)))
    assert.is_nil(told[1]:find "[%c\127]")
    assert.equal("caf\195\169 \226\128\174x", cjson.decode(told[1]).unmapped.mde.comment)
  end)

  -- ---- how it is written

  it("waits for the disk twice for each device, and once more for its end", function()
    set_up(3)
    local plan, commits, open = assert(stage.plan(playbooks.restrict(3, [[
      for _, result in ipairs(results) do assert(result.value:wait()) end]]))), {}, false
    local writes = { sending = true, result = true, event = true, status = true, settled = true, forget = true,
      device = true }
    watched_journal.watch(function(method)
      if method == "begin" then open = true end
      if method == "commit" or writes[method] and not open then commits[#commits + 1] = method end
      if method == "commit" or method == "rollback" then open = false end
    end)
    local began = #commits
    stage.start(plan, { on_session = function() began = #commits end, on_event = function(event)
      -- What follows belongs to the end of the run.
      if event.event == "stop" then error "it stopped" end
    end })
    -- The last commit is the run's own.
    assert.equal(3 * 3, #commits - began - 1)
  end)

  for _, method in ipairs { "event", "result", "commit" } do
    it(("tells nothing that is not written: %s fails"):format(method), function()
      set_up(1)
      local plan, sent, failed = assert(stage.plan(one())), false, 0
      watched_journal.watch(function(name)
        if sent and name == method and failed == 0 then
          failed = 1
          return "the disk is full"
        end
      end)
      local count
      local report, _, path = stage.start(plan, { on_event = function(event)
        if event.event == "sending" then sent = true end
        if event.event == "stop" then count = #told end
      end })
      watched_journal.leave()
      assert.equal("journal", report.stop.rule)
      assert.equal(0, count)
      -- At the end there was room again.
      assert.same({}, report.unwritten)
      assert.same({ "restrict accepted 1" }, events_of(path))
      assert.same(told, lines_of(path))
    end)
  end

  it("leaves the record as it was where a write raises", function()
    set_up(1)
    local plan = assert(stage.plan(one(nil, "action:wait()")))
    local _, _, path = stage.start(plan)
    local journal = assert(journals.open(path))
    local own = audit.new(journal, 1, stage.client.exchange)
    local before = lines_of(path)
    assert.error_matches(function()
      own:write({ { verb = "cancel", outcome = "succeeded" } }, function()
        journal:event { at = 1, kind = "change", detail = "{}" }
        error "out of memory"
      end)
    end, "out of memory")
    assert.same(before, lines_of(path))
    assert.equal(false, own:write({ { verb = "cancel", outcome = "succeeded" } }, function() return false end))
    assert.same(before, lines_of(path))
    assert.is_true(own:write({ { verb = "cancel", outcome = "succeeded" } }, function() return true end))
    assert.equal(#before + 1, #lines_of(path))
    journal:close()
  end)

  it("passes over rows that are none of its events", function()
    set_up(1)
    local _, _, path = carry_out(one())
    local journal = assert(journals.open(path))
    for _, detail in ipairs { "no JSON", "5", "{}", '{"verb":"erase","outcome":"accepted"}' } do
      journal:event { at = 1, kind = "change", detail = detail }
    end
    journal:event { at = 1, kind = "change" }
    -- What somebody has written into it that sent it.
    local at_no_time = '{"verb":"restrict","outcome":"accepted"}'
    for _, at in ipairs { 1e300, -1e300, 2e300 } do
      journal:event { at = at, kind = "change", detail = at_no_time }
    end
    journal:event { at = 1, kind = "change", detail = [[{"verb":"restrict","outcome":"accepted","attempts":1e300,
      "http_status":0.5,"machine_id":{},"comment":[],"device":5,"session":"x"}]] }
    journal:close()
    by_hand.by_sqlite(path, "UPDATE event SET at = 9e999 WHERE at = 2e300")
    local lines = lines_of(path)
    assert.equal(2, #lines)
    assert.equal(10, cjson.decode(lines[2]).metadata.sequence)
  end)

  it("goes on where a watcher raises", function()
    set_up(2)
    local _, quiet = stage.client.exchange.trace, io.stderr
    stage.client.exchange.trace.on_event = function(event) if event.event == "change" then error "I raise" end end
    io.stderr = { write = function() end } -- luacheck: ignore 122
    local ok, report, err, path = pcall(stage.start, assert(stage.plan(playbooks.restrict(2))))
    io.stderr = quiet -- luacheck: ignore 122
    assert.is_true(ok)
    assert.is_nil(err)
    assert.is_false(errors.is(report))
    assert.equal("complete", report.state)
    assert.equal(2, #events_of(path))
    assert.equal("complete", runs.open(stage.client, path).state)
  end)
end)
