-- Values of a query: their texts, their order, their terms.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
local values = require "mde.sim.kql.value"

describe("sim.kql.value", function()
  it("writes texts", function()
    for _, case in ipairs {
      { "string", nil, "" }, { "long", 5, "5" }, { "real", 0.5, "0.5" }, { "bool", true, "true" },
      { "datetime", 1770113472, "2026-02-03T10:11:12Z" }, { "datetime", 1770113470.1, "2026-02-03T10:11:10.1Z" },
      { "datetime", 1770113472.123456, "2026-02-03T10:11:12.123456Z" },
      { "datetime", 1770113471.9999999, "2026-02-03T10:11:12Z" },
      { "timespan", 7200, "02:00:00" }, { "timespan", -93784.5, "-1.02:03:04.5000000" },
      { "dynamic", { 1, "a" }, '[1,"a"]' }, { "dynamic", "a", "a" },
    } do
      assert.are.equal(case[3], values.text(case[1], case[2]))
    end
  end)

  it("writes what a reply has", function()
    assert.are.equal("", values.wire("string", nil))
    assert.are.equal(json.null, values.wire("long", nil))
    assert.are.equal(1, values.wire("bool", true))
    assert.are.equal(0, values.wire("bool", false))
    assert.are.equal("1970-01-01T00:00:00Z", values.wire("datetime", 0))
    assert.are.same({ 1 }, values.wire("dynamic", { 1 }))
  end)

  it("compares, with null as the language has it", function()
    assert.is_true(values.equal("long", 1, "real", 1))
    assert.is_true(values.equal("bool", true, "long", 1))
    assert.is_true(values.equal("string", nil, "string", ""))
    assert.is_false(values.equal("long", nil, "long", 1))
    assert.is_nil(values.equal("long", nil, "long", nil))
    assert.is_true(values.less("long", 1, "real", 1.5))
    assert.is_nil(values.less("long", nil, "long", 1))
    assert.is_true(values.comparable("dynamic", "string"))
    assert.is_false(values.comparable("datetime", "string"))
    assert.is_false(values.comparable("guid", "string"))
  end)

  it("sorts null first", function()
    assert.is_true(values.before("long", nil, 0))
    assert.is_false(values.before("long", 0, nil))
    assert.is_true(values.before("string", "A", "a"))
    assert.is_false(values.before("string", "a", "a"))
  end)

  it("tells values apart", function()
    assert.are_not.equal(values.key("long", nil), values.key("long", 0))
    assert.are.equal(values.key("string", nil), values.key("string", ""))
    assert.are_not.equal(values.key("string", "null"), values.key("long", nil))
  end)

  it("finds whole terms", function()
    for _, case in ipairs { { "a-b c", "b", true }, { "ab c", "b", false }, { "x.corp.example", "corp.example", true },
      { "xcorp.example", "corp", false }, { "a", "", true }, { "", "a", false }, { "aab ab", "ab", true },
      { "m\195\188ller", "m", false }, { "(a)", "(a)", true }, { "a+b", "+", true }, { "CASE-4711", "CASE", true } } do
      assert.are.equal(case[3], values.has(case[1], case[2]))
    end
  end)

  it("says of each type what a reply calls it", function()
    for _, kind in ipairs { "string", "long", "int", "real", "bool", "datetime", "timespan", "guid", "dynamic" } do
      assert.is_string(values.wire_types[kind])
      assert.is_string(values.system_types[kind])
    end
  end)
end)
