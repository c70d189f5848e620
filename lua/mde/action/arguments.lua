--- arguments: what restrict and release are called with, checked before anything is asked.

local actions = require "mde.action.action"
local errors = require "mde.base.error"
local guards = require "mde.action.guard"
local options_of = require "mde.base.options"

local M = {}

local verbs = { restrict = true, release = true }

M.known_options = {
  incident = "any", key = "text", timeout = "seconds", look = "flag", cancel_opposite = "flag", resend = "flag",
  allow = "any",
}

---@class mde.ChangeOptions
---@field incident? string|integer 1 to 64 of A-Za-z0-9._#/- ; stands in the comment
---@field key? string your own idempotency key, 8 to 64 of A-Za-z0-9._- ; it becomes the operation id
---@field timeout? number seconds for everything
---@field look? boolean false: send without reading the device's history
---@field resend? boolean false: do not send it again where its answer was lost and its list does not show it
---@field cancel_opposite? boolean cancel a pending opposite action first; true for release, false for restrict
---@field allow? mde.Rule[] rules of the guard that this call lifts: { "servers" }

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

---@class mde.ChangeArguments
---@field verb "restrict"|"release"
---@field comment string the whole of it, as it is recorded
---@field incident? string
---@field key? string
---@field operation_id string the key, or else the one that was given
---@field look_first boolean
---@field resend boolean
---@field cancel_opposite boolean
---@field allow table<mde.Rule, boolean>

--- What the arguments mean. Raises for wrong ones.
---@param verb "restrict"|"release"
---@param comment string
---@param options mde.ChangeOptions checked against M.known_options
---@param operation_id string for a call without a key
---@return mde.ChangeArguments
function M.read(verb, comment, options, operation_id)
  if options.key and options.look == false then
    errors.invalid("key_without_look", "a key needs a look: without one nobody knows whether it was used before",
      "Leave out look = false, or the key.")
  end
  local incident = check_incident(options.incident)
  local cancel_opposite = options.cancel_opposite
  if cancel_opposite == nil then cancel_opposite = verb == "release" end
  operation_id = options.key or operation_id
  return {
    verb = verb, comment = actions.check_comment(comment, incident, operation_id), incident = incident,
    key = options.key, operation_id = operation_id, look_first = options.look ~= false,
    resend = options.resend ~= false, cancel_opposite = cancel_opposite, allow = guards.allowed(options.allow),
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
  local ok, problem = pcall(function()
    M.read(verb, comment, options_of.check(options, M.known_options, "mde." .. verb), "checked-only")
  end)
  if ok then return true end
  if not errors.is(problem) then error(problem, 0) end
  return nil, problem
end

return M
