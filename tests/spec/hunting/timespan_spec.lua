-- The time that a hunting query looks at.
-- Labels: not-lua5.3
local mde = require "mde"
local timespans = require "mde.hunting.timespan"
local understood = require "mde.sim.graph.timespan"

local NOW = 1770113472 -- 2026-02-03T10:11:12Z

describe("a timespan", function()
  for _, case in ipairs {
    { 3600, "PT3600S" }, { 0.5, "PT1S" }, { "2h", "PT7200S" }, { "7d", "PT604800S" },
    { "P7D", "P7D" }, { "PT90M", "PT90M" }, { "P1DT2H", "P1DT2H" }, { "P1W", "P1W" }, { "2026-02-01", "2026-02-01" },
    { "2026-02-01/2026-02-03", "2026-02-01/2026-02-03" }, { "2026-02-01T00:00:00Z/P1D", "2026-02-01T00:00:00Z/P1D" },
    { "P1D/2026-02-03", "P1D/2026-02-03" },
    { { from = NOW - 60 }, "2026-02-03T10:10:12Z" },
    { { from = mde.ago "1d", to = "2026-02-03" }, "2026-02-02T10:11:12Z/2026-02-03T00:00:00Z" },
  } do
    it("is " .. case[2] .. ", which the service understands", function()
      assert.are.equal(case[2], timespans.read(case[1], NOW))
      assert.is_number((understood.read(case[2], NOW)))
    end)
  end

  it("depends on what time it is, or does not", function()
    assert.is_true(timespans.needs_time { from = mde.ago "1d" })
    assert.is_true(timespans.needs_time { from = NOW, to = mde.ago "1d" })
    for _, value in ipairs { "2h", 5, { from = NOW } } do assert.is_false(timespans.needs_time(value)) end
  end)

  for name, value in pairs {
    empty = "", words = "yesterday", zero = 0, negative = -5, NaN = 0 / 0, endless = math.huge, ["a long time"] = 1e9,
    ["P alone"] = "P", ["T alone"] = "P1DT", ["a month"] = "P1M", ["a year"] = "P1Y", ["no unit"] = "P7",
    ["no unit of time"] = "PT7", ["two spans"] = "P1D/P1D", ["three parts"] = "P1D/2026-02-03/P1D", ["no table"] = true,
    ["an unknown field"] = { from = NOW, until_ = NOW }, ["no from"] = { to = NOW },
    backwards = { from = NOW, to = NOW - 1 },
    ["a day that does not exist"] = "2026-02-30", ["a time"] = mde.ago "1d", ["Unix seconds"] = NOW,
  } do
    it("is refused: " .. name, function()
      local ok, err = pcall(timespans.read, value, NOW)
      assert.is_false(ok)
      assert.are.equal("wrong_value", err.code, tostring(err))
    end)
  end
end)
