--- executor: carries out what a change wants, and tells it what happened.
--
-- Whether to send, what a lost answer came to and whether to send again, the core decides (src/core/change.h). Nothing
-- is decided here, and nothing but this waits.

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"
local responses = require "mde.action.response"
local wait = require "mde.action.wait"

local ACTION_SECONDS = 120
-- A history that cannot be read in this time is not waited for: containing matters more.
local LOOK_SECONDS = 30

local M = {}

---@class mde.ChangeRun : mde.ChangeArguments what is known of a change besides what the core knows
---@field change mde.core.change
---@field began number when the call began, by the driver's clock
---@field machine_id string
---@field computerDnsName? string
---@field context mde.Context
---@field cap? mde.Cap which counts it; nil where nothing does
---@field slot? mde.CapSlot nil where no cap counts it
---@field confirm fun(self: mde.ChangeRun, context: mde.Context): boolean?, mde.Error?, boolean? asked right before it
--- leaves: whether it still may, or why not, and whether others may have changed the machine
---@field leaving fun(self: mde.ChangeRun): true?, mde.Error? asked last: whether it was written down that it leaves
---@field is_written? boolean it was written down that this send leaves; each further attempt follows one of which
--- nothing came
---@field queued fun(self: mde.ChangeRun) told that it waits in a queue
---@field know fun(self: mde.ChangeRun) tells the change what the caller knew when it decided
---@field holders fun(self: mde.ChangeRun, rows: table[]) told the history that a look rests on
---@field cancelling fun(self: mde.ChangeRun, opposite: table, row: table?, err: mde.Error?) told that the service was
--- asked to cancel the opposite action
---@field row? table the action that the change is about
---@field seen? table[] the machine's actions that the look before a send has shown
---@field overturned? table the release against which it goes
---@field problem? mde.Error why the last thing did not succeed
---@field lost? mde.Error of the send whose answer was lost
---@field answered? boolean `row` is the answer to the send
---@field http_status? integer of that answer
---@field sent_at? number when the first was sent, by the service's time
---@field attempts integer
---@field attempted? boolean of the last send, whether it was attempted
---@field want? string what it wanted last
---@field has_cancelled? boolean an opposite action was cancelled for it
---@field has_resent? boolean it was to be sent again
---@field looked_at? number when the history was asked for that it rests on, by the driver's clock

-- How long to read before a send, with `queue` seconds in the queue at the most: never so long that no time is left to
-- send.
local function before_send(run, queue)
  local context = run.context:within(ACTION_SECONDS)
  local patience = context:patience()
  local seconds = math.min(LOOK_SECONDS, patience / 2)
  return context:within(seconds, math.min(queue + seconds, patience * 3 / 4))
end

--- Until when to read what a send can do without. In the queue it may be for as long as the send itself would be.
---@param exchange mde.Exchange
---@param run { context: mde.Context, verb: string }
---@return mde.Context
function M.look_context(exchange, run)
  return before_send(run, exchange:queue(responses.api(run.verb)))
end

-- The same for the history. What is not sent without it waits for its turn to read as it does for its turn to be sent.
local function history_context(exchange, run)
  local has_to_look = not core.response_actions[run.verb].holds or run.keyed or run.decided_at ~= nil
  return has_to_look and before_send(run, math.huge) or M.look_context(exchange, run)
end

-- The machine's actions: the rows, or nil and an error; and what is to be known of the list.
local function read_history(self, run, reading, context)
  local center = self.center
  local all = center:listing(run.verb)
  local listing = run.context.cache and all
  local began, machine_id = self.exchange.now(), run.machine_id
  if reading == "cached" and not listing and all:is_worth_it() then listing = all end
  if listing and reading == "cached" then
    local rows, read_at = listing:rows(machine_id, context:within(context:left() / 2, context:patience() / 2))
    if rows then
      center.cache:complete(machine_id, rows)
      return rows, nil, { cached = true, single = run.context.cache == nil, read_at = read_at }
    end
  elseif listing and reading == "now" then
    local rows, absent = listing:rows_now(machine_id, context)
    if rows then return rows, nil, { shared = true, absent = absent, read_at = began } end
  end
  local rows, err, absent = center:history(machine_id, context)
  return rows, err, { absent = absent, read_at = began }
end

-- ---- what it may want

local wants = {}

function wants.history(self, run, reading, phase)
  local context = phase == "look" and history_context(self.exchange, run)
    or reading == "own" and run.context:within(LOOK_SECONDS) or run.sending
  local rows, err, facts = read_history(self, run, reading, context)
  run.problem, run.looked_at = err, facts.read_at
  if not rows then return run.change:tell("unreadable", facts.read_at) end
  run:know()
  facts.told_at = self.exchange.now()
  facts.latest, facts.began_at = self.exchange.clock:latest(), self.exchange.clock:time(run.began)
  local overturned
  run.row, overturned = run.change:history(rows, facts)
  if phase ~= "find" then run.seen = rows end
  if phase == "look" then
    run.overturned = overturned
    run:holders(rows)
  end
end

