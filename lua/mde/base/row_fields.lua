--- row_fields: what a row of the service has in its fields is of the type that it is meant to be, or is not there.
--
-- A service may send a number where a name was, or an object where a list was. One such value costs that value at most:
-- a row that is refused for it could be the one that tells of a restriction.

local core = require "mde.core"

local M = {}

--- Drops what is no text.
---@param row table changed in place
---@param names string[]
function M.keep_texts(row, names)
  for i = 1, #names do
    local value = row[names[i]]
    if value ~= nil and type(value) ~= "string" then row[names[i]] = nil end
  end
end

-- What a value that is no table is as a text.
local function text_of(value)
  if type(value) == "number" then return core.number.write(value) end
  return type(value) == "string" and value or nil
end

--- Writes numbers as texts, and drops what is neither.
---@param row table changed in place
---@param names string[]
function M.make_texts(row, names)
  for i = 1, #names do
    local value = row[names[i]]
    if value ~= nil and type(value) ~= "string" then row[names[i]] = text_of(value) end
  end
end

local function collect(value, list)
  local text = text_of(value)
  if text then list[#list + 1] = text end
  if type(value) ~= "table" then return end
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return core.text.before(tostring(a), tostring(b)) end)
  for _, name in ipairs(names) do collect(value[name], list) end
end

local function is_list_of_texts(value)
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  for i = 1, count do
    if type(value[i]) ~= "string" then return false end
  end
  return true
end

--- Makes a list of texts of whatever there is: of one text, of a list with numbers in it, of all that an object has.
---@param row table changed in place
---@param name string
function M.make_list(row, name)
  local value = row[name]
  if value == nil or type(value) == "table" and is_list_of_texts(value) then return end
  local list = {}
  collect(value, list)
  row[name] = list
end

return M
