-- The options that say what the service allows, and what is asked about it.
-- Labels: not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

describe("the options limits and reserve", function()
  it("are checked", function()
    for _, case in ipairs {
      { { limits = true }, "limits" }, { { limits = { per_minute = 0 } }, "per_minute" },
      { { limits = { per_minute = 1.5 } }, "per_minute" }, { { limits = { per_hour = "many" } }, "per_hour" },
      { { limits = { per_second = 1 } }, "per_second" }, { { reserve = -1 }, "reserve" },
      { { reserve = 100 }, "reserve" }, { { limits = false, reserve = 5 }, "reserve" },
    } do
      local err = rehearsal.refused(rehearsal.new, { machines = {}, client = case[1] })
      assert.matches(case[2], err.message)
    end
  end)
end)

describe("peek", function()
  it("wants a verb that there is, and a count", function()
    local r = rehearsal.new()
    assert.matches("restrict", rehearsal.refused(r.client.peek, r.client, "isolate").message)
    assert.matches("count", rehearsal.refused(r.client.peek, r.client, "restrict", -1).message)
  end)
end)
