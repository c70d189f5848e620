--- handover: one alert is handed to the user's function, and how that ended.
--
-- What the function raises, or returns as `nil, err`, is a failure: the alert is handed over again later, and set aside
-- in the end. What is not the alert's fault is put off instead, and counts as no try: the service is not reached, or
-- asks to wait, or the cap is full. Where the sign-in is refused or a role is missing, no other alert would fare
-- better: the watch ends.

local decisions = require "mde.watch.decision"
local errors = require "mde.base.error"

local M = {}

---@class mde.Handover
---@field how "succeeded"|"failed"|"put_off"
---@field err? any what the function raised, or returned
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
  if ends_watch(err) then return { how = "put_off", err = err, ends_watch = true } end
  if is_put_off(err) then return { how = "put_off", err = err, not_before = err.retry_at } end
  return { how = "failed", err = err }
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
  return { how = "succeeded" }
end

return M
