-- The scalar functions of a query.
-- Labels: not-lua5.3
local kql = require "tests.spec.support.kql_rows"

local cases = {
  { "now()", '"2026-02-03T10:11:12Z"' },
  { "now(-1h)", '"2026-02-03T09:11:12Z"' },
  { "ago(1d)", '"2026-02-02T10:11:12Z"' },
  { "tolower('ABC\195\132')", '"abc\195\132"' },
  { "toupper('abc')", '"ABC"' },
  { "tostring(5)", '"5"' },
  { "tostring(true)", '"true"' },
  { "tostring(Bag.users)", [=["[\"ana\",\"o'brien\"]"]=] },
  { "strcat('a', 1, true, Share, 'b', 'c')", '"a1true0.5bc"' },
  { "strlen('\195\164b')", "2" },
  { "isempty('')", "1" },
  { "isnotempty('')", "0" },
  { "notempty(Bag)", "1" },
  { "isnull('')", "0" },
  { "isnotnull(Count)", "1" },
  { "not(true)", "0" },
  { "iff(Count == 3, 'a', 'b')", '"a"' },
  { "iif(Count == 4, 'a', 'b')", '"b"' },
  { "tolong('-7.9')", "-7" },
  { "toint(IsJoined)", "1" },
  { "todouble('0.25')", "0.25" },
  { "tolong('x')", "null" },
  { "tobool('true')", "1" },
  { "tobool(0)", "0" },
  { "todatetime('2026-02-03')", '"2026-02-03T00:00:00Z"' },
  { "todatetime('x')", "null" },
  { "bin(Timestamp, 1h)", '"2026-02-03T08:00:00Z"' },
  { "bin(7, 5)", "5" },
  { "parse_json('{\"a\":[1,2]}').a[1]", "2" },
  { "todynamic('x y')", '"x y"' },
  { "array_length(dynamic([1, 2, 3]))", "3" },
}

local refusals = {
  { "geo_distance(1)", "Not simulated: the function geo_distance()" },
  { "tolower()", "tolower(): function expects 1 argument(s), 0 given" },
  { "ago('1d')", "ago(): argument #1 is of type string" },
  { "not(5)", "not(): argument #1 is of type long" },
  { "iff(true, 1, 'a')", "iff(): the arguments are of the types long and string" },
  { "bin(DeviceName, 1h)", "bin(): a value of type string cannot be rounded to one of type timespan" },
}

describe("sim.kql.functions", function()
  for _, case in ipairs(cases) do
    it("has " .. case[1], function()
      local value, message = kql.value(case[1])
      assert.are.equal(case[2], value or message)
    end)
  end

  for _, case in ipairs(refusals) do
    it("refuses " .. case[1], function()
      local value, message = kql.value(case[1])
      assert.is_nil(value)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
