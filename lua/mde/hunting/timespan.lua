--- timespan: the time that a hunting query looks at, as Graph takes it. Of it and what the query itself says of its
-- time the shorter one counts.

local core = require "mde.core"
local errors = require "mde.base.error"
local operators = require "mde.query.operators"
local times = require "mde.query.times"

local M = {}

---@alias mde.Timespan number|string|{ from: mde.Time, to?: mde.Time } seconds until now; "2h" or ISO 8601, "P7D" or
---"2026-02-01/2026-02-03" for instance; or from a time on, and up to another

local WHAT = "mde.hunt: option \"timespan\""

local function refuse(value)
  errors.invalid("wrong_value", ("%s: %s is no span of time"):format(WHAT, errors.got(value)),
    'Give "90m", "2h", "7d", a span in ISO 8601 ("P7D", "2026-02-01/2026-02-03"), seconds, or '
      .. "{ from = time, to = time }.")
end

local function of_seconds(seconds)
  local whole = seconds == seconds and seconds > 0 and seconds <= 365 * 86400 and math.ceil(seconds)
  if not whole then return refuse(seconds) end
  return ("PT%dS"):format(whole)
end

local function is_duration(text)
  local days, clock = text:match "^P([0-9.WD]*)(.*)$"
  if not days or text == "P" or text:sub(-1) == "T" then return false end
  for _, part in ipairs { { days, "^%d*W?%d*D?$" }, { clock, "^T?%d*H?%d*M?[0-9.]*S?$" } } do
    if not part[1]:find(part[2]) then return false end
  end
  return days:find "%d$" == nil and clock:find "%d$" == nil and text:find "%d" ~= nil
end

local function is_time(text)
  return core.timestamp.read(#text == 10 and text .. "T00:00:00Z" or text) ~= nil
end

-- ISO 8601 in the forms that Graph takes.
local function is_span(text)
  local one, other = text:match "^([^/]+)/([^/]+)$"
  if not one then return is_duration(text) or is_time(text) end
  if is_duration(one) then return is_time(other) end
  return is_time(one) and (is_time(other) or is_duration(other))
end

local units = { s = 1, m = 60, h = 3600, d = 86400 }

local function of_text(text)
  local count, unit = text:match "^(%d+%.?%d*)([smhd])$"
  if count then return of_seconds(core.number.read(count) * units[unit]) end
  if not is_span(text) then return refuse(text) end
  return text
end

--- Whether what a span comes to depends on what time it is.
---@param value mde.Timespan
---@return boolean
function M.needs_time(value)
  return type(value) == "table" and (operators.is_ago(value.from) or operators.is_ago(value.to))
end

--- The span as the service takes it. Raises for anything else.
---@param value mde.Timespan
---@param now number Unix seconds, from which mde.ago counts
---@return string
function M.read(value, now)
  if type(value) == "number" then return of_seconds(value) end
  if type(value) == "string" then return of_text(value) end
  if type(value) ~= "table" or operators.is_ago(value) or value.from == nil then return refuse(value) end
  for name in pairs(value) do
    if name ~= "from" and name ~= "to" then return refuse(value) end
  end
  local from, first = times.read(value.from, now, WHAT .. ": from")
  if value.to == nil then return from end
  local to, last = times.read(value.to, now, WHAT .. ": to")
  if first > last then
    errors.invalid("wrong_value", ("%s: it begins at %s and ends before, at %s"):format(WHAT, from, to), "Swap them.")
  end
  return from .. "/" .. to
end

return M
