-- The forms of a Timespan.
-- Labels: not-lua5.3
local timespans = require "mde.sim.graph.timespan"

local NOW = 1770113472 -- 2026-02-03T10:11:12Z
local DAY = 86400

describe("sim.graph.timespan", function()
  for text, expected in pairs {
    ["P7D"] = { NOW - 7 * DAY, NOW },
    ["PT90M"] = { NOW - 5400, NOW },
    ["P1DT2H3M4.5S"] = { NOW - DAY - 7384.5, NOW },
    ["P1W"] = { NOW - 7 * DAY, NOW },
    ["2026-02-01T00:00:00Z/2026-02-02T00:00:00Z"] = { 1769904000, 1769990400 },
    ["2026-02-01/P1D"] = { 1769904000, 1769990400 },
    ["P1D/2026-02-02"] = { 1769904000, 1769990400 },
    ["2026-02-01"] = { 1769904000, NOW },
  } do
    it("reads " .. text, function() assert.are.same(expected, { timespans.read(text, NOW) }) end)
  end

  for _, text in ipairs { "", "P", "PT", "7d", "P1M", "P1Y", "P1D1W", "PT1M1H", "P1H", "1D", "P1D/P1D", "/P1D", "P1D/",
    "2026-02-02/2026-02-01", "2026-02-30", "P1D/2026-02-02/P1D", "P-1D", "PD" } do
    it("refuses " .. text, function() assert.is_nil((timespans.read(text, NOW))) end)
  end
end)
