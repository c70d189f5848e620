-- Literals that name their type.
-- Labels: not-lua5.3
local literals = require "mde.sim.kql.literal"

describe("sim.kql.literal", function()
  for _, case in ipairs {
    { "datetime", "2026-02-03", "datetime", 1770076800 },
    { "datetime", "2026-02-03T10:11:12.25Z", "datetime", 1770113472.25 },
    { "datetime", "2026-02-03 10:11:12", "datetime", 1770113472 },
    { "date", "'2026-02-03T12:11:12+02:00'", "datetime", 1770113472 },
    { "datetime", "2026-02-03T10:11", "datetime", 1770113460 },
    { "datetime", " null ", "datetime", nil },
    { "datetime", "2026-02-30" }, { "datetime", "now" }, { "datetime", "1770113472" },
    { "timespan", "1.02:03:04.5", "timespan", 93784.5 }, { "time", "2h", "timespan", 7200 },
    { "timespan", "-00:01", "timespan", -60 }, { "timespan", "3", "timespan", 259200 },
    { "timespan", "24:00:00" }, { "timespan", "1x" }, { "timespan", "x" },
    { "guid", "74BE27DE-1e4e-49d9-b579-fe0b013d3642", "guid", "74be27de-1e4e-49d9-b579-fe0b013d3642" },
    { "guid", "74be27de" },
    { "long", "-5", "long", -5 }, { "int", "5", "int", 5 }, { "long", "5.5" }, { "long", "five" },
    { "real", "0.5", "real", 0.5 }, { "double", "1e+300", "real", 1e300 }, { "real", "x" },
    { "bool", "true", "bool", true }, { "bool", "0", "bool", false }, { "bool", "yes" },
  } do
    it(("reads %s(%s)"):format(case[1], case[2]), function()
      assert.are.same({ case[3], case[4] }, { literals.read(case[1], case[2]) })
    end)
  end

  it("knows the types and the units", function()
    assert.is_true(literals.is_type "datetime")
    assert.is_false(literals.is_type "ago")
    assert.are.equal(86400, literals.units.d)
    assert.is_nil(literals.units.month)
  end)
end)
