-- The actions of a tenant apart from it: their order, how they go on, and what a list that lags behind shows.
-- Labels: not-lua5.3
local core = require "mde.core"
local action_queue = require "mde.sim.model.action_queue"
local machine_record = require "mde.sim.model.machine_record"
local pseudorandom = require "mde.sim.base.pseudorandom"

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
    assert.equal("Pending", queue:cancel(action, "not needed", "soc", 1))
    assert.is_nil(queue:cancel(action, "again", "soc", 2))
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

  it("visits no machine where nothing is due", function()
    local visits, known = 0, machines
    machines = setmetatable({}, { __index = function(_, id)
      visits = visits + 1
      return known[id]
    end })
    add(RESTRICT, 0)
    local function visited_by(now)
      visits = 0
      settle(now)
      return visits
    end
    assert.same({ 1, 0, 1, 0, 1, 0 }, { visited_by(0), visited_by(0.5), visited_by(1), visited_by(2.5), visited_by(3),
      visited_by(60) })
    add(RESTRICT, 60, { frozen = true })
    assert.same({ 1, 0 }, { visited_by(70), visited_by(80) })
    known[ID].offline = true
    add(RESTRICT, 80)
    assert.same({ 1, 0 }, { visited_by(80), visited_by(200) })
    machine_record.change(known[ID], { offline = false }, 200)
    queue:wake(ID:upper())
    assert.same({ 1, 0, 1 }, { visited_by(200), visited_by(200.5), visited_by(201) })
  end)
end)

-- ---- the same, by a queue that visits every machine at each settle

local final = { Succeeded = true, Failed = true, TimeOut = true, Cancelled = true }

