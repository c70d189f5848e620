--- session: one session of a run: which changes are carried out, and what is written down of them.
--
-- What a playbook calls is compared with what was recorded, with the plan and with what the device is now. It waits for
-- its wave, and is written down right before it leaves and when it has ended (mde.journal). If that cannot be written,
-- nothing leaves any more. A stop lets what is in flight end.

local audits = require "mde.run.audit"
local besides = require "mde.run.beside"
local changes = require "mde.audit.change"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local devices = require "mde.device.device"
local drifts = require "mde.run.drift"
local errors = require "mde.base.error"
local lefts = require "mde.run.left"
local places = require "mde.run.place"
local posix = require "mde.posix"
local recalls = require "mde.run.recall"
local shell_word = require "mde.base.shell_word"
local steps_of = require "mde.run.steps"
local stops = require "mde.run.stop"

local M = {}

---@class mde.RunStop why a session begins nothing new
---@field rule string unknown_in_a_row, gate, asked, journal, ...
---@field message string in words
---@field state "paused"|"stopped" what the run is then
---@field retry_at? number Unix seconds
---@field err? mde.Error what ended it at once

---@class mde.RunEvent what a session tells while it runs
---@field event "sending"|"ended"|"replayed"|"gate"|"wave"|"stop"|"drift"|"unwritten"
---@field machine_id? string
---@field computerDnsName? string
---@field verb? string
---@field asked? string the device as it is called, in quotes
---@field outcome? string
---@field err? mde.Error
---@field stop? mde.RunStop
---@field words? string of a drift: what is otherwise than the plan showed
---@field unwritten? table what the record does not have, where the session raises instead of a report

---@class mde.Session : mde.RunPass
---@field stop? mde.RunStop
---@field is_shared boolean it can be stopped from elsewhere (stop.lua)
---@field entries table[] how each call of the playbook ended, in the order in which they did
---@field others mde.OtherResult[] how the changes ended that are no response actions; each with `err`
---@field unwritten table[] what could not be written down, neither when it came nor at the end
---@field audit mde.RunAudit
---@field left table<string, string> why the playbook leaves what the plan was to change, by machine
---@field package done_before table<string, integer> how often an earlier session has done what a line says
---@field private time fun(): number Unix seconds
---@field private late mde.LateLine[] what could not be written down when it came
---@field differing mde.DifferingCall[]
local Session = {}
Session.__index = Session

---@class mde.LateLine a line of the record
---@field write fun(): any, string?, string? writes it; nil, message and code where that failed
---@field told table what it says

---@class mde.SessionSettings
---@field client mde.Client
---@field journal table mde.journal's
---@field number integer of the session in the record
---@field path string of the record
---@field id string of the run
---@field plan mde.RunPlan
---@field waves table<string, mde.RunWaves> of each verb that cuts off
---@field rules mde.RunRules
---@field recall mde.Recall
---@field until_time? number Unix seconds
---@field on_event? fun(event: mde.RunEvent)

---@param settings mde.SessionSettings
---@return mde.Session
function M.new(settings)
  local session = setmetatable({ is_plan = false, made = settings.plan.made, entries = {}, others = {},
    unwritten = {}, late = {}, differing = {}, time = settings.client.exchange.time,
    audit = audits.new(settings.journal, settings.number, settings.client.exchange),
    generation = posix.fork.generation() }, Session)
  for name, value in pairs(settings) do session[name] = value end
  session.planned, session.active, session.ranks, session.names, session.left = {}, {}, {}, {}, {}
  session.shown, session.done_before = {}, besides.done_before(settings.journal)
  for _, line in ipairs(settings.plan.others) do session.shown[line] = true end
  for i, device in ipairs(settings.plan.devices) do
    session.names[device.id] = device
    session.ranks[device.id] = i
    for _, change in ipairs(device.changes) do
      local key = deeds.key(device.id, change.verb, change.subject)
      if change.decision == change.verb then session.planned[key] = true end
      if change.decision == "already_active" then session.active[key] = true end
    end
  end
  return session
end

function Session:resuming() return self.recall.is_resuming end
function Session:machine_of(name) return self.recall:machine_of(name) end
function Session:rank(machine_id) return self.ranks[machine_id] end

-- What is called in a list needs no mark here.
function Session.in_list(_, fn, ...) return fn(...) end

function Session:tell(event)
  if self.on_event then self.on_event(event) end
end

-- ---- stopping

