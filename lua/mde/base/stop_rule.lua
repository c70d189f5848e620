--- stop_rule: when the error of one item ends the work at all that are left.
--
-- A refused sign-in is refused for every other item, too, and so are a token that lacks a permission and a proxy's
-- password; without the store that keeps the service's limits nothing of many is sent. A 403 for another reason may be
-- of one device group alone: three in a row, without a success between, end the work.

local errors = require "mde.base.error"

local MANY_REFUSALS = 3

---@class mde.StopRule
---@field private refusals integer 403 in a row
local StopRule = {}
StopRule.__index = StopRule

local M = {}

---@return mde.StopRule
function M.new()
  return setmetatable({ refusals = 0 }, StopRule)
end

--- Takes note of how an item ended.
---@param err any nil for a success
---@return string? reason why no other should be begun, in words
---@return boolean? is_theirs whether it is a matter of these items: without them the others may go
function StopRule:note(err)
  if err == nil then
    self.refusals = 0
    return nil
  elseif not errors.is(err) then
    return nil
  elseif err.kind == "auth" then
    return "the sign-in failed"
  elseif err.code == "limits_unknown" then
    return "the store that keeps the service's limits failed"
  elseif err.code == "proxy_auth" then
    return "the proxy refused its user and password"
  elseif err.kind ~= "permission" then
    return nil
  elseif err.permission then
    return "the application lacks the permission " .. errors.show(err.permission)
  end
  self.refusals = self.refusals + 1
  if self.refusals >= MANY_REFUSALS then
    return ("%d devices in a row were refused (HTTP 403)"):format(self.refusals), true
  end
end

return M
