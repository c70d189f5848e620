--- watch: each alert is handed to a function once, over restarts; see watch.md.
--
-- Alerts are polled. Which were handed over stands in a cursor (src/core/cursor.h), which is written down before a
-- handler runs and after it has ended. So an alert comes a second time only where the process died in between, or its
-- handler failed. One handler runs at a time.

local cursor_files = require "mde.watch.cursor_file"
local cursor_stores = require "mde.watch.cursor_store"
local errors = require "mde.base.error"
local handovers = require "mde.watch.handover"
local options_of = require "mde.watch.options"

-- What cannot be read is tried again after so long, twice as long each time, and at most:
local FIRST_PAUSE, LONGEST_PAUSE = 5, 300
-- So often it is looked whether to stop while nothing is to be done.
local LOOK_SECONDS = 0.5
-- Of so many rows it is known that they were named.
local MOST_NAMED = 10000

local M = {}

---@alias mde.WatchStep
---| "begun"        # the cursor is open
---| "reading"      # the list is read, since `since`
---| "read"         # all of it was
---| "handing_over" # the handler is about to be called
---| "handed_over"  # it has ended well; with `err`: somebody has decided otherwise since the alert
---| "failed"       # it has failed, and is tried again
---| "put_off"      # it is tried again, and this was no try
---| "set_aside"    # it is not tried again; see `reason`
---| "old"          # an alert is not known, and too old to be new: it is not handed over
---| "unusable"     # a row cannot be known: it is not handed over; see `reason`
---| "not_aside"    # an id of the option `again` is not one that was set aside
---| "waiting"      # for `seconds`, and because of `err` if the list could not be read

---@class mde.WatchEvent
---@field event "watch"
---@field what mde.WatchStep
---@field id? string the alert's
---@field alert? table
---@field attempt? integer
---@field reason? string of "unusable": no_id, no_time; of "set_aside": failed, interrupted, gone
---@field err? any why
---@field since? number of "begun" and "reading", Unix seconds
---@field fresh? boolean of "begun": nothing was kept, and alerts are handed over from `since` on
---@field lost? integer of "begun": bytes of the cursor that were being written when the machine stopped
---@field seconds? number of "waiting": until the next read

---@class mde.WatchStatus
---@field behind number seconds for which nobody knows what has come
---@field handed_over number ever
---@field waiting integer alerts that are to be handed over again
---@field set_aside string[] the ids of those that were given up
---@field unusable integer rows that cannot be known, since the watch began

---@class mde.WatchHost what the client gives a watch
---@field now fun(): number the service's time, Unix seconds
---@field settle? fun(): true?, mde.Error? makes sure that the time does not rest on this machine's clock alone
---@field clock { now: (fun(): number), sleep: fun(seconds: number) } the driver's
---@field store? mde.Store
---@field owner? string whose alerts it reads, on one line
---@field shield? fun(fn: fun(...), ...) calls what tells a watcher; what that raises changes nothing
---@field context? fun(): mde.Context
---@field source? fun(alerts: any, name?: mde.AlertSourceName): mde.AlertSource of what the option `alerts` asks

---@class mde.Watch
---@field private host mde.WatchHost
---@field private options table
---@field private source mde.AlertSource
---@field private kept? mde.KeptCursor
---@field private cursor? mde.cursor
---@field private first? number since when alerts are handed over, if nothing is kept yet
---@field private is_stopping boolean
---@field private named table<string, boolean> rows that were named
---@field private names integer
---@field private unusable integer
local Watch = { __name = "mde.watch" }
Watch.__index = Watch

--- A watch. Raises for options that are of no use.
---@param host mde.WatchHost
---@param options mde.WatchOptions
---@return mde.Watch
function M.new(host, options)
  options = options_of.check(options, host.now())
  if type(options.cursor) == "table" and not host.store then
    errors.invalid("wrong_value", "mde.watch: option \"cursor\" names a store, and the client has none",
      "Give the client one, by its option store or MDE_STORE; or name a file.")
  end
  local source = options.source
  if type(source) ~= "table" then source = host.source(options.alerts, source) end
  return setmetatable({ host = host, options = options, source = source, is_stopping = false, named = {},
    names = 0, unusable = 0 }, Watch)
end

--- Ends the watch once the handler that runs has ended. Harmless at any time.
function Watch:stop()
  self.is_stopping = true
end

---@private
function Watch:is_stopped()
  if not self.is_stopping and self.options.stop and self.options.stop() then self.is_stopping = true end
  return self.is_stopping
end

