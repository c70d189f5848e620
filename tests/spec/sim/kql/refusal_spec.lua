-- Refusals of a query are caught; mistakes are not.
-- Labels: not-lua5.3
local refusal = require "mde.sim.kql.refusal"

describe("sim.kql.refusal", function()
  it("is caught with its message", function()
    assert.are.same({ false, "a 1" }, { refusal.catch(function() refusal.raise("a %d", 1) end) })
    assert.are.same({ false, "b. Fix semantic errors in your query." },
      { refusal.catch(function() refusal.semantic("b") end) })
    assert.are.same({ false, "Not simulated: c. The service may know it; this tenant does not." },
      { refusal.catch(function() refusal.not_simulated("c") end) })
    assert.are.same({ true, 5 }, { refusal.catch(function() return 5 end) })
  end)

  it("lets anything else through", function()
    assert.has_error(function() refusal.catch(function() error("x", 0) end) end, "x")
    assert.has_error(function() refusal.catch(function() error({ message = "x" }) end) end)
  end)
end)
