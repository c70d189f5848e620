--- loop: tasks, gates and sleep for a driver that can start a request and be polled.
--
-- A task is a coroutine made by `spawn`. Where a task can be suspended, waiting suspends it. Anywhere
-- else (the main program, a coroutine of the user's own inside or outside a task, a gsub callback, a
-- sort comparator, `require`) the one who waits drives the loop until it may go on: it polls, and
-- resumes the tasks that are ready. So tasks go on only while somebody waits, and no coroutine but a
-- task is ever resumed or suspended from here.
--
-- Whoever waits is woken by name, never found by asking everybody: opening a gate costs as much as
-- it has waiters, a deadline is an entry in a heap.

-- luacheck: read globals coroutine.isyieldable (5.1 lacks it)
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield
local running, status, isyieldable = coroutine.running, coroutine.status, coroutine.isyieldable
local floor = math.floor

-- The longest single poll: lua's own Ctrl-C acts when the interpreter runs Lua again.
local LONGEST_POLL = 1

-- Tasks that block (in a gsub callback, say) drive the tasks that are ready from inside, and those
-- may block too. Each level takes C stack, of which the interpreters have some 200 levels and the user's
-- own functions in between take their part.
local DEEPEST = 16

-- What our own yields carry, to tell them from a yield of the user's inside a task.
local SUSPENDED = {}

---@class mde.loop.waiter
---@field done boolean? set when it was woken or its time came
---@field opened boolean? true if a gate woke it
---@field task thread? the task to resume; nil for one who drives
---@field gate mde.gate?
---@field time number? when it gives up
---@field place integer? its index in the heap of deadlines

-- ---- deadlines: a binary heap, earliest first, whose entries know their place

local function put(heap, place, waiter)
  heap[place] = waiter
  waiter.place = place
end

local function rise(heap, place, waiter)
  while place > 1 do
    local above = floor(place / 2)
    if heap[above].time <= waiter.time then break end
    put(heap, place, heap[above])
    place = above
  end
  put(heap, place, waiter)
end

local function sink(heap, place, waiter, size)
  while true do
    local below = place * 2
    if below > size then break end
    if below < size and heap[below + 1].time < heap[below].time then below = below + 1 end
    if heap[below].time >= waiter.time then break end
    put(heap, place, heap[below])
    place = below
  end
  put(heap, place, waiter)
end

-- The last entry takes the place of the removed one before it leaves its own: cut short by Ctrl-C, this
-- leaves an entry twice, which does no harm, and loses none.
local function remove(heap, waiter)
  local place, size = waiter.place, #heap
  local last = heap[size]
  if heap[place] ~= waiter then return end
  if last ~= waiter then
    if place > 1 and heap[floor(place / 2)].time > last.time then
      rise(heap, place, last)
    else
      sink(heap, place, last, size - 1)
    end
  end
  heap[size] = nil
  waiter.place = nil
end

-- ---- waking

local function make_ready(self, task)
  self.ready[self.last + 1] = task
  self.last = self.last + 1
end

-- Ctrl-C may come between any two steps, so they stand in this order: a task may be made ready twice,
-- since whoever waits looks whether it is done, and a done waiter may stay among the deadlines; but
-- none is done without having been made ready.
local function wake(self, waiter)
  if waiter.done then return end
  if waiter.task then make_ready(self, waiter.task) end
  waiter.done = true
  if waiter.place then remove(self.deadlines, waiter) end
end

local function leave_gate(waiter)
  local waiters = waiter.gate.waiters
  for i = 1, waiters and #waiters or 0 do
    if waiters[i] == waiter then
      table.remove(waiters, i)
      return
    end
  end
end

local function expire(self)
  local heap = self.deadlines
  if not heap[1] then return end
  local now = self.now()
  while heap[1] and heap[1].time <= now do
    local waiter = heap[1]
    waiter.place = 1
    if waiter.done then
      remove(heap, waiter)
    else
      if waiter.gate then leave_gate(waiter) end
      wake(self, waiter)
    end
  end
end

-- ---- driving

-- How many tasks are being driven from inside one another here. An error or Ctrl-C can have left the
-- one who drove `self.running`; the task is suspended or dead then, and nobody drives.
local function depth_here(self)
  local task = self.running
  if task == nil then return 0 end
  local is = status(task)
  if is == "running" or is == "normal" then return self.depth end
  self.running = nil
  return 0
end

-- Resumes one task. False if there is no C stack left to do it; then it stays ready.
local function run(self, task, depth)
  if status(task) ~= "suspended" then return true end
  local before, depth_before = self.running, self.depth
  self.running, self.depth = task, depth + 1
  local ok, value = resume(task)
  self.running, self.depth = before, depth_before
  if status(task) == "suspended" then
    if not ok or value ~= SUSPENDED then make_ready(self, task) end
    return ok
  end
  if not ok and not self.failure then self.failure = { value = value } end
  return true
end

