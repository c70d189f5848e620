--- change: restrict and release: look at the history, send, and find the action if its answer was lost.
--
-- Read from the bottom up, `change` is what happens: the device is resolved, its history is looked at (the core decides
-- what it means), one POST leaves, and the answer is judged. If the POST had to wait, what it rests on is read again
-- right before it leaves. If its answer is lost, the history is looked at again (reconcile.lua). Nothing but success is
-- truthy; an action of unknown fate is an error of kind `unknown`, never a guess.

local actions = require "mde.action.action"
local arguments = require "mde.action.arguments"
local caps = require "mde.action.cap"
local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local incidents = require "mde.action.incident"
local mutexes = require "mde.sync.mutex"
local posix = require "mde.posix"
local reconcile = require "mde.action.reconcile"
local wait = require "mde.action.wait"

local ACTION_SECONDS = 120
local PAGE_SECONDS = 300
-- A history that cannot be read in this time is not waited for: containing matters more.
local LOOK_SECONDS = 30
-- Of opposite actions by one call, and of one machine's actions by one client.
local MAX_CANCELS, MAX_REMEMBERED = 10, 16
-- How old the look and the machine's record may be when the POST leaves.
local LOOK_AGE_SECONDS, RECORD_AGE_SECONDS = 60, 300
local RECORD_SECONDS = 120

local verbs = {
  restrict = { path = "restrictCodeExecution", type = "RestrictCodeExecution" },
  release = { path = "unrestrictCodeExecution", type = "UnrestrictCodeExecution" },
}

local M = {}

---@class mde.Changes what is restricted and released by one client
---@field private center mde.ActionCenter
---@field private inventory mde.Inventory
---@field private exchange mde.Exchange
---@field private guard mde.Guard
---@field private cap mde.Cap
---@field private mutex mde.Mutex one change of a machine at a time
---@field private made table<string, table[]> for each machine the actions that this client made last
---@field private count integer of the changes so far
local Changes = {}
Changes.__index = Changes

---@param settings { center: mde.ActionCenter, inventory: mde.Inventory, guard: mde.Guard, cap: mde.Cap }
---@return mde.Changes
function M.new(settings)
  local exchange = settings.center.exchange
  return setmetatable({ center = settings.center, inventory = settings.inventory, exchange = exchange,
    guard = settings.guard, cap = settings.cap, mutex = mutexes.new(settings.center.driver, exchange.store), made = {},
    count = 0 }, Changes)
end

local function new_operation_id()
  local bytes, problem = posix.entropy.bytes(16)
  if not bytes then return nil, errors.new { kind = "unavailable", code = "no_entropy", message = problem } end
  return core.comment.operation(bytes)
end

--- Cancels a pending opposite action and reads until it is final. nil, error if that cannot be done.
local function clear_way(self, opposite, comment, context)
  local _, err = self.center:request_cancel(opposite.id, comment, context)
  -- Refused for having ended meanwhile, or of unknown fate: reading tells.
  if err and (err.kind == "permission" or err.kind == "auth" or err.kind == "throttled") then
    return nil, errors.wrap(err, { code = "opposite_not_cancelled", action = self.center:adopt(opposite),
      message = ("the opposite action %s could not be cancelled"):format(errors.show(opposite.id)) })
  end
  local ended, problem = wait.follow(self.center, opposite, context)
  if ended then return true end
  return nil, errors.new {
    kind = "conflict", code = "opposite_not_cancelled", action = self.center:adopt(opposite),
    message = ("the opposite action %s could not be cancelled in time%s"):format(errors.show(opposite.id),
      problem and ": " .. problem.message or err and ": " .. err.message or ""),
    hint = "It may still be carried out. Try again, or wait for its end.",
  }
end

