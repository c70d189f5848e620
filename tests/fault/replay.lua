-- Runs that crash at a random place, eight calls in flight, and are resumed once: what came of each call, by the
-- tenant's own history. For tests/fault/identities, which prints it, and identities_spec.lua.

local core = require "mde.core"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local steps_of = require "mde.run.steps"

local DEVICES, CHANGED = 50, 5

local replay = {}

-- ---- the playbooks

-- heard_in_replay is told what each call got, the nth of its verb, device and incident.
local restrict = [[
  local function restrict(name, incident, nth)
    local action, err = mde.restrict(name, "beacon", { incident = incident })
    heard_in_replay("restrict", name, incident, nth, action, err)
    if action then action:wait() end
  end
]]

replay.playbooks = {
  { name = "each, one restrict a device", text = restrict .. [[
    mde.each(shuffled_in_replay(1, 50), function(name) restrict(name, "INC-1", 1) end)]] },
  { name = "restrict, release, restrict", text = restrict .. [[
    mde.each(shuffled_in_replay(1, 50), function(name)
      restrict(name, "INC-1", 1)
      local action, err = mde.release(name, "cleared", { incident = "INC-1" })
      heard_in_replay("release", name, "INC-1", 1, action, err)
      if action then action:wait() end
      restrict(name, "INC-1", 2)
    end)]] },
  { name = "two lists, two incidents, overlapping", text = restrict .. [[
    mde.each(overlapping_in_replay(), function(item) restrict(item.name, item.incident, 1) end)]] },
  { name = "the query changed (5 gone, 5 new)", changes = true, text = restrict .. [[
    local found = {}
    for machine in mde.machines { machineTags = mde.has "suspect" } do found[#found + 1] = machine.computerDnsName end
    mde.each(shuffled_in_replay(found), function(name) restrict(name, "INC-1", 1) end)]] },
}

-- ---- what a step is known by

--- What others know a step by, the last one being this library's.
replay.identities = {
  { name = "position", of = function() return "" end },
  { name = "verb", of = function(verb) return verb end },
  { name = "verb, machine", of = function(verb, machine_id) return verb .. "\0" .. machine_id end },
  { name = "mde" },
}

-- The function of steps.lua that tells what a step is known by, where `exchange` puts another one in its place.
local function exchange(identity)
  local class = getmetatable(steps_of.new {}).__index
  for place = 1, math.huge do
    local name, value = debug.getupvalue(class.next, place)
    if name == "identity" then
      debug.setupvalue(class.next, place, identity)
      return value
    end
    assert(name, "steps.lua has no identity")
  end
end

-- ---- a run, its crash and its replay

---@class tests.ReplaySums
---@field crashes integer
---@field twice integer actions beyond those that the playbook called for
---@field never integer calls for which there is no action
---@field wrong integer calls that got the action of another call, or an error
---@field orphans integer actions for devices that the playbook does not come by any more
---@field named integer of these, how many the report names
---@field left integer devices that are new, and were left by the rule of the plan
---@field replayed integer results that were given back

-- A generator of its own: the runs draw from math.random.
local function generator(seed)
  local state = seed * 7919 % 2147483647
  return function(count)
    state = state * 16807 % 2147483647
    return state % count + 1
  end
end

local function name_of(i) return ("pc-%d.corp.example"):format(i) end

-- Gives items in an order that differs each time, as pairs or a query may.
local function shuffled(items, draw)
  for i = #items, 2, -1 do
    local j = draw(i)
    items[i], items[j] = items[j], items[i]
  end
  return items
end

local function iterator(items)
  local i = 0
  return function()
    i = i + 1
    return items[i]
  end
end

-- What the playbooks draw their devices from.
local function sources(draw)
  local own = {}
  function own.shuffled_in_replay(first, last)
    local names = {}
    if type(first) == "table" then names = first else for i = first, last do names[#names + 1] = name_of(i) end end
    return iterator(shuffled(names, draw))
  end
  -- The first 35 for one incident, the last 35 for another; which comes first for those between differs. It comes so
  -- long before the other that it has ended.
  function own.overlapping_in_replay()
    local parts = { {}, {}, {} }
    for i = 1, DEVICES do
      local name, first = name_of(i), draw(2)
      if i <= 15 then
        table.insert(parts[2], { name = name, incident = "INC-1" })
      elseif i > 35 then
        table.insert(parts[2], { name = name, incident = "INC-2" })
      else
        table.insert(parts[1], { name = name, incident = "INC-" .. first })
        table.insert(parts[3], { name = name, incident = "INC-" .. 3 - first })
      end
    end
    local items = {}
    for _, part in ipairs(parts) do
      for _, item in ipairs(shuffled(part, draw)) do items[#items + 1] = item end
    end
    return iterator(items)
  end
  return own
end

-- A driver whose answers come in another order each time.
local function uneven(stage, draw)
  local driver = stage.tenant:driver()
  return setmetatable({ send = function(request)
    driver.sleep(draw(1000) / 1000)
    return driver.send(request)
  end }, { __index = driver })
end

local counted = { request = true, answer = true, sending = true, result = true, commit = true }

local function stage_of(case)
  local machines = playbooks.fleet(DEVICES + (case.changes and CHANGED or 0))
  for i, machine in ipairs(machines) do
    machine.machineTags = { case.changes and i <= DEVICES and "suspect" or "other" }
  end
  return playbooks.new { machines = machines, limits = false, delays = { pending = 0, running = 0 } }
end

-- Each action of the tenant under what it is for, in their order.
local function actions_of(stage)
  local actions = {}
  for _, event in ipairs(stage.tenant.history) do
    if event.event == "action_created" then
      local _, incident = core.comment.parse(event.comment)
      local verb = event.type == "RestrictCodeExecution" and "restrict" or "release"
      local key = table.concat({ verb, event.machine, incident }, " ")
      actions[key] = actions[key] or {}
      table.insert(actions[key], event.action)
    end
  end
  return actions
end

local ids = {}
for i = 1, DEVICES + CHANGED do ids[name_of(i)] = playbooks.id(i) end

-- The calls of the pass that is under way, under what they are for.
local function listener()
  local calls = {}
  return calls, function(verb, name, incident, nth, action, err)
    local key = table.concat({ verb, ids[name], incident }, " ")
    calls[key] = calls[key] or {}
    calls[key][nth] = { action = action, err = err }
  end
end

local function is_left(call)
  return call.err and call.err.rule == "plan"
end

-- Compares the calls of the replay with what the tenant did.
local function judge(sums, stage, calls, report)
  local actions, named = actions_of(stage), {}
  for _, list in ipairs { report and report.not_reached or {}, report and report.open or {} } do
    for _, step in ipairs(list) do named[step.device] = true end
  end
  for key, of_key in pairs(calls) do
    local own = actions[key] or {}
    for nth, call in pairs(of_key) do
      if is_left(call) then
        sums.left = sums.left + 1
      else
        if not own[nth] then sums.never = sums.never + 1 end
        if not call.action or call.action.id ~= own[nth] then sums.wrong = sums.wrong + 1 end
        if call.action and call.action.replayed then sums.replayed = sums.replayed + 1 end
      end
    end
    sums.twice = sums.twice + math.max(0, #own - #of_key)
  end
  for key, own in pairs(actions) do
    if not calls[key] then
      sums.orphans = sums.orphans + #own
      if named[key:match "^%a+ (%x+)"] then sums.named = sums.named + #own end
    end
  end
end

local function change_query(stage)
  for i = 1, CHANGED do
    stage.tenant:put_machine { id = playbooks.id(i), machineTags = { "other" } }
    stage.tenant:put_machine { id = playbooks.id(DEVICES + i), machineTags = { "suspect" } }
  end
end

-- How many places there are at which the run of a playbook may crash.
local function places_of(case, draw)
  local stage, places = stage_of(case), 0
  local plan = assert(stage.plan('local mde = require "mde"\n' .. case.text))
  stage.mortal(function(what)
    if counted[what] then places = places + 1 end
    return false
  end, uneven(stage, draw))
  assert(stage.start(plan))
  stage.another()
  stage.remove()
  return places
end

local function crash(sums, case, draw, places)
  local stage = stage_of(case)
  local calls
  local function listen()
    local heard
    calls, heard = listener()
    rawset(_G, "heard_in_replay", heard)
  end
  listen()
  local plan, path = assert(stage.plan('local mde = require "mde"\n' .. case.text)), stage.path()
  local left = draw(places)
  stage.mortal(function(what)
    if counted[what] then left = left - 1 end
    return left <= 0
  end, uneven(stage, draw))
  pcall(runs.start, stage.client, plan, { record = path })
  if stage.is_dead then sums.crashes = sums.crashes + 1 end
  stage.another()
  if case.changes then change_query(stage) end
  -- By another identity it may never end.
  left = places * 10
  stage.mortal(function()
    left = left - 1
    return left <= 0
  end, uneven(stage, draw))
  -- What another identity finds may contradict the record; the run has ended then all the same.
  local ok, report = pcall(function()
    local opened = runs.open(stage.client, path)
    if not opened then
      -- It crashed before its plan stood there, and is begun again.
      listen()
      return runs.start(stage.client, plan, { record = stage.path() })
    elseif opened.state == "planned" then
      listen()
      return runs.start_opened(stage.client, opened)
    elseif opened.state ~= "complete" then
      assert(runs.replan(stage.client, opened))
      listen()
      return runs.resume(stage.client, opened)
    end
    runs.close(opened)
  end)
  judge(sums, stage, calls, ok and report)
  stage.another()
  stage.remove()
end

--- Crashes a playbook so many times, each time at another place of another run, and replays it.
---@param case { name: string, text: string }
---@param identity { name: string, of?: function }
---@param crashes integer
---@param seed integer
---@return tests.ReplaySums
function replay.play(case, identity, crashes, seed)
  local own = identity.of and exchange(identity.of)
  local draw = generator(seed)
  for name, source in pairs(sources(draw)) do rawset(_G, name, source) end
  rawset(_G, "heard_in_replay", function() end)
  local sums = { crashes = 0, twice = 0, never = 0, wrong = 0, orphans = 0, named = 0, left = 0, replayed = 0 }
  local ok, problem = pcall(function()
    local places = places_of(case, draw)
    for _ = 1, crashes do crash(sums, case, draw, places) end
  end)
  for name in pairs(sources(draw)) do rawset(_G, name, nil) end
  rawset(_G, "heard_in_replay", nil)
  if own then exchange(own) end
  if not ok then error(problem, 0) end
  return sums
end

return replay
