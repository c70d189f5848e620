--- wait: until an action is final, or many are.
--
-- Of many, a round is one request for the list of what was created since the oldest action that is still pending, and
-- at most one more, for an action that the list does not show. So 500 devices cost no more than one; the
-- filter names types and a time, never ids, and does not grow with them.

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local pager = require "mde.api.pager"
local responses = require "mde.action.response"

local FIRST_POLL_SECONDS, MAX_POLL_SECONDS = 2, 30
-- An action that was only just made may be unknown for so long.
local ABSENCE_SECONDS = 60
-- More types than there are would only make the URL long.
local MAX_TYPES = 10

-- How long an action is waited for whose type is not in the table.
local SECONDS = 600

local M = {}

--- How long an action is waited for where the caller does not say.
---@param list { type?: string }[]
---@return number seconds of the one that takes longest
function M.seconds(list)
  local seconds = 0
  for _, action in ipairs(list) do
    local verb = type(action) == "table" and type(action.type) == "string" and responses.of_type(action.type)
    seconds = math.max(seconds, verb and core.response_actions[verb].wait_seconds or SECONDS)
  end
  return seconds > 0 and seconds or SECONDS
end

-- ---- one

-- A function that sleeps until it is time to read again, each time for longer, the last time shortly before the
-- deadline; it returns false when there is no time left.
local function pace(exchange, context)
  local interval, last = FIRST_POLL_SECONDS, false
  return function()
    local remaining = context:left()
    if last or remaining <= 0 then return false end
    local most = remaining - math.min(1, remaining / 2)
    last = interval >= most
    exchange.sleep(math.min(interval, most))
    interval = math.min(interval * 1.5, MAX_POLL_SECONDS)
    return true
  end
end

local passing = { unavailable = true, throttled = true, protocol = true }

-- Whether an error may be gone the next time, so many seconds after the wait began.
local function may_pass(err, seconds)
  return passing[err.kind] or err.kind == "not_found" and seconds < ABSENCE_SECONDS
end

--- Reads an action until it is final, and keeps it up to date.
---@param center mde.ActionCenter
---@param row table changed in place
---@param context mde.Context
---@return table? row nil if it is not final in time, without an error if it could be read
---@return mde.Error? err
function M.follow(center, row, context)
  local exchange = center.exchange
  local started, may_read_again, problem = exchange.now(), pace(exchange, context), nil
  local was_pending = core.history.status(row.status) == "pending"
  while core.history.status(row.status) == "pending" do
    if not may_read_again() then return nil, problem end
    local fresh, err = center.cache:ended(row.id), nil
    if not fresh then fresh, err = center:read(row.id, context) end
    if fresh then
      local updated
      updated, err = actions.update(row, fresh)
      if not updated then return nil, err end
    elseif not may_pass(err, exchange.now() - started) then
      return nil, err
    end
    problem = err
  end
  if row.machineId then center.cache:remember(row.machineId, row) end
  center:ended(row, was_pending and row or nil)
  return row
end

-- What a plan would send is taken to succeed, and so is what is pending while a playbook is planned.
local function is_planned(center, action)
  if action.outcome == "planned" then return true end
  local session = center.session
  return session ~= nil and session.is_plan and core.history.status(action.status) == "pending"
end

--- Waits until an action is final, or the time is up.
---@param center mde.ActionCenter
---@param action mde.Action brought up to date
---@param seconds number
---@param context mde.Context
---@return "Succeeded"?
---@return mde.Error? err of kind failed, cancelled or pending, or why it could not be read
function M.one(center, action, seconds, context)
  if is_planned(center, action) then return "Succeeded" end
  local _, problem = M.follow(center, action, context:within(seconds))
  return actions.result(action, seconds, problem)
end

-- ---- many

local function check_actions(list)
  if type(list) ~= "table" or type(list.id) == "string" then
    errors.invalid("wrong_type", ("mde.wait needs a list of actions, not %s"):format(
      list == nil and "nil" or type(list) == "table" and "one action" or type(list)), "Of one: action:wait().")
  end
  options_of.check_list(list, "mde.wait")
  for i, action in ipairs(list) do
    local kind = type(action) == "table" and type(action.id) == "string" and core.device.kind(action.id)
    if kind ~= "guid" and not (type(action) == "table" and action.outcome == "planned") then
      errors.invalid("not_an_action", ("mde.wait: item %d is not an action"):format(i),
        "Of the results of mde.each, take the value of each that has one.")
    end
  end
end

---@class mde.wait.watch one action, which may be in the list several times
---@field id string in lower case
---@field actions mde.Action[]
---@field problem? mde.Error of the last time it was to be read
---@field lost? boolean the problem is here to stay
---@field strangers table<mde.Action, mde.Error> those that are of another machine or type than the service says

