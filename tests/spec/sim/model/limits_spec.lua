-- The service's limits: calls of any minute and of any hour.
-- Labels: not-lua5.3
local limits = require "mde.sim.model.limits"

describe("the limits", function()
  it("count the calls of any minute, and say how long to wait", function()
    local few = limits.new { per_minute = 2 }
    assert.is_nil(few:count("a", 0))
    assert.is_nil(few:count("a", 10))
    local refused = few:count("a", 20)
    assert.same({ 2, "00:01:00" }, { refused.allowed, refused.text })
    assert.is_nil(few:count("b", 20))
    assert.is_nil(few:count("a", 100))
  end)

  it("count a call that was refused, so that one who does not wait waits longer", function()
    local few = limits.new { per_minute = 1 }
    few:count("a", 0)
    assert.is_true(few:count("a", 30).wait > 30)
    assert.truthy(few:count("a", 61))
  end)

  it("count those of any hour, too", function()
    local few = limits.new { per_hour = 3 }
    for i = 0, 2 do assert.is_nil(few:count("a", i * 100)) end
    local refused = few:count("a", 300)
    assert.same({ 3, "01:00:00" }, { refused.allowed, refused.text })
    assert.is_nil(few:count("a", 3600 + 3600))
  end)

  it("may have nothing to do with the others", function()
    local few = limits.new { per_minute = 1 }
    for _ = 1, 3 do assert.is_nil(few:count_alone("a", 0, { per_minute = 3 })) end
    local refused = few:count_alone("a", 30, { per_minute = 3 })
    assert.same({ 3, "00:01:00" }, { refused.allowed, refused.text })
    assert.is_nil(few:count_alone("a", 200, { per_minute = 3 }))
  end)

  it("may be an API's own, and are never more than the others'", function()
    local few = limits.new { per_minute = 3 }
    local function refused_after(key, own)
      local calls = 0
      repeat calls = calls + 1 until few:count(key, 0, own)
      return calls - 1
    end
    assert.equal(2, refused_after("a", { per_minute = 2, per_hour = 120 }))
    assert.equal(3, refused_after("b", { per_minute = 20 }))
    assert.equal(1, refused_after("c", { per_hour = 1 }))
    assert.equal(3, refused_after "d")
  end)

  it("are whole numbers", function()
    for _, wanted in ipairs { 5, { per_day = 1 }, { per_minute = 0 }, { per_minute = 1.5 }, { per_hour = "1" } } do
      assert.has_error(function() limits.new(wanted) end)
    end
  end)
end)
