-- Times as the service writes and reads them. Inside the tenant a time is seconds since 1970, with a fraction.
local core = require "mde.core"

local M = {}

local floor = math.floor
local read_number = core.number.read

local weekdays = { [0] = "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local month_lengths = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- Days between 1970-01-01 and a date; years are counted from March, so that a leap day is the last of its year.
local function days_of(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = floor(year / 400)
  local year_of_era = year - era * 400
  local day_of_year = floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  local day_of_era = year_of_era * 365 + floor(year_of_era / 4) - floor(year_of_era / 100) + day_of_year
  return era * 146097 + day_of_era - 719468
end

local function date_of(days)
  local shifted = days + 719468
  local era = floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = floor((day_of_era - floor(day_of_era / 1460) + floor(day_of_era / 36524)
    - floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + floor(year_of_era / 4) - floor(year_of_era / 100))
  local march_month = floor((5 * day_of_year + 2) / 153)
  local month = (march_month + 2) % 12 + 1
  local year = year_of_era + era * 400
  if month <= 2 then year = year + 1 end
  return year, month, day_of_year - floor((153 * march_month + 2) / 5) + 1
end

local function split(seconds)
  local days = floor(seconds / 86400)
  local rest = seconds - days * 86400
  local year, month, day = date_of(days)
  return year, month, day, floor(rest / 3600), floor(rest % 3600 / 60), rest % 60, (days + 4) % 7
end

--- As the API writes it: up to seven digits of a second, trailing zeros dropped.
---@param seconds number
---@return string
function M.iso(seconds)
  local whole = floor(seconds)
  local ticks = floor((seconds - whole) * 1e7 + 0.5)
  if ticks >= 1e7 then whole, ticks = whole + 1, 0 end
  local year, month, day, hour, minute, second = split(whole)
  local fraction = ""
  if ticks > 0 then fraction = "." .. ("%07d"):format(ticks):gsub("0+$", "") end
  return ("%04d-%02d-%02dT%02d:%02d:%02d%sZ"):format(year, month, day, hour, minute, second, fraction)
end

--- As the sign-in service writes it in an error.
---@param seconds number
---@return string
function M.plain(seconds)
  local year, month, day, hour, minute, second = split(floor(seconds))
  return ("%04d-%02d-%02d %02d:%02d:%02dZ"):format(year, month, day, hour, minute, second)
end

local long_weekdays = { [0] = "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }

--- As a header may have it in the form of RFC 850.
---@param seconds number
---@return string
function M.rfc850(seconds)
  local year, month, day, hour, minute, second, weekday = split(floor(seconds))
  return ("%s, %02d-%s-%02d %02d:%02d:%02d GMT"):format(long_weekdays[weekday], day, months[month], year % 100, hour,
    minute, second)
end

--- As a header may have it in the form of C's asctime.
---@param seconds number
---@return string
function M.asctime(seconds)
  local year, month, day, hour, minute, second, weekday = split(floor(seconds))
  return ("%s %s %2d %02d:%02d:%02d %04d"):format(weekdays[weekday], months[month], day, hour, minute, second, year)
end

--- As the Date header has it.
---@param seconds number
---@return string
function M.http(seconds)
  local year, month, day, hour, minute, second, weekday = split(floor(seconds))
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(weekdays[weekday], day, months[month], year, hour, minute,
    second)
end

local function zone_offset(text)
  if text == "" or text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = text:match "^([+-])(%d%d):(%d%d)$"
  if not sign or read_number(hours) > 14 or read_number(minutes) > 59 then return nil end
  local offset = read_number(hours) * 3600 + read_number(minutes) * 60
  return sign == "+" and offset or -offset
end

-- The whole seconds and the digits after the point of an ISO 8601 text.
local function read(text)
  local year, month, day, rest = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  if not year then return nil end
  year, month, day = read_number(year), read_number(month), read_number(day)
  if month < 1 or month > 12 then return nil end
  local length = month_lengths[month]
  if month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) then length = 29 end
  if day < 1 or day > length then return nil end
  local midnight = days_of(year, month, day) * 86400
  if rest == "" or rest == "Z" or rest == "z" then return midnight, "" end
  local hour, minute, second, fraction, zone = rest:match "^[Tt](%d%d):(%d%d):(%d%d)(%.?%d*)([Zz+-].*)$"
  if not hour or fraction == "." or (fraction ~= "" and fraction:sub(1, 1) ~= ".") then return nil end
  local offset = zone_offset(zone)
  if not offset or read_number(hour) > 23 or read_number(minute) > 59 or read_number(second) > 59 then return nil end
  local seconds = midnight + read_number(hour) * 3600 + read_number(minute) * 60 + read_number(second) - offset
  return seconds, fraction:sub(2)
end

--- Reads ISO 8601: a date and time with a zone, or a date alone (with or without Z), which is its midnight.
---@param text string
---@return number? seconds
function M.parse(text)
  local seconds, digits = read(text)
  if not seconds then return nil end
  return seconds + read_number("0." .. digits .. "0")
end

local function is_service_form(text)
  local digits = text:match "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.?(%d*)Z$"
  return digits ~= nil and #digits <= 7
end

local units = { s = 1, m = 60, h = 3600, d = 86400 }

--- Reads a time as a person may write it: ISO 8601, or "90s ago", "30m ago", "2h ago", "40d ago".
---@param text string
---@param now number
---@return string? iso as the service writes it; nil if it is neither
function M.resolve(text, now)
  local seconds = M.parse(text)
  if seconds then return is_service_form(text) and text or M.iso(seconds) end
  local count, unit = text:match "^(%d+%.?%d*)%s*([smhd]) ago$"
  count = count and read_number(count)
  return count and M.iso(now - count * units[unit]) or nil
end

--- A copy of a record in which times that a person wrote are as the service writes them; what is no time stays.
---@param fields table
---@param names string[] which of the fields are times
---@param now number
---@return table
function M.resolve_fields(fields, names, now)
  local resolved = {}
  for name, value in pairs(fields) do resolved[name] = value end
  for _, name in ipairs(names) do
    if type(fields[name]) == "string" then resolved[name] = M.resolve(fields[name], now) or fields[name] end
  end
  return resolved
end

--- A time in ISO 8601 as a text that sorts as time does, exact to the seventh digit, which a number is not.
---@param text string
---@return string?
function M.sort_key(text)
  local seconds, digits = read(text)
  if not seconds then return nil end
  return ("%013d.%s"):format(seconds + 1e11, (digits .. "0000000"):sub(1, 7))
end

return M
