--- arguments: what restrict and release are called with, checked before anything is asked.

local actions = require "mde.action.action"
local errors = require "mde.base.error"
local guards = require "mde.action.guard"
local options_of = require "mde.base.options"
local posix = require "mde.posix"
local times = require "mde.query.times"

local M = {}

-- When a caller may have decided, as seen from now.
local MAX_DECIDED_AHEAD_SECONDS, MAX_DECIDED_AGO_SECONDS = 300, 30 * 86400

-- How far back one like it is looked for that somebody has taken back.
local WITHDRAWN_SECONDS = 86400

local verbs = { restrict = true, release = true }

M.known_options = {
  incident = "any", key = "text", timeout = "seconds", look = "flag", cancel_opposite = "flag", resend = "flag",
  allow = "any", decided_at = "any", dry_run = "flag", again = "flag",
  reason = "text",
}

---@class mde.ChangeOptions
---@field incident? string|integer 1 to 64 of A-Za-z0-9._#/- ; stands in the comment
---@field key? string your own idempotency key, 8 to 64 of A-Za-z0-9._- ; it becomes the operation id
---@field timeout? number seconds for everything
---@field look? boolean false: send without reading the device's history
---@field resend? boolean false: do not send it again where its answer was lost and its list does not show it
---@field cancel_opposite? boolean cancel a pending opposite action first; true for release, false for restrict
---@field allow? mde.Rule[] rules of the guard that this call lifts: { "servers" }
---@field decided_at? mde.Time|mde.Action when it was decided: an opposite decision then or later supersedes it; default
--- when the call began
---@field dry_run? boolean do everything but the POST; the outcome is "would_send"
---@field reason? string why this device, shown in the plan of a run; the service does not see it; default the comment
---@field again? boolean false: leave the device if one like it, of the last 24 hours and for the same incident (without
--- one: with the same comment), was released or cancelled since: `superseded`, code withdrawn. Default true

local function check_incident(incident)
  if type(incident) == "number" and incident % 1 == 0 and math.abs(incident) < 2 ^ 53 then
    incident = ("%d"):format(incident)
  end
  if incident ~= nil and type(incident) ~= "string" then
    errors.invalid("wrong_type",
      ("option \"incident\" must be a string or an integer, not %s"):format(errors.got(incident)),
      "Give the incident's id, INC-4711 say.")
  end
  return incident
end

-- Unix seconds; nil: when the call began.
local function check_decided_at(value, now)
  if value == nil then return nil end
  if type(value) == "table" and value.creationDateTimeUtc ~= nil then value = value.creationDateTimeUtc end
  local text, seconds = times.read(value, now, "option \"decided_at\"")
  if seconds > now + MAX_DECIDED_AHEAD_SECONDS or seconds < now - MAX_DECIDED_AGO_SECONDS then
    errors.invalid("time_out_of_range",
      ("option \"decided_at\" is %s, which does not lie in the last 30 days"):format(text),
      "Give the time of the alert, or the action that the decision rests on.")
  end
  return seconds
end

-- What has to look at the history.
local function check_look(options)
  if options.look ~= false then return end
  if options.key then
    errors.invalid("key_without_look", "a key needs a look: without one nobody knows whether it was used before",
      "Leave out look = false, or the key.")
  elseif options.decided_at ~= nil then
    errors.invalid("decided_at_without_look",
      "decided_at needs a look: without one nobody knows what was decided since",
      "Leave out look = false, or decided_at.")
  end
end

---@class mde.ChangeArguments
---@field verb "restrict"|"release"
---@field comment string the whole of it, as it is recorded
---@field comment_changed boolean the text in it is not the one that was given
---@field incident? string
---@field keyed boolean the operation id is the caller's own
---@field operation_id string the key, or else the one that was given
---@field look boolean
---@field resend boolean
---@field cancel_opposite boolean
---@field allow table<mde.Rule, boolean>
---@field decided_at? number Unix seconds
---@field decided_on? string the id of the action that the decision rests on
---@field dry_run boolean
---@field timeout? number seconds, as the caller gave it
---@field reason? string
---@field withdrawn_since? number Unix seconds: one like it since then that somebody has taken back is not repeated

--- What the arguments mean. Raises for wrong ones.
---@param verb "restrict"|"release"
---@param comment string
---@param options mde.ChangeOptions checked against M.known_options
---@param operation_id string for a call without a key
---@param now number the service's time, Unix seconds
---@return mde.ChangeArguments
function M.read(verb, comment, options, operation_id, now)
  check_look(options)
  local incident = check_incident(options.incident)
  local cancel_opposite = options.cancel_opposite
  if cancel_opposite == nil then cancel_opposite = verb == "release" end
  operation_id = options.key or operation_id
  local whole, changed = actions.check_comment(comment, incident, operation_id)
  return {
    verb = verb, comment = whole, comment_changed = changed, incident = incident,
    keyed = options.key ~= nil, operation_id = operation_id, look = options.look ~= false,
    resend = options.resend ~= false, cancel_opposite = cancel_opposite, allow = guards.allowed(options.allow),
    decided_at = check_decided_at(options.decided_at, now),
    decided_on = type(options.decided_at) == "table" and options.decided_at.id or nil,
    dry_run = options.dry_run or false, timeout = options.timeout, reason = options.reason,
    withdrawn_since = options.again == false and now - WITHDRAWN_SECONDS or nil,
  }
end

--- Whether restrict or release would take these arguments, whatever the device: true, or nil and the error that they
--- would raise. For what is typed or comes from outside, before anything is asked for its sake.
---@param verb "restrict"|"release"
---@param comment string
---@param options? mde.ChangeOptions
---@return true?
---@return mde.Error? err
function M.check(verb, comment, options)
  if not verbs[verb] then
    errors.invalid("wrong_value",
      ("mde.check: there is no verb %s, only \"restrict\" and \"release\""):format(errors.quote(verb)))
  end
  local ok, problem = errors.try(function()
    M.read(verb, comment, options_of.check(options, M.known_options, "mde." .. verb), "checked-only",
      posix.clock.time())
  end)
  if ok then return true end
  return nil, problem
end

return M