--- Begins nothing new from now on; the first reason stays.
---@param stop mde.RunStop
function Session:halt(stop)
  if self.stop then return end
  self.stop = stop
  self:tell { event = "stop", stop = stop }
end

-- What was asked from outside since the last look.
local function look_outside(self)
  if self.stop then return end
  if stops.is_asked(self.path) then
    self:halt { rule = "asked", state = "stopped", message = "it was asked to stop (mde stop)" }
  elseif self.until_time and self.time() >= self.until_time then
    self:halt { rule = "until", state = "stopped",
      message = ("the time was up that --until gives it (%s)"):format(core.timestamp.whole(self.until_time)) }
  end
end

--- Why nothing new is begun; nil if it is.
---@return mde.Error?
function Session:halted()
  look_outside(self)
  local stop = self.stop
  if not stop then return nil end
  return errors.new { kind = "unavailable", code = "run_stopped", retry_at = stop.retry_at,
    message = "nothing was sent, since the run has stopped: " .. stop.message,
    hint = ("To go on: mde resume %s"):format(shell_word.of(places.name_of(self.path, self.id))) }
end

--- The record cannot be written, and nothing new is begun. The error of what stays.
function Session:cannot_write(message, code)
  self:halt { rule = "journal", state = "paused",
    message = ("the record of the run cannot be written (%s: %s)"):format(code or "io", errors.show(message)) }
  return errors.new { kind = "unavailable", code = "journal_failed",
    message = "nothing was sent, since the record of the run cannot be written: " .. errors.show(message),
    hint = "Make room for it, or see who holds it; then mde resume goes on." }
end

--- Writes a line of the record. Where that fails nothing new is begun, and what it says is kept for the end.
function Session:write_line(write, told)
  local value, message, code = write()
  if value ~= nil then return value end
  table.insert(self.late, { write = write, told = told() })
  self:cannot_write(message, code)
end

-- Writes what is told of a change, in one commit with what `result` writes.
local function write_event(self, change, result, step)
  return self:write_line(function() return self.audit:write({ change }, result, step) end,
    function() return self.audit:row(change, step) end)
end

local function nothing_more() return true end

-- What was not begun has no change of state.
local not_begun = { run_stopped = true, journal_failed = true }

-- A state change that is no result of a step: it is written down and told.
local function write_change(self, intent, err)
  if intent.dry_run or errors.is(err) and not_begun[err.code] then return end
  write_event(self, changes.of(intent, nil, err), nothing_more)
end

--- Told of a cancellation.
---@param change mde.ChangeEvent
function Session:changed(change)
  write_event(self, change, nothing_more)
end

--- Writes an event of the run into its record.
function Session:note(kind, detail, step)
  local row = { at = self.time(), kind = kind, detail = detail, step = step and step.n or nil }
  self:write_line(function() return self.journal:event(row) end, function() return row end)
end

--- The playbook leaves a device as it is. What the plan shows so, stands there; what is new stands in the record, and
--- of what was to be changed it is the reason why it was not asked for.
function Session:leave(device, reason, canonical, machine_id)
  local known = machine_id and self.names[machine_id]
  if machine_id and not known then
    local row = lefts.row(machine_id, device, reason)
    if self:write_line(function() return self.journal:device(row) end, function() return row end) then
      self.names[machine_id] = { id = machine_id, name = row.name, changes = {} }
    end
  elseif not known or not lefts.is_left(known) then
    if machine_id then self.left[machine_id] = self.left[machine_id] or reason end
    self:note("left", ("%s: %s"):format(known and known.name or canonical, reason))
  end
end

-- Changes that are no response actions.
Session.begin_others, Session.end_others = besides.begin, besides.finish

-- ---- before

function Session:meant(verb, device)
  local err = self:halted()
  if err then
    self:finish({ verb = verb }, nil, err, devices.shown(device))
    return nil, err
  end
  if type(device) ~= "string" then return device end
  local _, canonical = devices.check(device)
  return self:machine_of(canonical) or device
end

-- A name that means nothing.
function Session:unresolved(intent, device, err)
  local stop = self.rules:note(nil, nil, err)
  if stop then self:halt(stop) end
  write_change(self, intent, err)
  self:finish(intent, nil, err, devices.shown(device))
end

