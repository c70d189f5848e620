--- times: a time, in each way in which it can be given, as OData writes it.

local core = require "mde.core"
local errors = require "mde.base.error"
local operators = require "mde.query.operators"

local MIN_UNIX_TIME = 1e9 -- in 2001; as a span, 31 years
local MAX_UNIX_TIME = 253402300799 -- the last second of the year 9999
local MIN_UNIX_MILLISECONDS = 1e11 -- in seconds the year 5138, in milliseconds 1973

---@alias mde.Time number|string|table|mde.Ago Unix seconds; ISO 8601, in UTC unless it says otherwise, a date alone
---being its midnight; a table as os.date "*t" gives it, local time as os.time reads it; or mde.ago

local M = {}

local function not_a_time(value, what, why)
  errors.invalid("time_malformed",
    ("%s: %s %s"):format(what, type(value) == "table" and "the table" or errors.got(value), why),
    'Give Unix seconds, a text like "2026-02-03" or "2026-02-03T10:11:12Z", a table like os.date "*t", '
      .. 'or mde.ago "2h".')
end

-- A time as OData writes it. A fraction is cut to what the service keeps, a ten-millionth of a second.
local function time_of_text(text, what)
  local date, rest = text:match "^(%d%d%d%d%-%d%d%-%d%d)(.*)$"
  if rest == "" or rest == "Z" or rest == "z" then rest = "T00:00:00Z" end
  local clock, fraction, zone = (rest or ""):match "^[Tt](%d%d:%d%d:%d%d)(%.?%d*)(.*)$"
  if not clock or fraction == "." then return not_a_time(text, what, "is not a time") end
  if zone == "" or zone == "z" then zone = "Z" end
  local whole = date .. "T" .. clock .. fraction:sub(1, 8) .. zone
  local seconds = core.timestamp.read(whole)
  if not seconds then not_a_time(text, what, "is not a time") end
  return whole, seconds
end

local function time_of_number(seconds, what)
  if seconds > MIN_UNIX_MILLISECONDS and seconds < math.huge then
    not_a_time(seconds, what, "looks like milliseconds since 1970")
  elseif not (seconds >= 0 and seconds <= MAX_UNIX_TIME) then
    not_a_time(seconds, what, "is not a time in seconds since 1970")
  end
  return core.timestamp.write(seconds), seconds
end

local date_parts = {
  { name = "year", from = 1970, to = 9999 }, { name = "month", from = 1, to = 12 }, { name = "day", from = 1, to = 31 },
  { name = "hour", from = 0, to = 23 }, { name = "min", from = 0, to = 59 }, { name = "sec", from = 0, to = 60 },
}

-- os.time makes March 2 of February 30; nobody who asks for a day means another.
local function time_of_table(fields, what)
  local parts = { hour = 0, min = 0, sec = 0 }
  for _, one in ipairs(date_parts) do
    local part = fields[one.name]
    if part == nil then part = parts[one.name] end
    if type(part) ~= "number" or part % 1 ~= 0 or part < one.from or part > one.to then
      not_a_time(fields, what, "is not a date: see its " .. one.name)
    end
    parts[one.name] = part
  end
  local noon = os.time { year = parts.year, month = parts.month, day = parts.day, hour = 12 }
  if not noon or os.date("*t", noon).day ~= parts.day then
    errors.invalid("time_malformed",
      ("%s: the table is not a date: %04d-%02d has no day %d"):format(what, parts.year, parts.month, parts.day),
      "If the time that os.time makes of it is meant, give that: os.time(date).")
  end
  parts.isdst = fields.isdst
  local seconds = os.time(parts)
  if not seconds then not_a_time(fields, what, "is not a date") end
  return time_of_number(seconds, what)
end

--- A time, however it is given, as OData writes it and as Unix seconds. Raises for anything else.
---@param value mde.Time
---@param now number Unix seconds, from which mde.ago counts
---@param what string whose time it is, for the error
---@return string text
---@return number seconds
function M.read(value, now, what)
  if operators.is_ago(value) then
    return time_of_number(math.max(0, now - value.seconds), what)
  elseif type(value) == "string" then
    return time_of_text(value, what)
  elseif type(value) == "number" and value >= 0 and value < MIN_UNIX_TIME then
    errors.invalid("time_malformed",
      ("%s: %s looks like a span of time, not like Unix seconds"):format(what, errors.show(value)),
      ("For so many seconds ago write mde.ago(%s)."):format(core.number.write(value)))
  elseif type(value) == "number" then
    return time_of_number(value, what)
  elseif type(value) == "table" and value.year ~= nil then
    return time_of_table(value, what)
  end
  return not_a_time(value, what, "is not a time")
end

return M
