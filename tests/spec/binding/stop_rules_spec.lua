-- mde.core.stop_rules through the binding: what Lua sees of the rules. They are tested in tests/core/test_stop_rules.c.
-- Labels: sanitized-each-lua
local stop_rules = require("mde.core").stop_rules

describe("mde.core.stop_rules", function()
  local function times(rules, count, event)
    local stop
    for _ = 1, count do stop = rules:note(event) end
    return stop
  end

  it("goes on, and says why it stops", function()
    local rules = stop_rules.new()
    for _, event in ipairs { "done", "answered", "left", "forbidden", "unknown", "no_answer", "superseded" } do
      assert.is_nil(rules:note(event))
    end
    assert.is_nil(rules:stopped())
    local stop = { kind = "abort", rule = "role", count = 1, limit = 1 }
    assert.same(stop, rules:note "role")
    assert.same(stop, rules:note "done")
    assert.same(stop, rules:stopped())
  end)

  it("tells each rule with its numbers", function()
    for event, kind in pairs { sign_in = "abort", proxy = "abort", role = "abort", cap = "pause", journal = "stop",
      store = "stop", asked = "stop", ["until"] = "stop" } do
      assert.same({ kind = kind, rule = event, count = 1, limit = 1 }, stop_rules.new():note(event))
    end
    assert.same({ kind = "pause", rule = "cap", count = 1, limit = 1, retry_at = 12.5 },
      stop_rules.new():note("cap", 12.5))
    assert.same({ kind = "pause", rule = "unknown_last", count = 10, limit = 10, of = 50 },
      times(stop_rules.new(), 10, "unknown"))
    assert.same({ kind = "pause", rule = "unknown_in_a_row", count = 20, limit = 20 },
      times(stop_rules.new(), 20, "no_answer"))
    assert.same({ kind = "pause", rule = "superseded", count = 3, limit = 3 },
      times(stop_rules.new(), 3, "superseded"))
    assert.same({ kind = "abort", rule = "forbidden_in_a_row", count = 3, limit = 3 },
      times(stop_rules.new(), 3, "forbidden"))
  end)

  it("tells devices apart", function()
    local rules = stop_rules.new()
    for _ = 1, 9 do assert.is_nil(rules:note("forbidden", "a\0b")) end
    assert.is_nil(rules:note("forbidden", "a\0c"))
    assert.equal("forbidden_in_a_row", rules:note("forbidden", "a").rule)
  end)

  it("takes other thresholds", function()
    for name, event in pairs { forbidden_in_a_row = "forbidden", unknown_in_a_row = "no_answer",
      superseded = "superseded" } do
      assert.same({ name, 2 }, { times(stop_rules.new { [name] = 2 }, 2, event).rule, 2 })
      assert.is_nil(times(stop_rules.new { [name] = 2 }, 1, event))
    end
    assert.is_nil(times(stop_rules.new { unknown_last = 5, unknown_percent = 61 }, 3, "unknown"))
    assert.same({ kind = "pause", rule = "unknown_last", count = 3, limit = 3, of = 5 },
      times(stop_rules.new { unknown_last = 5, unknown_percent = 60 }, 3, "unknown"))
  end)

  it("raises for a threshold out of its range, and for one that there is not", function()
    for name, most in pairs { forbidden_in_a_row = 16, unknown_in_a_row = 100000, unknown_last = 64,
      unknown_percent = 100, superseded = 100000 } do
      stop_rules.new { [name] = 1 }
      stop_rules.new { [name] = most }
      for _, number in ipairs { 0, -1, 1.5, most + 1, math.huge, 0 / 0, "2", true } do
        assert.has_error(function() stop_rules.new { [name] = number } end)
      end
    end
    assert.has_error(function() stop_rules.new { unknown = 2 } end)
    assert.has_error(function() stop_rules.new { 2 } end)
    assert.has_error(function() stop_rules.new(2) end)
  end)

  it("raises for what it cannot be told", function()
    local rules = stop_rules.new()
    assert.has_error(function() rules:note "accepted" end)
    assert.has_error(function() rules:note() end)
    assert.has_error(function() rules:note("forbidden", {}) end)
    assert.has_error(function() rules:note("cap", "soon") end)
    assert.has_error(function() rules.note {} end)
    assert.is_nil(rules:stopped())
  end)
end)
