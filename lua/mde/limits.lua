--- limits: the options that say what the service allows, and what is asked about it.

local errors = require "mde.base.error"
local options_of = require "mde.base.options"

-- Of most of the service's APIs.
local PER_MINUTE, PER_HOUR = 100, 1500
local MOST = 100000

local M = {}

local function check_number(value, default, what, least)
  if value == nil then return default end
  if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > MOST then
    errors.invalid("wrong_type",
      ("%s must be a whole number from %d to %d, not %s"):format(what, least, MOST, errors.quote(value)))
  end
  return value
end

--- What the options `limits` and `reserve` mean. Raises for wrong ones.
---@param limits? false|{ per_minute?: integer, per_hour?: integer }
---@param reserve? integer
---@return mde.Window[] windows none where calls are not counted
---@return integer reserve
function M.check(limits, reserve)
  if limits == false then
    if reserve ~= nil then
      errors.invalid("option_without_effect",
        "option \"reserve\" has no effect beside limits = false", "Leave one of them out.")
    end
    return {}, 0
  end
  limits = options_of.check(limits, { per_minute = "any", per_hour = "any" }, "option \"limits\"")
  local per_minute = check_number(limits.per_minute, PER_MINUTE, "option \"limits\": per_minute", 1)
  local per_hour = check_number(limits.per_hour, PER_HOUR, "option \"limits\": per_hour", 1)
  reserve = check_number(reserve, 0, "option \"reserve\"", 0)
  if reserve >= math.min(per_minute, per_hour) then
    errors.invalid("reserve_too_large",
      ("option \"reserve\" is %d, which leaves nothing of the limits to mde.each"):format(reserve),
      "Give a smaller one; the default is 0.")
  end
  return { { count = per_minute, seconds = 60 }, { count = per_hour, seconds = 3600 } }, reserve
end

local verbs = { restrict = true, release = true }

---@param verb any nil: restrict
---@return "restrict"|"release"
function M.check_verb(verb)
  if verb == nil then return "restrict" end
  if not verbs[verb] then
    errors.invalid("wrong_value",
      ("mde.peek: there is no verb %s, only \"restrict\" and \"release\""):format(errors.quote(verb)))
  end
  return verb
end

---@param count any nil: 1
---@return integer
function M.check_count(count)
  return check_number(count, 1, "mde.peek: count", 0)
end

return M
