-- What the running task of an each shares with the others, found by the coroutine that runs.

local tasks = require "mde.task"

describe("what a task shares", function()
  local own, one, other

  before_each(function() own, one, other = tasks.new(), { "one" }, { "other" } end)

  it("is there while it runs, and not before or after", function()
    assert.is_nil(own:cache())
    local seen
    own:sharing(one, function() seen = own:cache() end)()
    assert.equal(one, seen)
    assert.is_nil(own:cache())
  end)

  it("changes nothing of what the function takes and returns, nils too", function()
    local shared = own:sharing(one, function(...) return select("#", ...), ... end)
    assert.equal(5, select("#", shared(nil, 2, nil, nil)))
    assert.same({ 4, nil, 2 }, { shared(nil, 2, nil, nil) })
    assert.equal(1, select("#", shared()))
  end)

  it("is the inner one within another, and the outer one again behind it", function()
    local seen = {}
    own:sharing(one, function()
      own:sharing(other, function() seen[1] = own:cache() end)()
      seen[2] = own:cache()
    end)()
    assert.same({ other, one }, seen)
    assert.is_nil(own:cache())
  end)

  it("is left behind by what raises, whose error goes on as it is", function()
    local problem = {}
    local seen
    own:sharing(one, function()
      local ok, raised = pcall(own:sharing(other, function() error(problem, 0) end))
      assert.is_false(ok)
      assert.equal(problem, raised)
      seen = own:cache()
    end)()
    assert.equal(one, seen)
    assert.is_nil(own:cache())
  end)

  it("is each task's own, also where they wait in the midst of it", function()
    local seen = {}
    local function begin(cache)
      local task = coroutine.create(own:sharing(cache, function()
        coroutine.yield()
        seen[#seen + 1] = own:cache()
        coroutine.yield()
      end))
      assert(coroutine.resume(task))
      return task
    end
    local first, second = begin(one), begin(other)
    assert.is_nil(own:cache())
    assert(coroutine.resume(second))
    assert(coroutine.resume(first))
    assert.same({ other, one }, seen)
    assert.is_nil(own:cache())
  end)

  it("is not shared with a coroutine of the user's own", function()
    local seen = { "nothing was seen" }
    own:sharing(one, function()
      coroutine.wrap(function() seen[1] = own:cache() end)()
    end)()
    assert.is_nil(seen[1])
  end)

  it("belongs to one client", function()
    local seen
    own:sharing(one, function() seen = tasks.new():cache() end)()
    assert.is_nil(seen)
  end)

  it("is collected with a task that never ends", function()
    local watched = setmetatable({ { "a cache" } }, { __mode = "v" })
    local task = coroutine.create(own:sharing(watched[1], function() coroutine.yield() end))
    coroutine.resume(task)
    collectgarbage()
    assert.is_table(watched[1])
    task = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(watched[1])
  end)
end)
