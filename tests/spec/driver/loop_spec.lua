-- Tasks, gates and sleep on a made-up clock: the world is a list of events that polls bring about.
-- Labels: sanitized-each-lua

local loops = require "mde.driver.loop"

describe("mde.driver.loop", function()
  local clock, polls, world, loop

  -- Lets `event` happen in the poll that reaches that time.
  local function at(time, event)
    world[#world + 1] = { time = time, event = event }
    table.sort(world, function(a, b) return a.time < b.time end)
  end

  local function poll(seconds)
    if seconds < 0 or seconds > 1 then error "a poll of less than nothing, or of more than a second" end
    polls[#polls + 1] = seconds
    local reached = clock + seconds
    if world[1] and world[1].time <= reached then
      local happened = table.remove(world, 1)
      clock = math.max(clock, happened.time)
      happened.event()
    else
      clock = reached
    end
  end

  before_each(function()
    clock, polls, world = 0, {}, {}
    loop = loops.new { now = function() return clock end, poll = poll }
  end)

  -- Calls fn where no coroutine can be suspended.
  local function inside_gsub(fn)
    local result
    local _ = ("x"):gsub("x", function() result = fn() end)
    return result
  end

  describe("sleep", function()
    it("returns when the time has passed", function()
      loop:sleep(2.5)
      assert.equal(2.5, clock)
    end)

    it("goes on sleeping after a poll that ended early", function()
      at(0.1, function() end)
      at(0.2, function() end)
      loop:sleep(1)
      assert.equal(1, clock)
    end)

    it("treats a negative time as none", function()
      loop:sleep(-5)
      assert.equal(0, clock)
    end)

    it("polls for what is left of the time, and no longer than a second", function()
      loop:sleep(2.25)
      assert.same({ 1, 1, 0.25 }, polls)
    end)
  end)

  describe("a gate", function()
    it("lets through those who come once it is open", function()
      local gate = loop:gate()
      gate:open()
      assert.is_true(gate:wait())
      assert.is_true(gate:wait(0))
      assert.same({}, polls)
    end)

    it("lets through those who wait, in their order", function()
      local gate, order = loop:gate(), {}
      for i = 1, 3 do
        loop:spawn(function()
          assert(gate:wait(10))
          order[#order + 1] = i
        end)
      end
      at(4, function() gate:open() end)
      assert.is_true(gate:wait())
      loop:sleep(0)
      assert.same({ 1, 2, 3 }, order)
      assert.equal(4, clock)
    end)

    it("returns false after the time, and can still be opened", function()
      local gate = loop:gate()
      assert.is_false(gate:wait(3))
      assert.equal(3, clock)
      gate:open()
      gate:open()
      assert.is_true(gate:wait(3))
    end)

    it("does not hold up who is late for another", function()
      local slow, quick, order = loop:gate(), loop:gate(), {}
      loop:spawn(function() slow:wait(5) order[#order + 1] = "slow" end)
      loop:spawn(function() quick:wait(5) order[#order + 1] = "quick" end)
      at(1, function() quick:open() end)
      at(2, function() slow:open() end)
      loop:sleep(3)
      assert.same({ "quick", "slow" }, order)
    end)
  end)

  describe("spawn", function()
    it("runs nothing before somebody waits", function()
      local ran = false
      loop:spawn(function() ran = true end)
      assert.is_false(ran)
      loop:sleep(0)
      assert.is_true(ran)
    end)

    it("lets tasks sleep beside one another", function()
      local order = {}
      for _, seconds in ipairs { 3, 1, 2 } do
        loop:spawn(function()
          loop:sleep(seconds)
          order[#order + 1] = seconds
        end)
      end
      loop:sleep(4)
      assert.same({ 1, 2, 3 }, order)
      assert.equal(4, clock)
    end)

    it("wakes many tasks at their times", function()
      local order, times = {}, {}
      for i = 1, 500 do times[i] = (i * 7919) % 1009 end
      for i = 1, 500 do
        loop:spawn(function()
          loop:sleep(times[i])
          order[#order + 1] = times[i]
        end)
      end
      loop:sleep(2000)
      assert.equal(500, #order)
      for i = 2, 500 do assert.is_true(order[i - 1] <= order[i]) end
    end)

    it("works inside a task", function()
      local seen
      loop:spawn(function()
        local gate = loop:gate()
        loop:spawn(function()
          loop:sleep(1)
          gate:open()
        end)
        seen = gate:wait(5)
      end)
      loop:sleep(2)
      assert.is_true(seen)
    end)

    it("takes a plain yield in a task for a wish to let others go on", function()
      local order = {}
      loop:spawn(function()
        coroutine.yield()
        order[#order + 1] = "first"
      end)
      loop:spawn(function() order[#order + 1] = "second" end)
      loop:sleep(1)
      assert.same({ "second", "first" }, order)
    end)

    it("keeps a waiting task apart from those who resume it by hand", function()
      local task, done
      loop:spawn(function()
        task = coroutine.running()
        loop:sleep(2)
        done = clock
      end)
      loop:sleep(1)
      assert.is_true(coroutine.resume(task))
      assert.is_nil(done)
      loop:sleep(2)
      assert.equal(2, done)
    end)
  end)

  describe("where a task cannot be suspended", function()
    it("waiting in the main program lets tasks go on", function()
      local ticks = 0
      loop:spawn(function()
        for _ = 1, 3 do
          loop:sleep(1)
          ticks = ticks + 1
        end
      end)
      loop:sleep(3.5)
      assert.equal(3, ticks)
    end)

    it("waiting in a gsub callback of a task blocks it, and others go on", function()
      local order = {}
      loop:spawn(function()
        inside_gsub(function() loop:sleep(2) end)
        order[#order + 1] = "blocked"
      end)
      loop:spawn(function()
        loop:sleep(1)
        order[#order + 1] = "other"
      end)
      loop:sleep(3)
      assert.same({ "other", "blocked" }, order)
    end)

    it("waiting in a comparator works", function()
      local gate = loop:gate()
      at(1, function() gate:open() end)
      local sorted
      loop:spawn(function()
        local list = { 2, 1 }
        table.sort(list, function(a, b) return gate:wait(5) and a < b end)
        sorted = list
      end)
      loop:sleep(2)
      assert.same({ 1, 2 }, sorted)
    end)

    it("a coroutine of the user's is neither suspended nor resumed", function()
      local resumes = 0
      local own = coroutine.create(function()
        loop:sleep(1)
        coroutine.yield "mine"
        loop:sleep(1)
        return "end"
      end)
      local function step()
        resumes = resumes + 1
        return select(2, coroutine.resume(own))
      end
      assert.equal("mine", step())
      loop:sleep(5)
      assert.equal("suspended", coroutine.status(own))
      assert.equal("end", step())
      assert.equal(2, resumes)
    end)

    it("nor is one inside a task", function()
      local values = {}
      loop:spawn(function()
        local produce = coroutine.wrap(function()
          for i = 1, 3 do
            loop:sleep(1)
            coroutine.yield(i)
          end
        end)
        for _ = 1, 3 do values[#values + 1] = produce() end
      end)
      loop:spawn(function() loop:sleep(0.5) end)
      loop:sleep(4)
      assert.same({ 1, 2, 3 }, values)
    end)

    it("is an error where nothing can end it, if the world tells what is under way", function()
      local under_way = false
      loop = loops.new { now = function() return clock end, poll = poll, under_way = function()
        return under_way or world[1] ~= nil
      end }
      local gate = loop:gate()
      local function wait_inside() return pcall(inside_gsub, function() return gate:wait() end) end
      local ok, problem = wait_inside()
      assert.is_false(ok)
      assert.truthy(problem:find("this wait could never end", 1, true))
      -- Held by the task that waits for it, by way of another.
      local tried
      loop:spawn(function() ok = inside_gsub(function() return tried:wait(5) end) end)
      tried = loop:gate()
      loop:spawn(function() problem = select(2, wait_inside()) end)
      loop:sleep(6)
      assert.is_false(ok)
      assert.truthy(problem:find("this wait could never end", 1, true))
    end)

    it("is none where something is under way, ready or to come at its time", function()
      loop = loops.new { now = function() return clock end, poll = poll, under_way = function()
        return world[1] ~= nil
      end }
      for i, prepare in ipairs {
        function(gate) at(clock + 3, function() gate:open() end) end,
        function(gate) loop:spawn(function() gate:open() end) end,
        function(gate)
          loop:spawn(function()
            loop:sleep(3)
            gate:open()
          end)
        end,
      } do
        local gate = loop:gate()
        prepare(gate)
        assert.is_true(inside_gsub(function() return gate:wait() end), i)
        assert.is_false(loop:gate():wait(2))
      end
    end)

    it("many tasks that block inside one another all end", function()
      local ended = 0
      for i = 1, 300 do
        loop:spawn(function()
          loop:sleep(1)
          inside_gsub(function() loop:sleep(i / 1000) end)
          ended = ended + 1
        end)
      end
      loop:sleep(1000)
      assert.equal(300, ended)
    end)
  end)

  describe("an error in a task", function()
    it("reaches the one who drives, as it was raised", function()
      local problem = setmetatable({}, {})
      loop:spawn(function() error(problem) end)
      local ok, err = pcall(loop.sleep, loop, 1)
      assert.is_false(ok)
      assert.equal(problem, err)
    end)

    it("does not hit another task that happens to drive", function()
      local innocent
      loop:spawn(function()
        inside_gsub(function() loop:sleep(2) end)
        innocent = "unhurt"
      end)
      loop:spawn(function()
        loop:sleep(1)
        error("mine", 0)
      end)
      local ok, err = pcall(loop.sleep, loop, 3)
      assert.is_false(ok)
      assert.equal("mine", err)
      loop:sleep(3)
      assert.equal("unhurt", innocent)
    end)

    it("leaves the loop usable, and the other tasks alive", function()
      local ticks = 0
      loop:spawn(function() error "first" end)
      loop:spawn(function()
        loop:sleep(1)
        ticks = ticks + 1
      end)
      assert.is_false(pcall(loop.sleep, loop, 5))
      loop:sleep(2)
      assert.equal(1, ticks)
    end)
  end)

  -- What Ctrl-C does: an error out of the poll, or between any two steps of the one who drives.
  describe("an interrupt", function()
    it("in a poll ends the wait and loses no task", function()
      local gate, woken = loop:gate(), {}
      for i = 1, 3 do
        loop:spawn(function()
          woken[i] = gate:wait(10)
        end)
      end
      at(1, function() error("interrupted!", 0) end)
      local ok, err = pcall(gate.wait, gate)
      assert.is_false(ok)
      assert.equal("interrupted!", err)
      gate:open()
      loop:sleep(0)
      assert.same({ true, true, true }, woken)
    end)

    it("in a poll inside a task ends that task alone", function()
      local other
      loop:spawn(function() inside_gsub(function() loop:sleep(5) end) end)
      loop:spawn(function()
        loop:sleep(2)
        other = true
      end)
      at(1, function() error("interrupted!", 0) end)
      assert.is_false(pcall(loop.sleep, loop, 10))
      loop:sleep(3)
      assert.is_true(other)
    end)

    it("at any step of the one who drives loses no task", function()
      local main = coroutine.running()
      local function hook(fn, count)
        if main then debug.sethook(main, fn, "", count) else debug.sethook(fn, "", count) end
      end
      local steps, uninterrupted = 0
      repeat
        steps = steps + 1
        clock, world = 0, {}
        loop = loops.new { now = function() return clock end, poll = poll }
        local gate, woken = loop:gate(), 0
        for i = 1, 3 do
          loop:spawn(function()
            loop:sleep(i / 4)
            gate:wait(5)
            woken = woken + 1
          end)
        end
        at(0.6, function() gate:open() end)
        local left = steps
        local ok = pcall(function()
          hook(function()
            -- Only what the driving coroutine does may be cut short here: Ctrl-C reaches nobody else.
            if coroutine.running() ~= main then return end
            left = left - 1
            if left == 0 then
              hook()
              error("interrupted!", 0)
            end
          end, 1)
          loop:sleep(1)
          hook()
        end)
        hook()
        uninterrupted = ok
        gate:open()
        loop:sleep(10)
        assert(woken == 3, ("interrupted at step %d: %d of 3 tasks went on"):format(steps, woken))
      until uninterrupted
      assert.is_true(steps > 100)
    end)
  end)

  it("is nobody's task in another loop", function()
    local other = loops.new { now = function() return clock end, poll = poll }
    local order = {}
    loop:spawn(function()
      other:sleep(1)
      order[#order + 1] = "blocked in the other"
    end)
    loop:spawn(function() order[#order + 1] = "waited" end)
    loop:sleep(0)
    assert.same({ "blocked in the other", "waited" }, order)
  end)
end)
