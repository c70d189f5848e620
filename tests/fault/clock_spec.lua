-- The table of faults with a clock that is off, half of it: tests/fault/table clock plays and prints all of it.
-- Labels: only-lua5.4, long

local clocks = require "tests.fault.outcomes.clocks"
local worlds = require "tests.fault.outcomes.world"

describe("the table of faults, the service's clock", function()
  it("has nothing that happened twice, nothing past the cap and no false answer", function()
    local world = worlds.start()
    finally(world.stop)
    local sum = clocks.play_all(world, function() end, "sampled")
    print(clocks.text(sum))
    assert.equal("", table.concat(sum.problems, "\n"))
    assert.equal(0, sum.twice)
    assert.equal(0, sum.past_the_cap)
    assert.equal(#clocks.rows "sampled", sum.rows)
  end)
end)
