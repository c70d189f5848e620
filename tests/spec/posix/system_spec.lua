-- mde.core.system: whether whoever calls could be suspended.
-- Labels: sanitized-each-lua
local system = require("mde.core").system

describe("mde.core.system.yieldable", function()
  it("is true in a coroutine", function()
    assert.is_true(coroutine.wrap(function() return (system.yieldable()) end)())
    assert.is_true(coroutine.wrap(function() return (select(2, pcall(system.yieldable))) end)())
  end)

  it("is false in what a C function calls, inside a coroutine too", function()
    local inside
    local after = coroutine.wrap(function()
      ("x"):gsub("x", function() inside = system.yieldable() end)
      return (system.yieldable())
    end)()
    assert.is_false(inside)
    assert.is_true(after)
  end)
end)
