-- What summarize makes of groups.
-- Labels: not-lua5.3
local kql = require "tests.spec.support.kql_rows"

local function summarize(text)
  local lines, message = kql.run("Events | summarize " .. text)
  return lines and table.concat(lines, " ") or message
end

describe("sim.kql.aggregates", function()
  for _, case in ipairs {
    { "count()", '"count_":4' },
    { "n = count()", '"n":4' },
    { "countif(Count == 3)", '"countif_":2' },
    { "dcount(DeviceId)", '"dcount_DeviceId":3' },
    { "dcount(Count)", '"dcount_Count":2' },
    { "max(Count), min(Count)", '"max_Count":4,"min_Count":3' },
    { "max(Timestamp)", '"max_Timestamp":"2026-02-03T10:11:02Z"' },
    { "sum(Count)", '"sum_Count":10' },
    { "make_set(Count)", '"set_Count":[3,4]' },
    { "make_list(Count)", '"list_Count":[3,4,3]' },
    { "make_set(DeviceId, 2)", '"set_DeviceId":["a1","b2"]' },
    { "arg_max(Timestamp, DeviceId, Count)", '"Timestamp":"2026-02-03T10:11:02Z","DeviceId":"c3","Count":3' },
    { "arg_min(Timestamp, DeviceId)", '"Timestamp":"2026-01-31T10:11:12Z","DeviceId":"b2"' },
    { "arg_max(Timestamp, *) by DeviceId", '"DeviceId":"a1","Timestamp":"2026-02-03T10:10:11.75Z",'
      .. '"DeviceName":"Laptop-1.corp.example","Count":4,"Share":null,"IsJoined":0,"Bag":null '
      .. '"DeviceId":"b2","Timestamp":"2026-01-31T10:11:12Z","DeviceName":"say \\"hi\\" \\\\ | take 1 // x",'
      .. '"Count":null,"Share":-1.5,"IsJoined":null,"Bag":null '
      .. '"DeviceId":"c3","Timestamp":"2026-02-03T10:11:02Z","DeviceName":"","Count":3,"Share":null,'
      .. '"IsJoined":null,"Bag":[]' },
  } do
    it("has " .. case[1], function() assert.are.equal(case[2], summarize(case[1])) end)
  end

  for _, case in ipairs {
    { "percentile(Count, 5)", "Not simulated: the aggregate percentile()" },
    { "max(DeviceName)", "max(): argument #1 is of type string" },
    { "sum(DeviceName)", "sum(): argument #1 is of type string" },
    { "countif(Count)", "countif(): argument #1 is of type long" },
    { "x = arg_max(Timestamp, *)", "Not simulated: a name for the columns of arg_max()" },
    { "arg_max(Timestamp, Foo)", "'summarize' operator: Failed to resolve table or column expression named 'Foo'" },
  } do
    it("refuses " .. case[1], function()
      local message = summarize(case[1])
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
