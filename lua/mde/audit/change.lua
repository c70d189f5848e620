--- change: one state change of a change, as those who watch are told of it.
--
-- It is a table of plain values, an event of the trace (base/trace.lua) whose `event` is "change". What is not known
-- is absent. ocsf.lua makes a line of it.

local core = require "mde.core"
local errors = require "mde.base.error"
local outcomes = require "mde.audit.outcome"

local M = {}

---@class mde.ChangeEvent
---@field event "change"
---@field time number Unix seconds
---@field verb string "restrict", "release", "isolate", ... or "cancel"
---@field scope? string of an isolation or a scan: "Full", "Selective", "Quick"
---@field sha1? string of the file of a quarantine
---@field outcome string a word of outcome.lua
---@field machine_id? string
---@field computerDnsName? string
---@field device? mde.ChangeEventDevice what else is known of the machine
---@field asked? string the device as it was named, where no machine was found
---@field operation_id? string
---@field incident? string
---@field comment? string the user's part of it
---@field action_id? string the service's action
---@field status? string of the action, in the service's word
---@field kind? mde.ErrorKind of the error
---@field code? string
---@field message? string
---@field rule? string
---@field http_status? integer
---@field request_id? string
---@field other_action_id? string the action that stands in the way, or that overtook it
---@field attempts? integer
---@field looked? boolean
---@field recorded? boolean
---@field reconciled? boolean
---@field sent_at? number Unix seconds
---@field tenant_id? string
---@field client_id? string
---@field run? string the id of the run
---@field sequence? integer of the event in the run
---@field session? integer of the run, in its record alone
---@field wave? integer
---@field playbook_sha256? string
---@field user? string who runs the command
---@field version? string of mde

---@class mde.ChangeEventDevice in the service's words
---@field aadDeviceId? string
---@field osPlatform? string
---@field version? string
---@field lastIpAddress? string
---@field rbacGroupName? string
---@field onboardingStatus? string
---@field lastSeen? string

local DEVICE_FIELDS = { "aadDeviceId", "osPlatform", "version", "lastIpAddress", "rbacGroupName", "onboardingStatus",
  "lastSeen" }

--- What is told of a machine.
---@param machine table
---@return mde.ChangeEventDevice? device nil if nothing is known
function M.device(machine)
  local device = {}
  for _, name in ipairs(DEVICE_FIELDS) do
    if type(machine[name]) == "string" then device[name] = machine[name] end
  end
  return next(device) and device or nil
end

local function text(value)
  return type(value) == "string" and value or nil
end

local function name_of(row)
  return row and text(row.computerDnsName)
end

local function put_comment(change, whole)
  local why, incident, operation_id = core.comment.parse(text(whole) or "")
  if why ~= "" then change.comment = change.comment or why end
  change.incident = change.incident or incident
  change.operation_id = change.operation_id or operation_id
end

-- What an action is about besides its device.
local function put_subject(change, subject)
  local row = core.response_actions[change.verb]
  local name = row and row.subject == "file" and "sha1" or row and row.subject
  if name then change[name] = text(subject) end
end

local function put_action(change, action)
  change.action_id, change.status = text(action.id), text(action.status)
  change.machine_id = change.machine_id or text(action.machineId)
  change.computerDnsName = change.computerDnsName or name_of(action)
  change.attempts, change.looked = action.attempts, action.looked
  change.recorded, change.reconciled = action.recorded, action.reconciled
end

local function put_error(change, err)
  if not errors.is(err) then
    change.message = errors.show(err)
    return
  end
  for _, name in ipairs { "kind", "code", "message", "rule", "http_status", "request_id", "sent_at" } do
    change[name] = err[name]
  end
  change.operation_id = change.operation_id or err.operation_id
  change.machine_id = change.machine_id or err.machine_id
  local action = err.action
  if not action then return end
  change.computerDnsName = change.computerDnsName or name_of(action)
  change.machine_id = change.machine_id or text(action.machineId)
  if text(action.id) ~= change.action_id then change.other_action_id = text(action.id) end
