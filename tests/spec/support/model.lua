-- A model of a bad night: random callers of two processes, a colleague at the portal, a service that fails in every way
-- the simulated tenant can fail, processes that die in the midst of a call; and what holds whatever happens, judged by
-- the tenant's own history and by what left each driver. One file: steps, world and judgement know each other.
--
--   local report = require("tests.spec.support.model").play(seed, steps)
--
-- Everything random comes from the seed. What does not hold is raised.

local core = require "mde.core"
local posix = require "mde.posix"
local dicts = require "tests.spec.support.dict"
local rehearsal = require "tests.spec.support.rehearsal"
local time_of = require "mde.sim.base.time"

local clients = require "mde.client"

local MACHINES, CALLERS, STEPS_OF_A_NIGHT = 8, 3, 300
-- Such that they are reached.
local LIMITS = { per_minute = 20, per_hour = 400 }
local LIST_LAG_BELIEVED = 7
-- What is done in one night: what holds devices, and what lets them go.
local PAIRS = { { "restrict", "release" }, { "isolate", "unisolate" } }
local SCOPES = { "Full", "Selective", "default" }
local VERBS = {}
for _, pair in ipairs(PAIRS) do
  for _, verb in ipairs(pair) do VERBS[verb] = core.response_actions[verb].type end
end

local M = {}

-- Numbers that are the same for a seed on every Lua.
local function generator(seed)
  local state = seed % 2147483646 + 1
  return function(limit)
    state = state * 16807 % 2147483647
    return state % limit
  end
end

local function id(n) return ("%040x"):format(0xa000 + n) end

local function is_open(action) return action.status == "Pending" or action.status == "InProgress" end

---@class tests.model.Night
---@field below fun(limit: integer): integer a random number from 0 to below that
---@field r table the rehearsal
---@field processes table[] those that live
---@field calls table<thread, table> what each task is calling
---@field sends table[] what left the drivers for the API, in order
---@field known table[] actions that callers were given
---@field unknown table[] errors of kind unknown
---@field lagged number the largest lag of lists so far, and when it was set
---@field left integer steps
---@field holds "restrict"|"isolate" what holds devices this night
---@field frees "release"|"unisolate" and what lets them go
---@field report table<string, integer>
local Night = {}
Night.__index = Night

local function count(self, what, by)
  self.report[what] = (self.report[what] or 0) + (by or 1)
end

