--- timeline: how many changes of a run were sent, accepted and carried out by when.

local responses = require "mde.action.response"

-- A table of times has about so many lines, and a curve so many points.
local MAX_ROWS, MAX_POINTS = 16, 240
-- The last second that a time can be written for.
local LATEST = 253402300799

-- In which order verbs are told.
local places = {}
for i, verb in ipairs(responses.verbs) do places[verb] = i end

local M = {}

---@class mde.TimelinePoint
---@field at number Unix seconds
---@field sent integer so many by then
---@field accepted integer
---@field succeeded integer

---@class mde.RunTimeline
---@field began number Unix seconds
---@field ended number
---@field points mde.TimelinePoint[] at even distances, for curves
---@field rows mde.TimelinePoint[] at round times at which something had changed, for a table
---@field waves { verb: string, wave: integer, from: number, to: number }[]
---@field marks { at: number, text: string }[] where sessions began and ended

--- A time of a record that can be shown; nil for any other.
---@param seconds any
---@return number?
function M.usable(seconds)
  return type(seconds) == "number" and seconds >= 0 and seconds <= LATEST and seconds or nil
end

local round_seconds = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400 }

local function step_of(span)
  for _, seconds in ipairs(round_seconds) do
    if span / seconds <= MAX_ROWS then return seconds end
  end
  return 86400 * math.ceil(span / MAX_ROWS / 86400)
end

-- How many of sorted times are not after a time, going on from where the last question was answered.
local function counter(times)
  table.sort(times)
  local count = 0
  return function(at)
    while times[count + 1] and times[count + 1] <= at do count = count + 1 end
    return count
  end
end

local function copy(list)
  local own = {}
  for i, value in ipairs(list) do own[i] = value end
  return own
end

-- Counts at times that rise.
local function counters(times)
  local sent, accepted, succeeded = counter(copy(times.sent)), counter(copy(times.accepted)),
    counter(copy(times.succeeded))
  return function(at) return { at = at, sent = sent(at), accepted = accepted(at), succeeded = succeeded(at) } end
end

local function is_same(a, b)
  return a.sent == b.sent and a.accepted == b.accepted and a.succeeded == b.succeeded
end

local function rows_of(times, began, ended)
  local count, step, rows = counters(times), step_of(ended - began), {}
  local at = math.floor(began / step) * step
  repeat
    at = at + step
    local row = count(math.min(at, math.ceil(ended)))
    if not rows[1] or not is_same(row, rows[#rows]) then rows[#rows + 1] = row end
  until at >= ended
  return rows
end

local function points_of(times, began, ended)
  local count, points = counters(times), {}
  for i = 0, MAX_POINTS do points[i + 1] = count(began + (ended - began) * i / MAX_POINTS) end
  return points
end

--- The waves in their order, those of each verb by themselves, each with what is gathered of the changes in it.
---@param devices mde.AccountDevice[]
---@param counts fun(change: mde.AccountChange): boolean? whether a change is of its wave
---@param gather fun(wave: table, change: mde.AccountChange)
---@return { verb: string, wave: integer }[]
function M.waves(devices, counts, gather)
  local waves, list = {}, {}
  for _, device in ipairs(devices) do
    for _, change in ipairs(device.changes) do
      if change.wave and counts(change) then
        local key = ("%s %d"):format(change.verb, change.wave)
        local wave = waves[key] or { verb = change.verb, wave = change.wave }
        if not waves[key] then list[#list + 1] = wave end
        waves[key] = wave
        gather(wave, change)
      end
    end
  end
  -- A record may have verbs that this version does not know; they come last, by their names.
  table.sort(list, function(a, b)
    if a.verb == b.verb then return a.wave < b.wave end
    local place_a, place_b = places[a.verb] or math.huge, places[b.verb] or math.huge
    if place_a ~= place_b then return place_a < place_b end
    return a.verb < b.verb
  end)
  return list
end

local function waves_of(devices)
  local list = M.waves(devices, function(change) return change.sent_at ~= nil end, function(wave, change)
    wave.from = math.min(wave.from or change.sent_at, change.sent_at)
    wave.to = math.max(wave.to or change.sent_at, change.sent_at)
  end)
  table.sort(list, function(a, b)
    if a.from ~= b.from then return a.from < b.from end
    return a.wave < b.wave
  end)
  return list
end

local function marks_of(sessions)
  local marks = {}
  for _, session in ipairs(sessions) do
    if session.began_at then marks[#marks + 1] = { at = session.began_at, text = ("session %d"):format(session.n) } end
    if session.ended_at then
      marks[#marks + 1] = { at = session.ended_at, text = ("end of session %d"):format(session.n) }
    end
  end
  return marks
end

--- How a run went on.
---@param account mde.RunAccount with devices and sessions
---@return mde.RunTimeline? nil if nothing was sent
function M.of(account)
  local times, began, ended = { sent = {}, accepted = {}, succeeded = {} }, math.huge, -math.huge
  local function note(list, at)
    if not at then return end
    if list then list[#list + 1] = at end
    began, ended = math.min(began, at), math.max(ended, at)
  end
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do
      if change.sent_at then
        note(times.sent, change.sent_at)
        if change.outcome == "accepted" then note(times.accepted, change.answered_at) end
        note(times.succeeded, change.done_at)
      end
    end
  end
  if not times.sent[1] then return nil end
  local marks = marks_of(account.sessions)
  for _, mark in ipairs(marks) do note(nil, mark.at) end
  return { began = began, ended = ended, points = points_of(times, began, ended),
    rows = rows_of(times, began, ended), waves = waves_of(account.devices), marks = marks }
end

return M
