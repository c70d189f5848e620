-- What is otherwise when a change leaves than its plan showed: who is refused, and what is told of the others.
local drifts = require "mde.run.drift"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

describe("a device that is not the one that was shown", function()
  local function refusal(name, now)
    return drifts.refusal({ id = "x", name = name, changes = {} }, { id = "x", computerDnsName = now })
  end

  it("is refused by its name, without regard to case and a dot at the end", function()
    assert.is_nil(refusal("pc-1.corp.example", "PC-1.corp.example."))
    assert.equal("drift", refusal("pc-1.corp.example", "pc-2.corp.example").rule)
    assert.matches("is called nothing now", refusal("pc-1.corp.example", nil).message, 1, true)
    assert.matches([["pc\x1b" now]], refusal("pc-1.corp.example", "pc\27").message, 1, true)
  end)

  it("is not refused where it had no name, or stands in no plan", function()
    assert.is_nil(refusal(nil, "pc-1.corp.example"))
    assert.is_nil(drifts.refusal(nil, { id = "x", computerDnsName = "pc-1.corp.example" }))
  end)
end)

describe("what has changed of a device", function()
  local function of(health, now) return drifts.of_record({ health = health }, { healthStatus = now }) end

  it("is that the service does not call it active any more", function()
    assert.matches("the service calls it Inactive,", of("Active", "Inactive"), 1, true)
    assert.matches([[calls it In\x1bactive,]], of("Active", "In\27active"), 1, true)
    assert.is_nil(of("Active", "Active"))
    assert.is_nil(of("Inactive", "Inactive"))
    assert.is_nil(of("Inactive", "Active"))
    assert.is_nil(of("Active", nil))
    -- A plan of an older version.
    assert.is_nil(of(nil, "Inactive"))
    assert.is_nil(drifts.of_record(nil, { healthStatus = "Inactive" }))
  end)
end)

describe("a change that went well", function()
  local function of(decision, outcome, more)
    more = more or {}
    local device = { id = "x", changes = { { verb = more.planned or "restrict", incident = "inc-1", decision = decision,
      also_held = more.shown, release_after = more.shown_end },
      { verb = "restrict", incident = "inc-2", decision = "restrict" } } }
    local action = { outcome = outcome, requestor = "a\27b", also_held = more.held, also_ended = more.ended }
    return drifts.of_action(device, { verb = more.verb or "restrict", incident = more.incident or "inc-1",
      hold_seconds = more.hold }, action, more.has_acted or false)
  end

  for words, case in pairs {
    ["as planned"] = { nil, "restrict", "accepted" },
    ["of somebody else"] = { "nothing was sent; since the plan was made it was restricted by a\\x1bb", "restrict",
      "already_active" },
    ["of the run itself"] = { nil, "restrict", "already_active", { has_acted = true } },
    ["shown as done"] = { nil, "already_active", "already_active" },
    ["shown as done and not so any more"] = { "it is released; when the plan was made it was so already",
      "already_active", "accepted", { verb = "release", planned = "release" } },
    ["after a restrict of the run"] = { nil, "already_active", "accepted", { verb = "release", planned = "release",
      has_acted = true } },
    ["of a verb that is not planned"] = { "it is released, which the plan did not show", "restrict", "accepted",
      { verb = "release", has_acted = true } },
    ["of an incident that is not planned"] = { "it is restricted, which the plan did not show", "restrict",
      "accepted", { incident = "inc-3" } },
    ["that is not planned and did nothing"] = { nil, "restrict", "already_active", { verb = "release" } },
    ["that ends as planned"] = { nil, "restrict", "accepted", { shown_end = 28800, hold = 28800 } },
    ["that ends sooner"] = { "it is meant to hold for 3600 seconds, and the plan showed it for 28800 seconds",
      "restrict", "accepted", { shown_end = 28800, hold = 3600 } },
    ["that has no end"] = { "it is meant to hold until it is released, and the plan showed it for 28800 seconds",
      "restrict", "accepted", { shown_end = 28800 } },
    ["that ends, and was shown without an end"] = { "it is meant to hold for 3600 seconds, and the plan showed it "
      .. "until it is released", "restrict", "accepted", { shown_end = false, hold = 3600 } },
    ["whose end a plan of an older version does not show"] = { nil, "restrict", "accepted", { hold = 3600 } },
    ["of one that others hold, too"] = { "since the plan was made it was restricted for others, too: INC-8, INC\\x1b9",
      "restrict", "accepted", { held = { "INC-8", "INC\27" .. "9" } } },
    ["of one that others were shown to hold"] = { nil, "restrict", "accepted", { held = { "INC-8" },
      shown = { "inc-8" } } },
    ["of one that another incident of the plan holds"] = { nil, "restrict", "accepted", { held = { "INC-2" } } },
    ["of one that others held until now"] = { "others held it, too, which ends with this release: INC-8", "release",
      "accepted", { verb = "release", planned = "release", ended = { "INC-8", "INC-2" } } },
  } do
    it("is told of where it is otherwise: " .. words, function()
      local told = of(case[2], case[3], case[4])
      if case[1] then assert.matches(case[1], told, 1, true) else assert.is_nil(told) end
    end)
  end
end)