-- What the plan says of a verb that it does not have of a device, or not with this scope or file.
local function said_of(device, intent)
  local why
  for _, change in ipairs(device and device.changes or {}) do
    if change.verb == intent.verb and change.decision ~= change.verb then
      why = ", since when it was made: " .. (change.why or change.decision)
    elseif change.verb == intent.verb then
      why = (": it shows %s, and this is %s"):format(deeds.shown(change.verb, change.subject),
        deeds.shown(intent.verb, intent.subject))
    end
  end
  return why
end

-- A device to which the plan does not do this: it shows why not, or does not show it.
local function not_planned(self, intent)
  local device = self.names[intent.machine_id]
  local name, why = intent.computerDnsName or device and device.name, said_of(device, intent)
  return errors.new { kind = "protected", code = "not_planned", rule = "plan", machine_id = intent.machine_id,
    message = ("machine %s%s is not among those that the plan %s%s"):format(intent.machine_id,
      name and (", %s,"):format(errors.quote(name)) or "", deeds.of(intent.verb).does, why or ""),
    hint = not why and "Make a plan that shows it: mde plan, then mde run; what it may come to, mde.may shows." or nil }
end

-- What is otherwise than the plan showed, and stops nothing.
local function tell_drift(self, intent, words)
  local device = self.names[intent.machine_id]
  local name = device and device.name or intent.computerDnsName or intent.machine_id
  self:note("drift", ("%s: %s"):format(name, words))
  self:tell { event = "drift", machine_id = intent.machine_id, computerDnsName = name, verb = intent.verb,
    words = words }
end

--- Why the device is not the one that was shown.
function Session:compare(intent, record)
  local device = self.names[intent.machine_id]
  local err = drifts.refusal(device, record)
  if err then return err end
  local words = drifts.of_record(device, record)
  if words and words ~= intent.has_drifted then tell_drift(self, intent, words) end
  intent.has_drifted = words
end

-- Since when a contrary decision counts: since the plan was made, or since the run itself acted on the device last.
local function decide(self, intent)
  if intent.decided_at or not intent.look then return end
  local last = self.recall:last_of(intent.machine_id, intent.verb)
  intent.decided_at = self.made
  if last and last.at >= self.made then intent.decided_at, intent.decided_on = last.at, last.id end
end

-- The step that this change goes on with, or nil.
local function continue(self, intent)
  local step = self.recall:step_of(intent)
  if not step then return end
  intent.step, intent.operation_id, intent.comment = step, step.operation, step.comment
  intent.subject, intent.members = step.subject, recalls.members_of(step)
  intent.sent_before = self.recall:sent_before(step)
  self.recall.steps:take(step)
end

-- What a step is known by, and what is sent.
local function fields_of(self, intent)
  local step, steps = intent.step, self.recall.steps
  local incident, key = steps_of.incident_of(intent.incident), intent.key or ""
  return { session = self.number, device = intent.machine_id, verb = intent.verb, incident = incident, key = key,
    occurrence = step and step.occurrence or steps:occurrence(intent.verb, intent.machine_id, incident, key),
    operation = intent.operation_id, comment = intent.comment, arguments = recalls.of_call(intent) }
end

-- The device of a step stands in the record, planned or not.
local function record_device(self, machine_id)
  if self.names[machine_id] then return 0 end
  local n, message, code = self.journal:device { id = machine_id, decision = "unplanned" }
  if n then self.names[machine_id] = { id = machine_id } end
  return n, message, code
end

--- Right before it leaves: it is written down, or it stays.
function Session:leaving(intent)
  local err = self:halted() or intent.must_stay and not_planned(self, intent)
  if err then return nil, err end
  -- A further attempt of the same send: nothing came of those before.
  if intent.is_written then return true end
  local step, fields = intent.step, fields_of(self, intent)
  fields.at, fields.sent_service = self.time(), self.client:now()
  fields.expires = core.comment.expiry(intent.operation_id)
  local n, message, code = record_device(self, intent.machine_id)
  if n then n, message, code = self.journal:sending(fields) end
  if not n then return nil, self:cannot_write(message, code) end
  if not step then
    fields.n, fields.attempts, fields.sent = n, 1, fields.at
    intent.step = fields
    self.recall.steps:add(fields)
    self.recall.steps:take(fields)
    self.recall.is_resuming = false
  else
    step.attempts = step.attempts + 1
  end
  intent.has_left, intent.is_written = true, true
  self:tell { event = "sending", machine_id = intent.machine_id, computerDnsName = intent.computerDnsName,
    verb = intent.verb }
  return true
end

-- ---- after