function wants.slot(self, run)
  local taken = true
  if run.slot then taken, run.problem = run.cap:take(run.slot, run.context) end
  run.change:tell(taken and "slot_taken" or "slot_denied", self.exchange.now())
end

local is_denied = { permission = true, auth = true, throttled = true }

function wants.cancel(self, run)
  run.clearing, run.has_cancelled = run.context:within(ACTION_SECONDS), true
  local row, err = self.center:request_cancel(run.row.id, run.verb, run.comment, run.clearing)
  run.problem = err
  run:cancelling(run.row, row, err)
  run.change:tell(err and is_denied[err.kind] and "cancel_denied" or "cancelled", self.exchange.now())
end

wants["end"] = function(self, run, _, phase)
  local ended, err = wait.follow(self.center, run.row, phase == "look" and run.clearing or run.sending)
  -- Of a cancellation that was refused, that error says more than that the action is still open.
  if err or ended or phase == "find" then run.problem = err end
  run.change:tell(ended and "ended" or "open", self.exchange.now())
end

function wants.sleep(self, run, seconds)
  local is_time = run.sending:left() > seconds
  if is_time then self.exchange.sleep(seconds) end
  run.change:tell(is_time and "slept" or "time_up", self.exchange.now())
end

-- Whether it may leave now. What has become too old since is read again first.
local function may_leave(self, run)
  while true do
    local allowed, err, others_may_have = run:confirm(run.sending)
    local now = self.exchange.now()
    if not allowed then
      run.problem = err
      run.change:tell("not_sent", now)
      return false
    end
    if run.change:tell(others_may_have and "sending_later" or "sending", now) then
      local written, problem = run:leaving()
      if written then return true end
      run.problem = problem
      run.change:tell("not_sent", now)
      return false
    end
    if not M.execute(self, run, "send") then return false end
  end
end

-- Whether it has the key, and is of another scope: what was sent, or what was done under the key before.
local function is_of_another_scope(run, row)
  local is_about_it = responses.is_of(row, run.verb) and core.response_actions[run.verb].subject == "scope"
  return is_about_it and run.keyed and select(3, core.comment.parse(row.requestorComment or "")) == run.operation_id
    and core.text.lower(row.scope or run.subject) ~= core.text.lower(run.subject)
end

-- The answer is about another action, or may be.
local function foreign(run, row)
  local words = is_of_another_scope(run, row)
    and ("it was sent, but the answer is about an action of another scope (%s, %s and not %s, %s), which this key may "
      .. "have made before"):format(errors.show(row.type), errors.show(row.scope), run.subject, errors.show(row.status))
    or ("it was sent, but the answer is about another action (%s of machine %s, %s)"):format(
      errors.show(row.type or "one"), errors.show(row.machineId or "none"), errors.show(row.status))
  return errors.new { kind = "unknown", code = "answer_of_another", message = words,
    hint = "Do not repeat it blindly: mde.find_action(err) asks the service again." }
end

-- What came of a send that left, or did not.
local function tell_end(self, run, row, err, info)
  local change, now = run.change, self.exchange.now()
  local sent_at = info.sent and self.exchange.clock:time(info.sent) or nil
  run.sent_at = run.sent_at or sent_at
  if row then
    change:answer(row, now, sent_at)
    run.row, run.answered = row, change:next() == "nothing"
    run.http_status = run.answered and info.response.status or nil
    if run.answered then return end
    if info.response.discard then info.response.discard() end
    run.lost = foreign(run, row)
  elseif info.verdict == "active" then
    change:tell("active", now)
    run.refusal = err
  elseif err.kind == "unknown" then
    change:tell("lost", now, sent_at)
    run.lost = err
  else
    change:tell((info.class == nil or info.class == "not_sent") and "not_sent" or "refused", now)
  end
end

function wants.send(self, run, _, phase)
  run.has_resent = phase == "find"
  run.sending = run.sending or run.context:within(ACTION_SECONDS)
  run.is_written = false
  run:queued()
  local response, body = core.response_actions[run.verb], { Comment = run.comment }
  for name, value in pairs(run.members) do body[name] = value end
  local row, err, info = self.exchange:call {
    method = "POST", path = ("/machines/%s/%s"):format(core.odata.encode(run.machine_id), response.path),
    kind = "action", api = responses.api(run.verb), permission = response.permission, context = run.sending,
    body = body, usable = actions.is_action,
    before_send = function() return may_leave(self, run) end,
  }
  run.attempts, run.attempted = run.attempts + info.attempts, info.attempts > 0
  if run.slot and info.sent then run.cap:went(run.slot, info.sent) end
  if not row and not err then return end
  run.problem = err
  tell_end(self, run, row, err, info)
end

--- Carries out what a change wants, until it wants nothing more.
---@param self mde.Changes
---@param run mde.ChangeRun
---@param until_want? string or this
---@return boolean wanted whether it wants that
function M.execute(self, run, until_want)
  while true do
    local want, how, phase = run.change:next()
    if want == "nothing" then return false end
    if want == until_want then return true end
    run.want = want
    wants[want](self, run, how, phase)
  end
end

return M