describe("what the plan shows and the playbook does not call for", function()
  local stage

  after_each(function()
    if stage then stage.remove() end
    stage = nil
  end)

  local TEXT = [[
    local mde = require "mde"
    for i = 1, last_in_spec do mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end
    if fail_in_spec then error "later" end]]

  local function run(last, more)
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    rawset(_G, "last_in_spec", 3)
    local plan = assert(stage.plan(TEXT))
    rawset(_G, "last_in_spec", last)
    local report, _, path = stage.start(plan, more)
    return report, path
  end

  it("is named, and the run is complete", function()
    local report = run(2)
    assert.equal("complete", report.state)
    assert.same({ { machine_id = playbooks.id(3), verb = "restrict", incident = "", name = "pc-3.corp.example" } },
      report.not_called)
    stage.remove()
    assert.same({}, run(3).not_called)
  end)

  it("is told by the record, and nothing is left to go on with", function()
    local _, path = run(1)
    local account = assert(runs.account(path))
    assert.same({ pending = 1, not_asked_for = 2 }, account.counts)
    assert.equal(0, #account.events)
    for _, device in ipairs(account.devices) do
      if device.word == "not_asked_for" then assert.equal("needs", device.part) end
    end
    local opened = assert(runs.open(stage.client, path))
    assert.equal("complete", opened.state)
    runs.close(opened)
  end)

  it("is not named where the run goes on, but once it has come to its end", function()
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    rawset(_G, "last_in_spec", 3)
    local plan = assert(stage.plan(TEXT))
    rawset(_G, "last_in_spec", 2)
    stage.lose(playbooks.id(1))
    local report, _, path = stage.start(plan)
    assert.equal("paused", report.state)
    assert.same({}, report.not_called)
    assert.is_nil(assert(runs.account(path)).counts.not_asked_for)
    stage.rehearsal.tenant.faults:clear()
    report = stage.resume(path)
    assert.equal("complete", report.state, report.why)
    assert.equal(1, #report.not_called)
    assert.equal(1, assert(runs.account(path)).counts.not_asked_for)
  end)

  it("is not named where the run did not come to its end", function()
    assert.same({}, run(2, { until_time = 1 }).not_called)
    stage.remove()
    local report, path = run(2, { on_event = function() rawset(_G, "fail_in_spec", true) end })
    rawset(_G, "fail_in_spec", nil)
    assert.equal("broken", report.state)
    assert.same({}, report.not_called)
    report = stage.resume(path)
    assert.equal(1, #report.not_called)
  end)

  it("lets a release through that the plan does not show, and says so", function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false }
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 900)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      mde.restrict("pc-1.corp.example", "beacon")
      if release_in_spec then mde.release("pc-2.corp.example", "cleared") end]])
    rawset(_G, "release_in_spec", true)
    local report, _, path = stage.start(plan)
    rawset(_G, "release_in_spec", nil)
    assert.equal("complete", report.state, report.why)
    local journal, kinds = assert(require("mde.journal").open(path)), {}
    for event in journal:events() do
      if event.kind ~= "change" then kinds[#kinds + 1] = event.kind .. " " .. event.detail end
    end
    journal:close()
    assert.same({ "unplanned release " .. playbooks.id(2),
      "drift pc-2.corp.example: it is released, which the plan did not show" }, kinds)
  end)

  it("is an end that the plan, kept in a record, did not show", function()
    stage = playbooks.new { machines = playbooks.fleet(1), limits = false }
    rawset(_G, "end_in_spec", nil)
    local plan, path = assert(stage.plan [[
      require "mde".restrict("pc-1.corp.example", "beacon", { release_after = end_in_spec })]]), stage.path()
    assert.is_nil(runs.object(plan).devices[1].release_after)
    assert(runs.save(stage.client, plan, path))
    rawset(_G, "end_in_spec", "1h")
    local words
    assert(runs.start_opened(stage.client, assert(runs.open(stage.client, path)), { on_event = function(event)
      if event.event == "drift" then words = event.words end
    end }))
    rawset(_G, "end_in_spec", nil)
    assert.equal("it is meant to hold for 3600 seconds, and the plan showed it until it is released", words)
  end)

  it("is what stands in the record of what has changed", function()
    stage = playbooks.new { machines = playbooks.fleet(1), limits = false }
    local plan = assert(stage.plan(playbooks.restrict(1)))
    stage.tenant:put_machine { id = playbooks.id(1), healthStatus = "Inactive" }
    local words
    local _, _, path = stage.start(plan, { on_event = function(event)
      if event.event == "drift" then words = event.words end
    end })
    assert.matches("calls it Inactive", words, 1, true)
    local journal = assert(require("mde.journal").open(path))
    local details = {}
    for event in journal:events() do
      if event.kind == "drift" then details[#details + 1] = event.detail end
    end
    journal:close()
    assert.same({ "pc-1.corp.example: " .. words }, details)
    assert.is_true(runs.is_record(path))
  end)
end)
