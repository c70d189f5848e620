--- action: one action of the service, and what this library found out about it.
--
-- That stands in fields of its own beside the service's. What reads actions is action_center.lua, what makes them
-- change.lua.

local core = require "mde.core"
local errors = require "mde.base.error"
local reserved_names = require "mde.base.reserved_names"
local row_fields = require "mde.base.row_fields"

---@class mde.Action an action as the service tells it, and what this library found out about it
---@field id string
---@field type string
---@field status string Pending, InProgress, Succeeded, Failed, TimeOut or Cancelled
---@field machineId? string
---@field computerDnsName? string
---@field requestor? string
---@field requestorComment? string
---@field creationDateTimeUtc? string
---@field lastUpdateDateTimeUtc? string
---@field troubleshootInfo? string
---@field outcome? "accepted"|"already_active"|"would_send"|"planned" of a restrict or release: the service took it, or
--- had one already, or it was a dry run, or a playbook is being planned; `status` says how far it is
---@field replayed? boolean an earlier session of the run did it; nothing was sent now
---@field operation_id? string the operation id at the end of its comment
---@field incident? string the incident there
---@field expires_at? number Unix seconds until when the restriction is meant to hold; nil: until it is released
---@field end_lost? boolean it was meant to end (`release_after`), and the service cut that off the comment
---@field attempts? integer how many times the request was sent (refused ones that were repeated count)
---@field reconciled? boolean the answer was lost, and the action was found in the device's list
---@field looked? boolean whether the device's history could be read before the send
---@field scope_unknown? boolean already active, and the service's list does not say in which scope
---@field recorded? boolean false: already active under another incident, so yours stands nowhere
---@field also_ended? string[] of a release: the other incidents that held the device restricted until then, and who
--- did without one, in words
---@field also_held? string[] of a restrict: the other incidents that held the device restricted already, and who did
--- without one, in words
---@field overturned? mde.Action of a restrict: the release against which it went
---@field would_cancel? mde.Action of a dry run: the opposite action that would be cancelled before
---@field not_held? boolean of a dry run of a release: the service's list shows nothing that holds the device; it would
--- be sent all the same, since that list does not reach back for ever
---@field comment_changed? boolean the comment had " [mde:" in it, by which ours would be mistaken
---@field comment_cut? boolean the service cut the comment short

local M = { PERMISSION = "Machine.RestrictExecution" }

-- What no property of the service's may hide: the methods of an action, and the fields of ours.
local ours = reserved_names.new { "wait", "cancel", "outcome", "operation_id", "incident", "expires_at", "end_lost",
  "attempts", "reconciled", "looked", "recorded", "also_ended", "also_held", "overturned", "would_cancel",
  "not_held", "comment_changed", "comment_cut", "replayed", "comment", "release", "scope_unknown" }

local comment_problems = {
  empty = { "comment_empty", "the comment is empty", "Say in a few words why; it is recorded in the service." },
  not_utf8 = { "comment_not_utf8", "the comment is not valid UTF-8",
    "Convert it to UTF-8 first, or give mde.comment(text)." },
  nul = { "comment_nul", "the comment has a NUL byte in it", "Remove it; the service would end the comment there." },
  too_long = { "comment_too_long", "the comment is longer than 850 characters (1,600 UTF-16 units)",
    "Shorten it, or give mde.comment(text)." },
  incident = { "incident_malformed", "the incident is not 1 to 64 of A-Z a-z 0-9 . _ # / -",
    "Give the incident's id alone." },
  operation = { "key_malformed", "the key is not 8 to 64 of A-Z a-z 0-9 . _ -",
    "Give the id of what you act on, an alert say." },
}

--- Raises unless the comment can be recorded.
---@param comment any
---@param incident string?
---@param operation_id string
---@return string whole as it would be recorded
---@return boolean changed the text in it is not the given one, since that had " [mde:" in it
function M.check_comment(comment, incident, operation_id)
  if type(comment) ~= "string" then
    errors.invalid(comment == nil and "comment_missing" or "wrong_type", comment == nil and "a comment is required"
      or ("the comment must be a string, not a %s"):format(type(comment)),
      "Say in a few words why; it is recorded in the service.")
  end
  local whole, problem = core.comment.compose(comment, incident, operation_id)
  if whole then return whole, problem end
  local code, message, hint = comment_problems[problem][1], comment_problems[problem][2], comment_problems[problem][3]
  return errors.invalid(code, message, hint)
end

--- Raises unless this is an action or an action's id.
---@param action any
---@param what string who is called, for the error
---@return string id
function M.check_id(action, what)
  local id = type(action) == "table" and action.id or action
  local kind = type(id) == "string" and core.device.kind(id)
  if kind ~= "guid" then
    errors.invalid("not_an_action", ("%s: %s is not an action or an action's id (a GUID)"):format(what, errors.got(id)),
      "Give what mde.restrict, mde.release or mde.actions returned, or its id.")
  end
  return id
