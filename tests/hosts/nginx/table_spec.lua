-- The table of faults over nginx's own sockets: every fault, at every place, in every kind of request, in half of the
-- ways in which it can strike; what the tenant did and what the caller was told. tests/fault/table plays all of them.

local axes = require "tests.fault.outcomes.axes"
local worlds = require "tests.fault.outcomes.world"

describe("the table of faults, cosocket", function()
  it("has no false answer, and nothing that happened twice", function()
    local site = worlds.start_nginx()
    finally(site.stop)
    local body = assert(site.get "/?problems=yes&only=sampled")
    local played, problems = body:match "^(%d+) rows\n(.*)$"
    print(("the table of faults, cosocket: %s rows"):format(tostring(played)))
    assert.equal("", problems or body)
    assert.equal(axes.count("sampled", "cosocket"), tonumber(played))
  end)
end)
