--- stop_rule: when the error of one item ends the work at all that are left.
--
-- A refused sign-in is refused for every other item, too, and so are a token that lacks a permission and a proxy's
-- password; without the store that keeps the service's limits nothing of many is sent. A 403 for another reason may be
-- of one device group alone: three in a row on different devices, without a success between, end the work. The rules
-- are the core's (src/core/stop_rules.h). Of those that it has, these are for any list; the others are for a run.

local core = require "mde.core"
local errors = require "mde.base.error"

---@class mde.StopRule
---@field private rules mde.stop_rules
---@field private reason string?
---@field private is_theirs boolean?
local StopRule = {}
StopRule.__index = StopRule

local M = {}

---@return mde.StopRule
function M.new()
  return setmetatable({ rules = core.stop_rules.new() }, StopRule)
end

---@return mde.StopEvent
local function event_of(err)
  if err == nil then
    return "done"
  elseif not errors.is(err) then
    return "left"
  elseif err.kind == "auth" then
    return "sign_in"
  elseif err.code == "limits_unknown" then
    return "store"
  elseif err.code == "proxy_auth" then
    return "proxy"
  elseif err.kind ~= "permission" then
    return "left"
  end
  return err.permission and "role" or "forbidden"
end

local words = {
  sign_in = function() return "the sign-in failed" end,
  store = function() return "the store that keeps the service's limits failed" end,
  proxy = function() return "the proxy refused its user and password" end,
  role = function(_, err) return "the application lacks the permission " .. errors.show(err.permission) end,
  forbidden_in_a_row = function(stop)
    return ("%d devices in a row were refused (HTTP 403)"):format(stop.count)
  end,
}

--- Takes note of how an item ended. Once it is a reason to stop, that reason stays.
---@param err any nil for a success
---@return string? reason why no other should be begun, in words
---@return boolean? is_theirs whether it is a matter of these items: without them the others may go
function StopRule:note(err)
  if not self.reason then
    local event = event_of(err)
    local device = event == "forbidden" and type(err.machine_id) == "string" and err.machine_id or nil
    local stop = self.rules:note(event, device)
    if not stop then return nil end
    self.reason, self.is_theirs = words[stop.rule](stop, err), stop.rule == "forbidden_in_a_row"
  end
  return self.reason, self.is_theirs
end

return M
