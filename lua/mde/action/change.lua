--- change: restricts or releases a device, isolates it, scans it: whatever makes an action (response.lua).
--
-- Read from the bottom up: what the caller wants becomes an order, the device is resolved, its guard is asked, one call
-- at a time has the machine, and what the core's change wants is carried out (change/executor.lua). What that came to,
-- change/result.lua says. Nothing but success is truthy; an action of unknown fate is an error of kind `unknown`,
-- never a guess.

local arguments = require "mde.action.change.arguments"
local audit = require "mde.audit.change"
local caps = require "mde.action.cap"
local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local executor = require "mde.action.change.executor"
local incidents = require "mde.action.incident"
local mutexes = require "mde.sync.mutex"
local posix = require "mde.posix"
local responses = require "mde.action.response"
local results = require "mde.action.change.result"

local ACTION_SECONDS = 120
local PAGE_SECONDS = 300
-- How old a machine's record may be when the POST leaves, and how long reading it may take.
local RECORD_AGE_SECONDS, RECORD_SECONDS = 300, 120
-- So much of the time of a restriction that ends may pass before it leaves, or a tenth of it; so much is left at least
-- of one that is sent once more; and so long a queue is reckoned with.
local MAX_LOST_SECONDS, MIN_HOLD_SECONDS, MAX_QUEUE_SECONDS = 60, 300, 3600
-- One machine's actions that one client made.
local MAX_REMEMBERED = 16

local M = {}

---@alias mde.ChangeDeed fun(): mde.Action?, mde.Error?

---@class mde.ChangeSession what a run decides of the changes of its client (run/session.lua); the center has it
---@field meant fun(self, verb: string, device: mde.Device): mde.Device?, mde.Error? the device in the place of this
--- one, since in one run a name means one machine; or why nothing new is begun
---@field unresolved fun(self, intent: table, device: mde.Device, err: mde.Error) it means no machine
---@field carry_out fun(self, intent: table, machine: table, deed: mde.ChangeDeed): mde.Action?, mde.Error? calls
--- the deed, or returns what the run knows already
---@field compare fun(self, intent: table, record: mde.Record): mde.Error? why it is not the device that was shown
---@field leaving fun(self, intent: table): true?, mde.Error? right before it leaves: it is written down, or stays
---@field other fun(self, what: string, subject: any, detail: string?): boolean told of any other change; true: it is
--- not carried out
---@field ended fun(self, row: table) told of each action that is final
---@field changed fun(self, change: mde.ChangeEvent) told of a cancellation

---@class mde.Changes what one client makes of actions
---@field private center mde.ActionCenter
---@field private inventory mde.Inventory
---@field private exchange mde.Exchange
---@field private guard mde.Guard
---@field private caps mde.Caps
---@field private mutex mde.Mutex one change of a machine at a time
---@field private made table<string, table[]> for each machine the actions that this client made last
---@field private count integer of the changes so far
local Changes = {}
Changes.__index = Changes

---@param settings { center: mde.ActionCenter, inventory: mde.Inventory, guard: mde.Guard, caps: mde.Caps }
---@return mde.Changes
function M.new(settings)
  local exchange = settings.center.exchange
  return setmetatable({ center = settings.center, inventory = settings.inventory, exchange = exchange,
    guard = settings.guard, caps = settings.caps, mutex = mutexes.new(settings.center.driver, exchange.store),
    made = {}, count = 0 }, Changes)
end

local function new_operation_id()
  local bytes, problem = posix.entropy.bytes(16)
  if not bytes then return nil, errors.new { kind = "unavailable", code = "no_entropy", message = problem } end
  return core.comment.operation(bytes)
end

-- Whether the machine's record has to be judged first.
local function is_guarded(self, intent)
  local response = core.response_actions[intent.verb]
  return response.is_unmanaged
    or response.holds and (self.center.session ~= nil or self.guard:judges(intent.allow))
end

-- The error if the response is for devices that are not onboarded, and this one is. What is not onboarded by its record
-- may be by now; of that the service decides.
local function onboarded(intent, record)
  if not core.response_actions[intent.verb].is_unmanaged or core.device.standing(record) == "not_onboarded" then
    return nil
  end
  return errors.new { kind = "refused", code = "onboarded", machine_id = intent.machine_id,
    message = ("nothing was sent, since the machine is onboarded, and %s is for devices that are not"):format(
      intent.verb), hint = "mde.isolate (mde isolate) cuts an onboarded device off." }
