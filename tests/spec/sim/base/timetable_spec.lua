-- What is due when.
local pseudorandom = require "mde.sim.base.pseudorandom"
local timetable = require "mde.sim.base.timetable"

describe("a timetable", function()
  local due

  before_each(function() due = timetable.new() end)

  local function taken(now)
    local keys = {}
    for key in function() return due:take(now) end do keys[#keys + 1] = key end
    return keys
  end

  it("gives out what is due, the earliest first, each once", function()
    due:put("c", 3)
    due:put("a", 1)
    due:put("b", 2)
    assert.same({}, taken(0.5))
    assert.same({ "a", "b" }, taken(2))
    assert.same({ "c" }, taken(9))
    assert.same({}, taken(9))
  end)

  it("gives out what was put first, of what is due at the same time", function()
    for _, key in ipairs { "b", "d", "a", "c", "b" } do due:put(key, 1) end
    assert.same({ "b", "d", "a", "c" }, taken(1))
  end)

  it("forgets what it was told before", function()
    due:put("a", 1)
    due:put("b", 2)
    due:put("c", 2)
    due:put("a", 5)
    due:put("b", -math.huge)
    due:put("c")
    assert.same({ "b" }, taken(4))
    due:put("a", 9)
    due:put("a", 5)
    assert.same({ "a" }, taken(5))
    assert.same({}, taken(9))
  end)

  it("is in order whatever is put and taken", function()
    local draw, told = pseudorandom.new(1), {}
    for _ = 1, 2000 do
      local key, at = draw(60), draw(5) > 0 and draw(100) or nil
      due:put(key, at)
      told[key] = at
      if draw(10) == 0 then
        local now, before = draw(100), -1
        for _, one in ipairs(taken(now)) do
          assert.is_true(told[one] <= now and told[one] >= before)
          told[one], before = nil, told[one]
        end
        for _, left in pairs(told) do assert.is_true(left > now) end
      end
    end
  end)
end)
