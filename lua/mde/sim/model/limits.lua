-- The service's limits, counted for real: so many calls in any minute and in any hour, for each API and application.
local validation = require "mde.sim.base.validation"

local M = {}
M.__index = M

-- The limits of most APIs.
local usual = { per_minute = 100, per_hour = 1500 }

local function windows_of(allowed)
  return { { allowed = allowed.per_minute, seconds = 60, text = "00:01:00" },
           { allowed = allowed.per_hour, seconds = 3600, text = "01:00:00" } }
end

--- What is left out is as usual.
---@param wanted { per_minute: integer?, per_hour: integer? }
---@return table
function M.new(wanted)
  if type(wanted) ~= "table" then error("limits must be a table, true or false", 0) end
  local allowed = { per_minute = usual.per_minute, per_hour = usual.per_hour }
  for name, count in pairs(wanted) do
    if not usual[name] then
      error(("limits: there is no '%s'; there are per_minute and per_hour"):format(tostring(name)), 0)
    elseif type(count) ~= "number" or count < 1 or count ~= math.floor(count) then
      error("limits: " .. validation.mismatch(name, "a whole number of at least 1", count), 0)
    end
    allowed[name] = count
  end
  return setmetatable({ allowed = allowed, windows = windows_of(allowed), calls = {} }, M)
end

-- The windows of an API that has limits of its own, which are never more than the others'.
local function own_windows(self, own)
  local allowed = {}
  for name, count in pairs(self.allowed) do allowed[name] = math.min(own[name] or count, count) end
  return windows_of(allowed)
end

-- How long until a call may go, after these; nil if one may go now.
local function longest_wait(windows, times, now)
  local longest
  for _, window in ipairs(windows) do
    local index = times.last - window.allowed + 1
    local wait = index >= times.first and times[index] + window.seconds - now or 0
    if wait > 0 and (not longest or wait > longest.wait) then
      longest = { wait = wait, allowed = window.allowed, text = window.text }
    end
  end
  return longest
end

local function count(self, key, now, windows)
  local times = self.calls[key]
  if not times then
    times = { first = 1, last = 0 }
    self.calls[key] = times
  end
  while times.first <= times.last and times[times.first] <= now - 3600 do
    times[times.first] = nil
    times.first = times.first + 1
  end
  local too_many = longest_wait(windows, times, now)
  times.last = times.last + 1
  times[times.last] = now
  return too_many and longest_wait(windows, times, now)
end

--- Counts a call, whether or not it is one too many: who does not wait, waits longer.
---@param key string
---@param now number
---@param own { per_minute: integer?, per_hour: integer? }? limits of its own
---@return table? refused nil if the call may go; else `wait` (seconds), `allowed`, `text` (the window's length)
function M:count(key, now, own)
  return count(self, key, now, own and own_windows(self, own) or self.windows)
end

--- Counts a call of something whose limits have nothing to do with the others'.
---@param key string
---@param now number
---@param allowed { per_minute: integer }
---@return table? refused as `count` tells it
function M:count_alone(key, now, allowed)
  return count(self, key, now, { { allowed = allowed.per_minute, seconds = 60, text = "00:01:00" } })
end

return M
