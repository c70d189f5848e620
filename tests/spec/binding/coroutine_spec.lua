-- mde.core.coroutine: whether whoever calls could be suspended.
-- Labels: sanitized-each-lua
local is_yieldable = require("mde.core").coroutine.is_yieldable

describe("mde.core.coroutine.is_yieldable", function()
  it("is true in a coroutine", function()
    assert.is_true(coroutine.wrap(function() return (is_yieldable()) end)())
    assert.is_true(coroutine.wrap(function() return (select(2, pcall(is_yieldable))) end)())
  end)

  it("is false in what a C function calls, inside a coroutine too", function()
    local inside
    local after = coroutine.wrap(function()
      ("x"):gsub("x", function() inside = is_yieldable() end)
      return (is_yieldable())
    end)()
    assert.is_false(inside)
    assert.is_true(after)
  end)
end)
