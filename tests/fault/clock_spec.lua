-- The table of faults with a clock that is off: tests/fault/table clock prints it.
-- Labels: only-lua5.4

local clocks = require "tests.fault.outcomes.clocks"
local worlds = require "tests.fault.outcomes.world"

describe("the table of faults, the service's clock", function()
  it("has nothing that happened twice, nothing past the cap and no false answer", function()
    local world = worlds.start()
    finally(world.stop)
    local sum = clocks.play_all(world, function() end)
    print(clocks.text(sum))
    assert.equal("", table.concat(sum.problems, "\n"))
    assert.equal(0, sum.twice)
    assert.equal(0, sum.past_the_cap)
    assert.equal(#clocks.rows(), sum.rows)
  end)
end)
