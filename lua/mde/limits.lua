--- limits: the options that say what the service allows, and what is asked about it.

local core = require "mde.core"
local errors = require "mde.base.error"
local responses = require "mde.action.response"
local options_of = require "mde.base.options"

-- Of most of the service's APIs.
local PER_MINUTE, PER_HOUR = 100, 1500
local MOST = 100000
-- Of Microsoft Graph's, which has no limits by the hour and does not know the service's.
local GRAPH_PER_MINUTE = { graph_alerts = 150, graph_incidents = 150, hunting = 45 }

-- Of the service's others that have limits of their own.
local OTHERS = {
  indicator_import = { 30, PER_HOUR }, machine_vulnerabilities = { 50, PER_HOUR }, all_software = { 30, 1000 },
  all_vulnerabilities = { 30, 1000 },
}

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

--- The windows of the APIs that the service allows fewer calls than most, and of those of Microsoft Graph, which the
--- option `limits` does not change.
---@param windows mde.Window[] of most APIs; none where calls are not counted
---@return table<string, mde.Window[]>
function M.of_apis(windows)
  local list = {}
  for _, name in ipairs(windows[1] and core.response_actions or {}) do
    local row = core.response_actions[name]
    if row.per_minute < PER_MINUTE or row.per_hour < PER_HOUR then
      list[name] = { { count = math.min(row.per_minute, windows[1].count), seconds = 60 },
        { count = math.min(row.per_hour, windows[2].count), seconds = 3600 } }
    end
  end
  for name, most in pairs(windows[1] and OTHERS or {}) do
    list[name] = { { count = math.min(most[1], windows[1].count), seconds = 60 },
      { count = math.min(most[2], windows[2].count), seconds = 3600 } }
  end
  for name, count in pairs(windows[1] and GRAPH_PER_MINUTE or {}) do
    list[name] = { { count = count, seconds = 60 } }
  end
  return list
end

---@param verb any nil: restrict
---@param what string who is called, for the error
---@return string
function M.check_verb(verb, what)
  if verb == nil then return "restrict" end
  if not responses.is_verb(verb) then
    errors.invalid("wrong_value", ("%s: there is no verb %s, only %s"):format(what, errors.quote(verb),
      table.concat(responses.verbs, ", ")))
  end
  return verb
end

---@param count any nil: 1
---@return integer
function M.check_count(count)
  return check_number(count, 1, "mde.peek: count", 0)
end

return M
