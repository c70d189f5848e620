-- Finds what detached work must not use: local variables of functions that have not returned. nginx clears the stack
-- of a request that it drops and gives it to the next one, while closures still point into it.
--
-- LuaJIT's debug.upvalueid gives the address of the variable's cell, which has a byte that says whether the cell holds
-- the value itself ("closed") or points into a stack.
local ffi = require "ffi"

local CLOSED_BYTE = ffi.abi "gc64" and 10 or 6

local variables = {}

local function is_open(fn, index)
  return ffi.cast("uint8_t *", debug.upvalueid(fn, index))[CLOSED_BYTE] == 0
end

local function look(value, path, seen, found)
  if seen[value] then return end
  if type(value) == "table" then
    seen[value] = true
    for name, field in pairs(value) do look(field, path .. "." .. tostring(name), seen, found) end
    look(debug.getmetatable(value) or false, path .. " (metatable)", seen, found)
  elseif type(value) == "function" and debug.getinfo(value, "S").what ~= "C" then
    seen[value] = true
    local index = 1
    while true do
      local name, upvalue = debug.getupvalue(value, index)
      if not name then break end
      local here = ("%s, %s"):format(path, name)
      if is_open(value, index) then
        found[#found + 1] = ("%s (in the function at %s:%d)"):format(here, debug.getinfo(value, "S").short_src,
          debug.getinfo(value, "S").linedefined)
      end
      look(upvalue, here, seen, found)
      index = index + 1
    end
  end
end

--- The open variables that a function reaches, through variables, tables and metatables.
---@param fn fun()
---@return string[] found
function variables.open(fn)
  local found = {}
  look(fn, "fn", { [package.loaded] = true, [_G] = true }, found)
  return found
end

return variables
