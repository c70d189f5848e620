--- own_names: what a row of the service must not bring: the names of our methods and fields.
--
-- A row becomes an object by a metatable, and what it has itself hides what the metatable has. A property called `wait`
-- would hide our method, one called `outcome` would pose as what we found out. So properties with our names are dropped
-- when a row is taken over. The service's own names are in camel case, and none of them is among ours.

---@class mde.OwnNames
---@field private methods table<string, function>
---@field private fields table<string, true>
local OwnNames = {}
OwnNames.__index = OwnNames

local M = {}

--- The names of a kind of object.
---@param methods table<string, function> as `bind` takes them; more may come into it later
---@param fields string[] what we put into such an object
---@return mde.OwnNames
function M.new(methods, fields)
  local set = {}
  for _, name in ipairs(fields) do set[name] = true end
  return setmetatable({ methods = methods, fields = set }, OwnNames)
end

--- Whether a name is ours.
---@param name any
---@return boolean
function OwnNames:has(name)
  return self.methods[name] ~= nil or self.fields[name] ~= nil
end

--- Takes everything that has one of our names out of a row.
---@param row table changed in place
function OwnNames:drop(row)
  for name in pairs(row) do
    if self:has(name) then row[name] = nil end
  end
end

--- The methods as a client's objects have them.
---@param methods table<string, fun(client: mde.Client, object: table, ...): any>
---@param client mde.Client
---@return table<string, fun(object: table, ...): any>
function M.bind(methods, client)
  local bound = {}
  for name, method in pairs(methods) do
    bound[name] = function(...) return method(client, ...) end
  end
  return bound
end

return M
