--- arguments: what restrict, release and the other response actions are called with, checked before anything is asked.

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"
local guards = require "mde.action.guard"
local operators = require "mde.query.operators"
local options_of = require "mde.base.options"
local posix = require "mde.posix"
local responses = require "mde.action.response"
local times = require "mde.query.times"

local M = {}

-- When a caller may have decided, as seen from now.
local MAX_DECIDED_AHEAD_SECONDS, MAX_DECIDED_AGO_SECONDS = 300, 30 * 86400

-- How far back one like it is looked for that somebody has taken back.
local WITHDRAWN_SECONDS = 86400

-- How long a restriction with an end holds at the least, and at the most: the service forgets its actions.
local MIN_HOLD_SECONDS, MAX_HOLD_SECONDS = 300, 90 * 86400

local common_options = {
  incident = "any", key = "text", timeout = "seconds", look = "flag", cancel_opposite = "flag", resend = "flag",
  allow = "any", decided_at = "any", dry_run = "flag", again = "flag",
  reason = "text", release_after = "any", operations = "object", expired = "flag",
}

local known_options = {}

for _, verb in ipairs(responses.verbs) do
  local known = responses.options(verb)
  for name, kind in pairs(common_options) do known[name] = kind end
  known_options[verb] = known
end

--- The options of a response action, each with the type that base/options.lua knows.
---@param verb string
---@return table<string, string>
function M.known_options(verb)
  return known_options[verb]
end

---@class mde.ChangeOptions
---@field incident? string|integer 1 to 64 of A-Za-z0-9._#/- ; stands in the comment
---@field key? string your own idempotency key, 8 to 64 of A-Za-z0-9._- ; it becomes the operation id. It may not end in
--- ".until." and digits
---@field release_after? string|number of a restrict: how long it is meant to hold, 5 minutes to 90 days: "8h", or
--- seconds. The comment says until when; mde.expired finds it then, and nobody releases it before
---@field operations? string[] of a release: it is sent only if every restriction that holds the device carries one of
--- these operation ids; else `conflict`, code held_by_others or nothing_held
---@field expired? boolean of a release: it is sent only if every restriction that holds the device has expired
---@field isolation_type? "Full"|"Selective" of an isolate; default Full. Selective leaves classic Outlook and Teams
--- connected; use it where the device reaches the service through a proxy, since it may not come back from Full
---@field scan_type? "Quick"|"Full" of a scan; default Quick. Full takes hours
---@field sha1? string of a quarantine: the file's SHA-1, 40 hexadecimal digits
---@field timeout? number seconds for everything
---@field look? boolean false: send without reading the device's history
---@field resend? boolean false: do not send it again where its answer was lost and its list does not show it
---@field cancel_opposite? boolean cancel a pending opposite action first; default true for what releases a device
--- (release, unisolate, uncontain), else false
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

-- How long it is meant to hold, in seconds; nil: until it is released.
local function check_release_after(value, verb)
  if value == nil then return nil end
  if verb ~= "restrict" then
    errors.invalid("option_without_effect", "option \"release_after\" belongs to restrict", "Leave it out.")
  end
  local seconds = operators.span(value)
  if seconds and seconds >= MIN_HOLD_SECONDS and seconds <= MAX_HOLD_SECONDS then return seconds end
  return errors.invalid("wrong_value",
    ("option \"release_after\" is %s, and not a span of 5 minutes to 90 days"):format(errors.got(value)),
    'Write "30m", "8h" or "7d".')
end

-- What a release is for, where it is for what certain restrictions hold alone.
local function check_claim(options, verb)
  if options.operations and options.expired then
    errors.invalid("contradictory_options", "a release is for certain operations or for what has expired, not for both",
      "Leave out operations or expired.")
  end
  local claim = options.operations and "operations" or options.expired and "expired"
  if not claim then return end
  if not responses.releases(verb) then
    errors.invalid("option_without_effect", ("option %q belongs to release and unisolate"):format(claim),
      "Leave it out.")
  elseif options.look == false then
    errors.invalid("claim_without_look",
      ("option %q needs a look: without one nobody knows who holds the device"):format(claim),
      "Leave out look = false.")
  end
  if not options.operations then return end
  options_of.check_list(options.operations, "option \"operations\"")
  if not options.operations[1] then
    errors.invalid("wrong_value", "option \"operations\" is empty", "Give the operation_id of at least one action.")
  end
  for i, operation in ipairs(options.operations) do
    if type(operation) ~= "string" or not core.comment.operation_valid(operation) then
      errors.invalid("wrong_value", ("option \"operations\": item %d is %s, and no operation id"):format(i,
        errors.got(operation)), "Give the operation_id of the actions that are to be taken back.")
    end
  end
