-- How lists of alerts are told to behave.
-- Labels: not-lua5.3
local alert_lists = require "mde.sim.model.alert_lists"

describe("the manners of lists of alerts", function()
  it("are good, and stay where nothing is told", function()
    local good = alert_lists.settings {}
    assert.same({ late = {}, granularity = 0, repeats = 0, page_rows = 100, next_link = "whole" }, good)
    local bad = alert_lists.settings({ late = { every = 5, by = 90 } }, alert_lists.settings { repeats = 2 })
    assert.same({ { every = 5, by = 90 }, 2, 100 }, { bad.late, bad.repeats, bad.page_rows })
  end)

  it("are checked", function()
    for _, wrong in ipairs { 5, { lateness = 1 }, { late = 5 }, { late = { every = 0, by = 1 } },
        { late = { every = 2 } }, { late = { by = 2 } }, { late = { each = 2 } }, { granularity = -1 },
        { repeats = 0.5 }, { page_rows = 0 }, { page_rows = 1001 }, { next_link = "missing" } } do
      local ok, message = pcall(alert_lists.settings, wrong)
      assert.is_false(ok)
      assert.truthy(message:find "^alert_lists", message)
    end
  end)
end)
