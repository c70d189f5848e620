-- The actions of a tenant: all of them in the order of their creation, and for each machine those that it has still to
-- carry out. How an action begins, goes on and ends, and what a list that lags behind shows of it.
--
-- It has no clock and keeps no history: it is handed the time, and returns what has changed. It visits a machine only
-- once something can have happened there: a timetable says when that is, and who changes a machine calls `wake`.
local copy = require "mde.sim.base.copy"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local machine_record = require "mde.sim.model.machine_record"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"
local timetable = require "mde.sim.base.timetable"

local lower = core.text.lower

---@class mde.sim.action_queue
---@field all table[] every action, the oldest first
---@field package by_id table<string, table>
---@field package open table<string, table[]> by the machine's id: what is not final
---@field package due mde.sim.timetable when the next of a machine's open actions goes on, by the machine's id
---@field package behaviour table? by which `due` was reckoned
local M = {}
M.__index = M

local final = { Succeeded = true, Failed = true, TimeOut = true, Cancelled = true }

---@return mde.sim.action_queue
function M.new()
  return setmetatable({ all = {}, by_id = {}, open = {}, due = timetable.new() }, M)
end

local function is_open(action) return not final[action.status] end

-- Keeps the list in the order of creation, also when one is inserted with a time of its own.
local function add_in_order(list, action)
  local place = #list + 1
  while place > 1 and list[place - 1].created > action.created do place = place - 1 end
  table.insert(list, place, action)
end

-- Notes what an action's status was from when on, for lists that lag behind.
local function note_status(action, since)
  action.past = action.past or {}
  table.insert(action.past, { since = since, status = action.status, updated = action.lastUpdateDateTimeUtc })
end

-- ---- what there is

--- Adds an action, which has `created` (seconds since 1970) beside the service's properties.
---@param action table
function M:add(action)
  note_status(action, action.created)
  add_in_order(self.all, action)
  self.by_id[lower(action.id)] = action
  if action.machineId and is_open(action) then
    local key = lower(action.machineId)
    self.open[key] = self.open[key] or {}
    add_in_order(self.open[key], action)
    self:wake(key)
  end
end

--- Has the next `settle` look at a machine. To be called when the machine has appeared or its record has changed, and
--- when one of its actions was changed by others than this queue.
---@param machine_id string
function M:wake(machine_id)
  local key = lower(machine_id)
  if self.open[key] then self.due:put(key, -math.huge) end
end

---@param id string
---@return table? action
function M:find(id)
  return self.by_id[lower(id)]
end

--- The machine's action of this type that is not final, the oldest if there are several.
---@param machine_id string
---@param kind string
---@return table? action
function M:find_open(machine_id, kind)
  for _, action in ipairs(self.open[lower(machine_id)] or {}) do
    if action.type == kind and is_open(action) then return action end
  end
end

--- Whether the last that succeeded of a machine's isolations and releases is an isolation.
---@param machine_id string
---@return boolean
function M:is_isolated(machine_id)
  local last, last_updated
  for _, action in ipairs(self.all) do
    if (action.type == "Isolate" or action.type == "Unisolate") and action.status == "Succeeded"
        and action.machineId and lower(action.machineId) == lower(machine_id) then
      local updated = time.parse(action.lastUpdateDateTimeUtc or "") or -math.huge
      if not last or updated >= last_updated then last, last_updated = action, updated end
    end
  end
  return last ~= nil and last.type == "Isolate"
end

