--- reserved_names: what a row of the service must not bring: the names of our methods and fields.
--
-- A row becomes an object by a metatable, and what it has itself hides what the metatable has. A property called `wait`
-- would hide our method, one called `outcome` would pose as what we found out. So properties with our names are dropped
-- when a row is taken over. The service's own names are in camel case, and none of them is among ours.

---@class mde.ReservedNames
---@field private names string[]
---@field private set table<string, true>
local ReservedNames = {}
ReservedNames.__index = ReservedNames

local M = {}

--- The names of a kind of object: its methods, and the fields that we put into it.
---@param names string[]
---@return mde.ReservedNames
function M.new(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return setmetatable({ names = names, set = set }, ReservedNames)
end

--- Whether a name is ours.
---@param name any
---@return boolean
function ReservedNames:has(name)
  return self.set[name] ~= nil
end

--- Takes everything that has one of our names out of a row.
---@param row table changed in place
function ReservedNames:drop(row)
  local names = self.names
  for i = 1, #names do
    if row[names[i]] ~= nil then row[names[i]] = nil end
  end
end

return M
