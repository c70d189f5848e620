-- The service's limits, counted for real: so many calls in any minute and in any hour, for each API and application.
local limits = {}
limits.__index = limits

-- The limits of most APIs.
local usual = { per_minute = 100, per_hour = 1500 }

--- What is left out is as usual.
---@param wanted { per_minute: integer?, per_hour: integer? }
---@return table
function limits.new(wanted)
  if type(wanted) ~= "table" then error("limits must be a table, true or false", 0) end
  local allowed = { per_minute = usual.per_minute, per_hour = usual.per_hour }
  for name, count in pairs(wanted) do
    if not usual[name] or type(count) ~= "number" or count < 1 then
      error("limits are `per_minute` and `per_hour`, of at least 1", 0)
    end
    allowed[name] = count
  end
  return setmetatable({
    windows = { { allowed = allowed.per_minute, seconds = 60, text = "00:01:00" },
                { allowed = allowed.per_hour, seconds = 3600, text = "01:00:00" } },
    calls = {},
  }, limits)
end

--- Counts a call, unless that would be one too many. A call that is refused does not count.
---@param key string
---@param now number
---@return table? refused nil if the call may go; else `wait` (seconds), `allowed`, `text` (the window's length)
function limits:count(key, now)
  local times = self.calls[key]
  if not times then
    times = { first = 1, last = 0 }
    self.calls[key] = times
  end
  while times.first <= times.last and times[times.first] <= now - 3600 do
    times[times.first] = nil
    times.first = times.first + 1
  end
  local refused
  for _, window in ipairs(self.windows) do
    local index = times.last - window.allowed + 1
    local wait = index >= times.first and times[index] + window.seconds - now or 0
    if wait > 0 and (not refused or wait > refused.wait) then
      refused = { wait = wait, allowed = window.allowed, text = window.text }
    end
  end
  if refused then return refused end
  times.last = times.last + 1
  times[times.last] = now
end

return limits
