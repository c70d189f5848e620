-- The options that say what the service allows, and what is asked about it.
-- Labels: not-lua5.3

local limits = require "mde.limits"
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
    assert.matches("restrict", rehearsal.refused(r.client.peek, r.client, "offboard").message)
    assert.matches("count", rehearsal.refused(r.client.peek, r.client, "restrict", -1).message)
  end)
end)

describe("limits", function()
  local function windows(per_minute, per_hour)
    return { { count = per_minute, seconds = 60 }, { count = per_hour, seconds = 3600 } }
  end

  it("are the service's by default, each by itself", function()
    for _, case in ipairs { { nil, windows(100, 1500) }, { {}, windows(100, 1500) },
      { { per_minute = 5 }, windows(5, 1500) }, { { per_hour = 10 }, windows(100, 10) },
      { { per_minute = 1, per_hour = 100000 }, windows(1, 100000) } } do
      local list, reserve = limits.check(case[1])
      assert.same(case[2], list)
      assert.equal(0, reserve)
    end
  end)

  it("of Microsoft Graph are its own, whatever the others are", function()
    for _, list in ipairs { windows(100, 1500), windows(5, 10) } do
      local apis = limits.of_apis(list)
      assert.same({ { count = 150, seconds = 60 } }, apis.graph_alerts)
      assert.same({ { count = 150, seconds = 60 } }, apis.graph_incidents)
      assert.same({ { count = 45, seconds = 60 } }, apis.hunting)
    end
    assert.same({}, limits.of_apis {})
  end)

  it("are none where nothing is to be counted", function()
    assert.same({ {}, 0 }, { limits.check(false) })
  end)

  it("leave a reserve, but not all of either", function()
    assert.equal(99, select(2, limits.check(nil, 99)))
    assert.equal(0, select(2, limits.check(nil, 0)))
    for _, case in ipairs { { nil, 100 }, { { per_minute = 10 }, 10 }, { { per_hour = 10 }, 10 },
      { { per_minute = 1 }, 1 } } do
      local err = rehearsal.refused(limits.check, case[1], case[2])
      assert.matches('"reserve" is %d+, which leaves nothing', err.message)
    end
  end)

  for what, case in pairs {
    ["a limit of nothing"] = { { per_hour = 0 }, nil, 'option "limits": per_hour must be' },
    ["a limit below that"] = { { per_minute = -1 }, nil, 'option "limits": per_minute must be' },
    ["a limit beyond counting"] = { { per_minute = 100001 }, nil, "from 1 to 100000, not \"100001\"" },
    ["an endless limit"] = { { per_minute = math.huge }, nil, "per_minute" },
    ["a limit that is no number"] = { { per_minute = 0 / 0 }, nil, "per_minute" },
    ["a limit in words"] = { { per_minute = "5" }, nil, 'not "5"' },
    ["a limit that is false, which is all of them or none"] = { { per_minute = false }, nil, "per_minute must be" },
    ["a reserve that is false"] = { nil, false, 'option "reserve" must be' },
    ["a list"] = { { 100, 1500 }, nil, 'option "limits"' },
    ["a number"] = { 100, nil, 'option "limits"' },
    ["a fraction of a reserve"] = { nil, 0.5, 'option "reserve" must be a whole number from 0' },
    ["a reserve that is true"] = { nil, true, 'option "reserve"' },
    ["a reserve of what is not counted"] = { false, 0, "no effect beside limits = false" },
  } do
    it("are not " .. what, function()
      local err = rehearsal.refused(limits.check, case[1], case[2])
      assert.truthy(err.message:find(case[3], 1, true), err.message)
    end)
  end
end)

describe("what peek is asked", function()
  it("is of a restrict, and of one, by default", function()
    assert.same({ "restrict", 1 }, { limits.check_verb(nil), limits.check_count(nil) })
    assert.same({ "release", 0 }, { limits.check_verb "release", limits.check_count(0) })
  end)

  it("is of a verb that there is, and a whole number that can be counted", function()
    for _, verb in ipairs { "Restrict", "cancel", "", 1, true, false, {} } do
      assert.matches("^mde.peek: there is no verb ", rehearsal.refused(limits.check_verb, verb, "mde.peek").message)
    end
    for _, count in ipairs { -1, 1.5, "1", true, false, {}, 100001, 0 / 0, math.huge } do
      assert.matches("^mde.peek: count must be ", rehearsal.refused(limits.check_count, count).message)
    end
  end)
end)