-- nil of an empty list.
function Night:pick(list)
  if list[1] == nil then return nil end
  return list[self.below(#list) + 1]
end

-- ---- processes

-- The driver of one process: what it sends is noted, and when the process dies it is never heard of again.
local function driver_of(self, process)
  local real, driver = self.r.driver, {}
  for name, value in pairs(real) do driver[name] = value end
  local function live()
    if process.dead then real.gate():wait() end
  end
  function driver.send(request)
    live()
    local is_token = request.url:find("/oauth2/", 1, true) ~= nil
    local note = { method = request.method, url = request.url, at = real.now(), process = process,
      call = self.calls[coroutine.running()] }
    if is_token then
      local key = {}
      self.signing_in[key] = real.now() + request.timeout
      local waited_for = 0
      for _, over in pairs(self.signing_in) do
        if real.now() < over - 0.001 then waited_for = waited_for + 1 end
      end
      assert(waited_for <= 1, "two token requests at once")
      note.key = key
      count(self, "token requests")
    else
      self.sends[#self.sends + 1] = note
    end
    local response, message, maybe_sent = real.send(request)
    note.ended = real.now()
    local applied = self:faults_applied()
    if applied ~= self.applied then self.applied, self.last_fault = applied, note.ended end
    if note.key and not process.dead then self.signing_in[note.key] = nil end
    note.status = response and response.status
    note.lost = not response and maybe_sent ~= false
      or response and (response.status >= 500 or response.status == 408)
    note.usable = response and response.status < 300 and response.body:find('"id"', 1, true) ~= nil
    note.whole_list = response and response.status == 200 and response.body:find '"value":%[' ~= nil
    live()
    return response, message, maybe_sent
  end
  function driver.sleep(seconds)
    live()
    real.sleep(seconds)
    live()
  end
  return driver
end

local function new_process(self)
  local process = { dead = false, working = 0 }
  process.driver = driver_of(self, process)
  process.client = assert(clients.new { tenant_id = self.r.tenant.tenant_id, client_id = self.r.tenant.client_id,
    credential = self.r.tenant.client_secret, driver = process.driver, store = self.store,
    protect = rehearsal.unguarded.protect, cap = false, limits = LIMITS })
  return process
end

-- ---- the truth

function Night:actions_of(machine_id)
  local list = {}
  for _, action in ipairs(self.r.tenant.actions) do
    if action.machineId == machine_id then list[#list + 1] = action end
  end
  return list
end

function Night:actions_in_words(machine_id)
  local lines = {}
  for _, action in ipairs(self:actions_of(machine_id)) do
    lines[#lines + 1] = ("%s %s %s created %s updated %s"):format(action.id, action.type, action.status,
      action.creationDateTimeUtc, action.lastUpdateDateTimeUtc)
  end
  return table.concat(lines, "\n")
end

-- The state by the tenant's own actions; nil where their times do not tell.
function Night:true_state(machine_id)
  local newest, last, last_updated
  for _, action in ipairs(self:actions_of(machine_id)) do
    local is_ours = action.type == VERBS[self.holds] or action.type == VERBS[self.frees]
    if is_ours and is_open(action) then
      if newest and newest.created == action.created and newest.type ~= action.type then return nil end
      if not newest or action.created >= newest.created then newest = action end
    elseif is_ours and action.status == "Succeeded" then
      local updated = time_of.parse(action.lastUpdateDateTimeUtc)
      if last and last_updated == updated and last.type ~= action.type then return nil end
      if not last or updated >= last_updated then last, last_updated = action, updated end
    end
  end
  local response = core.response_actions[self.holds]
  if newest then return newest.type == response.type and response.changing or "releasing" end
  if last then return last.type == response.type and response.state or "released" end
  return "none"
end

-- How many of the tenant's events have to do with a machine.
function Night:events_of(machine_id)
  self.r.tenant:settle()
  local events = 0
  for _, entry in ipairs(self.r.tenant.history) do
    if entry.machine == machine_id then events = events + 1 end
  end
  return events
end

-- What a call has brought about, or another with the same key meanwhile.
function Night:created_by(call)
  local list = {}
  for i = call.first_event, #self.r.tenant.history do
    local entry = self.r.tenant.history[i]
    if entry.event == "action_created" and entry.machine == call.machine_id and entry.type == VERBS[call.verb]
        and entry.requestor == "mde" and entry.scope == call.scope and entry.comment:find(call.operation, 1, true) then
      list[#list + 1] = entry
    end
  end
  return list
end

-- Whether something has failed since then, or is remembered to have failed.
function Night:had_trouble(since)
  return math.max(self.last_fault, self.disturbed) >= since
end

function Night:faults_applied()
  local applied = self.spoilt
  for _, rule in ipairs(self.r.tenant.faults.rules) do applied = applied + rule.applied end
  return applied
end

function Night:clear_faults()
  self.spoilt = self:faults_applied()
  self.r.tenant.faults:clear()
end

-- ---- judging a call that changes something

-- The POSTs of a call: after one whose fate is unknown the list has to be read twice before the next, which is the
-- last. Returns how many there were, how many were sent again in that way, and how many may have had an effect.
local function judge_posts(self, call)
  local posts, again, effective = {}, 0, 0
  for i = call.first_send, #self.sends do
    local note = self.sends[i]
    local is_post = note.call == call and note.method == "POST" and not note.url:find("/cancel", 1, true)
    if is_post and note.ended then
      local before = posts[#posts]
      if note.lost or note.status and note.status < 300 then effective = effective + 1 end
      if before and (before.note.lost or before.note.status and before.note.status < 300) then
        again = again + 1
        local looks = 0
        for j = before.place + 1, i - 1 do
          local other = self.sends[j]
          if other.process == call.process and other.whole_list and other.at >= before.note.ended
              and other.url:find("/machineactions?", 1, true) then
            looks = looks + 1
          end
        end
        assert(looks >= 2, ("sent again after %d looks"):format(looks))
      end
      posts[#posts + 1] = { note = note, place = i }
    end
  end
  assert(again <= 1, "an action of unknown fate was sent again twice")
  return #posts, again, effective
end

local function largest_lag(self, since)
  local largest = 0
  for _, lag in ipairs(self.lags) do
    if not lag.until_when or lag.until_when >= since - 120 then largest = math.max(largest, lag.seconds) end
  end
  return largest
end

local judges, opposite = {}, {}
for _, pair in ipairs(PAIRS) do opposite[pair[1]], opposite[pair[2]] = VERBS[pair[2]], VERBS[pair[1]] end

-- What was pending all the while, and could be seen, is cancelled or not sent against.
local function judge_opposite(self, call, action)
  if not action.looked or self:had_trouble(call.began - 61) then return end
  for _, other in ipairs(self:actions_of(call.machine_id)) do
    local was_seen = other.type == opposite[call.verb] and other.listed_at
      and other.listed_at < call.began - largest_lag(self, call.began) - 61
    assert(not (was_seen and is_open(other)), "sent, while the opposite was pending")
  end
end

function judges.accepted(self, call, action, posts)
  local own = assert(self.r.tenant:find_action(action.id), "accepted, and there is no such action")
  assert(own.machineId == call.machine_id, "accepted, for another machine")
  assert(own.type == VERBS[call.verb], "accepted, and it is of another type")
  assert(action.operation_id == call.operation, "accepted under another operation id")
  assert(own.requestorComment:find(call.operation, 1, true) or action.comment_cut, "accepted, with another comment")
  assert(own.scope == call.scope, "accepted, and it is of another scope")
  if call.verb == self.holds then judge_opposite(self, call, action) end
  assert(action.attempts == posts, ("%d attempts told, %d sent"):format(action.attempts, posts))
end

function judges.already_active(self, call, action)
  local own = assert(self.r.tenant:find_action(action.id), "already active, and there is no such action")
  assert(own.machineId == call.machine_id and own.type == VERBS[call.verb], "already active, and it is another")
  assert(own.scope == nil or call.scope == nil or own.scope == call.scope, "already active in another scope")
  -- What many look at may be a minute old; and a list that could not be read says nothing.
  local since = call.began - largest_lag(self, call.began) - (call.is_one_of_many and 61 or 1)
  local ended_before = (own.status == "Failed" or own.status == "Cancelled") and own.ended_at and own.ended_at < since
  assert(not ended_before or self:had_trouble(since), "already active, and it had ended long before")
end

function judges.superseded(self, call, err)
  local other = assert(err.action and self.r.tenant:find_action(err.action.id), "superseded by nothing")
  assert(other.machineId == call.machine_id, "superseded by another machine's action")
  assert(other.type == opposite[call.verb] or other.status == "Cancelled", "superseded by one that does the same")
end

function judges.conflict(self, call, err)
  if not err.action then return end
  local other = assert(self.r.tenant:find_action(err.action.id), "in conflict with nothing")
  local is_of_another_scope = err.code == "another_scope" and other.type == VERBS[call.verb]
    and other.scope ~= call.scope
  assert(other.machineId == call.machine_id and (is_of_another_scope or other.type == opposite[call.verb]),
    "in conflict with another kind")
  if is_of_another_scope then count(self, "conflicts of scopes") end
end

function judges.unknown(self, call, err)
  assert(self:had_trouble(call.began) or call.has_timeout, "unknown, and nothing had failed")
  assert(err.operation_id == call.operation and err.machine_id == call.machine_id, "unknown, without what to look for")
end

local function judge_change(self, call, action, err)
  local posts, again, effective = judge_posts(self, call)
  local created = self:created_by(call)
  local outcome = action and action.outcome or err.kind
  count(self, outcome)
  if again > 0 then count(self, "sent again") end
  if judges[outcome] then judges[outcome](self, call, action or err, posts) end
  if #created > 1 and not call.key then
    count(self, "twice, since lists lagged")
    assert(largest_lag(self, call.began) >= LIST_LAG_BELIEVED - 1, "it happened twice")
    assert(not action or action.attempts == nil or action.attempts > 1, "it happened twice, and nobody was told")
  end
  local told_of = action or outcome == "unknown" or outcome == "superseded"
  -- Under a key another call may have done it.
  assert(told_of or #created == 0 or effective == 0, "it was done, and the caller was told " .. outcome)
  if action then self.known[#self.known + 1] = action end
  if outcome == "unknown" then self.unknown[#self.unknown + 1] = err end
end

-- What was sent since a call began, a line for each request; a star before those of the call itself.
local function story(self, call)
  local lines = {}
  for i = call.first_send, #self.sends do
    local note = self.sends[i]
    lines[#lines + 1] = ("%s %.2f-%.2f %s %s: %s"):format(note.call == call and "*" or " ", note.at,
      note.ended or math.huge, note.method, note.url:match "/api/(.*)$", tostring(note.status or "no answer"))
  end
  return table.concat(lines, "\n")
end

-- One of the two by the task that this is called in.
function Night:change(process, verb, machine_id, options, is_one_of_many)
  local task = coroutine.running()
  local call = { verb = verb, is_one_of_many = is_one_of_many, machine_id = machine_id, process = process,
    scope = verb == "isolate" and (options.isolation_type or "Full") or nil,
    began = self.r.driver.now(), operation = options.key, key = options.key, has_timeout = options.timeout ~= nil,
    first_send = #self.sends + 1, first_event = #self.r.tenant.history + 1 }
  local outer = self.calls[task]
  self.calls[task] = call
  count(self, verb)
  local action, err = process.client[verb](process.client, machine_id, "a bad night", options)
  self.calls[task] = outer
  local ok, problem = pcall(judge_change, self, call, action, err)
  if not ok then
    error(("%s\n%s %s key %s, told: %s\n%s"):format(problem, verb, machine_id, tostring(call.key),
      tostring(action or err), story(self, call)), 0)
  end
  return action, err
end

-- ---- steps

local faults = {
  { fault = "gone" }, { fault = "gone", processed = false }, { fault = "reset", processed = true }, { fault = "reset" },
  { fault = "cut", at = "half" }, { fault = "stall" }, { fault = "stall", processed = false },
  { fault = "wrong_length" }, { fault = "malformed" }, { fault = "huge", size = 300000 }, { fault = "slow" },
  { fault = "redirect" }, { fault = "challenge" }, { fault = "nameless" }, { fault = "skew", by = 40 },
  { fault = "skew", by = -600 }, { fault = "skew", by = 61 }, { fault = "skew", by = 86400 },
  { fault = "answer", status = 500 }, { fault = "answer", status = 503, processed = true },
  { fault = "answer", status = 502, body = "<html>" }, { fault = "answer", status = 408 },
  { fault = "answer", status = 403 }, { fault = "answer", status = 401 },
  { fault = "answer", status = 200, processed = true, body = "" }, { fault = "answer", status = 404 },
  { fault = "throttled", seconds = 5 }, { fault = "throttled", form = "garbage" },
  { fault = "answer", status = 400, body = '{"error":{"code":"ActiveRequestAlreadyExists","message":"no"}}' },
}
-- What no service does to an action that it has carried out, and what would make its answer a lie, is left out: a
-- refusal of an action that was carried out.
local places = { { method = "POST", path = "/api/machines/" }, { method = "POST", path = "/api/machines/" },
  { method = "POST", path = "/cancel" }, { method = "GET", path = "/machineactions?" }, { method = "GET" },
  { path = "/oauth2/" } }

local steps = {}

local function some_options(self, verb)
  local below = self.below
  local key = below(6) == 0 and ("alert-%04d-%s"):format(below(6), verb) or nil
  local scope = verb == "isolate" and self:pick(SCOPES) or "default"
  return {
    isolation_type = scope ~= "default" and scope or nil,
    incident = below(3) > 0 and "INC-" .. below(3) or nil,
    key = key,
    timeout = below(6) == 0 and below(90) + 1 or nil,
    -- A key needs a look.
    look = below(5) ~= 0 or key ~= nil, resend = below(6) ~= 0,
    cancel_opposite = ({ nil, true, false })[below(3) + 1],
  }
end

local function some_change(self, process)
  local verb = self.below(2) == 0 and self.holds or self.frees
  return self:change(process, verb, id(self.below(MACHINES)), some_options(self, verb))
end

steps.change = { 30, some_change }

steps.each = { 3, function(self, process)
  local list, verb = {}, self.below(2) == 0 and self.holds or self.frees
  for i = 1, self.below(5) + 2 do list[i] = id((self.below(MACHINES) + i) % MACHINES) end
  local results = process.client:each(list, function(machine_id)
    local options = some_options(self, verb)
    options.key = nil
    return self:change(process, verb, machine_id, options, true)
  end, { parallel = 3 })
  for _, result in ipairs(results) do
    if type(result.err) == "string" then error(result.err, 0) end
  end
end }

steps.wait = { 4, function(self, process)
  local action = self:pick(self.known)
  if not action then return end
  local value, err = process.client:wait({ action }, { timeout = self.below(40) + 1 })[1].value, nil
  local own = self.r.tenant:find_action(action.id)
  if value then assert(own.status == "Succeeded", "it is said to have succeeded, and is " .. own.status) end
  return value, err
end }

steps.state = { 6, function(self, process)
  local machine_id = id(self.below(MACHINES))
  local events, faults_before, began = self:events_of(machine_id), self:faults_applied(), self.r.driver.now()
  local expected = self:true_state(machine_id)
  local state, err = process.client:state(machine_id, { of = self.holds })
  if state == nil then
    -- What the sign-in failed with is remembered for a while.
    assert(self:had_trouble(began - 130) or expected == nil,
      "the state could not be told, and nothing had failed: " .. tostring(err))
    return
  end
  local still = self:events_of(machine_id) == events and self:faults_applied() == faults_before
    and largest_lag(self, began) == 0
  if still and expected then
    count(self, "states compared")
    assert(state == expected, ("the state is %s, and %s was told:\n%s"):format(expected, state,
      self:actions_in_words(machine_id)))
  end
end }

steps.find = { 4, function(self, process)
  local unknown = self:pick(self.unknown)
  if not unknown then return end
  local action = process.client:find_action(unknown)
  if action then
    count(self, "unknown, and found later")
    local own = assert(self.r.tenant:find_action(action.id), "found, and there is no such action")
    assert(own.machineId == unknown.machine_id, "found at another machine")
    assert(own.requestorComment:find(unknown.operation_id, 1, true), "found, and it is another")
  end
end }

steps.cancel = { 3, function(self, process)
  local action = self:pick(self.known)
  if not action then return end
  local cancelled = process.client:cancel(action, "a bad night")
  local own = self.r.tenant:find_action(action.id)
  assert(not cancelled or own.status == "Cancelled", "it is said to be cancelled, and is " .. own.status)
end }

steps.restricted = { 2, function(self, process)
  local client = process.client
  local list = client[self.holds == "restrict" and "restricted" or "held"](client,
    { incident = "INC-" .. self.below(3) })
  count(self, "machines held", list and #list or 0)
end }

steps.fault = { 20, function(self)
  local rule = { match = {}, count = self.below(3) + 1 }
  for name, value in pairs(self:pick(places)) do rule.match[name] = value end
  rule.match.nth = self.below(4) == 0 and self.below(3) + 1 or nil
  for name, value in pairs(self:pick(faults)) do rule[name] = value end
  -- A refusal at the sign-in is remembered for a minute, and says nothing of actions.
  self.r.tenant.faults:add(rule)
  count(self, "faults")
end }

steps.mend = { 6, function(self) self:clear_faults() end }

steps.sleep = { 14, function(self)
  self.r.driver.sleep(self.below(12) == 0 and self.below(900) or self.below(20))
end }

steps.manners = { 5, function(self)
  local tenant, what = self.r.tenant, self.below(5)
  if what == 0 then
    tenant:set { duplicates = self:pick { "pending", "active_request", "in_progress", "new" } }
  elseif what == 1 then
    tenant:set { completion = self:pick { "in_order", "reversed" } }
  elseif what == 2 then
    local lag, now = self:pick { 0, 0, 0, 2, 5, 12 }, self.r.driver.now()
    self.lags[#self.lags].until_when = now
    self.lags[#self.lags + 1] = { seconds = lag }
    tenant:set { lists = { lag = lag } }
  elseif what == 3 then
    tenant:set { comment_limit = self:pick { false, false, 30 } }
  else
    tenant:revoke()
    self.disturbed = self.r.driver.now() + 120
  end
end }

steps.device = { 4, function(self)
  self.r.tenant:put_machine { id = id(self.below(MACHINES)), offline = self.below(3) == 0,
    failing = self.below(4) == 0 }
end }

steps.colleague = { 6, function(self)
  local tenant, machine_id = self.r.tenant, id(self.below(MACHINES))
  if self.below(2) == 0 then
    local verb = self:pick { self.holds, self.frees }
    local scope = verb == "isolate" and self:pick(SCOPES) or "default"
    tenant:insert_action { machineId = machine_id, type = VERBS[verb], scope = scope ~= "default" and scope or nil,
      status = self:pick { "Pending", "Pending", "Succeeded" } }
    return count(self, "a colleague acted")
  end
  for _, action in ipairs(self:actions_of(machine_id)) do
    if is_open(action) then
      tenant:cancel_action(action, "no, not that one", "colleague@corp.example")
      return count(self, "a colleague cancelled")
    end
  end
end }

local function death(self, process)
  if self.below(8) ~= 0 then return end
  process.dead = true
  self.working = self.working - process.working
  -- Its token request, if there was one, is under way until its time-out.
  for place, other in ipairs(self.processes) do
    if other == process then
      self.processes[place] = new_process(self)
      self:man(self.processes[place])
    end
  end
  -- A lease, a turn or a token that it had: others wait for a while, and may be told that nothing could be had.
  self.disturbed = self.r.driver.now() + 120
  count(self, "deaths")
end

steps.death = { 3, death }

local names, lots = {}, {}
for name in pairs(steps) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  for _ = 1, steps[name][1] do lots[#lots + 1] = name end
end

-- ---- the night

-- When an action was seen first, and when it had ended, is noted for what is judged later.
local function note_actions(self)
  for _, action in ipairs(self.r.tenant.actions) do
    action.listed_at = action.listed_at or self.r.driver.now()
    if not is_open(action) and not action.ended_at then action.ended_at = self.r.driver.now() end
  end
end

-- The callers of a process: each takes steps until none is left or the process has died.
function Night:man(process)
  for _ = 1, CALLERS do
    self.working, process.working = self.working + 1, process.working + 1
    self.r.driver.spawn(function()
      while self.left > 0 and not process.dead and not self.problem do
        self.left = self.left - 1
        count(self, "steps")
        local name = self:pick(lots)
        self.r.tenant:settle()
        note_actions(self)
        local ok, problem = pcall(steps[name][2], self, process)
        if not ok then self.problem = self.problem or ("%s: %s"):format(name, tostring(problem)) end
        if not process.dead then self.r.driver.sleep(self.below(30) / 10) end
      end
      if not process.dead then self.working, process.working = self.working - 1, process.working - 1 end
      if self.working == 0 or self.problem then self.over:open() end
    end)
  end
end

local function play_night(below, left, report)
  local machines = {}
  for n = 0, MACHINES - 1 do machines[n + 1] = { id = id(n), computerDnsName = ("night-%d.corp.example"):format(n) } end
  local function bytes(length)
    local list = {}
    for i = 1, length do list[i] = string.char(below(256)) end
    return table.concat(list)
  end
  local pair = PAIRS[below(#PAIRS) + 1]
  local self = setmetatable({ below = below, holds = pair[1], frees = pair[2],
    calls = {}, sends = {}, known = {}, unknown = {}, left = left,
    lags = { { seconds = 0 } }, disturbed = -math.huge, last_fault = -math.huge, applied = 0, spoilt = 0,
    signing_in = {}, working = 0, report = report,
    r = rehearsal.new { machines = machines, latency = 0.05, start = 1.7e9 + 0.5, random = bytes, unguarded = true,
      roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate" }, limits = LIMITS } },
    Night)
  posix.clock.time, posix.entropy.bytes = self.r.driver.now, bytes
  local operation = core.comment.operation
  core.comment.operation = function(random)
    local made, call = operation(random), self.calls[coroutine.running()]
    if call then call.operation = call.key or made end
    return made
  end
  self.store = dicts(self.r.driver.now)
  self.over = self.r.driver.gate()
  self.processes = {}
  for n = 1, 2 do
    self.processes[n] = new_process(self)
    self:man(self.processes[n])
  end
  local ended = self.over:wait(30 * 86400)
  core.comment.operation = operation
  assert(not self.problem, self.problem)
  assert(ended, "somebody waits for ever")
  -- The service had no reason to say 429: its own have a status here, those of the faults have none.
  for _, entry in ipairs(self.r.tenant.history) do
    assert(not (entry.event == "request" and entry.status == 429), "the limits were passed")
  end
  count(self, "requests", #self.sends)
end

--- Plays so many steps, night after night. Raises what did not hold.
---@param seed integer
---@param count_of_steps integer
---@return table<string, integer> report how often what happened
function M.play(seed, count_of_steps)
  local below, report = generator(seed), {}
  local time, entropy, operation = posix.clock.time, posix.entropy.bytes, core.comment.operation
  local ok, problem = pcall(function()
    local left = count_of_steps
    while left > 0 do
      play_night(below, math.min(left, STEPS_OF_A_NIGHT), report)
      left = left - STEPS_OF_A_NIGHT
    end
  end)
  posix.clock.time, posix.entropy.bytes, core.comment.operation = time, entropy, operation
  if not ok then error(("seed %d, after %d steps: %s"):format(seed, report.steps or 0, tostring(problem)), 0) end
  return report
end

--- The report in words.
---@param report table<string, integer>
---@return string
function M.text(report)
  local list, parts = {}, {}
  for name in pairs(report) do list[#list + 1] = name end
  table.sort(list)
  for i, name in ipairs(list) do parts[i] = ("%d %s"):format(report[name], name) end
  return table.concat(parts, ", ")
end

return M
