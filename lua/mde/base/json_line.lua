--- json_line: writes values as one line of JSON each, for what reads one a line.
--
-- Keys are sorted, so that equal values are equal lines. What acts on a terminal or does not show is written as
-- \u001b, bytes that are no UTF-8 as \ufffd; an empty table is a list; a function is left out.

local core = require "mde.core"

local M = {}

--- Is written as null.
M.null = setmetatable({}, { __tostring = function() return "null" end })

local function quote(text)
  return '"' .. core.show.json(text) .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return ("%d"):format(value) end
  return core.number.write(value)
end

--- One line, without its end.
---@param value any
---@param empty? string what an empty table is; default "[]"
---@return string
function M.encode(value, empty)
  local kind = type(value)
  if kind == "string" then return quote(value) end
  if kind == "number" then return number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind ~= "table" or value == M.null then return "null" end
  if next(value) == nil then return empty or "[]" end
  local parts = {}
  if value[1] ~= nil then
    for i, item in ipairs(value) do parts[i] = M.encode(item, empty) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local names = {}
  for name, member in pairs(value) do
    if type(name) == "string" and type(member) ~= "function" then names[#names + 1] = name end
  end
  table.sort(names, core.text.before)
  for i, name in ipairs(names) do parts[i] = quote(name) .. ":" .. M.encode(value[name], empty) end
  return "{" .. table.concat(parts, ",") .. "}"
end

return M
