-- Pseudorandom numbers: the same for the same seed, everywhere.
local pseudorandom = require "mde.sim.base.pseudorandom"

local function some(seed, range)
  local draw, numbers = pseudorandom.new(seed), {}
  for i = 1, 8 do numbers[i] = draw(range) end
  return numbers
end

describe("a source of pseudorandom numbers", function()
  it("is the same for the same seed, on each Lua", function()
    assert.same({ 6, 43, 9, 35, 35, 86, 76, 3 }, some(1, 100))
    assert.same(some(7, 1000), some(7, 1000))
    assert.are_not.same(some(7, 1000), some(8, 1000))
  end)

  it("stays within its range, and leaves nothing of it out", function()
    local draw, seen = pseudorandom.new(3), {}
    for _ = 1, 1000 do
      local number = draw(10)
      assert.is_true(number >= 0 and number < 10 and number == math.floor(number))
      seen[number] = true
    end
    for number = 0, 9 do assert.is_true(seen[number]) end
  end)

  it("shuffles a list, and loses nothing", function()
    local list = { 1, 2, 3, 4, 5, 6, 7, 8 }
    local shuffled = pseudorandom.shuffled(list, pseudorandom.new(5))
    assert.are_not.same(list, shuffled)
    table.sort(shuffled)
    assert.same(list, shuffled)
  end)
end)
