-- The table of faults over libcurl: every fault, at every place, in every kind of request, in half of the ways in which
-- it can strike; what the tenant did and what the caller was told. tests/fault/table plays and prints all of them.
-- Labels: only-lua5.4, long

local axes = require "tests.fault.outcomes.axes"
local play = require "tests.fault.outcomes.play"
local worlds = require "tests.fault.outcomes.world"

describe("the table of faults, libcurl", function()
  it("has no false answer, and nothing that happened twice", function()
    local world = worlds.start()
    finally(world.stop)
    local played, problems = play.play_all(world, "libcurl", function() end, "sampled")
    print(("the table of faults, libcurl: %d rows"):format(played))
    assert.equal("", table.concat(problems, "\n"))
    assert.equal(axes.count("sampled", "libcurl"), played)
  end)
end)