end

-- Whether the guard lets it be cut off. Its record is read again if what is known of it is too old.
local function check_guard(self, intent, machine)
  if not is_guarded(self, intent) then return true end
  local record, err = self.inventory:fresh_record(machine, RECORD_AGE_SECONDS, intent.context:within(RECORD_SECONDS))
  local holds = core.response_actions[intent.verb].holds
  if not record and not holds and err.kind ~= "not_found" then return true end
  if not record then return nil, holds and self.guard:unjudged(err, intent.verb, intent.allow) or err end
  intent.record_at = record.read_at
  intent.computerDnsName = intent.computerDnsName or record.computerDnsName
  local session = self.center.session
  local refusal = onboarded(intent, record) or holds and (session and session:compare(intent, record)
    or self.guard:refusal(record, intent.verb, intent.allow)) or nil
  return not refusal, refusal
end

-- Reads the record again: a machine that was merged, or is protected by now, is left alone. nil, error then.
local function judge_again(self, intent, machine)
  if is_guarded(self, intent) then return check_guard(self, intent, machine) end
  local fresh, err = self.inventory:resolve(intent.machine_id, executor.look_context(self.exchange, intent))
  if fresh then intent.record_at = self.inventory:record_of(fresh).read_at end
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

-- A device as it was named.
local function named(device)
  if type(device) == "table" and type(device.id) == "string" then return device.computerDnsName or device.id end
  return tostring(device)
end

local function copy(row)
  return { id = row.id, type = row.type, status = row.status, machineId = row.machineId, requestor = row.requestor,
    requestorComment = row.requestorComment, creationDateTimeUtc = row.creationDateTimeUtc }
end

-- What a call that found the machine to be so already leaves for those that wait: it has decided later than they. A
-- machine has one note, of which restrict and release have the top, where older versions look for it, and each other
-- group a place of its own.
local function note_of(intent, row)
  local group, note = responses.group(intent.verb).name, { verb = "", began = -1e300, number = 0, others = {} }
  for name, value in pairs(intent.lock:note() or {}) do note[name] = value end
  local own = { verb = intent.verb, began = intent.began, number = intent.number, row = copy(row) }
  local others = {}
  for name, value in pairs(note.others or {}) do others[name] = value end
  note.others = others
  if group ~= "restrict" then
    others[group] = own
  else
    for name, value in pairs(own) do note[name] = value end
  end
  return note
end

-- The part of the note that calls of this verb look at.
local function note_for(intent)
  local note, group = intent.lock:note(), responses.group(intent.verb).name
  if not note or group == "restrict" then return note end
  return (note.others or {})[group]
end

-- The error if a call for the opposite that began later has found the machine to be so already.
local function decided_meanwhile(self, intent)
  local note = note_for(intent)
  if not note or note.verb ~= core.response_actions[intent.verb].opposite then return nil end
  if note.began < intent.began or note.began == intent.began and note.number < intent.number then return nil end
  return errors.new { kind = "superseded", code = "call_overtaken", action = self.center:adopt(copy(note.row)),
    message = ("it was not carried out; meanwhile %s was called for the device and found nothing to do, since this "
      .. "holds: action %s (%s, %s)%s"):format(note.verb, errors.show(note.row.id), errors.show(note.row.type),
      errors.show(note.row.status), results.decided_by(note.row)),
    hint = results.DECIDED_HINT }
end

