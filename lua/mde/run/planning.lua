--- planning: the pass of a playbook that makes a plan: everything is looked at, and nothing is changed.
--
-- A response action is rehearsed and comes back as `planned`, or as what it is already, or with the error that it would
-- have. What is planned is taken to succeed. A step of which an earlier session has the result comes back as it was.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local others_of = require "mde.run.other"
local steps_of = require "mde.run.steps"

-- So often a playbook may ask the same of a machine; a loop that waits for an end that a plan has not would never end.
local MAX_REPEATS = 100

local M = {}

---@class mde.PlannedChange one verb of one machine for one incident
---@field machine_id string
---@field verb string
---@field subject? string the scope of the verb, or the SHA-1 of its file
---@field incident string in lower case; ""
---@field spelling? string of the incident, where it is another
---@field decision string the verb if it would be sent, or "already_active", "recorded", "protected", "conflict",
--- "superseded", "held", "not_held", "not_looked_at"; of the verb "leave" (mde.leave) "left"
---@field if_needed? boolean the playbook may come to it, and may not (mde.may)
---@field wave? integer in which it is sent, if it cuts the device off
---@field rule? string of the guard
---@field why? string in words
---@field holder? string who restricted it already
---@field reason string why, as the playbook says
---@field asked string how the playbook called it
---@field release_after? number|false of a restrict: for how many seconds it is meant to hold; false: until it is
--- released; nil: the plan is of a version that did not write it down
---@field in_list boolean the playbook called it from mde.each over a list

---@class mde.Unresolved a name that means no machine, or several
---@field asked string
---@field verb string
---@field code string
---@field why string

---@class mde.LeftDevice
---@field device mde.Device as the playbook called it
---@field canonical string the id or name of it
---@field machine_id? string if it is known
---@field reason string

---@class mde.Planning : mde.RunPass
---@field changes mde.PlannedChange[] in the order in which they were called first
---@field unresolvable mde.Unresolved[]
---@field others string[] what else would be changed
---@field left mde.LeftDevice[] what the playbook leaves as it is
---@field asked table<string, string> the machine that each name means
local Planning = {}
Planning.__index = Planning

---@param made number Unix seconds
---@param recorded? mde.Recall of a run that is continued
---@return mde.Planning
function M.new(made, recorded)
  return setmetatable({ made = made, is_plan = true, changes = {}, by_identity = {}, repeats = {}, unresolvable = {},
    others = {}, left = {}, left_by = {}, asked = {}, recorded = recorded, listed = setmetatable({}, { __mode = "k" }),
    possible = setmetatable({}, { __mode = "k" }) }, Planning)
end

function Planning:resuming()
  return self.recorded ~= nil and self.recorded.is_resuming
end

function Planning:machine_of(name)
  return self.recorded and self.recorded:machine_of(name) or self.asked[core.text.lower(name)]
end

-- A plan calls in the order in which the playbook does.
function Planning.rank() end

local MAIN = {}

local function left(marked, task, ok, ...)
  marked[task] = nil
  if not ok then error((...), 0) end
  return ...
end

-- Calls fn, and what it calls is marked.
local function mark(marked, fn, ...)
  local task = coroutine.running() or MAIN
  marked[task] = true
  return left(marked, task, pcall(fn, ...))
end

--- Calls what mde.each calls for an item of a list.
function Planning:in_list(fn, ...)
  return mark(self.listed, fn, ...)
end

--- Calls what the playbook may come to, and may not.
function Planning:if_needed(fn, ...)
  return mark(self.possible, fn, ...)
end

--- Notes changes that are no response actions. True: that is all, and they are rehearsed.
function Planning:begin_others(changes)
  for _, change in ipairs(changes) do self.others[#self.others + 1] = others_of.line(change) end
  return true, {}
end

-- What the playbook leaves is found when all of it is known: names together.
function Planning:leave(device, reason, canonical, machine_id)
  local key = machine_id or core.text.lower(canonical)
  if self.left_by[key] then return end
  self.left_by[key] = true
  table.insert(self.left, { device = device, canonical = canonical, machine_id = machine_id, reason = reason })
end

-- ---- what a run decides of changes

-- The names under which a device was asked for stand for one machine from now on.
function Planning:meant(_, device)
  local _, canonical = devices.check(device)
  local pinned = type(device) == "string" and self:machine_of(canonical)
  return pinned or device
end

function Planning:unresolved(intent, device, err)
  local asked = devices.shown(device)
  local key = intent.verb .. "\0" .. asked
  if self.by_identity[key] then return end
  self.by_identity[key] = true
  table.insert(self.unresolvable, { asked = asked, verb = intent.verb, code = err.code, kind = err.kind,
    why = err.message })
end

local decisions = { protected = "protected", conflict = "conflict", superseded = "superseded",
  held_by_others = "held", nothing_held = "not_held" }

-- Who stands behind an action.
local function holder_of(action)
  return action and (action.incident or action.requestor) or nil
end

local function describe(change, action, err)
  if err then
    change.decision = decisions[err.code] or decisions[err.kind] or "not_looked_at"
    change.rule, change.why, change.holder = err.rule, err.message, holder_of(err.action)
  elseif action.outcome == "already_active" then
    change.decision = "already_active"
    change.holder = holder_of(action)
  elseif action.replayed then
    change.decision = "recorded"
  else
    change.decision = change.verb
    change.also_held = action.also_held
  end
end

local function count_repeat(self, key, intent)
  self.repeats[key] = (self.repeats[key] or 0) + 1
  if self.repeats[key] <= MAX_REPEATS then return end
  error(errors.new { kind = "invalid", code = "playbook_loops",
    message = ("the playbook asked %d times to %s machine %s; in a plan nothing changes, so such a loop never ends")
      :format(self.repeats[key], intent.verb, intent.machine_id),
    hint = "Ask once, and let mde.wait or mde resume do the rest." }, 0)
end

--- Rehearses a change, and notes what it would come to.
function Planning:carry_out(intent, machine, deed)
  local incident = steps_of.incident_of(intent.incident)
  local key = deeds.key(intent.machine_id, intent.verb, intent.subject) .. "\0" .. incident
  count_repeat(self, key, intent)
  if intent.kind ~= "machine" and intent.kind ~= "machine_id" then
    self.asked[core.text.lower(intent.canonical)] = intent.machine_id
  end
  local known, action, err = nil, nil, nil
  if self.recorded then known, action, err = self.recorded:recall(intent) end
  if not known then
    intent.dry_run, intent.allow.cap = true, true
    action, err = deed()
    if action and action.outcome == "would_send" then action.outcome, action.status = "planned", "planned" end
  end
  local noted, is_possible = self.by_identity[key], self.possible[intent.caller or MAIN]
  if noted then
    noted.if_needed = noted.if_needed and is_possible
  else
    local change = { machine_id = intent.machine_id, verb = intent.verb, subject = intent.subject, incident = incident,
      reason = intent.reason or core.comment.parse(intent.comment), asked = machine.computerDnsName or intent.canonical,
      in_list = self.listed[intent.caller or MAIN] or false, if_needed = is_possible }
    if intent.incident and intent.incident ~= incident then change.spelling = intent.incident end
    if intent.verb == "restrict" then change.release_after = intent.hold_seconds or false end
    describe(change, action, err)
    self.by_identity[key] = change
    self.changes[#self.changes + 1] = change
  end
  return action, err
end

function Planning.compare() end

function Planning.ended() end

--- A rehearsal does not get so far; should one ever, nothing leaves.
function Planning.leaving()
  return nil, errors.new { kind = "protected", code = "plan_sends_nothing", message = "a plan sends nothing" }
end

return M
