-- Literals that name their type, datetime(2026-02-03) for instance, and the units of spans of time. A datetime is Unix
-- seconds and a timespan is seconds; both are exact to a microsecond.
local core = require "mde.core"
local time = require "mde.sim.base.time"

local M = {}

--- Seconds in each unit.
M.units = {}

for seconds, names in pairs {
  [86400] = "d day days", [3600] = "h hr hrs hour hours", [60] = "m min minute minutes", [1] = "s sec second seconds",
  [1e-3] = "ms milli millis millisec millisecond milliseconds",
  [1e-6] = "micro micros microsec microsecond microseconds", [1e-7] = "tick ticks",
} do
  for name in names:gmatch "%S+" do M.units[name] = seconds end
end

local types = { datetime = "datetime", date = "datetime", timespan = "timespan", time = "timespan", guid = "guid",
  long = "long", int = "int", real = "real", double = "real", bool = "bool" }

--- Whether a name followed by a parenthesis is a literal's.
---@param name string
---@return boolean
function M.is_type(name)
  return types[name] ~= nil
end

local readers = {}

function readers.datetime(text)
  local date, clock = text:match "^(%d%d%d%d%-%d%d%-%d%d)[T ](%d.*)$"
  if date and not clock:find "[Zz+-]" then clock = clock .. "Z" end
  if date and clock:find "^%d%d:%d%dZ$" then clock = clock:sub(1, 5) .. ":00Z" end
  return time.parse(date and date .. "T" .. clock or text)
end

function readers.timespan(text)
  local count, unit = text:match "^(%d+%.?%d*)([a-z]+)$"
  if unit then return M.units[unit] and core.number.read(count) * M.units[unit] end
  local sign, days, rest = text:match "^(%-?)(%d+)%.(%d+:.*)$"
  if not days then sign, rest = text:match "^(%-?)(%d+:.*)$" end
  local hours, minutes, seconds = (rest or ""):match "^(%d%d?):(%d%d):(%d%d%.?%d*)$"
  if not hours then hours, minutes = (rest or ""):match "^(%d%d?):(%d%d)$" end
  if not hours then return text:find "^%-?%d+$" and core.number.read(text) * 86400 or nil end
  hours, minutes, seconds = core.number.read(hours), core.number.read(minutes), core.number.read(seconds or "0")
  if hours > 23 or minutes > 59 or seconds >= 60 then return nil end
  local whole = core.number.read(days or "0") * 86400 + hours * 3600 + minutes * 60 + seconds
  return sign == "-" and -whole or whole
end

local hex4 = ("%x"):rep(4)

function readers.guid(text)
  local guid = text:match("^" .. hex4 .. hex4 .. ("%-" .. hex4):rep(4) .. hex4 .. hex4 .. "$")
  return guid and core.text.lower(guid)
end

function readers.long(text)
  return text:find "^%-?%d+$" and core.number.read(text) or nil
end

readers.int = readers.long

function readers.real(text)
  return core.number.read(text)
end

function readers.bool(text)
  local word = core.text.lower(text)
  if word == "true" or word == "1" then return true end
  if word == "false" or word == "0" then return false end
end

--- A text as a value of a type.
---@param name string as it stands before the parenthesis
---@param text string
---@return string? type nil if it is no value of the type
---@return any value nil: null
function M.read(name, text)
  local kind = types[name]
  text = text:match "^%s*(.-)%s*$"
  local quoted = text:match '^"([^"\\]*)"$' or text:match "^'([^'\\]*)'$"
  text = quoted or text
  if text == "null" then return kind, nil end
  local value = readers[kind](text)
  if value == nil then return nil end
  return kind, value
end

return M