local function watches_of(list, assumed)
  local watches, by_id = {}, {}
  for _, action in ipairs(list) do
    local id = not assumed[action] and core.text.lower(action.id)
    if id and not by_id[id] then
      by_id[id] = { id = id, actions = {}, strangers = {} }
      watches[#watches + 1] = by_id[id]
    end
    if id then table.insert(by_id[id].actions, action) end
  end
  return watches, by_id
end

local function is_pending(watch)
  if watch.lost then return false end
  for _, action in ipairs(watch.actions) do
    if not watch.strangers[action] and core.history.status(action.status) == "pending" then return true end
  end
  return false
end

local function pending_of(watches)
  local pending = {}
  for _, watch in ipairs(watches) do
    if is_pending(watch) then pending[#pending + 1] = watch end
  end
  return pending
end

-- The results, and a function that takes in and tells those that are new: of the actions that have ended, or of all.
local function new_results(list, by_id, assumed, seconds, on_progress)
  local results, done = { failed = 0 }, 0
  return results, function(all)
    for i, action in ipairs(list) do
      local watch = not assumed[action] and by_id[core.text.lower(action.id)]
      local stranger = watch and watch.strangers[action]
      if not results[i] and (all or stranger or not watch or not is_pending(watch)) then
        local value, err = "Succeeded", nil
        if watch then value, err = actions.result(action, seconds, stranger or watch.problem) end
        results[i] = { item = action, value = value, err = err }
        if err then results.failed = results.failed + 1 end
        done = done + 1
        if on_progress then on_progress(done, #list, results[i]) end
      end
    end
  end
end

-- OData for the actions that are still pending, and whatever else there is of their types since the oldest.
local function filter_of(pending)
  local types, seen, oldest = {}, {}, nil
  for _, watch in ipairs(pending) do
    local action = watch.actions[1]
    local created = core.timestamp.read(action.creationDateTimeUtc)
    if created and (not oldest or created < oldest) then oldest = created end
    local kind = type(action.type) == "string" and action.type or ""
    if not seen[kind] then
      seen[kind] = true
      types[#types + 1] = "type eq " .. core.odata.literal(kind)
    end
  end
  local clauses = {}
  if #types <= MAX_TYPES and not seen[""] then clauses[1] = "(" .. table.concat(types, " or ") .. ")" end
  local since = oldest and core.timestamp.whole(oldest)
  if since then clauses[#clauses + 1] = "creationDateTimeUtc ge " .. since end
  return table.concat(clauses, " and ")
end

local function update(center, watch, row)
  watch.problem = nil
  local is_final, just_ended = core.history.status(row.status) ~= "pending", nil
  for _, action in ipairs(watch.actions) do
    local was_pending = core.history.status(action.status) == "pending"
    local updated, err = actions.update(action, row)
    watch.strangers[action] = err
    if updated and was_pending and is_final then just_ended = just_ended or action end
  end
  if not is_final then return end
  if row.machineId then center.cache:remember(row.machineId, row) end
  center:ended(row, just_ended)
end

local function stumble(watch, err, seconds)
  watch.problem = err
  watch.lost = not may_pass(err, seconds)
end

-- Reads one by itself.
local function read_one(center, watch, context, started)
  local row, err = center:read(watch.id, context)
  if row then
    update(center, watch, row)
  else
    stumble(watch, err, center.exchange.now() - started)
  end
end

-- Reads one page. Returns those that were not on it; none if it could not be read.
local function read_list(center, pending, by_id, context, started)
  local pages = pager.pages(center.exchange, "machineactions", { filter_of(pending) }, actions.mend)
  local rows, err = pages:next(context)
  local missing = {}
  if rows then
    local listed = {}
    for _, row in ipairs(rows) do
      local id = core.text.lower(row.id or "")
      if by_id[id] then
        listed[id] = true
        update(center, by_id[id], row)
        center:note(row)
      end
    end
    for _, watch in ipairs(pending) do
      if not listed[watch.id] then missing[#missing + 1] = watch end
    end
  else
    for _, watch in ipairs(pending) do stumble(watch, err, center.exchange.now() - started) end
  end
  return missing
end

--- Brings actions that are pending up to date, once: by one list, or the one that there is by itself.
---@param center mde.ActionCenter
---@param list mde.Action[]
---@param context mde.Context
function M.refresh(center, list, context)
  local watches, by_id = watches_of(list, {})
  if watches[2] then
    read_list(center, watches, by_id, context, center.exchange.now())
  elseif watches[1] then
    read_one(center, watches[1], context, center.exchange.now())
  end
end

-- What others of this client have seen to end need not be read. Returns those that are still pending.
local function take_known(center, pending)
  for _, watch in ipairs(pending) do
    local row = center.cache:ended(watch.id)
    if row then update(center, watch, row) end
  end
  return pending_of(pending)
end

---@class mde.WaitOptions
---@field timeout? number seconds; default 600, of a scan 21,600, of a quarantine or a collection 3,600
---@field on_progress? fun(done: integer, total: integer, result: mde.Result) called once for each action, as they
--- end; in the end for those, too, that are still pending. What it raises ends the wait

M.known_options = { timeout = "seconds", on_progress = "callback" }

--- Waits until all actions are final, or the time is up. Their fields are brought up to date.
---@param center mde.ActionCenter
---@param list mde.Action[]
---@param seconds number
---@param on_progress? fun(done: integer, total: integer, result: mde.Result)
---@param context mde.Context
---@return mde.Results of each action "Succeeded", or an error of a kind that action:wait has
function M.many(center, list, seconds, on_progress, context)
  check_actions(list)
  local exchange = center.exchange
  local started = exchange.now()
  context = context:within(seconds)
  local may_read_again = pace(exchange, context)
  local assumed = {}
  for _, action in ipairs(list) do assumed[action] = is_planned(center, action) or nil end
  local watches, by_id = watches_of(list, assumed)
  local results, take_in = new_results(list, by_id, assumed, seconds, on_progress)
  local pending, turn = pending_of(watches), 0
  take_in(false)
  while pending[1] and may_read_again() do
    pending = take_known(center, pending)
    local missing = pending
    if pending[2] then missing = read_list(center, pending, by_id, context, started) end
    if missing[1] then
      turn = turn + 1
      read_one(center, missing[turn % #missing + 1], context, started)
    end
    pending = pending_of(watches)
    take_in(false)
  end
  take_in(true)
  return results
end

return M
