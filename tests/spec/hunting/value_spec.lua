-- What a parameter of a hunting query is worth.
-- Labels: not-lua5.3
local errors = require "mde.base.error"
local mde = require "mde"
local values = require "mde.hunting.value"

local NOW = 1770113472 -- 2026-02-03T10:11:12Z
local kql = values.types

local function refused(value)
  local ok, err = pcall(values.literal, value, "x")
  assert.is_false(ok)
  assert.is_true(errors.is(err), tostring(err))
  return err.code, tostring(err)
end

describe("a parameter's value", function()
  for _, case in ipairs {
    { "it's", '"it\'s"' }, { "", '""' }, { 'a"b\n', [["a\"b\n"]] }, { "5", '"5"' },
    { 5, "long(5)" }, { -0.5, "real(-0.5)" }, { 1e300, "real(1e+300)" }, { true, "true" }, { false, "false" },
    { kql.datetime(NOW), "datetime(2026-02-03T10:11:12Z)" },
    { kql.datetime "2026-02-03", "datetime(2026-02-03T00:00:00Z)" },
    { kql.datetime(mde.ago "1d"), "ago(timespan(1.00:00:00.0000000))" },
    { kql.timespan "90m", "timespan(0.01:30:00.0000000)" }, { kql.timespan(7), "timespan(0.00:00:07.0000000)" },
    { kql.guid "74BE27DE-1e4e-49d9-b579-fe0b013d3642", "guid(74be27de-1e4e-49d9-b579-fe0b013d3642)" },
    { kql.real(3), "real(3)" }, { kql.long(3), "long(3)" }, { kql.string "a", '"a"' },
    { { "a", '"]) or ("' }, [[dynamic(["a","\"]) or (\""])]] }, { { 1, 2 }, "dynamic([1,2])" },
    { { 1, 0.5 }, "dynamic([1,0.5])" }, { { true }, "dynamic([true])" },
    { { kql.datetime(NOW), kql.datetime "2026-02-03" },
      "dynamic([datetime(2026-02-03T10:11:12Z),datetime(2026-02-03T00:00:00Z)])" },
  } do
    it("is " .. case[2], function() assert.are.equal(case[2], values.literal(case[1], "x")) end)
  end

  for name, case in pairs {
    ["not UTF-8"] = { "\255", "parameter_malformed", "text in UTF-8" },
    ["NaN"] = { 0 / 0, "parameter_malformed", "is not a number" },
    ["infinite"] = { math.huge, "parameter_malformed", "is not a number" },
    ["a function"] = { print, "parameter_malformed", "no value of a query" },
    ["an empty list"] = { {}, "empty_list", "the list is empty" },
    ["a list with a gap"] = { { "a", nil, "c" }, "list_with_gaps", "item 2" },
    ["a table that is no list"] = { { a = 1 }, "not_a_list", "no item 1" },
    ["a mixed list"] = { { "a", 1 }, "parameter_malformed", "types string and long" },
    ["a list of lists"] = { { { "a" } }, "parameter_malformed", "x[1]" },
    ["a bad text in a list"] = { { "a", "\255" }, "parameter_malformed", "x[2]" },
    ["mde.ago without a type"] = { mde.ago "1d", "parameter_malformed", "Write mde.kql.datetime(mde.ago(86400))." },
    ["mde.ago in a list"] = { { kql.datetime(mde.ago "1d") }, "parameter_malformed", "cannot be in a list" },
    ["no time"] = { kql.datetime "soon", "time_malformed", "soon" },
    ["no span"] = { kql.timespan "soon", "parameter_malformed", "a span of time" },
    ["too long a span"] = { kql.timespan(1e15), "parameter_malformed", "a span of time" },
    ["no GUID"] = { kql.guid "x) or (true", "parameter_malformed", "a GUID" },
    ["half a long"] = { kql.long(0.5), "parameter_malformed", "whole number" },
    ["a text as a real"] = { kql.real "1", "parameter_malformed", "a number" },
  } do
    it("is refused if it is " .. name, function()
      local code, text = refused(case[1])
      assert.are.equal(case[2], code)
      assert.is_truthy(text:find(case[3], 1, true), text)
    end)
  end

  it("of a type that is named is never nil", function()
    local ok, err = pcall(kql.datetime, nil)
    assert.is_false(ok)
    assert.are.equal("missing_value", err.code)
    assert.are.equal("mde.kql.long(5)", tostring(kql.long(5)))
  end)
end)