end

-- The operation id with the time until when it holds.
local function with_end(name, at)
  local whole = core.comment.with_expiry(name, math.ceil(at))
  if whole then return whole end
  return errors.invalid("key_too_long",
    ("the key %s is too long beside release_after, whose time stands behind it"):format(errors.got(name)),
    "Give one of at most 47 characters.")
end

local function check_key(key)
  if key == nil or core.comment.key_valid(key) or not core.comment.operation_valid(key) then return end
  errors.invalid("key_reserved", ("the key %s ends as an operation id does that says until when a restriction holds")
    :format(errors.got(key)), 'Give one that does not end in ".until." and digits.')
end

-- Another task may write into the caller's own list.
local function copy(list)
  if not list then return nil end
  local own = {}
  for i, item in ipairs(list) do own[i] = item end
  return own
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
---@field verb string
---@field members table<string, string> of the body, besides the comment
---@field subject? string what two actions of this type may differ in: the scope, or the file's SHA-1
---@field comment string the whole of it, as it is recorded
---@field text string the one that was given
---@field comment_changed boolean the text in it is not the one that was given
---@field incident? string
---@field keyed boolean the operation id is the caller's own
---@field key? string
---@field operation_id string the key, or else the one that was given
---@field hold_seconds? number how long it is meant to hold; its end is not in the operation id before set_end
---@field operations? string[]
---@field expired? boolean
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
---@param verb string a name of response.verbs
---@param comment string
---@param options mde.ChangeOptions checked against M.known_options(verb)
---@param operation_id string for a call without a key
---@param now number the service's time, Unix seconds
---@return mde.ChangeArguments
function M.read(verb, comment, options, operation_id, now)
  check_look(options)
  local incident = check_incident(options.incident)
  local cancel_opposite = options.cancel_opposite
  if cancel_opposite and not core.response_actions[verb].opposite then
    errors.invalid("option_without_effect", ("option \"cancel_opposite\" has no effect on %s, which nothing takes back")
      :format(verb), "Leave it out.")
  end
  if cancel_opposite == nil then cancel_opposite = responses.releases(verb) end
  local members, subject = responses.body(verb, options)
  check_claim(options, verb)
  check_key(options.key)
  operation_id = options.key or operation_id
  local hold_seconds = check_release_after(options.release_after, verb)
  if hold_seconds then with_end(operation_id, now + hold_seconds) end
  local whole, changed = actions.check_comment(comment, incident, operation_id)
  return {
    verb = verb, members = members, subject = subject, comment = whole, comment_changed = changed, incident = incident,
    keyed = options.key ~= nil, key = options.key, operations = copy(options.operations), expired = options.expired,
    hold_seconds = hold_seconds, text = comment,
    operation_id = operation_id, look = options.look ~= false,
    resend = options.resend ~= false, cancel_opposite = cancel_opposite, allow = guards.allowed(options.allow),
    decided_at = check_decided_at(options.decided_at, now),
    decided_on = type(options.decided_at) == "table" and options.decided_at.id or nil,
    dry_run = options.dry_run or false, timeout = options.timeout, reason = options.reason,
    withdrawn_since = options.again == false and now - WITHDRAWN_SECONDS or nil,
  }
end

--- Puts the end of a restriction into its operation id and its comment.
---@param arguments mde.ChangeArguments with hold_seconds
---@param at number Unix seconds by the service's clock
function M.set_end(arguments, at)
  arguments.operation_id = with_end(arguments.operation_id, at)
  arguments.comment = actions.check_comment(arguments.text, arguments.incident, arguments.operation_id)
end

--- Whether a response action would take these arguments, whatever the device: true, or nil and the error that they
--- would raise. For what is typed or comes from outside, before anything is asked for its sake.
---@param verb string "restrict", "release", "isolate", ...
---@param comment string
---@param options? mde.ChangeOptions
---@return true?
---@return mde.Error? err
function M.check(verb, comment, options)
  if not responses.is_verb(verb) then
    errors.invalid("wrong_value", ("mde.check: there is no verb %s, only %s"):format(errors.quote(verb),
      table.concat(responses.verbs, ", ")))
  end
  local ok, problem = errors.try(function()
    M.read(verb, comment, options_of.check(options, known_options[verb], "mde." .. verb), "checked-only",
      posix.clock.time())
  end)
  if ok then return true end
  return nil, problem
end

return M
