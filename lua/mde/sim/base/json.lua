-- JSON as the simulated tenant writes it: keys in the service's order, null for what is absent, [] for an
-- empty list, whole numbers without a fraction. Reading is lua-cjson's work.
local core = require "mde.core"
local codec = require("mde.base.json").codecs(1000)

local M = { null = require("cjson").null }

local array_mark = {}

local escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function quote(text)
  if not text:find '[%z\1-\31"\\\127]' then return '"' .. text .. '"' end
  return '"' .. text:gsub('[%z\1-\31"\\\127]', function(character)
    return escapes[character] or ("\\u%04x"):format(character:byte())
  end) .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("JSON has no number for " .. tostring(value))
  end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return ("%d"):format(value)
  end
  return core.number.write(value)
end

--- Marks a table as a list, so that it is written as one even if it is empty.
---@param list table
---@return table list
function M.array(list)
  return setmetatable(list, array_mark)
end

---@param value any
---@return string
function M.encode(value)
  local kind = type(value)
  if value == nil or value == M.null then return "null" end
  if kind == "string" then return quote(value) end
  if kind == "number" then return number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind ~= "table" then error("JSON has no " .. kind) end
  local parts = {}
  if getmetatable(value) == array_mark or #value > 0 then
    for i = 1, #value do parts[i] = M.encode(value[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  return M.object(names, value)
end

--- Writes the named members of a table, in this order and no others; an absent one is null.
---@param names string[]
---@param value table
---@return string
function M.object(names, value)
  local parts = {}
  for i, name in ipairs(names) do
    parts[i] = quote(name) .. ":" .. M.encode(value[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- Where a text in this JSON holds a raw control character, which lua-cjson lets pass.
---@param text string
---@return integer? position of the text; nil if none does
function M.control_character(text)
  local without_escapes = text:gsub("\\.", "..")
  for position, content in without_escapes:gmatch '()"([^"]*)"' do
    if content:find "[%z\1-\31]" then return position end
  end
end

local function decode(text)
  return codec().decode(text)
end

--- Null becomes `json.null`.
---@param text string
---@return any value nil if the text is not JSON
---@return string? message
function M.decode(text)
  local ok, value = pcall(decode, text)
  if not ok then return nil, value end
  return value
end

--- The same, and null or not an object is nil; members that are null are absent.
---@param text string
---@return table? object
---@return string? message
function M.decode_object(text)
  local value, message = M.decode(text)
  if type(value) ~= "table" or not text:find "^%s*{" then
    return nil, message or "not a JSON object"
  end
  for name, member in pairs(value) do
    if member == M.null then value[name] = nil end
  end
  return value
end

return M
