--- json: writes values as one line of JSON each, for `--json`.
--
-- Keys are sorted, so that equal values are equal lines. What acts on a terminal is written as \u001b,
-- bytes that are no UTF-8 as \ufffd; an empty table is a list; a function is left out.

local core = require "mde.core"

local M = {}

--- Is written as null.
M.null = setmetatable({}, { __tostring = function() return "null" end })

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape_ascii(character)
  return escapes[character] or ("\\u%04x"):format(character:byte())
end

-- The code point of the UTF-8 character that begins at `i`, and its length; nil if none does.
local function decode(text, i)
  local a, b, c, d = text:byte(i, i + 3)
  local function continues(byte) return byte and byte >= 0x80 and byte < 0xc0 end
  if a >= 0xc2 and a < 0xe0 and continues(b) then
    return (a - 0xc0) * 0x40 + b - 0x80, 2
  elseif a >= 0xe0 and a < 0xf0 and continues(b) and continues(c) then
    local code = ((a - 0xe0) * 0x40 + b - 0x80) * 0x40 + c - 0x80
    if code >= 0x800 and (code < 0xd800 or code > 0xdfff) then return code, 3 end
  elseif a >= 0xf0 and a < 0xf5 and continues(b) and continues(c) and continues(d) then
    local code = (((a - 0xf0) * 0x40 + b - 0x80) * 0x40 + c - 0x80) * 0x40 + d - 0x80
    if code >= 0x10000 and code <= 0x10ffff then return code, 4 end
  end
end

local function acts(code)
  return code < 0xa0 or code == 0x61c or code == 0x200e or code == 0x200f or code >= 0x2028 and code <= 0x202e
    or code >= 0x2066 and code <= 0x2069
end

local function escape_run(run)
  local out, i = {}, 1
  while i <= #run do
    local code, length = decode(run, i)
    if not code then
      out[#out + 1], length = "\\ufffd", 1
    else
      out[#out + 1] = acts(code) and ("\\u%04x"):format(code) or run:sub(i, i + length - 1)
    end
    i = i + length
  end
  return table.concat(out)
end

local function quote(text)
  text = text:gsub('[%z\1-\31"\\\127]', escape_ascii)
  return '"' .. text:gsub("[\128-\255]+", escape_run) .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return ("%d"):format(value) end
  return core.number.write(value)
end

--- One line, without its end.
---@param value any
---@return string
function M.encode(value)
  local kind = type(value)
  if kind == "string" then return quote(value) end
  if kind == "number" then return number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind ~= "table" or value == M.null then return "null" end
  local parts = {}
  if next(value) == nil or value[1] ~= nil then
    for i, item in ipairs(value) do parts[i] = M.encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local names = {}
  for name, member in pairs(value) do
    if type(name) == "string" and type(member) ~= "function" then names[#names + 1] = name end
  end
  table.sort(names, core.text.before)
  for i, name in ipairs(names) do parts[i] = quote(name) .. ":" .. M.encode(value[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

return M