-- An action as it was at that time; nil if it was not there yet.
local function as_of(action, at)
  local then_so
  for _, note in ipairs(action.past) do
    if note.since <= at then then_so = note end
  end
  if not then_so or then_so == action.past[#action.past] then return then_so and action end
  local view = {}
  for _, name in ipairs(schema.action.names) do view[name] = action[name] end
  view.status, view.lastUpdateDateTimeUtc = then_so.status, then_so.updated
  view.cancellationRequestor, view.cancellationComment, view.cancellationDateTimeUtc = nil, nil, nil
  view.errorHResult, view.troubleshootInfo = 0, nil
  return view
end

--- All actions, the newest first.
---@param at? number as they were at that time; as they are if absent
---@return table[]
function M:listed(at)
  local visible = {}
  for i = #self.all, 1, -1 do
    local action = self.all[i]
    if at then action = as_of(action, at) end
    visible[#visible + 1] = action
  end
  return visible
end

-- ---- how an action begins and ends

--- An action as if somebody else had made it. Raises a message for what does not fit.
---@param fields table any property of the record, the times as the service writes them; `frozen`
---@param id string unless the fields have one
---@param now number
---@return table action
function M.complete(fields, id, now)
  local action = {
    id = id, status = "Pending", requestor = "somebody.else@corp.example", requestSource = "Portal",
    requestorComment = "from the portal", errorHResult = 0, commands = {}, creationDateTimeUtc = time.iso(now),
  }
  for name, value in pairs(fields) do
    local is_null = value == json.null and schema.action.properties[name]
    local problem = not is_null and schema.problem(schema.action, name, value, { frozen = true })
    if problem then error(problem, 0) end
    if is_null then action[name] = nil else action[name] = copy.deep(value) end
  end
  if not action.type then error("an action needs a type", 0) end
  action.created = action.creationDateTimeUtc and time.parse(action.creationDateTimeUtc)
  if not action.created then error("creationDateTimeUtc is not a time", 0) end
  if fields.lastUpdateDateTimeUtc == nil then action.lastUpdateDateTimeUtc = action.creationDateTimeUtc end
  return action
end

--- Cancels an action.
---@param action table
---@param comment string
---@param requestor string
---@param now number
---@return string? status that it had until now; nil if it was final already
function M:cancel(action, comment, requestor, now)
  if not is_open(action) then return nil end
  local before = action.status
  action.status = "Cancelled"
  action.cancellationComment, action.cancellationRequestor = comment, requestor
  action.cancellationDateTimeUtc, action.lastUpdateDateTimeUtc = time.iso(now), time.iso(now)
  note_status(action, now)
  if action.machineId then self:wake(action.machineId) end
  return before
end

-- ---- how actions go on

local function change(changes, action, status, at)
  changes[#changes + 1] = { at = at, order = #changes, action = action.id, machine = action.machineId,
    type = action.type, from = action.status, to = status }
  action.status = status
  action.lastUpdateDateTimeUtc = time.iso(at)
  note_status(action, at)
end

-- Seconds of a state of this action: those of its type and scope, of its type, or of all.
local function delay(delays, action, state)
  local of_type = delays[action.type]
  local of_scope = action.scope and delays[action.type .. "." .. action.scope]
  return of_scope and of_scope[state] or of_type and of_type[state] or delays[state]
end

-- Takes one action as far as it is by now. True if it is final; if not, also when it goes on, unless the machine is out
-- of reach.
local function carry_out(machine, action, delays, now, changes)
  if action.status == "Pending" then
    if not action.around and not machine_record.is_reachable(machine) then return false end
    local start = math.max(action.created, machine.busy_until or 0, machine.reachable_since or 0)
      + delay(delays, action, "pending")
    if now < start then return false, start end
    action.started = start
    change(changes, action, "InProgress", start)
  end
  local stop = (action.started or action.created) + delay(delays, action, "running")
  if now < stop then return false, stop end
  machine.busy_until = stop
  if machine.failing then
    action.errorHResult = -2147024891
    action.troubleshootInfo = "The device could not apply the policy."
    change(changes, action, "Failed", stop)
  else
    change(changes, action, "Succeeded", stop)
    if action.type == "Offboard" then machine.offline = true end
  end
  return true
end

-- What is open of a machine, in the order in which it is carried out: as it was created, or what is under way already
-- and then the newest first.
local function in_turn(open, completion)
  local list = {}
  for i, action in ipairs(open) do list[i] = action end
  if completion == "reversed" then
    table.sort(list, function(a, b)
      local a_runs, b_runs = a.status == "InProgress", b.status == "InProgress"
      if a_runs ~= b_runs then return a_runs end
      return a.created > b.created
    end)
  end
  return list
end

-- A machine carries its actions out one after the other. Returns when it goes on; nil if not before it is woken.
local function work_off(machine, open, behaviour, now, changes)
  local due
  for _, action in ipairs(in_turn(open, behaviour.completion)) do
    if machine and is_open(action) and not action.frozen then
      local is_done, goes_on = carry_out(machine, action, behaviour.delays, now, changes)
      if not is_done then
        due = goes_on
        break
      end
    end
  end
  for i = #open, 1, -1 do
    if not is_open(open[i]) then table.remove(open, i) end
  end
  return due
end

-- Whether two tables of delays, of which those of a type are tables themselves, are alike.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for name, value in pairs(a) do
    if not same(value, b[name]) then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

-- Another behaviour may make anything due.
local function wake_all_if_changed(self, behaviour)
  if self.behaviour and same(self.behaviour, behaviour) then return end
  self.behaviour = copy.deep(behaviour)
  for id in pairs(self.open) do self:wake(id) end
end

--- Carries out what is due by now.
---@param machines_by_id table<string, table>
---@param behaviour { delays: table, completion: "in_order"|"reversed" }
---@param now number
---@return table[] changes in the order of their time: `at`, `action`, `machine`, `type`, `from`, `to`
function M:settle(machines_by_id, behaviour, now)
  wake_all_if_changed(self, behaviour)
  local changes = {}
  local id = self.due:take(now)
  while id do
    local open = self.open[id]
    self.due:put(id, work_off(machines_by_id[id], open, behaviour, now, changes))
    if not open[1] then self.open[id] = nil end
    id = self.due:take(now)
  end
  table.sort(changes, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.order < b.order
  end)
  for _, entry in ipairs(changes) do entry.order = nil end
  return changes
end

return M
