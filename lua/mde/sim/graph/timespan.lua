-- The Timespan of a hunting query, in the forms of ISO 8601: a duration, a start and an end, a start and a duration, a
-- duration and an end, or a start alone.
local core = require "mde.core"
local time = require "mde.sim.base.time"

local M = {}

local day_units = { W = 604800, D = 86400 }
local time_units = { H = 3600, M = 60, S = 1 }

-- Adds up "7D" or "1H30M"; nil if it is something else, or a unit comes twice or too late.
local function add_up(text, units, order)
  local seconds, last = 0, 0
  local rest = text:gsub("(%d+%.?%d*)([A-Z])", function(count, unit)
    local place = order:find(unit, 1, true)
    if not units[unit] or not place or place <= last then return nil end
    last = place
    seconds = seconds + core.number.read(count) * units[unit]
    return ""
  end)
  return rest == "" and seconds or nil
end

--- The seconds of a duration. Years and months are none here: nothing says how long they are.
---@param text string
---@return number?
function M.duration(text)
  local days, clock = text:match "^P([^T]*)T?(.*)$"
  if not days or text == "P" or text:sub(-1) == "T" then return nil end
  local first, second = add_up(days, day_units, "WD"), add_up(clock, time_units, "HMS")
  return first and second and first + second or nil
end

--- From when to when it is.
---@param text string
---@param now number
---@return number? from Unix seconds; nil if the text has another form
---@return number? to
function M.read(text, now)
  local one, other = text:match "^([^/]+)/([^/]+)$"
  one = one or text:match "^[^/]+$"
  if not one then return nil end
  local from, length = time.parse(one), M.duration(one)
  if not other then
    if length then return now - length, now end
    return from, from and now
  end
  local to, other_length = time.parse(other), M.duration(other)
  if from and to and from <= to then return from, to end
  if from and other_length then return from, from + other_length end
  if length and to then return to - length, to end
end

return M
