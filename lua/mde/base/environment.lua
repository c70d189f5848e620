--- environment: what the environment says; what is set to nothing is not set.

local M = {}

---@param name string
---@return string?
function M.get(name)
  local value = os.getenv(name)
  if value ~= "" then return value end
end

return M