-- Calls of this client that began later have decided knowing of this action.
local function remember(self, intent, row)
  local own = self.made[intent.machine_id] or {}
  self.made[intent.machine_id] = own
  own[#own + 1] = { number = intent.number, id = core.text.lower(row.id), status = row.status or "" }
  if #own > MAX_REMEMBERED then table.remove(own, 1) end
end

-- Which machine: its record, or its id alone. A machine id is read too, so that a merged or unknown one is not
-- acted on, but if it cannot be read for another reason it is a name that needs no resolving.
local function resolve(self, intent, device)
  local kind, canonical = intent.kind, intent.canonical
  local read_by_guard = is_guarded(self, intent)
  if kind == "machine_id" and (read_by_guard or not intent.look) then return { id = canonical } end
  local by_id = kind == "machine_id" or kind == "machine"
  local machine, err = self.inventory:resolve(device,
    by_id and executor.look_context(self.exchange, intent) or intent.context:within(PAGE_SECONDS), RECORD_AGE_SECONDS)
  if machine then
    local record = self.inventory:record_of(machine)
    intent.record_at = record and record.read_at or self.exchange.now()
    return machine
  end
  if by_id and err.kind ~= "not_found" then return { id = canonical } end
  -- Of devices that are not onboarded, too, a name means one record or none.
  local is_meant = core.response_actions[intent.verb].is_unmanaged and err.code == "not_onboarded"
    and #err.candidates == 1
  if not is_meant then return nil, err end
  return err.candidates[1]
end

-- What executor.lua asks of an intent that it carries out.
local Intent = {}
Intent.__index = Intent

-- Right before it leaves: whether it still may, or why not; and whether others may have changed the machine since it
-- was looked at.
function Intent:confirm(context)
  local changes, is_new = self.changes, not self.lock
  if is_new then
    local err = select(2, lock(changes, self, context:left())) or decided_meanwhile(changes, self)
    if err then return false, err end
  end
  if self.record_at and changes.exchange.now() - self.record_at > RECORD_AGE_SECONDS then
    local allowed, refusal = judge_again(changes, self, { id = self.machine_id })
    if not allowed then return false, refusal end
  end
  return true, nil, is_new and self.looked_at ~= nil and self.lock:was_taken_since(self.looked_at)
end

-- An hour in the queue holds up no other call for the machine, a release of it least of all.
function Intent:queued()
  if self.changes.exchange:queue(responses.api(self.verb)) > 0 then unlock(self) end
end

-- What this client did by calls that began earlier, also while this one waits.
function Intent:know()
  local made = self.changes.made[self.machine_id]
  if not made then return end
  for _, own in ipairs(made) do
    if own.number < self.number then self.change:see(own.id, own.status) end
  end
end

-- The error if its turn came so late that the device would be released sooner than is wanted.
local function ends_too_soon(intent)
  local expires_at = core.comment.expiry(intent.operation_id)
  if not expires_at then return nil end
  local wanted = MIN_HOLD_SECONDS
  if intent.hold_seconds and not intent.sent_before then
    wanted = intent.hold_seconds - math.max(MAX_LOST_SECONDS, intent.hold_seconds / 10)
  end
  if expires_at - intent.changes.exchange.clock:time() >= wanted then return nil end
  return errors.new { kind = "unavailable", code = "end_too_near",
    message = ("nothing was sent, since its turn came so late that it would hold until %s alone"):format(
      core.timestamp.whole(expires_at)),
    hint = "Call it again; its time is counted from then." }
end

-- Right before the bytes leave. A run writes it down first.
function Intent:leaving()
  local err = ends_too_soon(self)
  if err then return nil, err end
  local session = self.changes.center.session
  if not session then return true end
  return session:leaving(self)
end

-- Who else holds it restricted, or that nothing does: what a release ends, as long as nothing was cancelled for it, and
-- what a restriction that records an incident adds to, if the device is certainly restricted.
function Intent:holders(rows)
  local holder, latest = responses.holder(self.verb), self.changes.exchange.clock:latest()
  if not holder then return end
  local is_release = holder ~= self.verb
  local state = core.history.state(rows, self.machine_id, latest, holder)
  self.not_held = is_release and state == "none" or nil
  -- What holds it is what the claim covers.
  if self.operations or self.expired then return end
  if is_release and self.has_cancelled or not is_release and not self.incident then return end
  local is_held = is_release or state == core.response_actions[holder].state
  local others = is_held and incidents.other_holders(rows, self.machine_id, self.incident, latest, holder) or {}
  self[is_release and "also_ended" or "also_held"] = others[1] and others or nil
end

-- That the service was asked to cancel the opposite action for it.
function Intent:cancelling(opposite, row, err)
  self.changes.center:tell_result({ verb = "cancel", machine_id = self.machine_id,
    computerDnsName = self.computerDnsName, device = self.device, action_id = opposite.id, incident = self.incident,
    comment = self.comment }, row, err)
end

-- What is told to those who ask next: in this client, in others that share the store, in the same `each`.
local function announce(self, intent, result)
  local row = intent.row
  if result.fate == "unknown" then self.center:doubt(intent.machine_id, intent.verb) end
  if result.sends == 0 or not row then return end
  -- The list was asked for this machine; a fresh action may not say yet whose it is.
  row.machineId = row.machineId or intent.machine_id
  if result.fate == "superseded" then self.center:note(row) end
  if not (intent.answered or result.reconciled) then return end
  self.center.cache:announce(intent.machine_id, row)
  if result.fate == "accepted" then remember(self, intent, row) end
end

local function conclude(self, intent)
  local result = intent.change:result()
  announce(self, intent, result)
  if intent.slot and result.slot == "return" then caps.give_back(intent.slot) end
  if result.fate == "would_send" and intent.slot then
    local allowed, err = intent.cap:check(intent.slot, intent.context)
    if not allowed then return nil, err end
  end
  local report = { run = intent, result = result, center = self.center }
  if result.fate ~= "accepted" and result.fate ~= "already_active" and result.fate ~= "would_send" then
    return nil, results.error(report)
  end
  local action = results.action(report)
  if result.fate ~= "already_active" or intent.has_cancelled then action.also_ended = intent.also_ended end
  if result.fate ~= "already_active" then action.also_held = intent.also_held end
  if result.fate == "already_active" and result.sends == 0 and not intent.dry_run
    and core.response_actions[intent.verb].opposite then
    unlock(intent, note_of(intent, action))
  end
  return action
end

-- The change from its beginning; or, of a send whose answer another process did not hear, with finding out its outcome.
local function begin(intent)
  local sent = intent.sent_before
  if not sent then
    intent.change = core.change.new(intent, intent.began)
    return
  end
  intent.change = core.change.lost(intent, sent, intent.began)
  for _, own in ipairs(sent.seen) do intent.change:see(own.id, own.status) end
  intent.sending, intent.sent_at, intent.attempts = intent.context:within(ACTION_SECONDS), sent.sent_at, sent.attempts
  intent.lost = errors.new { kind = "unknown", code = "answer_unrecorded",
    message = "it was sent before, by a run that ended before the answer was written down",
    hint = "Do not repeat it blindly: mde.find_action(err) asks the service again." }
end

-- The end of a restriction is counted from when it leaves, as far as that is known when its turn has come. It must not
-- rest on one clock alone. What an earlier session has sent keeps its end.
local function set_end(self, intent)
  if not intent.hold_seconds or intent.sent_before then return true end
  local settled, err = self.exchange:settle_clock(intent.context:within(ACTION_SECONDS))
  if not settled then return nil, err end
  local wait = math.min(self.exchange:queue(responses.api(intent.verb)), MAX_QUEUE_SECONDS)
  arguments.set_end(intent, self.exchange.clock:time() + wait + intent.hold_seconds)
  return true
end

-- When no other call is at this machine.
local function look_and_send(self, intent)
  local patience = ACTION_SECONDS + self.exchange:queue(responses.api(intent.verb))
  local locked, problem = lock(self, intent, math.min(intent.context:left(), patience))
  if not locked then return nil, problem end
  locked, problem = set_end(self, intent)
  if not locked then return nil, problem end
  intent.cap = self.caps:of(intent.verb, intent.subject)
  intent.slot = intent.cap and intent.cap:slot(intent.operation_id, intent.allow.cap) or nil
  begin(intent)
  executor.execute(self, intent)
  return conclude(self, intent)
end

local function ended(self, intent, ok, ...)
  unlock(intent)
  if ok then return ... end
  -- It may have been raised in the midst of a send. Where there is no memory to note even that, what was raised counts.
  pcall(self.center.doubt, self.center, intent.machine_id, intent.verb)
  error((...), 0)
end

-- The guard is asked, and then it is looked at and sent.
local function carry_out(self, intent, machine)
  local allowed, refusal = check_guard(self, intent, machine)
  if not allowed then return nil, refusal end
  return ended(self, intent, pcall(look_and_send, self, intent))
end

-- Without a run, which writes it down and tells it itself.
local function tell(self, intent, action, err)
  if not self.center.session and not intent.dry_run then self.center:tell_result(intent, action, err) end
  return action, err
end

local function change(self, intent, device)
  local session = self.center.session
  local machine, err = resolve(self, intent, device)
  if not machine then
    if session then session:unresolved(intent, device, err) end
    return tell(self, intent, nil, err)
  end
  -- Taken now: another task may write into the table while its record is read.
  intent.machine_id, intent.computerDnsName = core.text.lower(machine.id), machine.computerDnsName
  intent.device = self.center:is_heard() and audit.device(machine) or nil
  if not session then return tell(self, intent, carry_out(self, intent, machine)) end
  return session:carry_out(intent, machine, function() return carry_out(self, intent, machine) end)
end

-- Stops where it would be sent once more.
local function look_only(self, intent)
  local locked, problem = lock(self, intent, intent.context:left())
  if not locked then return nil, problem end
  begin(intent)
  if executor.execute(self, intent, "send") then return nil, nil, true end
  return conclude(self, intent)
end

---@class mde.SentBefore what is known of a send whose answer was not heard
---@field verb string
---@field subject? string the scope or the file's SHA-1
---@field machine_id string
---@field comment string the whole of it
---@field operation_id string
---@field incident? string
---@field keyed boolean
---@field sent_at? number when it left first, Unix seconds by the service's time
---@field sends integer how often it left, as far as another send depends on that
---@field attempts integer how often it left in all
---@field looked boolean whether the device's history had been read before
---@field seen { id: string, status: string }[] the actions of the device that were known before it left

--- Finds out what came of a send of a process that has ended before it heard the answer. Nothing is sent.
---@param sent mde.SentBefore
---@param context mde.Context
---@return mde.Action? action
---@return mde.Error? err
---@return boolean? absent the device's list was read twice and does not show it
function Changes:find_out(sent, context)
  local owner, err = new_operation_id()
  if not owner then return nil, err end
  self.count = self.count + 1
  local intent = setmetatable({ verb = sent.verb, machine_id = sent.machine_id, comment = sent.comment,
    operation_id = sent.operation_id, incident = sent.incident, keyed = sent.keyed, look = true, resend = true,
    subject = sent.subject, members = {}, cancel_opposite = false, dry_run = false, allow = {}, sent_before = sent,
    context = context, changes = self,
    began = self.exchange.now(), number = self.count, owner = owner, attempts = 0, lock = false }, Intent)
  return ended(self, intent, pcall(look_only, self, intent))
end

--- Tells that a device is left as it is without a call for it.
---@param verb string
---@param device mde.Device
---@param comment string
---@param options mde.ChangeOptions checked before: its incident, and its scope or file
---@param action? mde.Action by which it is so already
---@param err? mde.Error or else why it is left
function Changes:tell_left(verb, device, comment, options, action, err)
  local machine = type(device) == "table" and type(device.id) == "string" and device or {}
  local _, subject = responses.body(verb, options)
  self.center:tell_result({ verb = verb, subject = subject, asked = named(device), incident = options.incident,
    comment = comment, machine_id = machine.id and core.text.lower(machine.id),
    computerDnsName = machine.computerDnsName, device = audit.device(machine) }, action, err)
end

--- Makes an action of a device. Raises for a wrong argument.
---@param verb string a name of response.verbs
---@param device mde.Device
---@param comment string
---@param options mde.ChangeOptions checked against arguments.known_options(verb)
---@param context mde.Context
---@return mde.Action? action
---@return mde.Error? err
function Changes:make(verb, device, comment, options, context)
  local kind, canonical = devices.check(device)
  local session, called, asked = self.center.session, device, named(device)
  if session then
    local meant, why = session:meant(verb, device)
    if not meant then return nil, errors.about(why, ("%s %s"):format(verb, devices.shown(called))) end
    device, kind, canonical = meant, devices.check(meant)
  end
  local owner, err = new_operation_id()
  if not owner then return nil, err end
  local intent = setmetatable(arguments.read(verb, comment, options, owner, self.exchange.clock:time()), Intent)
  self.count = self.count + 1
  intent.context, intent.began, intent.number, intent.owner = context, self.exchange.now(), self.count, owner
  intent.changes, intent.attempts, intent.kind, intent.canonical = self, 0, kind, canonical
  intent.asked, intent.caller = asked, coroutine.running()
  -- A place for it: once a lock is had, it must not be lost for want of memory.
  intent.lock = false
  local action, problem = self.exchange.single_flight:run_detached(context, change, self, intent, device)
  if problem and problem.kind == "unknown" and not problem.operation_id then
    problem.operation_id, problem.verb, problem.machine_id = intent.operation_id, verb, intent.machine_id
  end
  if not action then return nil, errors.about(problem, ("%s %s"):format(verb, devices.shown(called))) end
  return action
end

return M
