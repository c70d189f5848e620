-- mde.core.limiter through the binding: what Lua sees of the limiter. Its rules are tested in
-- tests/core/test_limiter.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"

describe("mde.core.limiter", function()
  it("says what may go, and when", function()
    local limiter = core.limiter.new(2, 10)
    assert.equal(0, limiter:wait(100))
    assert.same({ 2, 2, 0, 0 }, { limiter:peek(100) })
    limiter:take(100)
    limiter:take(101.5)
    assert.equal(8, limiter:wait(102))
    assert.same({ 2, 0, 8, 9.5 }, { limiter:peek(102) })
    assert.equal(0, limiter:wait(110))
    assert.same({ 2, 1, 0, 1.5 }, { limiter:peek(110) })
  end)

  it("keeps two windows", function()
    local limiter = core.limiter.new(100, 62, 1500, 3602)
    for i = 1, 100 do limiter:take(i / 128) end
    assert.same({ 100, 0, 61.0078125, 3601.78125 }, { limiter:peek(1) })
    assert.equal(61.0078125, limiter:wait(1))
  end)

  it("takes a slot back, if it knows it", function()
    local limiter = core.limiter.new(1, 10)
    limiter:take(5)
    assert.is_false(limiter:give_back(4))
    assert.equal(9, limiter:wait(6))
    assert.is_true(limiter:give_back(5))
    assert.equal(0, limiter:wait(6))
  end)

  it("says that waiting does not help where nothing may pass", function()
    local limiter = core.limiter.new(0, 10)
    assert.is_nil(limiter:wait(0))
    limiter:take(0)
    local limit, remaining, retry_after, reset_after = limiter:peek(0)
    assert.same({ 0, 0, 0 }, { limit, remaining, reset_after })
    assert.is_nil(retry_after)
  end)

  it("is each its own", function()
    local one, another = core.limiter.new(1, 10), core.limiter.new(1, 10)
    one:take(0)
    assert.equal(10, one:wait(0))
    assert.equal(0, another:wait(0))
  end)

  it("is collected with its memory, used or not", function()
    for _ = 1, 200 do
      core.limiter.new(100000, 10)
      core.limiter.new(1000, 10):take(1)
    end
    collectgarbage()
    collectgarbage()
    assert.is_false(getmetatable(core.limiter.new(1, 1)))
  end)

  it("raises on what only a programmer can get wrong", function()
    local limiter = core.limiter.new(1, 10)
    for name, call in pairs {
      ["no window"] = function() core.limiter.new() end,
      ["half a window"] = function() core.limiter.new(1) end,
      ["a window and a half"] = function() core.limiter.new(1, 10, 2) end,
      ["three windows"] = function() core.limiter.new(1, 1, 2, 2, 3, 3) end,
      ["a fraction of a send"] = function() core.limiter.new(1.5, 10) end,
      ["fewer than none"] = function() core.limiter.new(-1, 10) end,
      ["too many"] = function() core.limiter.new(100001, 10) end,
      ["an endless count"] = function() core.limiter.new(math.huge, 10) end,
      ["a count that is no number"] = function() core.limiter.new(0 / 0, 10) end,
      ["a count in words"] = function() core.limiter.new("many", 10) end,
      ["a window of no time"] = function() core.limiter.new(1, 0) end,
      ["an endless window"] = function() core.limiter.new(1, math.huge) end,
      ["a window that is no number"] = function() core.limiter.new(1, 0 / 0) end,
      ["no time"] = function() limiter:take() end,
      ["a time that is no number"] = function() limiter:take(0 / 0) end,
      ["the end of time"] = function() limiter:wait(math.huge) end,
      ["giving back at no time"] = function() limiter:give_back(nil) end,
      ["looking at no time"] = function() limiter:peek "" end,
      ["no self"] = function() limiter.take(nil, 1) end,
      ["self of another type"] = function() limiter.wait(core.token.new(), 1) end,
    } do
      assert.is_false(pcall(call), name)
    end
    assert.equal(0, limiter:wait(0))
  end)
end)
