-- Expressions: what is selected, and what is refused with which words.
-- Labels: not-lua5.3
local kql = require "tests.spec.support.kql_rows"

local selections = {
  -- strings
  { "DeviceName == 'laptop-1.corp.example'", "a1" },
  { "DeviceName =~ 'LAPTOP-1.CORP.EXAMPLE'", "a1 a1" },
  { "DeviceName !~ 'LAPTOP-1.CORP.EXAMPLE'", "b2 c3" },
  { "DeviceName != 'laptop-1.corp.example'", "a1 b2 c3" },
  { "DeviceName <> ''", "a1 a1 b2" },
  { [[DeviceName == "say \"hi\" \\ | take 1 // x"]], "b2" },
  { [[DeviceName == 'say "hi"' ' \\ | take' @" 1 // x"]], "b2" },
  { "DeviceName has 'corp'", "a1 a1" },
  { "DeviceName has 'cor'", "" },
  { "DeviceName has_cs 'Laptop'", "a1" },
  { "DeviceName !has 'corp'", "b2 c3" },
  { "DeviceName contains 'ORP.EX'", "a1 a1" },
  { "DeviceName contains_cs 'ORP'", "" },
  { "DeviceName !contains 'orp'", "b2 c3" },
  { "DeviceName startswith 'LAP'", "a1 a1" },
  { "DeviceName startswith_cs 'lap'", "a1" },
  { "DeviceName !startswith 'lap'", "b2 c3" },
  { "DeviceName endswith '.EXAMPLE'", "a1 a1" },
  { "DeviceName has_any ('x', 'corp')", "a1 a1 b2" },
  { "DeviceName has_all ('corp', 'example')", "a1 a1" },
  -- lists
  { "DeviceId in ('a1', 'c3')", "a1 a1 c3" },
  { "DeviceId in ('A1')", "" },
  { "DeviceId in~ ('A1')", "a1 a1" },
  { "DeviceId !in ('a1')", "b2 c3" },
  { "DeviceId !in~ ('A1')", "b2 c3" },
  { "DeviceId in (dynamic(['a1', \"b2\"]))", "a1 a1 b2" },
  { "DeviceId in (dynamic([]))", "" },
  { "Count in (3, 5)", "a1 c3" },
  -- numbers and null
  { "Count == 3", "a1 c3" },
  { "Count != 3", "a1 b2" },
  { "Count > 3", "a1" },
  { "Count >= 3.0", "a1 a1 c3" },
  { "Count < 4", "a1 c3" },
  { "Count <= 4", "a1 a1 c3" },
  { "Share == -1.5", "b2" },
  { "Count + 1 * 2 == 5", "a1 c3" },
  { "Count - 1 - 1 == 2", "a1" },
  { "Count between (4 .. 9)", "a1" },
  { "Count !between (4 .. 9)", "a1 c3" },
  { "isnull(Count)", "b2" },
  { "not(Count == 3)", "a1 b2" },
  -- truth
  { "IsJoined", "a1" },
  { "IsJoined == true", "a1" },
  { "IsJoined == 1", "a1" },
  { "IsJoined != true", "a1 b2 c3" },
  { "IsJoined or Count == 3", "a1 c3" },
  { "Count == 3 and IsJoined", "a1" },
  { "Count == 3 or Count == 4 and IsJoined", "a1 c3" },
  { "(Count == 3 or Count == 4) and IsJoined", "a1" },
  -- times
  { "Timestamp > ago(1h)", "a1 c3" },
  { "Timestamp < ago(1d)", "b2" },
  { "Timestamp > datetime(2026-02-03)", "a1 a1 c3" },
  { "Timestamp == datetime(2026-02-03T10:10:11.75Z)", "a1" },
  { "Timestamp between (ago(3h) .. ago(1m))", "a1 a1" },
  { "Timestamp between (datetime(2026-01-31) .. 1d)", "b2" },
  { "now() - Timestamp > 1d", "b2" },
  { "Timestamp + 1d < now()", "b2" },
  -- dynamic
  { "Bag.users[1] == \"o'brien\"", "a1" },
  { "Bag['level'] == 2", "a1" },
  { "Bag.users[-1] has 'brien'", "a1" },
  { "Bag.none.none == 'x'", "" },
  { "Bag has 'ana'", "a1" },
  { "array_length(Bag.users) == 2", "a1" },
  { "column_ifexists('MitigationStatus', 'none') == 'none'", "a1 a1 b2 c3" },
  { "column_ifexists('DeviceId', '') == 'b2'", "b2" },
  { "['DeviceId'] == 'b2'", "b2" },
}

local refusals = {
  { "Foo == 1", "'where' operator: Failed to resolve table or column expression named 'Foo'. Fix semantic errors in "
    .. "your query." },
  { "deviceid == 'a1'", "'where' operator: Failed to resolve table or column expression named 'deviceid'" },
  { "Count == '3'", "Cannot compare values of types long and string" },
  { "Timestamp > '2026-02-03'", "Cannot compare values of types datetime and string" },
  { "Count has '3'", "Operator 'has' cannot be applied to arguments of types long and string" },
  { "Count and true", "Operator 'and' needs values of type bool, not long" },
  { "Count", "'where' operator: the predicate is of type long, expected: bool" },
  { "DeviceName < 'a'", "Not simulated: the order of strings (<)" },
  { "DeviceName matches regex 'a'", "Not simulated: the operator matches" },
  { "DeviceName + 'a' == 'b'", "Operator '+' cannot be applied to arguments of types string and string" },
  { "Count / 2 == 1", "Not simulated: the operator /" },
  { "DeviceId in (Owners | project DeviceId)", "Not simulated: a query within in (...)" },
  { "DeviceId in ()", "Syntax error" },
  { "DeviceName !nohas 'a'", "could not be parsed at '!nohas'" },
  { "DeviceName.x == 'a'", "Syntax error" },
  { "(Count == 3", "could not be parsed at '|'" },
  { "Count == 3)", "could not be parsed at ')'" },
  { "Count == 3 4", "could not be parsed at '4'" },
  { "- -Count == 3", "could not be parsed at '-'" },
  { ("("):rep(200) .. "1" .. (")"):rep(200) .. " == 1", "nested too deeply" },
}

describe("sim.kql.expression", function()
  for _, case in ipairs(selections) do
    it("selects by " .. case[1], function()
      local ids, message = kql.where(case[1])
      assert.are.equal(case[2], ids or message)
    end)
  end

  for _, case in ipairs(refusals) do
    it("refuses " .. case[1]:sub(1, 60), function()
      local ids, message = kql.where(case[1])
      assert.is_nil(ids)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("reads dynamic literals", function()
    assert.are.equal('{"a":[1,-2,"x",null,true]}', kql.value [[dynamic({"a": [1, -2, 'x', null, true]})]])
    assert.are.equal("null", kql.value "dynamic(null)")
    assert.is_nil(kql.value "dynamic([DeviceName])")
  end)
end)