-- Runs the tasks that are ready now, not those that become so meanwhile: these come after a poll. A
-- task leaves the queue once it has run, or when one who drives inside it finds it running.
local function run_ready(self, waiter, depth)
  local last = self.last
  while self.first <= last and not waiter.done do
    local place = self.first
    local task = self.ready[place]
    if task and not run(self, task, depth) then return false end
    if self.first == place then
      self.ready[place] = nil
      self.first = place + 1
    end
  end
  return true
end

local function until_next(self)
  local first = self.deadlines[1]
  if not first then return LONGEST_POLL end
  local seconds = first.time - self.now()
  if seconds <= 0 then return 0 end
  return seconds < LONGEST_POLL and seconds or LONGEST_POLL
end

-- Nothing that is under way can wake anybody: whoever could is waiting on the stack below.
local function is_stuck(self)
  return self.under_way ~= nil and not self.under_way() and not self.deadlines[1]
end

-- Drives the loop until `waiter` is done. The error of a task is raised by the outermost one who
-- drives, since another task that happens to be driving has nothing to do with it.
local function drive(self, waiter)
  local depth = depth_here(self)
  local may_run = depth < DEEPEST
  while not waiter.done do
    if is_stuck(self) and (not may_run or self.first > self.last) then
      if waiter.gate then leave_gate(waiter) end
      error("this wait could never end: what it waits for is held by whoever called it. Call it in the task "
        .. "itself, not in a coroutine inside it", 0)
    end
    may_run = may_run and run_ready(self, waiter, depth)
    if depth == 0 and self.failure then
      local failure = self.failure
      self.failure = nil
      error(failure.value, 0)
    end
    if not waiter.done then
      self.poll(may_run and self.first <= self.last and 0 or until_next(self))
      expire(self)
    end
  end
end

local function wait(self, waiter, seconds)
  if seconds then
    waiter.time = self.now() + (seconds > 0 and seconds or 0)
    rise(self.deadlines, #self.deadlines + 1, waiter)
  end
  local here = running()
  if here and self.tasks[here] and isyieldable() then
    waiter.task = here
    repeat yield(SUSPENDED) until waiter.done
  else
    drive(self, waiter)
  end
end

-- ---- gates

---@class mde.gate
---@field private loop mde.loop
---@field private opened boolean
---@field private waiters mde.loop.waiter[]? nil once all have been woken
local gate_methods = {}

--- Waits until the gate is open.
---@param seconds number? the longest wait; nil: no limit
---@return boolean opened false if the time passed first
function gate_methods:wait(seconds)
  if self.opened then return true end
  local waiter = { gate = self }
  self.waiters[#self.waiters + 1] = waiter
  wait(self.loop, waiter, seconds)
  return self.opened
end

--- Lets everybody through, now and from now on. Runs nobody: they go on when the loop is next driven.
function gate_methods:open()
  local waiters = self.waiters
  if not waiters then return end
  self.opened = true
  for i = 1, #waiters do wake(self.loop, waiters[i]) end
  self.waiters = nil
end

local gate_metatable = { __name = "mde.gate", __index = gate_methods, __metatable = false }

-- ---- the loop

---@class mde.loop
---@field private now fun(): number
---@field private poll fun(seconds: number)
---@field private under_way? fun(): boolean
---@field private tasks table<thread, true>
local methods = {}

--- Runs fn() concurrently in a task of its own, from the next time that somebody waits. It should not
--- raise; if it does, the error is raised again by whoever drives the loop outermost.
---@param fn fun()
function methods:spawn(fn)
  if not isyieldable then
    error("this Lua cannot run requests concurrently: it cannot tell where a coroutine may yield "
      .. "(Lua 5.3, 5.4 and LuaJIT can)", 2)
  end
  local task = create(fn)
  self.tasks[task] = true
  make_ready(self, task)
end

--- A gate, shut.
---@return mde.gate
function methods:gate()
  return setmetatable({ loop = self, opened = false, waiters = {} }, gate_metatable)
end

--- Returns when that many seconds have passed.
---@param seconds number
function methods:sleep(seconds)
  wait(self, {}, seconds)
end

local metatable = { __name = "mde.loop", __index = methods, __metatable = false }

local loop = {}

---@class mde.loop.options
---@field now fun(): number seconds on a clock that only goes forward
---@field poll fun(seconds: number) waits at most that long for the world and opens the gates of what
--- has happened; it may return early; it resumes nobody
---@field under_way? fun(): boolean whether anything is under way that can open a gate; without it a wait that nothing
--- can end is not noticed

--- A loop of its own; tasks of one loop are ordinary callers, who block, for another.
---@param options mde.loop.options
---@return mde.loop
function loop.new(options)
  return setmetatable({
    now = options.now,
    poll = options.poll,
    under_way = options.under_way,
    tasks = setmetatable({}, { __mode = "k" }),
    ready = {}, first = 1, last = 0,
    deadlines = {},
    running = nil, depth = 0,
    failure = nil,
  }, metatable)
end

return loop
