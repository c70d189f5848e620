-- The actions of a tenant apart from it: their order, how they go on, and what a list that lags behind shows.
-- Labels: not-lua5.3
local core = require "mde.core"
local action_queue = require "mde.sim.model.action_queue"
local machine_record = require "mde.sim.model.machine_record"

local ID = ("a"):rep(40)
local RESTRICT, RELEASE = "RestrictCodeExecution", "UnrestrictCodeExecution"

describe("a queue of actions", function()
  local queue, machines, count

  before_each(function()
    queue, machines, count = action_queue.new(), { [ID] = machine_record.new(ID, 0) }, 0
  end)

  local function add(kind, created, fields)
    count = count + 1
    local action = action_queue.complete({ type = kind, machineId = ID:upper() }, "id-" .. count, created)
    action.created = created
    for name, value in pairs(fields or {}) do action[name] = value end
    queue:add(action)
    return action
  end

  local function settle(now, completion)
    local told = {}
    local behaviour = { delays = { pending = 1, running = 2 }, completion = completion or "in_order" }
    for i, change in ipairs(queue:settle(machines, behaviour, now)) do
      told[i] = ("%s %s %s"):format(core.number.write(change.at), change.action, change.to)
    end
    return told
  end

  it("keeps the order of creation, whatever the order of insertion", function()
    local late, early = add(RESTRICT, 10), add(RELEASE, 5)
    assert.same({ early, late }, queue.all)
    assert.same({ late, early }, queue:listed())
    assert.equal(early, queue:find "ID-2")
    assert.equal(early, queue:find_open(ID, RELEASE))
  end)

  it("carries the actions of a machine out one after the other, and tells when", function()
    add(RESTRICT, 0)
    add(RELEASE, 0)
    assert.same({}, settle(0.5))
    assert.same({ "1 id-1 InProgress", "3 id-1 Succeeded", "4 id-2 InProgress" }, settle(4))
    assert.same({ "6 id-2 Succeeded" }, settle(60))
    assert.is_nil(queue:find_open(ID, RELEASE))
  end)

  it("carries the newest out first if it is told to", function()
    add(RESTRICT, 0)
    add(RELEASE, 0.5)
    assert.same({ "1.5 id-2 InProgress", "3.5 id-2 Succeeded", "4.5 id-1 InProgress" }, settle(5, "reversed"))
  end)

  it("leaves those that are frozen, and those of a machine that is out of reach", function()
    add(RESTRICT, 0, { frozen = true })
    assert.same({}, settle(100))
    machine_record.change(machines[ID], { offline = true }, 100)
    add(RELEASE, 100)
    assert.same({}, settle(200))
  end)

  it("gives a type, or a type and a scope, delays of their own", function()
    local delays = { pending = 1, running = 2, RunAntiVirusScan = { running = 60 },
      ["RunAntiVirusScan.Full"] = { pending = 0, running = 7200 } }
    add("RunAntiVirusScan", 0, { scope = "Quick" })
    add("RunAntiVirusScan", 0, { scope = "Full" })
    add(RESTRICT, 0)
    local ends = {}
    for _, change in ipairs(queue:settle(machines, { delays = delays, completion = "in_order" }, 1e5)) do
      if change.to == "Succeeded" then ends[#ends + 1] = change.at end
    end
    assert.same({ 61, 7261, 7264 }, ends)
  end)

  it("lets the others carry out what a machine out of reach need not", function()
    machine_record.change(machines[ID], { onboardingStatus = "CanBeOnboarded" }, 0)
    add("Isolate", 0, { around = true })
    assert.same({ "1 id-1 InProgress", "3 id-1 Succeeded" }, settle(5))
    add("Isolate", 5)
    assert.same({}, settle(60))
  end)

  it("knows what is isolated by what succeeded last", function()
    assert.is_false(queue:is_isolated(ID))
    add("Isolate", 0)
    assert.is_false(queue:is_isolated(ID))
    settle(5)
    assert.is_true(queue:is_isolated(ID))
    assert.is_false(queue:is_isolated(("b"):rep(40)))
    add("Unisolate", 5)
    settle(6)
    assert.is_true(queue:is_isolated(ID))
    settle(9)
    assert.is_false(queue:is_isolated(ID))
    add("Isolate", 20, { status = "Succeeded", lastUpdateDateTimeUtc = "1970-01-01T00:00:07Z" })
    assert.is_false(queue:is_isolated(ID))
  end)

  it("hears no more of a machine that was offboarded", function()
    add("Offboard", 0)
    add(RESTRICT, 0)
    assert.same({ "1 id-1 InProgress", "3 id-1 Succeeded" }, settle(60))
  end)

  it("cancels what is not final", function()
    local action = add(RESTRICT, 0)
    assert.equal("Pending", action_queue.cancel(action, "not needed", "soc", 1))
    assert.is_nil(action_queue.cancel(action, "again", "soc", 2))
    assert.same({}, settle(60))
    assert.same({ "Cancelled", "not needed", "1970-01-01T00:00:01Z" },
      { action.status, action.cancellationComment, action.cancellationDateTimeUtc })
  end)

  it("lists the actions as they were", function()
    add(RESTRICT, 10)
    settle(60)
    assert.same({}, queue:listed(9))
    assert.equal("Pending", queue:listed(10)[1].status)
    assert.equal("InProgress", queue:listed(12)[1].status)
    assert.equal("Succeeded", queue:listed(13)[1].status)
  end)
end)
