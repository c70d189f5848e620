--- variable: what the environment says; what is set to nothing is not set.

---@param name string
---@return string?
return function(name)
  local value = os.getenv(name)
  if value ~= "" then return value end
end
