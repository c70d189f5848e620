-- Whole queries: statements, sources, columns of an empty result.
-- Labels: not-lua5.3
local kql = require "tests.spec.support.kql_rows"
local queries = require "mde.sim.kql.query"

local function run(text)
  local lines, message = kql.run(text)
  return lines and table.concat(lines, " ") or message
end

describe("sim.kql.query", function()
  for _, case in ipairs {
    { "let who = \"bo\"; Owners | where Owner == who", '"DeviceId":"c3","Owner":"bo"' },
    { "let a = 1h;let b = ago(a);\nEvents | where Timestamp > b | count;", '"Count":2' },
    { "let l = dynamic(['bo','cy']); Owners | where Owner in (l) | count", '"Count":2' },
    { "let T = Owners | where DeviceId == 'a1'; T | count", '"Count":1' },
    { "let T = Owners; T | join kind=inner (T) on Owner | count", '"Count":3' },
    { "(Owners | where Owner == 'ana') | project Owner", '"Owner":"ana"' },
    -- A column hides what let has defined.
    { "let Owner = \"bo\"; Owners | where Owner == Owner | count", '"Count":3' },
    { "Owners // all\n| count", '"Count":3' },
  } do
    it("runs " .. case[1], function() assert.are.equal(case[2], run(case[1])) end)
  end

  for _, case in ipairs {
    { "", "The query is empty" },
    { "// nothing", "The query is empty" },
    { "Nothing | where a == 1", "'where' operator: Failed to resolve table or column expression named 'Nothing'" },
    { "Nothing", "Failed to resolve table or column expression named 'Nothing'" },
    { "owners", "named 'owners'" },
    { "let a = 1; let a = 2; Owners", "the name 'a' is declared twice" },
    { "let a = b; Owners", "'let' operator: Failed to resolve table or column expression named 'b'" },
    { "let a = 1 Owners", "could not be parsed at 'Owners'" },
    { "let f = (x:string) { x }; Owners", "'let' operator: Failed to resolve" },
    { "set notruncation; Owners", "Not simulated: a query with set" },
    { "declare query_parameters(a:string); Owners", "Not simulated: a query with declare" },
    { "union Owners, Events", "Not simulated: a query with union" },
    { "Owners; Events", "could not be parsed at 'Events'" },
    { "Owners |", "could not be parsed at ''" },
    { "Owners | where Owner == '\255'", "not UTF-8" },
    { ".drop table Owners", "could not be parsed at '.'" },
  } do
    it("refuses " .. case[1]:gsub("\255", "?"), function()
      local message = run(case[1])
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("knows the columns of an empty result", function()
    local result = queries.run("Events | where false | project Timestamp, IsJoined, n = Count + 0.5", kql.tables,
      kql.NOW)
    assert.are.same({ { name = "Timestamp", type = "datetime" }, { name = "IsJoined", type = "bool" },
      { name = "n", type = "real" } }, result.columns)
    assert.are.same({}, result.rows)
  end)
end)
