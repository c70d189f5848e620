-- The pass that plans: everything is looked at, nothing is changed.
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

describe("the pass that plans", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(4), limits = false, roles = {
    "Machine.Read.All", "Machine.RestrictExecution", "Machine.ReadWrite.All" } } end)

  after_each(function()
    stage.remove()
    rawset(_G, "tell_spec", nil)
    rawset(_G, "go_on_in_spec", nil)
  end)

  it("takes what is planned to succeed, and changes nothing", function()
    local told
    rawset(_G, "tell_spec", function(...) told = { ... } end)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      local action = mde.restrict("pc-1.corp.example", "beacon")
      local status = action:wait()
      local release = mde.release("pc-1.corp.example", "cleared")
      local tagged = mde.tag("pc-2.corp.example", "seen")
      mde.untag("pc-2.corp.example", "seen")
      tell_spec(action.outcome, status, release.outcome, tagged.computerDnsName, tostring(action))]])
    assert.same({ "planned", "Succeeded" }, { told[1], told[2] })
    assert.matches("pc-1.corp.example: planned", told[5], 1, true)
    assert.equal("pc-2.corp.example", told[4])
    assert.same({ "tag pc-2.corp.example: seen", "untag pc-2.corp.example: seen" }, plan.others)
    assert.equal(0, stage.posts())
    assert.equal(0, stage.rehearsal:count "machine_tagged")
  end)

  it("lists a machine once, by whatever name it was called", function()
    local plan = assert(stage.plan(([[
      local mde = require "mde"
      for _, name in ipairs { "pc-1.corp.example", "PC-1.corp.example", "pc-1", %q, mde.machine "pc-1" } do
        mde.restrict(name, "beacon", { incident = "INC-1", reason = "because" })
      end]]):format(playbooks.id(1))))
    assert.equal(1, #plan.devices)
    assert.equal(1, #plan.devices[1].changes)
    local change = plan.devices[1].changes[1]
    assert.same({ "restrict", "restrict", "inc-1", "because" },
      { change.verb, change.decision, change.incident, change.reason })
  end)

  it("names what means nothing once, with why", function()
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for _ = 1, 2 do
        local action, err = mde.restrict("nobody.corp.example", "beacon")
        assert(not action and err.kind == "not_found")
      end]])
    assert.equal(1, #plan.unresolvable)
    assert.same({ "no_such_device", "not_found", "restrict" },
      { plan.unresolvable[1].code, plan.unresolvable[1].kind, plan.unresolvable[1].verb })
  end)

  it("lets the same be asked 100 times, and not once more", function()
    local text = [[local mde = require "mde" for _ = 1, %d do mde.restrict("pc-1", "x") mde.restrict("pc-2", "x") end]]
    assert(stage.plan(text:format(100)))
    local plan, err = stage.plan(text:format(101))
    assert.is_nil(plan)
    assert.matches("in a plan nothing changes", err.message, 1, true)
    assert.equal(0, stage.posts())
  end)

  it("is not bound by the cap", function()
    stage.remove()
    stage = playbooks.new { machines = playbooks.fleet(4), unguarded = false,
      client = { cap = 1, protect = { servers = false, device_values = {} } } }
    assert.equal(4, runs.counts(assert(stage.plan(playbooks.restrict(4)))).restrict)
  end)

  it("asks the playbook what it thinks of its plan", function()
    local told
    rawset(_G, "tell_spec", function(...) told = { ... } end)
    local function text(ending)
      return playbooks.restrict(2,
        ("mde.on_plan(function(counts, devices) tell_spec(counts, devices) %s end)"):format(ending))
    end
    assert(stage.plan(text ""))
    assert.equal(2, told[1].restrict)
    assert.equal(2, #told[2])
    for ending, words in pairs { ["return false, 'too many'"] = "too many", ["error('a bug', 0)"] = "a bug",
      ["return false"] = "on_plan returned false" } do
      local plan, err = stage.plan(text(ending))
      assert.is_nil(plan)
      assert.equal("playbook_refuses", err.code)
      assert.matches(words, err.message, 1, true)
    end
    assert(stage.plan(text "return true"))
  end)

  it("leaves the client as it was, whatever the playbook does", function()
    stage.plan "error 'no'"
    assert.equal("accepted", assert(stage.client:restrict("pc-1.corp.example", "by hand")).outcome)
    assert.equal(1, stage.posts())
  end)

  it("tells of a run what is recorded, what would be sent, and what the plan does not list", function()
    local first = true
    rawset(_G, "tell_spec", function() return first and { 1, 2, 3 } or { 2, 3, 4 } end)
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for n, i in ipairs(tell_spec()) do
        if n == 3 and not go_on_in_spec then error "later" end
        mde.restrict(("pc-%d.corp.example"):format(i), "beacon")
      end]])
    rawset(_G, "go_on_in_spec", nil)
    local _, _, path = stage.start(plan)
    assert.equal(2, stage.posts())
    rawset(_G, "go_on_in_spec", true)
    first = false
    local report, found = stage.resume(path)
    assert.same({ 1, 1, 1, 1, 0 },
      { found.recorded, found.to_send, found.not_reached, #found.not_planned, found.open })
    assert.same({ "pc-4.corp.example" }, { found.not_planned[1].asked })
    assert.same({}, found.not_called)
    -- The one that was done and is not reached any more keeps nothing open.
    assert.equal("complete", report.state)
    assert.equal(3, stage.posts())
    assert.is_nil(stage.actions()["restrict " .. playbooks.id(4)])
  end)

  it("waits for nothing: what is pending is taken to succeed", function()
    stage.tenant:find_machine(playbooks.id(1)).offline = true
    assert(stage.client:restrict(playbooks.id(1), "before", { incident = "INC-1" }))
    local now = stage.client.exchange.now
    local began = now()
    assert(stage.plan [[
      local mde = require "mde"
      local action = assert(mde.restrict("pc-1.corp.example", "beacon", { incident = "INC-1" }))
      assert(action.outcome == "already_active" and action.status == "Pending")
      assert(action:wait { timeout = 600 } == "Succeeded")
      assert(mde.wait({ action }, { timeout = 600 })[1].value == "Succeeded")]])
    assert.is_true(now() - began < 60)
  end)
end)
