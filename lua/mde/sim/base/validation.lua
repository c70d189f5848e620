-- The words in which a fixture, an option or a control request is refused: where the slip is, and what is wanted.
local core = require "mde.core"
local json = require "mde.sim.base.json"
local nearest = require("mde.base.options").nearest

local M = {}

local MAX_SHOWN_BYTES = 60

local function shown(value)
  local kind = type(value)
  if kind == "string" then return ("'%s'"):format(value:sub(1, MAX_SHOWN_BYTES):gsub("[%z\1-\31\127]", "?")) end
  if kind == "number" then return core.number.write(value) end
  if value == json.null then return "null" end
  return kind == "table" and "a table" or tostring(value)
end

--- That something is not what it must be.
---@param name string
---@param wanted string
---@param value any
---@return string
function M.mismatch(name, wanted, value)
  return ("%s must be %s, not %s"):format(name, wanted, shown(value))
end

--- That there is nothing of this name.
---@param what string the kind of thing with a blank after it, or ""
---@param name any
---@param names table<string, any> its keys are the names there are
---@return string
function M.unknown(what, name, names)
  local meant = nearest(tostring(name), names)
  local hint = meant and (". Did you mean '%s'?"):format(meant) or ""
  return ("there is no %s%s%s"):format(what, shown(tostring(name)), hint)
end

--- Raises unless a value is a list of such elements. What stands beside the elements is not looked at.
---@param name string
---@param value any
---@param element_type "table"|"string"
function M.check_list(name, value, element_type)
  local elements = element_type == "table" and "tables" or "texts"
  if type(value) ~= "table" or (#value == 0 and next(value) ~= nil) then
    error(("%s must be a list of %s"):format(name, elements), 0)
  end
  for i, element in ipairs(value) do
    if type(element) ~= element_type then
      error(("%s[%d] must be a %s"):format(name, i, element_type == "table" and "table" or "text"), 0)
    end
  end
end

--- Calls fn(element) for each element of a list of tables; what it raises says which one it is about.
---@param name string
---@param list any
---@param fn fun(element: table, index: integer)
function M.for_each(name, list, fn)
  M.check_list(name, list, "table")
  for i, element in ipairs(list) do
    local ok, message = pcall(fn, element, i)
    if not ok then error(("%s[%d]: %s"):format(name, i, tostring(message)), 0) end
  end
end

return M
