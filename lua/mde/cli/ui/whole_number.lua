--- whole_number: the value of an option that counts.

local core = require "mde.core"

local M = {}

local MOST = 1e6

--- A whole number above 0.
---@param text string
---@return number?
---@return string? message
function M.parse(text)
  local value = text:find "^%d+$" and core.number.read(text)
  if not value or value < 1 or value > MOST then return nil, ("'%s' is not a whole number above 0"):format(text) end
  return value
end

return M
