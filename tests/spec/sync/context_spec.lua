-- context: a deadline that the queue moves, and the end that the caller set, which nothing moves.

local contexts = require "mde.sync.context"

describe("a context", function()
  local time

  local function now() return time end

  before_each(function() time = 1000 end)

  it("ends when the caller said, whatever was spent in the queue", function()
    local context = contexts.new(now, 60)
    time = 1040
    assert.equal(20, context:left())
    assert.equal(20, context:patience())
    context:queued(40)
    assert.equal(20, context:left())
    assert.equal(1060, context:at())
  end)

  it("has no end where the caller said none", function()
    local context = contexts.new(now)
    assert.equal(math.huge, context:left())
    context:queued(1e9)
    assert.equal(math.huge, context:patience())
  end)

  it("goes below nothing when its time is up", function()
    local context = contexts.new(now, 5)
    time = 1007
    assert.equal(-2, context:left())
  end)

  it("has the priority of a single call, and no cache", function()
    assert.equal(contexts.SINGLE, contexts.new(now).priority)
    assert.is_nil(contexts.new(now).cache)
    local cache = {}
    local context = contexts.new(now, nil, contexts.RELEASE, cache)
    for _, one in ipairs { context, context:within(1), context:within(1):within(1), context:detached() } do
      assert.equal(contexts.RELEASE, one.priority)
      assert.equal(cache, one.cache)
    end
    assert.is_true(contexts.RELEASE < contexts.SINGLE and contexts.SINGLE < contexts.MANY)
  end)

  describe("of a part", function()
    it("ends before the whole does", function()
      local whole = contexts.new(now, 60)
      assert.equal(30, whole:within(30):left())
      assert.equal(60, whole:within(300):left())
      assert.equal(60, whole:within(30, 300):patience())
    end)

    it("is moved by its queue up to the end of the whole, and moves the whole", function()
      local whole = contexts.new(now)
      local longest = whole:within(120)
      local part = longest:within(30)
      part:queued(100)
      assert.equal(130, part:left())
      assert.equal(220, longest:left())
      local bounded = contexts.new(now, 60)
      part = bounded:within(30)
      part:queued(100)
      assert.equal(60, part:left())
      assert.equal(60, bounded:left())
    end)

    it("has patience of its own, which the queue does not move", function()
      local part = contexts.new(now):within(30, 40)
      assert.equal(40, part:patience())
      part:queued(100)
      assert.equal(40, part:left())
      assert.equal(10, contexts.new(now):within(30, 10):left())
    end)
  end)

  it("of work that others wait for outlives the caller", function()
    local context = contexts.new(now, 5)
    local detached = context:detached()
    time = 2000
    assert.equal(math.huge, detached:left())
    detached:queued(10)
    assert.equal(-995, context:left())
  end)
end)
