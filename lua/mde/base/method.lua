--- method: explains a call with a dot where a colon belongs.
--
-- `client.restrict("laptop-17", "why")` gives the method a device in the place of the client, and what would be said
-- about the arguments then helps nobody.

local errors = require "mde.base.error"

local M = {}

local function checked(method, name, what, metatable, mark)
  return function(self, ...)
    if getmetatable(self) ~= metatable and (type(self) ~= "table" or self[mark] == nil) then
      errors.invalid("called_with_dot", ("%s.%s was called with a dot, and its first argument is %s instead of the %s")
        :format(what, name, errors.got(self), what), ("Write a colon: %s:%s(...)."):format(what, name))
    end
    return method(self, ...)
  end
end

--- Makes each method of a class raise where its first argument is no object of it.
---@param methods table<string, any> changed in place; metamethods, and what is no function, stay as they are
---@param what "client"|"machine"|"action"|"alert"
---@param metatable table of its objects
---@param mark string a field that what stands for an object has, too: a proxy of a client, a table with a machine's id
function M.check_object(methods, what, metatable, mark)
  for name, method in pairs(methods) do
    if type(method) == "function" and name:sub(1, 2) ~= "__" then
      methods[name] = checked(method, name, what, metatable, mark)
    end
  end
end

return M
