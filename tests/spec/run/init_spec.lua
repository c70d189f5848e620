-- Runs from their plan to their end, in a tenant in the same process.
local errors = require "mde.base.error"
local mde = require "mde"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

local function count(list, match)
  local n = 0
  for _, one in ipairs(list) do
    if match(one) then n = n + 1 end
  end
  return n
end

local function code_of(entry) return errors.is(entry.err) and entry.err.code or nil end

describe("a run", function()
  local stage

  local function set_up(options) stage = playbooks.new(options) end

  after_each(function()
    if stage then stage.remove() end
    stage = nil
  end)

  it("sends nothing while it is planned, and each once when it is carried out", function()
    set_up { machines = playbooks.fleet(3) }
    local plan = assert(stage.plan(playbooks.restrict(3)))
    assert.equal(0, stage.posts())
    assert.equal(3, runs.counts(plan).restrict)
    local report, err, path = stage.start(plan)
    assert.is_nil(err)
    assert.equal("complete", report.state, report.why)
    assert.equal(3, stage.posts())
    for i = 1, 3 do assert.equal(1, stage.actions()["restrict " .. playbooks.id(i)]) end
    local opened = assert(runs.open(stage.client, path))
    assert.equal("complete", opened.state)
    runs.close(opened)
  end)

  it("tags and cancels nothing while it is planned, by whatever way it is asked", function()
    set_up { machines = playbooks.fleet(1) }
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local machine = assert(mde.machine "pc-1.corp.example")
      assert(mde.tag(machine, "contained"))
      assert(mde.untag(machine, "seen"))
      if machine.tag then machine:tag "by method" end
      local action = assert(machine:restrict "beacon")
      assert(action.outcome == "planned")
      assert(action:cancel "again")
      assert(action:wait() == "Succeeded")
    ]])
    assert.equal(0, stage.posts())
    assert.matches("^tag pc%-1", plan.others[1])
    assert.matches("^untag pc%-1", plan.others[2])
  end)

  it("gives recorded results back, and asks nothing for them", function()
    set_up { machines = playbooks.fleet(2) }
    local plan = assert(stage.plan(playbooks.restrict(2, "if mde.resuming() or started then error 'later' end")))
    rawset(_G, "started", true)
    local report, _, path = stage.start(plan)
    assert.equal("broken", report.state)
    assert.matches("later", report.why)
    assert.equal(2, stage.posts())
    local again, found = stage.resume(path)
    assert.equal(2, found.recorded)
    assert.equal(0, found.to_send)
    assert.equal("broken", again.state)
    assert.equal(2, stage.posts())
    assert.is_true(again.entries[1].replayed)
    rawset(_G, "started", nil)
  end)

  it("refuses a restrict that the plan does not show, and lets a release through", function()
    set_up { machines = playbooks.fleet(3) }
    local text = [[
      local mde = require "mde"
      mde.restrict("pc-1.corp.example", "beacon")
      if sneaky then
        mde.restrict("pc-2.corp.example", "beacon")
        mde.release("pc-3.corp.example", "cleared")
      end]]
    local plan = assert(stage.plan(text))
    rawset(_G, "sneaky", true)
    local report = stage.start(plan)
    rawset(_G, "sneaky", nil)
    assert.equal(1, count(report.entries, function(entry) return code_of(entry) == "not_planned" end))
    local actions = stage.actions()
    assert.equal(1, actions["restrict " .. playbooks.id(1)])
    assert.is_nil(actions["restrict " .. playbooks.id(2)])
    assert.equal(1, actions["release " .. playbooks.id(3)])
  end)

  for words, case in pairs {
    ["renamed"] = { change = { computerDnsName = "other.corp.example" }, code = "device_drifted" },
    ["merged"] = { change = { mergedIntoMachineId = playbooks.id(2) }, code = "device_merged" },
    ["tagged tier0"] = { change = { machineTags = { "tier0" } }, code = "machine_protected" },
  } do
    it("leaves a device that was " .. words .. " since the plan", function()
      set_up { machines = playbooks.fleet(2), unguarded = false, client = { cap = false,
        protect = { tags = { "tier0" } } } }
      local plan = assert(stage.plan(playbooks.restrict(2)))
      assert.equal(2, runs.counts(plan).restrict)
      for name, value in pairs(case.change) do stage.tenant:find_machine(playbooks.id(1))[name] = value end
      stage.tenant:advance(3)
      local report = stage.start(plan)
      assert.equal(1, count(report.entries, function(entry) return code_of(entry) == case.code end))
      assert.is_nil(stage.actions()["restrict " .. playbooks.id(1)])
      assert.equal(1, stage.actions()["restrict " .. playbooks.id(2)])
    end)
  end

  it("leaves a device that a colleague has released since the plan", function()
    set_up { machines = playbooks.fleet(2) }
    local plan = assert(stage.plan(playbooks.restrict(2)))
    stage.tenant:advance(3)
    stage.tenant:insert_action { machineId = playbooks.id(1), type = "UnrestrictCodeExecution", status = "Succeeded",
      requestor = "a.colleague@corp.example", requestorComment = "fine" }
    local report = stage.start(plan)
    assert.equal(1, count(report.entries, function(entry) return entry.err and entry.err.kind == "superseded" end))
    assert.is_nil(stage.actions()["restrict " .. playbooks.id(1)])
  end)

  it("is carried out once, and only for the tenant that it was made for", function()
    set_up { machines = playbooks.fleet(1) }
    local plan = assert(stage.plan(playbooks.restrict(1)))
    local path = stage.path()
    assert.is_true(runs.save(stage.client, plan, path))
    local other = playbooks.new { machines = playbooks.fleet(1), tenant_id = "11111111-2222-4333-8444-555555555555" }
    local opened, err = runs.open(other.client, path)
    assert.is_nil(opened)
    assert.equal("plan_of_another", err.code)
    other.remove()
    opened = assert(runs.open(stage.client, path))
    assert.equal(plan.digest, opened.plan.digest)
    assert.equal("complete", assert(runs.start_opened(stage.client, opened)).state)
    opened = assert(runs.open(stage.client, path))
    local report
    report, err = runs.start_opened(stage.client, opened)
    assert.is_nil(report)
    assert.equal("plan_taken", err.code)
    assert.equal(1, stage.posts())
  end)

  it("is not carried out when its plan is older than an hour", function()
    set_up { machines = playbooks.fleet(1) }
    local path = stage.path()
    assert.is_true(runs.save(stage.client, assert(stage.plan(playbooks.restrict(1))), path))
    stage.tenant:advance(3700)
    local report, err = runs.start_opened(stage.client, assert(runs.open(stage.client, path)))
    assert.is_nil(report)
    assert.equal("plan_old", err.code)
    report = assert(runs.start_opened(stage.client, assert(runs.open(stage.client, path)), { stale = true }))
    assert.equal("complete", report.state)
  end)

  it("begins nothing new when it is halted, and goes on later", function()
    set_up { machines = playbooks.fleet(6) }
    local plan = assert(stage.plan(playbooks.restrict(6)))
    local session
    local sent = 0
    local report, _, path = stage.start(plan, { on_session = function(one) session = one end, on_event = function(event)
      if event.event == "sending" then
        sent = sent + 1
        if sent == 3 then session:halt { rule = "asked", state = "stopped", message = "a test asks" } end
      end
    end })
    assert.equal("stopped", report.state)
    assert.is_true(stage.posts() < 6)
    local again = stage.resume(path)
    assert.equal("complete", again.state, again.why)
    for i = 1, 6 do assert.equal(1, stage.actions()["restrict " .. playbooks.id(i)]) end
  end)

  it("says by which rule a playbook may not be planned", function()
    set_up { machines = playbooks.fleet(1) }
    local exit = os.exit
    for text, code in pairs {
      ["os.exit(0)"] = "playbook_exits",
      ["error 'no'"] = "playbook_raised",
      ["if"] = "playbook_malformed",
      ["require('mde').client {}"] = "playbook_raised",
      ["local mde = require 'mde' while true do mde.restrict('pc-1', 'x') end"] = "playbook_raised",
      ["require('mde').on_plan(function() return false, 'too many' end)"] = "playbook_refuses",
    } do
      local plan, err = stage.plan(text)
      assert.is_nil(plan)
      assert.equal(code, err.code, text)
    end
    assert.equal(0, stage.posts())
    assert.is_true(exit == os.exit)
    assert.equal(mde, require "mde")
  end)
end)
