--- curves: how many changes of a run were sent, accepted and carried out by when, as a drawing.
--
-- The same numbers stand in a table below it.

local core = require "mde.core"
local html = require "mde.cli.report.html"
local phrase = require "mde.cli.ui.phrase"

local WIDTH, HEIGHT = 760, 280
local LEFT, RIGHT, TOP, BOTTOM = 48, 590, 22, 240
-- So far apart two texts are read.
local LINE, TEXT = 16, 90

local M = {}

-- The highest first.
local series = { { "sent", "sent" }, { "accepted", "accepted" }, { "succeeded", "carried out" } }

-- Numbers of a drawing in every locale alike.
local function number(value)
  return core.number.write(math.floor(value * 10 + 0.5) / 10)
end

local function scale_of(timeline)
  local span, most = timeline.ended - timeline.began, timeline.points[#timeline.points].sent
  return function(at)
    return LEFT + (span > 0 and math.max(0, math.min(1, (at - timeline.began) / span)) or 0) * (RIGHT - LEFT)
  end, function(count) return BOTTOM - count / most * (BOTTOM - TOP) end, most
end

local function line(out, class, x1, y1, x2, y2)
  out(('<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>'):format(class, number(x1), number(y1), number(x2),
    number(y2)))
end

local function text(out, x, y, anchor, words)
  out(('<text x="%s" y="%s" text-anchor="%s">%s</text>'):format(number(x), number(y), anchor, html.text(words)))
end

local function axes(out, timeline, x, y, most)
  line(out, "axis", LEFT, BOTTOM, RIGHT, BOTTOM)
  local counts = most > 1 and { 0, math.floor(most / 2), most } or { 0, most }
  for _, count in ipairs(counts) do
    line(out, "axis", LEFT, y(count), RIGHT, y(count))
    text(out, LEFT - 6, y(count) + 4, "end", ("%d"):format(count))
  end
  local span = timeline.ended - timeline.began
  for i = 0, span > 0 and 4 or 0 do
    local at = timeline.began + span * i / 4
    local whole = core.timestamp.whole(at)
    text(out, x(at), BOTTOM + LINE, "middle", span > 86400 and phrase.minute(at)
      or span > 600 and whole:sub(12, 16) or whole:sub(12, 19))
  end
end

-- The waves are shaded; between two there is the gate.
local function waves(out, timeline, x)
  local free_from = -math.huge
  for _, wave in ipairs(timeline.waves) do
    local from, to = x(wave.from), math.max(x(wave.from) + 2, x(wave.to))
    out(('<rect class="shade" x="%s" y="%d" width="%s" height="%d"/>'):format(number(from), TOP, number(to - from),
      BOTTOM - TOP))
    if from >= free_from then
      text(out, from, TOP - 8, "start", ("wave %d%s"):format(wave.wave,
        (wave.verb == nil or wave.verb == "restrict") and "" or " of " .. wave.verb))
      free_from = from + 60
    end
  end
end

local function marks(out, timeline, x)
  local free_from = -math.huge
  for _, mark in ipairs(timeline.marks) do
    line(out, "mark", x(mark.at), TOP, x(mark.at), BOTTOM + 4)
    if x(mark.at) >= free_from then
      local is_last = x(mark.at) > RIGHT - TEXT
      text(out, x(mark.at) + (is_last and -3 or 3), BOTTOM + 2 * LINE + 2, is_last and "end" or "start", mark.text)
      free_from = x(mark.at) + TEXT
    end
  end
end

local function curves(out, timeline, x, y)
  local last, above = timeline.points[#timeline.points], -math.huge
  for _, one in ipairs(series) do
    local points = {}
    for i, point in ipairs(timeline.points) do
      points[i] = ("%s,%s"):format(number(x(point.at)), number(y(point[one[1]])))
    end
    out(('<polyline class="%s" points="%s"/>'):format(one[1], table.concat(points, " ")))
  end
  -- From the highest to the lowest, each name at the end of its curve or below the one before.
  for _, one in ipairs(series) do
    local place = math.max(y(last[one[1]]) + 4, above + LINE)
    line(out, one[1], RIGHT + 8, place - 4, RIGHT + 36, place - 4)
    text(out, RIGHT + 42, place, "start", ("%s: %d"):format(one[2], last[one[1]]))
    above = place
  end
end

--- Draws them.
---@param out fun(...: string)
---@param timeline mde.RunTimeline
function M.draw(out, timeline)
  local x, y, most = scale_of(timeline)
  local last = timeline.points[#timeline.points]
  out(('<svg viewBox="0 0 %d %d" role="img" aria-labelledby="curves-title curves-text">'):format(WIDTH, HEIGHT))
  out('<title id="curves-title">How many changes were sent, accepted and carried out by when</title>')
  out(('<desc id="curves-text">In the end %d were sent, %d accepted and %d carried out. '):format(last.sent,
    last.accepted, last.succeeded), "The table below has the same numbers.</desc>")
  waves(out, timeline, x)
  axes(out, timeline, x, y, most)
  marks(out, timeline, x)
  curves(out, timeline, x, y)
  out "</svg>\n"
end

return M
