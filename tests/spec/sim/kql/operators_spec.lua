-- The operators of a query.
-- Labels: not-lua5.3
local kql = require "tests.spec.support.kql_rows"

local function run(text)
  local lines, message = kql.run(text)
  return lines and table.concat(lines, " ") or message
end

describe("sim.kql.operators", function()
  for _, case in ipairs {
    { "Owners | filter Owner == 'bo'", '"DeviceId":"c3","Owner":"bo"' },
    { "Owners | project Owner, n = 1 | take 1", '"Owner":"ana","n":1' },
    { "Owners | project tolower(Owner) | limit 1", '"Column1":"ana"' },
    { "Owners | extend Owner = 'x', n = 1 | take 1", '"DeviceId":"a1","Owner":"x","n":1' },
    { "Owners | project-away Owner | take 1", '"DeviceId":"a1"' },
    { "Owners | project-rename Who = Owner | take 1", '"DeviceId":"a1","Who":"ana"' },
    { "Owners | distinct DeviceId", '"DeviceId":"a1" "DeviceId":"c3"' },
    { "Owners | distinct *| count", '"Count":3' },
    { "Owners | summarize n = count() by DeviceId", '"DeviceId":"a1","n":1 "DeviceId":"c3","n":2' },
    { "Owners | summarize by DeviceId", '"DeviceId":"a1" "DeviceId":"c3"' },
    { "Owners | where false | summarize count()", '"count_":0' },
    { "Owners | where false | summarize count() by DeviceId", "" },
    { "Events | summarize n = count() by bin(Timestamp, 1d), Joined = IsJoined | top 1 by n",
      '"Timestamp":"2026-02-03T00:00:00Z","Joined":1,"n":1' },
    { "Owners | sort by Owner | project Owner", '"Owner":"cy" "Owner":"bo" "Owner":"ana"' },
    { "Owners | order by DeviceId desc, Owner asc | project Owner", '"Owner":"bo" "Owner":"cy" "Owner":"ana"' },
    { "Events | sort by Count | project Count", '"Count":4 "Count":3 "Count":3 "Count":null' },
    { "Events | sort by Count asc | project Count", '"Count":null "Count":3 "Count":3 "Count":4' },
    { "Events | sort by Count asc nulls last | project Count", '"Count":3 "Count":3 "Count":4 "Count":null' },
    { "Events | sort by Count nulls first | take 1 | project Count", '"Count":null' },
    { "Owners | top 1 by Owner asc", '"DeviceId":"a1","Owner":"ana"' },
    { "Owners | take 0", "" },
    { "Owners | count", '"Count":3' },
    { "Owners | getschema | project ColumnName, ColumnType", '"ColumnName":"DeviceId","ColumnType":"string" '
      .. '"ColumnName":"Owner","ColumnType":"string"' },
    { "Owners | join kind=inner (Events | project DeviceId, Count) on DeviceId | where Count == 3",
      '"DeviceId":"a1","Owner":"ana","DeviceId1":"a1","Count":3 '
      .. '"DeviceId":"c3","Owner":"bo","DeviceId1":"c3","Count":3 '
      .. '"DeviceId":"c3","Owner":"cy","DeviceId1":"c3","Count":3' },
    { "Owners | join kind=inner (Owners | project Id = DeviceId) on $left.DeviceId == $right.Id | count",
      '"Count":5' },
  } do
    it("runs " .. case[1], function() assert.are.equal(case[2], run(case[1])) end)
  end

  for _, case in ipairs {
    { "Owners | mv-expand Owner", "Not simulated: the operator mv-expand." },
    { "Owners | render barchart", "Not simulated: the operator render." },
    { "Owners | project Foo", "'project' operator: Failed to resolve table or column expression named 'Foo'" },
    { "Owners | project-away Foo", "'project-away' operator: Failed to resolve" },
    { "Owners | project Owner, Owner", "A column with the name 'Owner' is declared twice" },
    { "Events | distinct Bag", "The key 'Bag' is of a 'dynamic' type" },
    { "Events | summarize count() by Bag", "The key 'Bag' is of a 'dynamic' type" },
    { "Events | sort by Bag", "A value of type dynamic cannot be sorted by" },
    { "Owners | take 'x'", "Syntax error" },
    { "Owners | top 1", "Syntax error" },
    { "Owners | sort Owner", "could not be parsed at 'Owner'" },
    { "Owners | join (Events) on DeviceId", "Not simulated: join kind=innerunique" },
    { "Owners | join kind=inner (Events) on Owner", "'join' operator: Failed to resolve" },
    { "Owners | join kind=inner (Events | project DeviceId = Count) on DeviceId", "of type string and" },
    { "Owners | summarize count() DeviceId", "Syntax error" },
  } do
    it("refuses " .. case[1], function()
      local message = run(case[1])
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
