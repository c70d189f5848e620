--- handover: one alert is handed to the user's function, and how that ended.
--
-- What the function raises, or returns as `nil, err`, is a failure: the alert is handed over again later, and set aside
-- in the end. What is not the alert's fault is put off instead, and counts as no try: the service is not reached, or
-- asks to wait, or the cap is full. Where the sign-in is refused or a role is missing, no other alert would fare
-- better: the watch ends. Where somebody has decided otherwise since the alert, it has ended well: nothing is left to
-- try.

local decisions = require "mde.watch.decision"
local errors = require "mde.base.error"

local M = {}

---@class mde.Handover
---@field how "succeeded"|"failed"|"put_off"
---@field err? any what the function raised, or returned; of one that has succeeded: who has decided otherwise
---@field not_before? number Unix seconds: the earliest time of another try
---@field ends_watch? boolean

local function is_put_off(err)
  return err.kind == "throttled" or err.kind == "unavailable" or err.code == "cap_full"
end

local function ends_watch(err)
  return err.kind == "auth" or err.kind == "permission" and err.permission ~= nil
end

---@param err any
---@return mde.Handover
local function of_error(err)
  if not errors.is(err) then return { how = "failed", err = err } end
  if err.kind == "superseded" then return { how = "succeeded", err = err } end
  if ends_watch(err) then return { how = "put_off", err = err, ends_watch = true } end
  if is_put_off(err) then return { how = "put_off", err = err, not_before = err.retry_at } end
  return { how = "failed", err = err }
end

-- Which handover says how all of them have ended: what ends the watch, then a failure, then what is put off.
local function rank(handover)
  if handover.ends_watch then return 4 end
  if handover.how == "succeeded" then return handover.err and 1 or 0 end
  return handover.how == "failed" and 3 or 2
end

-- How it has ended by the results of mde.each: as the worst of them has.
---@param results mde.Results
---@return mde.Handover
local function of_results(results)
  local worst = { how = "succeeded" }
  for _, result in ipairs(results) do
    local handover = result.err ~= nil and of_error(result.err)
    if handover and rank(handover) > rank(worst) then worst = handover end
  end
  -- Others were not begun, so that is no end.
  if results.stopped and worst.how == "succeeded" then return { how = "failed", err = worst.err } end
  return worst
end

-- Whether a value is what mde.each returns, and not all of it went well.
local function has_failures(value)
  return type(value) == "table" and type(value.failed) == "number" and value.failed > 0
end

--- Calls handler(alert, options, attempt).
---@param handler fun(alert: table, options: table, attempt: integer): any, any
---@param alert table
---@param attempt integer
---@return mde.Handover
function M.make(handler, alert, attempt)
  local ok, value, err = pcall(handler, alert, decisions.options(alert), attempt)
  if not ok then
    if value == nil then value = "it raised nil" end
    errors.locate(value, handler)
    return of_error(value)
  end
  if not value and err ~= nil then return of_error(err) end
  if has_failures(value) then return of_results(value) end
  return { how = "succeeded" }
end

return M
