-- What a playbook leaves as it is: in the plan, the record and the report; nothing is sent for it.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local json = require "mde.base.json"
local kepts = require "mde.run.kept"
local lefts = require "mde.run.left"
local limits = require "mde.cli.run.limits"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local screen = require "mde.cli.run.screen"

describe("what a playbook leaves", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(6), limits = false } end)
  after_each(function()
    rawset(_G, "left_in_spec", nil)
    stage.remove()
  end)

  -- Of the fleet: 1 and 2 are restricted, 3 is left by its machine, 4 by its name, and nobody is left, too.
  local TEXT = [[
    local mde = require "mde"
    local function pc(i) return ("pc-%d.corp.example"):format(i) end
    local left = left_in_spec or {}
    for i = 1, 2 do
      if left[i] then mde.leave(pc(i), left[i]) else mde.restrict(pc(i), "beacon", { incident = "INC-1" }) end
    end
    mde.leave(mde.machine(pc(3)), "left for review")
    mde.leave(pc(4), "left for review")
    mde.leave(pc(4), "said twice")
    mde.leave("nobody.corp.example", "left for review")
    if left.more then mde.leave(mde.machine(pc(5)), left.more) end
    if left.more then mde.leave("pc-6.corp.example", left.more) end]]

  local function by_name(account)
    local list = {}
    for _, device in ipairs(account.devices) do
      local change = device.changes[#device.changes]
      list[device.name or device.id] = ("%s: %s"):format(device.word, change.why or change.said or "")
    end
    return list
  end

  local function events_of(account)
    local list = {}
    for i, event in ipairs(account.events) do list[i] = event.kind .. " " .. event.detail end
    return list
  end

  it("stands in the plan with its reason, and is not counted among what is refused", function()
    local plan = assert(stage.plan(TEXT))
    local counts = runs.counts(plan)
    assert.same({ 2, 2, 0, 1 }, { counts.to_send, counts.left_by_playbook, counts.left, counts.unresolvable })
    assert.same({ "leave", "nobody.corp.example" }, { plan.unresolvable[1].verb,
      (plan.unresolvable[1].asked:gsub('"', "")) })
    local device = runs.object(plan).devices[3]
    assert.same({ "pc-3.corp.example", "leave", "left", "left for review" },
      { device.name, device.verb, device.decision, device.why })
    local text = console.capture(function()
      screen.show(plan, limits.of(stage.client, plan), stage.client:now())
    end, { answers = {}, columns = 200 }).err
    assert.matches("2 left by the playbook (left for review): pc-3.corp.example, pc-4.corp.example", text, 1, true)
    assert.matches("Restrict 2 devices.", text, 1, true)
  end)

  it("stands in the report with its reason, and nothing is sent for it", function()
    local report, _, path = stage.start(assert(stage.plan(TEXT)))
    assert.equal("complete", report.state, report.why)
    assert.equal(2, stage.posts())
    local account = assert(runs.account(path))
    assert.same({ pending = 2, left = 2 }, account.counts)
    assert.equal("left: left for review", by_name(account)["pc-4.corp.example"])
    for _, device in ipairs(account.devices) do assert.is_true(device.in_plan) end
    -- Of a name that means no machine there is no more.
    assert.same({ "left nobody.corp.example: left for review" }, events_of(account))
    assert.equal(4, #assert(kepts.read(path)).plan.devices)
  end)

  it("stands in the record where the plan does not have it, and is the reason why one was not asked for", function()
    local plan = assert(stage.plan(TEXT))
    rawset(_G, "left_in_spec", { [2] = "it is the head's", more = "new tonight" })
    local report, _, path = stage.start(plan)
    assert.equal("complete", report.state, report.why)
    assert.equal(1, stage.posts())
    assert.same({ "pc-2.corp.example", "it is the head's" }, { report.not_called[1].name, report.not_called[1].why })
    local account = assert(runs.account(path))
    local told = by_name(account)
    assert.equal("not_asked_for: it is the head's", told["pc-2.corp.example"])
    assert.equal("left: new tonight", told["pc-5.corp.example"])
    assert.same({ pending = 1, not_asked_for = 1, left = 3 }, account.counts)
    assert.same({ "left pc-2.corp.example: it is the head's", "left nobody.corp.example: left for review",
      "left pc-6.corp.example: new tonight" }, events_of(account))
    -- The plan is as it was shown.
    assert.equal(4, #assert(kepts.read(path)).plan.devices)
    for _, device in ipairs(account.devices) do assert.equal(device.name ~= "pc-5.corp.example", device.in_plan) end
  end)

  it("refuses what cannot be a device or a reason, as anywhere", function()
    local plan, err = stage.plan "require('mde').leave('pc-1', '')"
    assert.is_nil(plan)
    assert.matches("the reason is empty", err.message, 1, true)
  end)

  it("is a row of its own, of what is known of a machine", function()
    local row = lefts.row(playbooks.id(1), { id = playbooks.id(1), computerDnsName = "pc-1", osPlatform = 7 }, "why")
    assert.same({ "pc-1", nil, "left", "why" }, { row.name, row.platform, row.decision, row.why })
    local change = json.decode(row.facts).changes[1]
    assert.same({ "leave", "left", "why" }, { change.verb, change.decision, change.why })
    assert.is_nil(lefts.row(playbooks.id(1), "pc-1", "why").name)
    assert.is_true(lefts.is_left { changes = { { verb = "leave" } } })
    assert.is_false(lefts.is_left { changes = { { verb = "leave" }, { verb = "scan" } } })
  end)
end)
