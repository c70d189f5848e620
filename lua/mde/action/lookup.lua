--- lookup: one action by its id: read it, cancel it; and find one whose fate is unknown.

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"
local responses = require "mde.action.response"

local ACTION_SECONDS = 120
local PAGE_SECONDS = 300
local READ_SECONDS = 30

local M = {}

--- Reads one action.
---@param center mde.ActionCenter
---@param action mde.Action|string
---@param context mde.Context
---@return mde.Action? action
---@return mde.Error? err
function M.read(center, action, context)
  local known = type(action) == "table" and action or {}
  local id = actions.check_id(action, "mde.action")
  local row, err = center:read(id, context:within(ACTION_SECONDS))
  if row then err = actions.mismatch(known, row) end
  if err then return nil, errors.about(err, "action " .. errors.quote(id)) end
  return center:adopt(row)
end

local function cancel_in_time(center, id, comment, context, told)
  local answer, problem
  answer, problem, told.info = center:request_cancel(id, told.verb, comment, context:within(ACTION_SECONDS))
  return answer, problem
end

local function cancel(center, action, id, comment, context)
  local asked = "cancel action " .. errors.quote(id)
  local told = { verb = responses.of_type(type(action) == "table" and action.type or nil) }
  local row, err = center.exchange.single_flight:run_detached(context, cancel_in_time, center, id, comment, context,
    told)
  local info = told.info or {}
  if err and err.kind ~= "unknown" and not (info.response and info.response.status == 400) then
    return nil, errors.about(err, asked)
  end
  if not row or core.history.status(row.status) ~= "cancelled" then
    row = center:read(id, context:within(READ_SECONDS)) or row
  end
  local problem = row and actions.mismatch(type(action) == "table" and action or {}, row)
  if problem then return nil, errors.about(problem, asked) end
  local status = row and core.history.status(row.status)
  if status == "cancelled" then
    if row.machineId then center.cache:remember(row.machineId, row) end
    return center:adopt(row)
  end
  if status and status ~= "pending" then
    err = errors.new { kind = "conflict", action = center:adopt(row), http_status = err and err.http_status,
      code = err and errors.service_code(err) or "already_ended",
      message = ("it has ended already: %s"):format(errors.show(row.status)),
      hint = status == "succeeded" and "To undo it, send the opposite." or "There is nothing left to cancel." }
  elseif not err then
    err = errors.new { kind = "pending", code = "cancellation_pending", action = center:adopt(row),
      message = ("the service took the cancellation, but the action is still %s"):format(errors.show(row.status)),
      hint = "Read the action again, and cancel it again if it stays so." }
  elseif err.kind == "unknown" then
    err.hint = "Read the action again, and cancel it again if it is still pending."
  end
  return nil, errors.about(err, asked)
end

--- Cancels an action that is not final yet. Cancelling one that is cancelled already succeeds.
---@param center mde.ActionCenter
---@param action mde.Action|string
---@param comment string
---@param context mde.Context
---@return mde.Action? action
---@return mde.Error? err
function M.cancel(center, action, comment, context)
  local id = actions.check_id(action, "mde.cancel")
  actions.check_comment(comment, nil, "checked-here")
  local cancelled, err = cancel(center, action, id, comment, context)
  local known = type(action) == "table" and action or {}
  center:tell_result({ verb = "cancel", machine_id = known.machineId, computerDnsName = known.computerDnsName,
    action_id = id, incident = (cancelled or known).incident, comment = comment }, cancelled, err)
  return cancelled, err
end

local function check_lost(err)
  if type(err) ~= "table" or type(err.machine_id) ~= "string" or type(err.operation_id) ~= "string" then
    errors.invalid("wrong_type",
      "mde.find_action needs an error of kind unknown, or a table with machine_id and operation_id")
  end
  if core.device.kind(core.text.lower(err.machine_id)) ~= "machine_id" then
    errors.invalid("machine_id_malformed",
      ("machine_id %s is not a machine id (40 hex digits)"):format(errors.quote(err.machine_id)))
  end
  if err.verb ~= nil and not responses.is_verb(err.verb) then
    errors.invalid("wrong_value", ("mde.find_action: there is no verb %s"):format(errors.got(err.verb)),
      ("Give one of %s, or leave it out."):format(table.concat(responses.verbs, ", ")))
  end