local function carry_out_plainly(machine, action, delays, now, told)
  local function become(status, at)
    told[#told + 1] = { at = at, order = #told, text = ("%s %s %s"):format(action.id, action.status, status) }
    action.status = status
  end
  if action.status == "Pending" then
    local start = math.max(action.created, machine.busy_until or 0, machine.reachable_since or 0) + delays.pending
    if not machine_record.is_reachable(machine) or now < start then return false end
    action.started = start
    become("InProgress", start)
  end
  local stop = (action.started or action.created) + delays.running
  if now < stop then return false end
  machine.busy_until = stop
  become(machine.failing and "Failed" or "Succeeded", stop)
  return true
end

-- `actions` in the order of their creation.
local function settle_plainly(actions, machines, behaviour, now)
  local told, of_machine = {}, {}
  for _, action in ipairs(actions) do
    local key = action.machineId and core.text.lower(action.machineId)
    if key and not final[action.status] then
      of_machine[key] = of_machine[key] or {}
      table.insert(of_machine[key], action)
    end
  end
  for key, list in pairs(of_machine) do
    if behaviour.completion == "reversed" then
      table.sort(list, function(a, b)
        local a_runs, b_runs = a.status == "InProgress", b.status == "InProgress"
        if a_runs ~= b_runs then return a_runs end
        return a.created > b.created
      end)
    end
    for _, action in ipairs(machines[key] and list or {}) do
      if not action.frozen and not carry_out_plainly(machines[key], action, behaviour.delays, now, told) then break end
    end
  end
  return told
end

-- What was told, in an order that does not depend on which machine was visited first, and what each action is.
local function in_words(told, actions)
  table.sort(told, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    local a_id, b_id = a.text:match "^%S+", b.text:match "^%S+"
    if a_id ~= b_id then return a_id < b_id end
    return a.order < b.order
  end)
  local words = {}
  for i, one in ipairs(told) do words[i] = core.number.write(one.at) .. " " .. one.text end
  for _, action in ipairs(actions) do words[#words + 1] = action.status end
  return table.concat(words, ", ")
end

describe("a queue of actions, beside one that visits every machine", function()
  local ids = {}
  for i = 1, 4 do ids[i] = ("%x"):format(9 + i):rep(40) end

  -- One thing that happens, to both.
  local function happening(draw, now, count)
    local function one_of(...) return (select(draw(select("#", ...)) + 1, ...)) end
    local id, kind = ids[draw(#ids) + 1], draw(20)
    if kind < 9 then
      return { add = {
        id = "id-" .. count, type = one_of(RESTRICT, RELEASE), machineId = one_of(id, id, id, id:upper(), nil),
        status = one_of("Pending", "Pending", "Pending", "InProgress", "Succeeded"),
        frozen = one_of(false, false, false, true),
      -- No two at the same time: in what order a reversed queue carries them out is not said.
      }, created = now - one_of(0, 0, 0, 2, 8, -2) + count / 4096 }
    elseif kind < 11 then
      return { cancel = draw(count) + 1 }
    elseif kind < 15 then
      return { change = one_of({ offline = true }, { offline = false }, { failing = true }, { failing = false },
        { healthStatus = "Inactive" }, { healthStatus = "Active" }, { onboardingStatus = "CanBeOnboarded" },
        { onboardingStatus = "Onboarded" }), machine = id }
    elseif kind < 17 then
      return { [one_of("goes", "comes", "comes")] = true, machine = id }
    elseif kind < 18 then
      return { pending = one_of(0, 0.5, 1, 4), running = one_of(0, 1, 3) }
    elseif kind < 19 then
      return { completion = one_of("in_order", "reversed") }
    end
    return { back = one_of(0.5, 3) }
  end

  local function world()
    local new = { machines = {}, behaviour = { delays = { pending = 0.5, running = 1 }, completion = "in_order" },
      actions = {}, by_number = {} }
    for i = 1, 3 do new.machines[ids[i]] = machine_record.new(ids[i], 0) end
    return new
  end

  local function happen(to, what, now)
    local machine = to.machines[what.machine]
    if what.add then
      local action = { created = what.created }
      for name, value in pairs(what.add) do action[name] = value end
      table.insert(to.by_number, action)
      local place = #to.actions + 1
      while place > 1 and to.actions[place - 1].created > action.created do place = place - 1 end
      table.insert(to.actions, place, action)
      if to.queue then to.queue:add(action) end
    elseif what.cancel and to.by_number[what.cancel] then
      local action = to.by_number[what.cancel]
      if to.queue then
        to.queue:cancel(action, "not needed", "soc", now)
      elseif not final[action.status] then
        action.status = "Cancelled"
      end
    elseif what.change and machine then
      machine_record.change(machine, what.change, now)
    elseif what.goes then
      to.machines[what.machine] = nil
    elseif what.comes and not machine then
      to.machines[what.machine] = machine_record.new(what.machine, now)
    elseif what.pending then
      to.behaviour.delays = { pending = what.pending, running = what.running }
    elseif what.completion then
      to.behaviour.completion = what.completion
    end
    if to.queue and (what.change or what.comes) then to.queue:wake(what.machine) end
  end

  it("does the same in a thousand histories", function()
    local changes, in_order = 0, true
    for seed = 1, 1000 do
      local draw, now = pseudorandom.new(seed), 100
      local own, plain = world(), world()
      own.queue = action_queue.new()
      local history, plain_history = {}, {}
      for _ = 1, 40 do
        local what = happening(draw, now, #own.by_number + 1)
        now = now - (what.back or 0) + draw(12) / 4
        happen(own, what, now)
        happen(plain, what, now)
        if draw(3) > 0 then
          local told = own.queue:settle(own.machines, own.behaviour, now)
          for i, change in ipairs(told) do
            if i > 1 then in_order = in_order and told[i - 1].at <= change.at end
            told[i] = { at = change.at, order = i, text = ("%s %s %s"):format(change.action, change.from, change.to) }
          end
          changes = changes + #told
          local plainly = settle_plainly(plain.actions, plain.machines, plain.behaviour, now)
          history[#history + 1] = in_words(told, own.by_number)
          plain_history[#plain_history + 1] = in_words(plainly, plain.by_number)
        end
      end
      assert.equal(table.concat(plain_history, "\n"), table.concat(history, "\n"), "seed " .. seed)
    end
    assert.is_true(in_order)
    assert.is_true(changes > 8000, changes)
  end)
end)