end

-- Of a cancellation that the service took, whether the action is still to be cancelled.
local function is_pending(action)
  return core.history.status(action.status) == "pending"
end

---@class mde.ChangeKnown what is known of a change beside what it came to
---@field verb string "restrict", "release", "isolate", ... or "cancel"
---@field subject? string the scope, or the file's SHA-1
---@field machine_id? string
---@field computerDnsName? string
---@field device? mde.ChangeEventDevice
---@field asked? string
---@field operation_id? string
---@field action_id? string the action that is to be cancelled
---@field incident? string default the one in the comment
---@field comment? string the whole of it
---@field http_status? integer of the answer

--- What a call came to.
---@param known mde.ChangeKnown
---@param action? mde.Action
---@param err? any
---@return mde.ChangeEvent
function M.of(known, action, err)
  local change = { event = "change", verb = known.verb, machine_id = known.machine_id,
    computerDnsName = text(known.computerDnsName), device = known.device, asked = known.asked,
    operation_id = known.operation_id, action_id = known.action_id, incident = known.incident }
  put_comment(change, known.comment)
  put_subject(change, known.subject)
  if action then
    change.outcome, change.http_status = action.outcome or is_pending(action) and "pending" or "succeeded",
      known.http_status
    put_action(change, action)
  else
    change.outcome = outcomes.of_error(err)
    put_error(change, err)
  end
  return change
end

-- The first of each type: containing a device makes an Isolate.
local by_type, verbs = {}, { cancel = true }
for _, verb in ipairs(core.response_actions) do
  local row = core.response_actions[verb]
  if row.kind == "acts" then
    local name = core.text.lower(row.type)
    by_type[name], verbs[verb] = by_type[name] or verb, true
  end
end

-- What an action that is final came to.
local function outcome_of(status)
  local came_to = core.history.status(status)
  return came_to == "failed" and core.text.lower(text(status) or "") == "timeout" and "timeout" or came_to
end

--- That an action is final.
---@param row table
---@param known? mde.ChangeKnown
---@return mde.ChangeEvent? change nil if its type is not one of a response action
function M.ended(row, known)
  known = known or {}
  local verb = known.verb or by_type[core.text.lower(text(row.type) or "")]
  if not verb then return nil end
  local change = { event = "change", verb = verb, outcome = outcome_of(row.status), machine_id = known.machine_id,
    computerDnsName = known.computerDnsName, device = known.device, operation_id = known.operation_id }
  put_comment(change, known.comment or row.requestorComment)
  put_subject(change, known.subject)
  put_action(change, row)
  change.attempts, change.looked, change.recorded, change.reconciled = nil, nil, nil, nil
  if change.outcome == "cancelled" then
    change.message = text(row.cancellationComment)
  elseif change.outcome ~= "succeeded" then
    change.message = text(row.troubleshootInfo)
  end
  return change
end

-- ---- out of a record

local kinds = { attempts = "number", http_status = "number", sent_at = "number", session = "number", looked = "boolean",
  recorded = "boolean", reconciled = "boolean" }
for _, name in ipairs { "machine_id", "computerDnsName", "asked", "operation_id", "incident", "comment", "action_id",
  "status", "kind", "code", "message", "rule", "request_id", "other_action_id", "scope", "sha1" } do
  kinds[name] = "string"
end

--- What was written down of a change, which may come from anybody: what is not of the right type is left out.
---@param value any
---@return mde.ChangeEvent? change without its time, run and number; nil if it tells of no change
function M.read(value)
  if type(value) ~= "table" or not verbs[value.verb] or not outcomes.words[value.outcome] then return nil end
  local change = { event = "change", verb = value.verb, outcome = value.outcome,
    device = type(value.device) == "table" and M.device(value.device) or nil }
  for name, kind in pairs(kinds) do
    if type(value[name]) == kind then change[name] = value[name] end
  end
  return change
end

return M