end

-- What the machine's list says of a send of this verb whose answer was lost: the core's result, and the action it is
-- about.
local function judge(center, err, verb, machine_id, rows)
  local now = center.exchange.now()
  local comment = type(err.comment) == "string" and err.comment or nil
  local sent_at = type(err.sent_at) == "number" and err.sent_at or nil
  local subject = type(err.subject) == "string" and err.subject or nil
  local change = core.change.lost({ verb = verb, machine_id = machine_id, operation_id = err.operation_id,
    comment = comment, subject = subject, keyed = err.keyed == true, look = true }, { sent_at = sent_at }, now)
  local row = change:history(rows, { read_at = now, told_at = now, latest = center.exchange.clock:latest() })
  return change:result(), row
end

local function carries(row, operation_id)
  return select(3, core.comment.parse(row.requestorComment)) == operation_id
end

--- Asks the service whether an action of unknown fate exists, and how far it is.
---@param center mde.ActionCenter
---@param err mde.Error|table with machine_id, operation_id, and verb if only that is meant; with comment and sent_at,
--- an action is known again whose comment the service has cut short; with `subject`, the file's SHA-1, one under a key
--- that stands for the quarantine of several files; with `keyed` and `subject`, one under a key is told from one of
--- another scope
---@param context mde.Context
---@return mde.Action? action whose `outcome` is "accepted": the service took it. Its `status` says how far it is,
--- which may be Failed or Cancelled; action:wait() returns nil and an error then
---@return mde.Error? problem of kind not_found if the service lists no such action; of kind unknown, with `action`, if
--- that is perhaps the one
function M.find(center, err, context)
  check_lost(err)
  local machine_id = core.text.lower(err.machine_id)
  local asked = ("find action with operation id %s"):format(errors.quote(err.operation_id))
  local rows, problem = center:history(machine_id, context:within(PAGE_SECONDS))
  if not rows then return nil, errors.about(problem, asked) end
  local perhaps
  for _, verb in ipairs(err.verb and { err.verb } or responses.verbs) do
    local result, row = judge(center, err, verb, machine_id, rows)
    if row and responses.is_of(row, verb) then
      if result.fate == "accepted" or result.reason ~= "unclear" and carries(row, err.operation_id) then
        return center:adopt(row, { outcome = "accepted", comment_cut = result.comment_cut or nil })
      end
      if result.reason == "unclear" then perhaps = row end
    end
  end
  if perhaps then
    return nil, errors.new { kind = "unknown", code = "perhaps_this_action", asked = asked,
      action = center:adopt(perhaps),
      message = carries(perhaps, err.operation_id)
        and ("action %s (%s, %s, %s) has the key, but is of another scope"):format(errors.show(perhaps.id),
          errors.show(perhaps.type), errors.show(perhaps.scope), errors.show(perhaps.status))
        or ("its comment begins as that of action %s (%s), but the service has cut it short"):format(
          errors.show(perhaps.id), errors.show(perhaps.status)),
      hint = "Look at the device's action centre in the portal before you act." }
  end
  local is_incomplete = false
  for _, verb in ipairs(err.verb and { err.verb } or responses.verbs) do
    is_incomplete = is_incomplete or core.history.is_incomplete(rows, machine_id, verb)
  end
  if is_incomplete then
    return nil, errors.new { kind = "unknown", code = "list_incomplete", asked = asked,
      message = "an action in the device's list does not say which it is: it may be this one",
      hint = "Look at the device's action centre in the portal before you act." }
  end
  return nil, errors.new { kind = "not_found", code = "no_such_action", asked = asked,
    message = ("machine %s has no action with that id in its list"):format(errors.show(machine_id)),
    hint = "The list may lag behind by some seconds; ask once more before you act." }
end

return M