-- What on_event raises is its own affair: no alert fails for it, and none waits.
---@private
function Watch:tell(what, fields)
  if not self.options.on_event then return end
  fields = fields or {}
  fields.event, fields.what = "watch", what
  local shield = self.host.shield or pcall
  shield(self.options.on_event, fields)
end

--- How it stands. Before it runs, nothing is known.
---@return mde.WatchStatus
function Watch:status()
  if not self.cursor then return { behind = 0, handed_over = 0, waiting = 0, set_aside = {}, unusable = 0 } end
  local counts = self.cursor:counts()
  return { behind = self.cursor:behind(self.host.now()), handed_over = counts.done, waiting = counts.waiting,
    set_aside = self.cursor:in_state "aside", unusable = self.unusable }
end

-- ---- one alert

-- Hands an alert over. nil and an error: the watch ends.
---@private
function Watch:hand_over(alert)
  local id = alert.id
  local attempt = self.cursor:begin(id)
  local kept, problem = self.kept:keep()
  if not kept then return nil, problem end
  self:tell("handing_over", { id = id, alert = alert, attempt = attempt })
  local handover = handovers.make(self.options.handler, alert, attempt)
  local state = self.cursor:finish(id, handover.how, self.host.now(), handover.not_before)
  kept, problem = self.kept:keep(true)
  local what = state == "done" and "handed_over" or state == "aside" and "set_aside" or handover.how
  self:tell(what, { id = id, alert = alert, attempt = attempt, err = handover.err,
    reason = state == "aside" and "failed" or nil })
  if not kept then return nil, problem end
  if handover.ends_watch then return nil, handover.err end
  return true
end

-- Whether a row is named for the first time.
---@private
function Watch:is_first(key)
  if self.named[key] then return false end
  if self.names >= MOST_NAMED then self.named, self.names = {}, 0 end
  self.named[key], self.names = true, self.names + 1
  return true
end

-- Names a row that cannot be known.
---@private
function Watch:name(alert, reason)
  local key = ("%s %s %s %s"):format(reason, errors.show(alert.id), errors.show(alert.lastUpdateDateTime),
    errors.show(alert.title))
  if not self:is_first(key) then return end
  self.unusable = self.unusable + 1
  self:tell("unusable", { alert = alert, reason = reason, id = type(alert.id) == "string" and alert.id or nil })
end

local function full(kept)
  return nil, errors.new { kind = "invalid", code = "cursor_full",
    message = ("the cursor in %s is full: there are more alerts within its span than can be known"):format(kept.name),
    hint = "Give a shorter span, or ask for fewer alerts." }
end

-- What a row leads to. nil and an error: the watch ends.
---@private
function Watch:take(alert)
  if type(alert) ~= "table" then alert = {} end
  local answer = self.cursor:tell(self.host.now(), alert.id, alert.lastUpdateDateTime, alert.createdDateTime,
    alert.status)
  if answer == "hand_over" then return self:hand_over(alert) end
  if answer == "full" then return full(self.kept) end
  if answer == "no_id" or answer == "no_time" then self:name(alert, answer) end
  if answer == "old" and self:is_first("old " .. alert.id) then self:tell("old", { id = alert.id, alert = alert }) end
  if answer == "interrupted" then self:tell("set_aside", { id = alert.id, alert = alert, reason = "interrupted" }) end
  return true
end

-- ---- a read

-- Calls the source, whose errors are returned; what is no error of ours is raised.
local function ask(fn, ...)
  local ok, value, err = pcall(fn, ...)
  if ok then return true, value, err end
  if not errors.is(value) then error(value, 0) end
  return false, nil, value
end

---@private
function Watch:end_read()
  local was_aside = {}
  for _, id in ipairs(self.cursor:in_state "aside") do was_aside[id] = true end
  if self.cursor:end_read() > 0 then
    for _, id in ipairs(self.cursor:in_state "aside") do
      if not was_aside[id] then self:tell("set_aside", { id = id, reason = "gone" }) end
    end
  end
  return self.kept:keep(true)
end

