-- resty.job_queue: what is taken and what is refused, and that a timer which nginx did not start, or dropped, loses
-- nothing. That work outlives its request, tests/hosts/nginx/detach_spec.lua shows.
-- Labels: not-lua5.3

local clock = require("mde.posix").clock
local fake_nginx = require "tests.spec.support.fake_nginx"

describe("the queue of nginx's driver", function()
  local nginx, queue, timers, now, time

  before_each(function()
    now, time = clock.now, 1000
    clock.now = function() return time end
    nginx = fake_nginx.start()
    timers = {}
    nginx.timer_at = function(seconds, fn, ...)
      assert(seconds == 0)
      local given = ...
      timers[#timers + 1] = coroutine.create(function() fn(false, given) end)
      return true
    end
    -- A timer rests while it waits at its bell.
    nginx.wait = function() coroutine.yield() end
    queue = nginx.load("job_queue").new(3)
  end)

  after_each(function()
    clock.now = now
    fake_nginx.stop()
  end)

  -- Lets a timer go on until it waits again, some seconds later.
  local function run(timer, seconds)
    time = time + (seconds or 0)
    nginx.phase = "timer"
    assert(coroutine.resume(timers[timer]))
    nginx.phase = "content"
  end

  local function has_ended(timer) return coroutine.status(timers[timer]) == "dead" end

  it("gives one timer all that is brought, in its order", function()
    local done = {}
    for i = 1, 3 do assert.is_true(queue:push(function() done[#done + 1] = i end)) end
    assert.equal(1, #timers)
    assert.same({}, done)
    run(1)
    assert.same({ 1, 2, 3 }, done)
    assert.is_true(queue:push(function() done[#done + 1] = 4 end))
    assert.equal(1, #timers)
    run(1)
    assert.same({ 1, 2, 3, 4 }, done)
  end)

  it("refuses more than its limit, and names the option", function()
    for _ = 1, 3 do assert.is_true(queue:push(function() end)) end
    local taken, message = queue:push(function() error "it was begun" end)
    assert.is_nil(taken)
    assert.matches("3 calls are under way", message, 1, true)
    assert.matches("option queue", message, 1, true)
    run(1)
    assert.is_true(queue:push(function() end))
  end)

  it("takes nothing that no timer will begin, and says which directive to set", function()
    local timer_at, done = nginx.timer_at, 0
    nginx.timer_at = function() return nil, "too many pending timers" end
    local taken, message = queue:push(function() error "it was begun" end)
    assert.is_nil(taken)
    assert.matches("too many pending timers", message, 1, true)
    assert.matches("lua_max_pending_timers", message, 1, true)
    nginx.timer_at = timer_at
    assert.is_true(queue:push(function() done = done + 1 end))
    run(1)
    assert.equal(1, done)
    assert.same({}, nginx.log)
  end)

  it("starts another timer for one that has not begun after a while, and not before", function()
    local done = 0
    queue:push(function() done = done + 1 end)
    time = time + 0.5
    queue:revive()
    assert.equal(1, #timers)
    time = time + 0.6
    queue:revive()
    assert.equal(2, #timers)
    run(2)
    assert.equal(1, done)
    -- The first comes after all, and finds nothing left.
    run(1)
    assert.equal(1, done)
  end)

  it("starts another timer for one that shows no life", function()
    queue:push(function() end)
    run(1)
    time = time + 9
    queue:push(function() end)
    assert.equal(1, #timers)
    time = time + 2
    queue:revive()
    assert.equal(2, #timers)
  end)

  it("needs no timer where nothing waits", function()
    assert.is_true(queue:revive())
    assert.equal(0, #timers)
  end)

  it("goes on behind work that raises, and logs where, but not what", function()
    local done = false
    queue:push(function() error "made-up secret" end)
    queue:push(function() error({ secret = "made-up secret" }) end)
    queue:push(function() done = true end)
    run(1)
    assert.is_true(done)
    assert.equal(2, #nginx.log)
    assert.matches("queue_spec.lua:%d+: detached work raised an error", nginx.log[1])
    assert.matches("an unknown place: detached work raised an error", nginx.log[2], 1, true)
    for _, line in ipairs(nginx.log) do assert.is_nil(line:find("made-up secret", 1, true)) end
  end)

  it("begins at once what its own work brings, whatever the limit", function()
    local begun = 0
    queue:push(function()
      for _ = 1, 10 do assert(queue:push(function() begun = begun + 1 end)) end
      assert.equal(10, begun)
    end)
    run(1)
    assert.equal(10, begun)
    assert.same({}, nginx.log)
  end)

  it("is left to another timer when one has been idle, and when the worker is to end", function()
    queue:push(function() end)
    run(1)
    run(1, 19)
    assert.is_false(has_ended(1))
    run(1, 1)
    assert.is_true(has_ended(1))
    queue:push(function() end)
    assert.equal(2, #timers)
    nginx.exiting = true
    run(2)
    assert.is_true(has_ended(2))
  end)

  it("knows its own timers from others'", function()
    local inside
    assert.is_false(queue:is_inside())
    nginx.phase = "timer"
    assert.is_false(queue:is_inside())
    nginx.phase = "content"
    queue:push(function() inside = queue:is_inside() end)
    run(1)
    assert.is_true(inside)
  end)
end)