end

--- Makes an action of a row of the service. Whose it is stands in its comment.
---@param row table changed in place
---@param metatable table of the actions
---@param fields? table what this library found out about it
---@return mde.Action
function M.adopt(row, metatable, fields)
  row["@odata.context"] = nil
  ours:drop(row)
  local _, incident, operation_id = core.comment.parse(row.requestorComment)
  row.incident, row.operation_id, row.expires_at = incident, operation_id, core.comment.expiry(operation_id)
  for name, value in pairs(fields or {}) do row[name] = value end
  return setmetatable(row, metatable)
end

-- What people wrote, of which a number says something, too; and what is a name, a word or a time.
local written = { "requestorComment", "cancellationComment" }
local words = { "type", "scope", "status", "machineId", "computerDnsName", "requestor", "cancellationRequestor",
  "troubleshootInfo", "creationDateTimeUtc", "lastUpdateDateTimeUtc", "lastUpdateTimeUtc" }

local REPLACEMENT = "\239\191\189"

--- Makes a row of a list fit to be worked with: what is a text is one, or is absent.
---@param row table changed in place
---@return true
function M.mend(row)
  row_fields.make_texts(row, written)
  row_fields.keep_texts(row, words)
  -- What is blank, or was repaired (mde.core.json), does not say which type it is.
  if row.type and (not row.type:find "%S" or row.type:find(REPLACEMENT, 1, true)) then row.type = nil end
  return true
end

--- Whether an answer is an action.
---@param answer table
---@return boolean
---@return string? why not
function M.is_action(answer)
  if type(answer.id) ~= "string" or type(answer.status) ~= "string" then return false, "it is not a machine action" end
  return M.mend(answer)
end

--- Whether an answer is the action with this id.
---@param id string
---@return fun(answer: table): boolean, string?
function M.is_the_action(id)
  return function(answer)
    local ok, why = M.is_action(answer)
    if not ok then return false, why end
    return core.text.lower(answer.id) == core.text.lower(id), "it is another action than the one asked for"
  end
end

--- Why a row cannot be this action at a later time, although it has its id; nil if it can.
---@param action table
---@param row table
---@return mde.Error?
function M.mismatch(action, row)
  for _, name in ipairs { "machineId", "type" } do
    local own, other = action[name], row[name]
    if own ~= nil and other ~= nil and core.text.lower(tostring(own)) ~= core.text.lower(tostring(other)) then
      return errors.new { kind = "protocol", code = "action_mismatch",
        message = ("action %s: the service's answer has the %s %s, not %s"):format(errors.show(action.id), name,
          errors.show(tostring(other)), errors.show(tostring(own))) }
    end
  end
end

--- Brings an action up to what was read of it; one that has ended stays so. nil, error if that is about another one.
---@param row table the action, changed in place
---@param fresh table
---@return boolean? updated
---@return mde.Error? err
function M.update(row, fresh)
  local problem = M.mismatch(row, fresh)
  if problem then return nil, problem end
  if not core.history.replaces(row.status, fresh.status) then return true end
  for name, value in pairs(fresh) do
    if name ~= "@odata.context" and not ours:has(name) then row[name] = value end
  end
  return true
end

--- What an awaited action came to.
---@param action mde.Action as it was read last
---@param seconds number how long it was waited for
---@param problem? mde.Error why it could not be read in the end
---@return "Succeeded"?
---@return mde.Error? err of kind failed, cancelled or pending, or the problem if that is here to stay
function M.result(action, seconds, problem)
  local asked = ("wait for %s of %s"):format(errors.show(action.type),
    errors.show(action.computerDnsName or action.machineId or "the machine"))
  if problem and problem.kind ~= "unavailable" and problem.kind ~= "throttled" then
    return nil, errors.about(problem, asked)
  end
  local status = core.history.status(action.status)
  if status == "succeeded" then return "Succeeded" end
  local fields = { asked = asked, action = action }
  if status == "pending" then
    fields.kind, fields.code = "pending", "still_pending"
    fields.message = ("still %s after %s seconds"):format(errors.show(action.status), core.number.write(seconds))
      .. (problem and " (last read: " .. problem.message .. ")" or "")
    fields.hint = "An offline device carries it out when it is back. Wait again, or cancel it."
  elseif status == "cancelled" then
    fields.kind, fields.code = "cancelled", "action_cancelled"
    fields.message = ("cancelled by %s: %s"):format(errors.show(action.cancellationRequestor or "somebody"),
      errors.quote(action.cancellationComment or ""))
  else
    fields.kind, fields.code = "failed", "action_failed"
    fields.message = ("ended as %s%s"):format(errors.show(action.status),
      action.troubleshootInfo and ": " .. errors.show(action.troubleshootInfo) or "")
    fields.hint = "The device is as it was before."
  end
  return nil, errors.new(fields)
end

return M