-- What is a result of a step, and what is tried again by the next session.
local function outcome_of(intent, action, err)
  if action then return action.outcome end
  if not errors.is(err) then return intent.step and "unknown" or nil end
  if err.kind == "unknown" or err.kind == "superseded" then return err.kind end
  return (err.kind == "refused" or err.code == "end_passed") and intent.step and "refused" or nil
end

-- A step of which certainly nothing arrived is no step. What an earlier session sent stays, and counts no send more.
local function forget(self, intent, err)
  local step = intent.step
  if not step or not intent.is_written then return write_change(self, intent, err) end
  step.attempts = step.attempts - 1
  if not intent.sent_before then self.recall.steps:drop(step) end
  write_event(self, changes.of(intent, nil, err), function() return self.journal:forget(step.n) end)
end

-- A result of a step that was sent; or one for which nothing had to be sent.
local function write_outcome(self, step, fields)
  if step then
    fields.step = step.n
    return self.journal:result { step = step.n, outcome = fields.outcome, answered = fields.answered,
      action = fields.action, row = fields.row, error = fields.error }
  end
  local n, message, code = record_device(self, fields.device)
  if n then n, message, code = self.journal:settled(fields) end
  return n, message, code
end

-- A result in one commit with what is told of it and, if its action has ended already, with how.
local function write(self, step, fields, more)
  return self.audit:write(more.told, function()
    local n, message, code = write_outcome(self, step, fields)
    if not n or not more.status then return n, message, code end
    local ok
    ok, message, code = self.journal:status(step and step.n or n, more.status, fields.answered)
    if ok == nil then return nil, message, code end
    return n
  end, step and step.n)
end

-- That the action of a step has ended.
local function end_of(fields, row, subject)
  return changes.ended(row, { verb = fields.verb, machine_id = fields.device, operation_id = fields.operation,
    subject = subject, comment = fields.comment, computerDnsName = row.computerDnsName })
end

-- What belongs to a result: what is told of it, and the status of an action that has ended already. What was unknown
-- and stays so has not changed; nor has an action that had ended before it was asked for.
local function with_result(fields, step, intent, action, err)
  local is_same = step ~= nil and step.outcome == fields.outcome
  local more = { told = { not is_same and changes.of(intent, action, err) or nil } }
  if action and action.id and core.history.status(action.status) ~= "pending" then
    more.status = action.status
    if fields.outcome == "accepted" then table.insert(more.told, end_of(fields, action, intent.subject)) end
  end
  return more
end

-- Writes down how it ended.
local function write_result(self, intent, action, err)
  local outcome, step = outcome_of(intent, action, err), intent.step
  if not outcome then return forget(self, intent, err) end
  if not step and outcome == "unknown" then return write_change(self, intent, err) end
  local fields = fields_of(self, intent)
  fields.outcome, fields.answered = outcome, self.time()
  fields.action, fields.row = action and action.id or nil, action and recalls.of_action(action) or nil
  fields.error = err and recalls.of_error(err) or nil
  local more = with_result(fields, step, intent, action, err)
  local n = self:write_line(function() return write(self, step, fields, more) end, function() return fields end)
  if n == nil then
    -- It is known all the same.
    if step then step.is_known = outcome ~= "unknown" end
    return
  end
  if not step then
    step = fields
    step.n, step.attempts = n, 0
    self.recall.steps:add(step)
    self.recall.steps:take(step)
  end
  step.outcome, step.action, step.row, step.error = outcome, fields.action, fields.row, fields.error
  if action and action.id then
    self.recall.steps:found(step, action.id)
    if outcome == "accepted" then self.recall:acted(intent.machine_id, intent.verb, action) end
    step.status = more.status or step.status
  end
end

--- Writes down what could not be written when it came. What fails again, or raises, is in `unwritten` from now on.
function Session:write_late()
  for _, line in ipairs(self.late) do
    local ok, value = pcall(line.write)
    if not ok or value == nil then table.insert(self.unwritten, line.told) end
  end
  self.late = {}
end

--- A step of an earlier session whose outcome was found out.
---@param step mde.Step
---@param action? mde.Action
---@param err? mde.Error
function Session:found_out(step, action, err)
  local intent = { step = step, machine_id = step.device, verb = step.verb, subject = step.subject,
    operation_id = step.operation,
    comment = step.comment, has_left = true }
  write_result(self, intent, action, err)
end