local function conflict(self, verb, opposite)
  return errors.new {
    kind = "conflict", code = "opposite_pending", action = self.center:adopt(opposite),
    message = ("the opposite action %s (%s, created %s) is still %s"):format(errors.show(opposite.id),
      errors.show(opposite.type), errors.show(opposite.creationDateTimeUtc or "at an unknown time"),
      errors.show(opposite.status)),
    hint = verb == "restrict" and "Wait for its end, or give cancel_opposite = true to cancel it."
      or "Wait for its end, or leave cancel_opposite at true.",
  }
end

-- Who made or cancelled an action, when and why, as far as it says.
local function decided_by(row, is_cancelled)
  local who = is_cancelled and row.cancellationRequestor or row.requestor
  local why = is_cancelled and row.cancellationComment or row.requestorComment
  local words = {}
  if type(who) == "string" then words[#words + 1] = " by " .. errors.show(who) end
  if row.creationDateTimeUtc then words[#words + 1] = ", created " .. errors.show(row.creationDateTimeUtc) end
  if type(why) == "string" and why ~= "" then words[#words + 1] = ": " .. errors.quote(why) end
  return table.concat(words)
end

local overtaken = {
  key = { code = "key_overtaken", before = "this key was used before, and ",
    hint = "Somebody decided otherwise. If you still mean it, use another key." },
  lost = { code = "send_overtaken", before = "it was sent and its answer was lost, and ",
    hint = "Somebody decided otherwise. Nothing was sent again; if you still mean it, call it again." },
  waited = { code = "call_overtaken", before = "it was not carried out; meanwhile ",
    hint = "Somebody decided otherwise after this call had begun. If you still mean it, call it again." },
}

-- `when`: at which point somebody's newer decision was met.
local function superseded(self, newer, when)
  local is_cancelled = core.history.status(newer.status) == "cancelled"
  local became = is_cancelled and "its action %s (%s, %s) was cancelled%s" or "action %s (%s, %s) has overtaken it%s"
  return errors.new {
    kind = "superseded", code = overtaken[when].code, action = self.center:adopt(newer),
    message = overtaken[when].before .. became:format(errors.show(newer.id), errors.show(newer.type),
      errors.show(newer.status), decided_by(newer, is_cancelled)),
    hint = overtaken[when].hint,
  }
end

-- Until when to read before a send: never so long that no time is left to send. In the queue it may be for as long as
-- the send itself would be.
local function look_context(self, intent)
  local context = intent.context:within(ACTION_SECONDS)
  local patience = context:patience()
  local seconds = math.min(LOOK_SECONDS, patience / 2)
  return context:within(seconds, math.min(self.exchange:queue(intent.verb) + seconds, patience * 3 / 4))
end

-- What the first look had, by id and status: whatever else is there later came after the decision. A look that came
-- long after the call had begun may have seen what was decided meanwhile; there the time tells, as far as it can.
local function note_seen(self, intent, rows)
  if intent.seen then return end
  intent.seen = {}
  local exchange, last = self.exchange, math.huge
  if exchange.now() - intent.began > LOOK_AGE_SECONDS then
    last = exchange.clock:time(intent.began) + core.history.DOUBT_SECONDS
  end
  for _, row in ipairs(rows) do
    if (core.history.time(row.creationDateTimeUtc) or -math.huge) <= last then
      intent.seen[core.text.lower(row.id)] = row.status or ""
    end
  end
end

local function decide(self, intent, machine_id, rows)
  note_seen(self, intent, rows)
  for _, own in ipairs(self.made[machine_id] or {}) do
    if own.number < intent.number then intent.seen[own.id] = intent.seen[own.id] or own.status end
  end
  return core.history.look(rows, machine_id, { verb = intent.verb, incident = intent.incident, key = intent.key,
    cancel_opposite = intent.cancel_opposite, seen = intent.seen, latest = self.exchange.clock:latest() })
end

-- What the history says is to be done: the core's decision, the action it is about, whether that is recorded, and
-- the history. Within an `each` its listing is asked; but what stands in the way, and whether a key was used before,
-- is read by itself. nil, error if the history cannot be read.
local function consider(self, intent, machine_id, reads_alone)
  local context = look_context(self, intent)
  local listing = not reads_alone and not intent.key and intent.context.cache
  local rows, read_at
  if listing then
    rows, read_at = listing:rows(machine_id, context:within(context:left() / 2, context:patience() / 2))
  end
  if rows then
    self.center.recent:recall(machine_id, rows)
    local decision, row, recorded = decide(self, intent, machine_id, rows)
    if decision == "send" or decision == "already_active" then
      intent.looked_at = read_at
      return decision, row, recorded, rows
    end
  end
  local began = self.exchange.now()
  local whole, err = self.center:history(machine_id, context)
  if not whole then return nil, err end
  rows = whole
  local decision, row, recorded = decide(self, intent, machine_id, rows)
  intent.looked_at = began
  return decision, row, recorded, rows
end

-- Containing matters more than looking first, so a restrict is sent unseen. Not one under a key, which may have been
-- used before, nor a release, which may undo what somebody means to keep.
local function refuse_unseen(intent, err)
  if intent.verb == "restrict" and not intent.key then return nil end
  if err.kind == "auth" then return err end
  return errors.wrap(err, { kind = "unavailable", code = "history_unreadable",
    message = "nothing was sent, since the device's history could not be read",
    hint = ("Try again; %slook = false (--no-look) sends it unseen."):format(intent.key and "without a key, " or "") })
end

-- Counts it against the cap; nil, error if it is one too many.
local function take_slot(self, intent)
  if not intent.slot then return true end
  return self.cap:take(intent.slot, intent.context)
end

--- Looks first. Returns the action that makes a send needless, or nil and an error that forbids it, or
--- nothing at all if it is to be sent; and whether the history could be read. Notes in the intent of a release
--- whose hold it ends beside the own.
local function look(self, intent, machine_id)
  for n = 1, MAX_CANCELS do
    local began = self.exchange.now()
    local decision, row, recorded, rows = consider(self, intent, machine_id, n > 1)
    if not decision then
      intent.looked_at = began
      return nil, refuse_unseen(intent, row), false
    end
    if n == 1 and intent.verb == "release" then
      local others = incidents.other_holders(rows, machine_id, intent.incident, self.exchange.clock:latest())
      intent.also_ended = others[1] and others or nil
    end
    if decision == "already_active" then
      return self.center:adopt(row, { outcome = "already_active", recorded = recorded,
        also_ended = n > 1 and intent.also_ended or nil }), nil, true
    elseif decision == "conflict" then
      return nil, conflict(self, intent.verb, row), true
    elseif decision == "superseded" then
      return nil, superseded(self, row, "key"), true
    elseif decision == "overtaken" then
      return nil, superseded(self, row, "waited"), true
    elseif decision == "send" then
      return nil, nil, true
    end
    local free, full = take_slot(self, intent)
    if not free then return nil, full, true end
    local cleared, err = clear_way(self, row, intent.comment, intent.context:within(ACTION_SECONDS))
    if not cleared then return nil, err, true end
  end
  return nil, errors.new { kind = "conflict", code = "opposites_keep_appearing",
    message = ("opposite actions keep appearing; %d were cancelled"):format(MAX_CANCELS),
    hint = "Find out who else acts on this device." }, true
end

-- Whether the machine's record has to be judged first.
local function is_guarded(self, intent)
  return intent.verb == "restrict" and self.guard:judges(intent.allow)
end

-- Whether the guard lets it be restricted. Its record is read again if what is known of it is too old.
local function check_guard(self, intent, machine)
  if not is_guarded(self, intent) then return true end
  local record, err = self.inventory:fresh_record(machine, RECORD_AGE_SECONDS, intent.context:within(RECORD_SECONDS))
  if not record then return nil, self.guard:unjudged(err, intent.allow) end
  intent.record_at = record.read_at
  local refusal = self.guard:refusal(record, intent.allow)
  return not refusal, refusal
end

-- Reads the record again: a machine that was merged, or is protected by now, is left alone. nil, error then.
local function judge_again(self, intent, machine)
  if is_guarded(self, intent) then return check_guard(self, intent, machine) end
  local fresh, err = self.inventory:resolve(intent.machine_id, look_context(self, intent))
  if fresh then intent.record_at = self.exchange.now() end
  return fresh or err.kind ~= "not_found", err
end

-- nil, error if the time was up while another call had the machine.
local function lock(self, intent, patience)
  intent.lock = intent.lock or self.mutex:acquire(intent.machine_id, math.max(0, patience), intent.owner)
  if intent.lock then return true end
  return nil, errors.new { kind = "unavailable", code = "machine_busy",
    message = "another change of the same machine was still under way when the time was up; nothing was sent",
    hint = "Try again; mde.state(device) tells what was done." }
end

-- `note`: what a call that has found nothing to do leaves for those that wait.
local function unlock(intent, note)
  if not intent.lock then return end
  intent.lock:release(note)
  intent.lock = false
end

local function copy(row)
  return { id = row.id, type = row.type, status = row.status, machineId = row.machineId, requestor = row.requestor,
    creationDateTimeUtc = row.creationDateTimeUtc }
end

-- What a call that found the machine to be so already leaves for those that wait: it has decided later than they.
local function note_of(intent, row)
  return { verb = intent.verb, began = intent.began, number = intent.number, row = copy(row) }
end

-- The error if a call for the opposite that began later has found the machine to be so already.
local function decided_meanwhile(self, intent)
  local note = intent.lock:note()
  if not note or note.verb == intent.verb then return nil end
  if note.began < intent.began or note.began == intent.began and note.number < intent.number then return nil end
  return errors.new { kind = "superseded", code = overtaken.waited.code, action = self.center:adopt(copy(note.row)),
    message = ("it was not carried out; meanwhile %s was called for the device and found nothing to do, since "
      .. "action %s (%s, %s) holds"):format(note.verb, errors.show(note.row.id), errors.show(note.row.type),
      errors.show(note.row.status)),
    hint = overtaken.waited.hint }
end

-- A function that is asked right before the POST leaves. If the record or the look have become too old while it
-- waited, or another call has changed the machine, they are read again; `look_again` returns whether it still is to be
-- sent. What stands against it is put into `stopped`.
local function confirmation(self, intent, machine, context, stopped, look_again)
  local function is_older(time, seconds)
    return time ~= nil and self.exchange.now() - time > seconds
  end
  return function()
    local is_new = not intent.lock
    if is_new then
      stopped.err = select(2, lock(self, intent, context:left())) or decided_meanwhile(self, intent)
      if stopped.err then return false end
    end
    if is_older(intent.record_at, RECORD_AGE_SECONDS) then
      local allowed, refusal = judge_again(self, intent, machine)
      if not allowed then
        stopped.err = refusal
        return false
      end
    end
    local looked_at = intent.looked_at
    local is_stale = is_older(looked_at, LOOK_AGE_SECONDS)
      or is_new and looked_at and intent.lock:was_taken_since(looked_at)
    return not is_stale or look_again()
  end
end

-- Calls of this client that began later have decided knowing of this action.
local function remember(self, intent, row)
  local own = self.made[intent.machine_id] or {}
  self.made[intent.machine_id] = own
  own[#own + 1] = { number = intent.number, id = core.text.lower(row.id), status = row.status or "" }
  if #own > MAX_REMEMBERED then table.remove(own, 1) end
end

local function unknown(err, intent, machine_id, sent_at)
  if intent.context.cache then intent.context.cache:doubt(machine_id) end
  err.kind, err.verb, err.operation_id = "unknown", intent.verb, intent.operation_id
  err.machine_id, err.sent_at = machine_id, sent_at
  return err
end

local function is_recorded(action, intent)
  return intent.incident == nil
    or action.incident ~= nil and core.text.lower(action.incident) == core.text.lower(intent.incident)
end

-- The send, as the core asks for it.
local function sent_of(intent, sent_at)
  return { verb = intent.verb, operation_id = intent.operation_id, key = intent.key, comment = intent.comment,
    seen = intent.seen, sent_at = sent_at }
end

-- What the answer to the POST says: an action, or nil and an error, of kind `unknown` if it says nothing that helps.
local function judge_answer(self, intent, machine_id, row, info, sent_at)
  local reply = core.history.reply(row, machine_id, sent_of(intent, sent_at))
  if reply == "foreign" then
    if info.response.discard then info.response.discard() end
    return nil, errors.new { kind = "unknown", code = "answer_of_another",
      message = ("it was sent, but the answer is about another action (%s of machine %s, %s)"):format(
        errors.show(row.type), errors.show(row.machineId or "none"), errors.show(row.status)),
      hint = "Do not repeat it blindly: mde.find_action(err) asks the service again." }
  end
  row.machineId = row.machineId or machine_id
  self.center.note(row, intent.context)
  self.center.recent:announce(machine_id, row)
  if reply ~= "already_active" then remember(self, intent, row) end
  local action = self.center:adopt(row, { attempts = info.attempts })
  if reply == "already_active" then
    action.outcome, action.recorded = "already_active", is_recorded(action, intent)
  else
    action.outcome = "accepted"
    action.operation_id, action.incident = intent.operation_id, intent.incident
    action.comment_cut = reply == "cut" or nil
  end
  return action
end

-- What an action that was found in the list is to the caller who lost the answer.
local function found(self, intent, decision, row, attempts)
  -- The list was asked for this machine; a fresh action may not say yet whose it is.
  row.machineId = row.machineId or intent.machine_id
  self.center.note(row, intent.context)
  if decision == "superseded" then return nil, superseded(self, row, "lost") end
  self.center.recent:announce(intent.machine_id, row)
  if decision ~= "active" then remember(self, intent, row) end
  local action = self.center:adopt(row, { attempts = attempts, reconciled = true })
  if decision == "active" then
    action.outcome, action.recorded = "already_active", is_recorded(action, intent)
    return action
  end
  action.comment_cut = action.operation_id ~= intent.operation_id or nil
  action.outcome, action.operation_id, action.incident = "accepted", intent.operation_id, intent.incident
  return action
end

-- The service says that such an action is active already: find it. It may be ours, sent before.
local function find_active(self, intent, machine_id, refusal, sent_at, attempts)
  local rows = self.center:history(machine_id, intent.context:within(LOOK_SECONDS))
  if rows then
    local whose, own = core.history.reconcile(rows, machine_id, sent_of(intent, sent_at))
    if whose == "ours" then return found(self, intent, whose, own, attempts) end
    local decision, row, recorded = core.history.look(rows, machine_id,
      { verb = intent.verb, incident = intent.incident })
    -- The opposite may be pending besides: it is not what the service has found active.
    if decision == "conflict" and whose == "active" then
      self.center:adopt(own, { outcome = "already_active" })
      own.recorded = is_recorded(own, intent)
      return own
    elseif decision == "already_active" then
      return self.center:adopt(row, { outcome = "already_active", recorded = recorded })
    elseif decision == "conflict" then
      return nil, conflict(self, intent.verb, row)
    end
  end
  refusal.hint = (rows and "The device's list of actions does not show it"
    or "The device's list of actions could not be read") .. ". Try again in a minute."
  return nil, refusal
end

-- Sends the POST, once, and judges the answer. Nothing is returned if `before_send` has stopped it.
local function post(self, intent, machine_id, context, before_send)
  local exchange = self.exchange
  -- An hour in the queue holds up no other call for the machine, a release of it least of all.
  if exchange:queue(intent.verb) > 0 then unlock(intent) end
  local row, err, info = exchange:call {
    method = "POST", path = ("/machines/%s/%s"):format(core.odata.encode(machine_id), verbs[intent.verb].path),
    kind = "action", api = intent.verb, permission = actions.PERMISSION, context = context,
    body = { Comment = intent.comment }, usable = actions.is_action, before_send = before_send,
  }
  if intent.slot then self.cap:settle(intent.slot, info) end
  local sent_at = info.sent and exchange.clock:time(info.sent)
  local action
  if row then
    action, err = judge_answer(self, intent, machine_id, row, info, sent_at)
  elseif info.verdict == "active" and err then
    action, err = find_active(self, intent, machine_id, err, sent_at, info.attempts)
  end
  return action, err, sent_at, info
end

-- Reads the machine's actions now: in an `each` by one list for all who ask at the same time.
local function list_reader(self, intent, machine_id)
  local listing = intent.context.cache
  return function(context)
    local rows, absent
    local began = self.exchange.now()
    if listing then rows, absent = listing:rows_now(machine_id, context) end
    local err
    if not rows then rows, err, absent = self.center:history(machine_id, context) end
    if rows then intent.looked_at = began end
    return rows, err, absent
  end
end

local is_told = { ours = true, active = true, superseded = true }

-- It was sent, and its fate is not known: looks, and sends it once more, with the same id, if it is certain
-- enough that nothing came of it.
local function find_out(self, intent, machine, context, err, sent_at, attempts)
  local machine_id, list = intent.machine_id, list_reader(self, intent, intent.machine_id)
  local lost = sent_of(intent, sent_at)
  lost.machine_id, lost.context = machine_id, context
  local function follow_opposite(row, ends) return wait.follow(self.center, row, ends) end
  for round = 1, 2 do
    local decision, row = reconcile.find_out(self.exchange, lost, list, follow_opposite)
    if decision == "nothing" and intent.context.cache and round == 1 and intent.resend then
      -- A list of all machines may not show what a list of this one does.
      decision, row = reconcile.look(self.exchange, lost, function(ends)
        return self.center:history(machine_id, ends)
      end)
    end
    if is_told[decision] then return found(self, intent, decision, row, attempts) end
    if decision == "opposite" then row, decision = conflict(self, intent.verb, row), nil end
    if not decision then
      err.message = ("%s; its list of actions does not tell either: %s"):format(err.message, row.message)
      break
    end
    if round == 2 or not intent.resend then
      err.message = err.message .. "; its list of actions does not show it"
      break
    end
    local stopped = {}
    local action, problem, sent_again_at, info = post(self, intent, machine_id, context,
      confirmation(self, intent, machine, context, stopped, function()
        stopped.decision, stopped.row = reconcile.look(self.exchange, lost, list)
        return stopped.decision == "nothing"
      end))
    attempts = attempts + info.attempts
    if action then
      action.attempts = attempts
      return action
    elseif is_told[stopped.decision] then
      return found(self, intent, stopped.decision, stopped.row, attempts)
    end
    -- That one is active already says that the first arrived: it is looked for again.
    local is_active = info.verdict == "active"
    problem = problem or stopped.err or stopped.decision == "opposite" and conflict(self, intent.verb, stopped.row)
      or stopped.row
    if problem.kind ~= "unknown" and not is_active then
      -- Nothing of it went this time, or it was refused: then the first is what is not known.
      local how = info.attempts > 0 and "sent again, it ended with" or "it was not sent again"
      err.message = ("%s; %s: %s"):format(err.message, how, problem.message)
      break
    elseif not is_active then
      err, lost.sent_at = problem, math.min(sent_at, sent_again_at)
    end
  end
  return nil, unknown(err, intent, machine_id, sent_at)
end

--- Sends, and looks for the action if its answer was lost.
local function send(self, intent, machine)
  local context, stopped = intent.context:within(ACTION_SECONDS), {}
  local action, err, sent_at, info = post(self, intent, intent.machine_id, context,
    confirmation(self, intent, machine, context, stopped, function()
      stopped.action, stopped.err, intent.looked = look(self, intent, intent.machine_id)
      return not (stopped.action or stopped.err)
    end))
  if stopped.action or stopped.err then return stopped.action, stopped.err end
  if action or err.kind ~= "unknown" then return action, err end
  return find_out(self, intent, machine, context, err, sent_at, info.attempts)
end

-- Which machine: its record, or its id alone. A machine id is read too, so that a merged or unknown one is not
-- acted on, but if it cannot be read for another reason it is a name that needs no resolving.
local function resolve(self, intent, device)
  local kind, canonical = devices.check(device)
  local read_by_guard = is_guarded(self, intent)
  if kind == "machine_id" and (read_by_guard or not intent.look_first) then return { id = canonical } end
  local by_id = kind == "machine_id" or kind == "machine"
  local machine, err = self.inventory:resolve(device,
    by_id and look_context(self, intent) or intent.context:within(PAGE_SECONDS))
  if machine then
    local record = self.inventory:record_of(machine)
    intent.record_at = record and record.read_at or self.exchange.now()
    return machine
  end
  if by_id and err.kind ~= "not_found" then return { id = canonical } end
  return nil, err
end

-- Looks, and sends, when no other call is at this machine.
local function look_and_send(self, intent, machine)
  local patience = intent.context:within(ACTION_SECONDS + self.exchange:queue(intent.verb)):left()
  local locked, problem = lock(self, intent, patience)
  if not locked then return nil, problem end
  intent.looked = false
  if intent.look_first then
    local active, refusal
    active, refusal, intent.looked = look(self, intent, intent.machine_id)
    if (active or refusal) and intent.slot then caps.give_back(intent.slot) end
    if refusal then return nil, refusal end
    if active then
      active.looked = true
      unlock(intent, note_of(intent, active))
      return active
    end
  end
  local free, full = take_slot(self, intent)
  if not free then return nil, full end
  local action, err = send(self, intent, machine)
  if action then action.looked = intent.looked end
  if action and action.outcome == "accepted" then action.also_ended = intent.also_ended end
  return action, err
end

local function ended(intent, ok, ...)
  unlock(intent)
  if not ok then error((...), 0) end
  return ...
end

local function change(self, intent, device)
  local machine, err = resolve(self, intent, device)
  if not machine then return nil, err end
  -- Taken now: another task may write into the table while its record is read.
  local machine_id = core.text.lower(machine.id)
  local allowed, refusal = check_guard(self, intent, machine)
  if not allowed then return nil, refusal end
  intent.machine_id = machine_id
  return ended(intent, pcall(look_and_send, self, intent, { id = machine_id }))
end

--- Restricts or releases a device. Raises for a wrong argument.
---@param verb "restrict"|"release"
---@param device mde.Device
---@param comment string
---@param options mde.ChangeOptions checked against arguments.known_options
---@param context mde.Context
---@return mde.Action? action
---@return mde.Error? err
function Changes:make(verb, device, comment, options, context)
  devices.check(device)
  local owner, err = new_operation_id()
  if not owner then return nil, err end
  local intent = arguments.read(verb, comment, options, owner)
  self.count = self.count + 1
  intent.slot = verb == "restrict" and caps.slot(intent.operation_id, intent.allow.cap) or nil
  intent.context, intent.began, intent.number, intent.owner = context, self.exchange.now(), self.count, owner
  -- A place for it: once a lock is had, it must not be lost for want of memory.
  intent.lock = false
  local action, problem = self.exchange.single_flight:run_detached(context, change, self, intent, device)
  if problem and problem.kind == "unknown" and not problem.operation_id then
    problem.operation_id, problem.verb, problem.machine_id = intent.operation_id, verb, intent.machine_id
  end
  if not action then return nil, errors.about(problem, ("%s %s"):format(verb, devices.shown(device))) end
  return action
end

return M
