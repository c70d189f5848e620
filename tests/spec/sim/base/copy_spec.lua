-- Deep copies.
-- Labels: not-lua5.3
local copy = require "mde.sim.base.copy"

describe("a deep copy", function()
  it("has the same in it, and no table of the original", function()
    local original = { "a", false, { tags = { "x" }, count = 0 } }
    local same = copy.deep(original)
    assert.same(original, same)
    same[3].tags[1] = "y"
    same[3].count = nil
    assert.same({ "a", false, { tags = { "x" }, count = 0 } }, original)
  end)

  it("of what is no table is that itself", function()
    assert.equal("a", copy.deep "a")
    assert.is_false(copy.deep(false))
    assert.is_nil(copy.deep(nil))
    assert.equal(print, copy.deep(print))
  end)
end)
