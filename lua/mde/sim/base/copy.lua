-- Copies that share no table with what they were made of.
local M = {}

---@param value any without a table that is in itself
---@return any
function M.deep(value)
  if type(value) ~= "table" then return value end
  local same = {}
  for name, member in pairs(value) do same[name] = M.deep(member) end
  return same
end

return M