-- The ids of what is to be handed over again: in their order, and as a set.
---@private
function Watch:open_ids()
  local ids, is_open = {}, {}
  for _, state in ipairs { "begun", "waiting" } do
    for _, id in ipairs(self.cursor:in_state(state)) do ids[#ids + 1], is_open[id] = id, true end
  end
  return ids, is_open
end

-- Reads what is to be handed over again and was not in the list, each by its id: a handler that failed may have changed
-- what the list is asked by. As `read`.
---@private
function Watch:find(ids, is_missing)
  for _, id in ipairs(self.source.find and ids or {}) do
    if self:is_stopped() then return false end
    if is_missing[id] then
      local ok, alert, err = ask(self.source.find, self.source, id, self.host.context and self.host.context())
      if not ok or not alert and err and err.kind ~= "not_found" then return nil, err end
      local done, problem = true, nil
      if alert then done, problem = self:take(alert) end
      if not done then return nil, problem, true end
    end
  end
  return true
end

-- Reads once. True: it is complete; false: it was stopped; nil, an error, and whether the watch ends.
---@private
function Watch:read()
  local since = self.cursor:read(self.host.now())
  self:tell("reading", { since = since })
  local _, next_alert, err = ask(self.source.read, self.source, since, self.host.context and self.host.context())
  if not next_alert then return nil, err end
  local ids, is_missing = self:open_ids()
  while not self:is_stopped() do
    local ok, alert, problem = ask(next_alert)
    if not ok then return nil, problem end
    local done
    if alert == nil then
      local found, why, ends = self:find(ids, is_missing)
      if not found then return found, why, ends end
      done, problem = self:end_read()
      if not done then return nil, problem, true end
      self:tell "read"
      return true
    end
    if type(alert) == "table" and alert.id ~= nil then is_missing[alert.id] = nil end
    done, problem = self:take(alert)
    if not done then return nil, problem, true end
  end
  return false
end

-- ---- the loop

---@private
function Watch:pause(seconds)
  local clock = self.host.clock
  local ends = clock.now() + seconds
  while not self:is_stopped() do
    local left = ends - clock.now()
    if left <= 0 then return end
    clock.sleep(math.min(left, LOOK_SECONDS))
  end
end

-- How long to wait after so many reads in a row that failed; nil: waiting does not help.
---@private
function Watch:patience(err, failures)
  if err.kind ~= "throttled" and err.kind ~= "unavailable" and err.kind ~= "protocol" then return nil end
  local seconds = math.min(FIRST_PAUSE * 2 ^ math.min(failures - 1, 10), LONGEST_PAUSE)
  local asked = err.retry_at and err.retry_at - self.host.now() or 0
  return math.min(math.max(seconds, asked), LONGEST_PAUSE)
end

-- How long nothing is to be done.
---@private
function Watch:rest()
  return math.min(self.options.every, math.max(1, self.cursor:wait(self.host.now())))
end

---@private
function Watch:loop()
  local kept = self.kept
  self:tell("begun", { since = self.first, fresh = kept.is_fresh, lost = kept.lost > 0 and kept.lost or nil })
  for _, id in ipairs(self.options.again or {}) do
    if not self.cursor:again(id) then self:tell("not_aside", { id = id }) end
  end
  local failures = 0
  while not self:is_stopped() do
    local complete, err, ends = self:read()
    if ends then return nil, err end
    if complete and self.options.once then return true end
    local seconds
    if complete == nil then
      failures = failures + 1
      seconds = self:patience(err, failures)
      if not seconds then return nil, err end
    else
      failures, seconds = 0, self:rest()
    end
    if not self:is_stopped() then
      self:tell("waiting", { seconds = seconds, err = err })
      self:pause(seconds)
    end
  end
  return true
end

-- Makes sure of the time, as long as it takes. nil without an error: the watch was stopped.
---@private
function Watch:settle()
  local failures = 0
  while not self:is_stopped() do
    local settled, err = true, nil
    if self.host.settle then settled, err = self.host.settle() end
    if settled then return true end
    failures = failures + 1
    local seconds = self:patience(err, failures)
    if not seconds then return nil, err end
    self:tell("waiting", { seconds = seconds, err = err })
    self:pause(seconds)
  end
end

-- A clock that is ahead would have a new cursor begin in the future, so the time is made sure of before.
---@private
function Watch:open()
  local settled, err = self:settle()
  if not settled then return nil, err end
  local options, host = self.options, self.host
  local limits, first = options_of.limits(options), options_of.first(options, host.now())
  self.first = first
  if type(options.cursor) == "string" then return cursor_files.open(options.cursor, first, limits, host.owner) end
  return cursor_stores.open(host.store, options.cursor.store, first, limits, host.clock,
    function() return self:is_stopped() end)
end

--- Watches until it is stopped, or cannot go on: the sign-in is refused, a role is missing, the cursor cannot be kept.
--- What does not last, limits and a service that is down, is waited out. Raises what the source raises, if that is no
--- error of this library.
---@return true? ended it was stopped, or, with `once`, has read once
---@return mde.Error? err
function Watch:run()
  local kept, err = self:open()
  if not kept then
    if err then return nil, err end
    return true
  end
  self.kept, self.cursor = kept, kept.cursor
  local ok, ended, problem = pcall(self.loop, self)
  kept:close()
  if not ok then error(ended, 0) end
  return ended, problem
end

return M