--- Told of each action that is final.
function Session:ended(row)
  local step = type(row.id) == "string" and self.recall.steps:of_action(row.id)
  if not step or step.status == row.status or core.history.status(row.status) == "pending" then return end
  local at = self.time()
  step.status = row.status
  write_event(self, end_of(step, row, step.subject), function()
    return self.journal:status(step.n, row.status, at)
  end, step.n)
end

-- How a call of the playbook ended; `asked`: what it called the device, in quotes.
function Session:finish(intent, action, err, asked)
  local device = intent.machine_id and self.names[intent.machine_id]
  local entry = { machine_id = intent.machine_id, verb = intent.verb, subject = intent.subject, action = action,
    err = err, name = intent.computerDnsName or device and device.name or asked, replayed = action and action.replayed }
  table.insert(self.entries, entry)
  self:tell { event = entry.replayed and "replayed" or "ended", machine_id = intent.machine_id, verb = intent.verb,
    computerDnsName = entry.name, asked = asked or entry.name and errors.quote(entry.name),
    outcome = action and action.outcome, err = err }
  return entry
end

local function check_fork(self)
  if posix.fork.generation() == self.generation then return end
  error(errors.new { kind = "invalid", code = "forked",
    message = "this is a fork of the process that runs the playbook; the run goes on in that one alone" }, 0)
end

-- What cuts a device off needs beside: to be in the plan, and to have its turn.
local function admit(self, intent)
  local key = deeds.key(intent.machine_id, intent.verb, intent.subject)
  if self.planned[key] then
    if deeds.cuts_off(intent.verb) then return self.waves[intent.verb]:admit(self) end
    return true
  elseif not deeds.is_bound(intent.verb) then
    self:note("unplanned", intent.verb .. " " .. intent.machine_id)
    return true
  end
  -- What was so already may still be so. It is looked at, and nothing is sent.
  intent.must_stay = self.active[key]
  if not intent.must_stay then return nil, not_planned(self, intent) end
  return true
end

-- A key stands for one file of a device.
local function key_taken(intent)
  return errors.new { kind = "conflict", code = "another_scope", machine_id = intent.machine_id,
    message = ("nothing was sent, since the key %s stands for another file of this device"):format(
      errors.quote(intent.key)), hint = "Use another key for each file." }
end

local function carry_out(self, intent, deed)
  continue(self, intent)
  local admitted, err = nil, self.recall:is_key_of_another(intent) and key_taken(intent) or nil
  if not err then admitted, err = admit(self, intent) end
  if not admitted then
    write_change(self, intent, err)
    return nil, err
  end
  decide(self, intent)
  local has_acted = self.recall:last_of(intent.machine_id, intent.verb) ~= nil
  local ok, action, problem = pcall(function()
    local action, problem = deed()
    write_result(self, intent, action, problem)
    return action, problem
  end)
  -- Whatever was raised: a place that is not given back holds up all others.
  if deeds.cuts_off(intent.verb) and not intent.must_stay then
    self.waves[intent.verb]:left(intent.has_left and (action or problem))
  end
  if not ok then
    self:finish(intent, nil, action)
    error(action, 0)
  end
  local words = action and drifts.of_action(self.names[intent.machine_id], { verb = intent.verb,
    subject = intent.subject, incident = steps_of.incident_of(intent.incident),
    hold_seconds = intent.hold_seconds }, action, has_acted)
  if words then tell_drift(self, intent, words) end
  return action, problem
end

-- What is recorded holds, also where the playbook asks otherwise now.
local function tell_difference(self, intent)
  local step, words, is_noted = self.recall:difference(intent, self.number)
  if not step then return end
  local device = self.names[intent.machine_id]
  table.insert(self.differing, { machine_id = intent.machine_id, verb = intent.verb, words = words,
    name = device and device.name or intent.computerDnsName })
  if not is_noted then self:note("differs", words, step) end
end

local function judge(self, intent, action, err)
  local stop = self.rules:note(intent.machine_id, action, err)
  if stop then self:halt(stop) end
end

--- Carries out what a playbook wants, or gives back what was recorded.
function Session:carry_out(intent, _, deed)
  check_fork(self)
  if intent.dry_run then return deed() end
  tell_difference(self, intent)
  local known, action, err = self.recall:recall(intent)
  if not known then
    action, err = carry_out(self, intent, deed)
    judge(self, intent, action, err)
  end
  self:finish(intent, action, err)
  return action, err
end

return M
