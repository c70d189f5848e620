--- duration: reads `90s`, `10m`, `14h`, `2d` and `1h30m`.

local core = require "mde.core"

local M = {}

local seconds_of = { s = 1, m = 60, h = 3600, d = 86400 }

--- The seconds of a duration.
---@param text string
---@return number? seconds above 0
---@return string? message
function M.parse(text)
  local total, position = 0, 1
  while position <= #text do
    local number, unit, after = text:match("^(%d+)([smhd])()", position)
    if not number or #number > 9 then break end
    total = total + core.number.read(number) * seconds_of[unit]
    position = after
  end
  if position > #text and total > 0 then return total end
  return nil, ("'%s' is not a duration; write 90s, 10m, 14h or 2d"):format(text)
end

--- A duration for a person, in hours and minutes.
---@param seconds number
---@return string
function M.text(seconds)
  local minutes = math.ceil(seconds / 60)
  local hours = math.floor(minutes / 60)
  minutes = minutes - 60 * hours
  if hours == 0 then return ("%d min"):format(minutes) end
  return minutes == 0 and ("%d h"):format(hours) or ("%d h %d min"):format(hours, minutes)
end

--- A duration that runs down, below an hour to the second.
---@param seconds number
---@return string
function M.countdown(seconds)
  if seconds >= 3600 then return M.text(seconds) end
  local minutes, rest = math.floor(seconds / 60), math.floor(seconds % 60)
  if minutes == 0 then return ("%d s"):format(rest) end
  return rest == 0 and ("%d min"):format(minutes) or ("%d min %d s"):format(minutes, rest)
end

--- How long ago, in the largest unit that fits.
---@param seconds number
---@return string
function M.ago(seconds)
  if seconds < 0 then return "in the future" end
  for _, unit in ipairs { "d", "h", "m" } do
    if seconds >= seconds_of[unit] then
      return ("%d%s ago"):format(math.floor(seconds / seconds_of[unit]), unit)
    end
  end
  return ("%ds ago"):format(math.floor(seconds))
end

return M
