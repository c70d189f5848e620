--- loop: tasks, gates and sleep for a driver that can start a request and be polled.
--
-- A task is a coroutine made by `spawn`. Where a task can be suspended, waiting suspends it. Anywhere
-- else (the main program, a coroutine of the user's own inside or outside a task, a gsub callback, a
-- sort comparator, `require`) the one who waits drives the loop until it may go on: it polls, and
-- resumes the tasks that are ready. So tasks go on only while somebody waits, and no coroutine but a
-- task is ever resumed or suspended from here.
--
-- A driver inside a host that has an event loop of its own calls `turn` whenever something happened;
-- then tasks go on while nobody drives, and the host's own coroutines can be suspended by `park`.
--
-- In a process that was forked, the parent's tasks are left to the parent: only those at work just then, the
-- one that forked and the one who drove it, go on.
--
-- Whoever waits is woken by name, never found by asking everybody: opening a gate costs as much as
-- it has waiters, a deadline is an entry in a heap.

-- luacheck: read globals coroutine.isyieldable (5.1 lacks it)
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield
local running, status, isyieldable = coroutine.running, coroutine.status, coroutine.isyieldable
local floor = math.floor

-- The longest single poll: lua's own Ctrl-C acts when the interpreter runs Lua again.
local MAX_POLL_SECONDS = 1

-- Tasks that block (in a gsub callback, say) drive the tasks that are ready from inside, and those
-- may block too. Each level takes C stack, of which the interpreters have some 200 levels and the user's
-- own functions in between take their part.
local DEEPEST = 16

-- What our own yields carry, to tell them from a yield of the user's inside a task.
local SUSPENDED = {}

---@class mde.loop.waiter
---@field done boolean? set when it was woken or its time came
---@field opened boolean? true if a gate woke it
---@field task thread? the task to resume; nil for one who drives or is parked
---@field wake fun()? set by who parks: has it look at `done` again
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
  if self.stir then self.stir() end
end

-- Ctrl-C may come between any two steps, so they stand in this order: a task may be made ready twice,
-- since a waiter looks whether it is done, and a done waiter may stay among the deadlines; but
-- none is done without having been made ready.
local function wake(self, waiter)
  if waiter.done then return end
  if waiter.task and self.tasks[waiter.task] then make_ready(self, waiter.task) end
  if waiter.wake then waiter.wake() end
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

-- ---- forks

local function is_at_work(task)
  local is = status(task)
  return is == "running" or is == "normal"
end

-- In a process that was forked: forgets the tasks that are the parent's.
local function leave_to_parent(self)
  local generation = self.count_forks()
  if self.generation == generation then return end
  self.generation, self.failure = generation, nil
  local own, waiters = setmetatable({}, { __mode = "k" }), {}
  for task in pairs(self.tasks) do own[task] = is_at_work(task) or nil end
  for place = self.first, self.last do
    if not own[self.ready[place]] then self.ready[place] = false end
  end
  for _, waiter in ipairs(self.deadlines) do
    if not waiter.task or own[waiter.task] then waiters[#waiters + 1] = waiter else waiter.place = nil end
  end
  self.tasks, self.deadlines = own, {}
  for place, waiter in ipairs(waiters) do rise(self.deadlines, place, waiter) end
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

-- What a task yielded or raised, or that it ended. False if there was no C stack left to resume it; then it
-- stays ready.
local function after_run(self, task, before, depth_before, ok, value, ...)
  self.running, self.depth = before, depth_before
  if status(task) == "suspended" then
    if not ok then
      make_ready(self, task)
    elseif value == SUSPENDED then
      self.suspends[task] = not self.blocks[task] or nil
    elseif self.foreign then
      self.foreign(task, value, ...)
    else
      make_ready(self, task)
    end
    return ok
  end
  if not ok and not self.failure then self.failure = { value = value } end
  return true
end

-- Resumes one task.
local function run(self, task, depth, ...)
  leave_to_parent(self)
  if status(task) ~= "suspended" or not self.tasks[task] then return true end
  local before, depth_before = self.running, self.depth
  self.running, self.depth = task, depth + 1
  return after_run(self, task, before, depth_before, resume(task, ...))
end

-- Takes a task out of the queue, which it leaves once it has run, or when one who drives inside it finds it
-- running.
local function dequeue(self, place, task)
  if self.ready[place] == task then self.ready[place] = false end
  while self.first <= self.last and not self.ready[self.first] do
    self.ready[self.first] = nil
    self.first = self.first + 1
  end
end

-- Runs the tasks that are ready now, not those that become so meanwhile: these come after a poll. `fit`, if given,
-- says which. False if there is no C stack left; whether any was run.
local function run_ready(self, waiter, depth, fit)
  local place, last, any = self.first, self.last, false
  while place <= last and not waiter.done do
    local task = self.ready[place]
    if not task or not fit or fit[task] then
      if task and not run(self, task, depth) then return false, any end
      any = any or task and true or false
      dequeue(self, place, task)
    end
    place = place + 1
  end
  return true, any
end

-- One who blocks inside a task does so on top of the one who runs it, who cannot go on before: if each ran all the
-- others, each would wait for all of them. So they run what is known to suspend itself; and, where nothing is under
-- way that could end the wait, one other, the newest, since that is what the wait is for.
local function run_inside(self, waiter, depth)
  if not self.under_way then return run_ready(self, waiter, depth) end
  local could, any = run_ready(self, waiter, depth, self.suspends)
  if not could or any or waiter.done or self.under_way() then return could end
  for place = self.last, self.first, -1 do
    local task = self.ready[place]
    local is_next = task and status(task) == "suspended"
    if is_next and not run(self, task, depth) then return false end
    if task then dequeue(self, place, task) end
    if is_next then return true end
  end
  return true
end

-- Whether there is a task to run before anything else happens.
local function has_ready(self, depth)
  if depth == 0 or not self.under_way or not self.under_way() then return self.first <= self.last end
  for place = self.first, self.last do
    if self.suspends[self.ready[place]] then return true end
  end
  return false
end

-- Seconds until a deadline; nil: there is none.
local function until_deadline(self)
  local first = self.deadlines[1]
  if not first then return nil end
  local seconds = first.time - self.now()
  return seconds > 0 and seconds or 0
end

local function until_next(self)
  local seconds = until_deadline(self)
  return seconds and seconds < MAX_POLL_SECONDS and seconds or MAX_POLL_SECONDS
end

-- Raises the error of a task, for the outermost one who drives: another task that happens to be driving has
-- nothing to do with it.
local function raise_failure(self, depth)
  local failure = self.failure
  if depth > 0 or not failure then return end
  self.failure = nil
  error(failure.value, 0)
end

-- Nothing that is under way can wake anybody: those who could are waiting on the stack below.
local function is_stuck(self)
  return self.under_way ~= nil and not self.under_way() and not self.deadlines[1]
end

-- Drives the loop until `waiter` is done.
local function drive(self, waiter)
  local depth = depth_here(self)
  local may_run = depth < DEEPEST
  if depth > 0 then self.blocks[self.running], self.suspends[self.running] = true, nil end
  while not waiter.done do
    if is_stuck(self) and (not may_run or self.first > self.last) then
      if waiter.gate then leave_gate(waiter) end
      error("this wait could never end: what it waits for is held by its caller. Call it in the task "
        .. "itself, not in a coroutine inside it", 0)
    end
    may_run = may_run and (depth == 0 and run_ready or run_inside)(self, waiter, depth)
    raise_failure(self, depth)
    if not waiter.done then
      self.poll(may_run and has_ready(self, depth) and 0 or until_next(self))
      expire(self)
    end
  end
end

local function set_deadline(self, waiter, seconds)
  if not seconds then return end
  waiter.time = self.now() + (seconds > 0 and seconds or 0)
  rise(self.deadlines, #self.deadlines + 1, waiter)
end

-- Whoever waited does so no longer, whether it was woken or not.
local function give_up(self, waiter)
  if waiter.done then return end
  waiter.done = true
  if waiter.place then remove(self.deadlines, waiter) end
  if waiter.gate then leave_gate(waiter) end
end

local function wait(self, waiter, seconds)
  leave_to_parent(self)
  local here = running()
  if here and self.tasks[here] and isyieldable() then
    set_deadline(self, waiter, seconds)
    waiter.task = here
    if self.stir then self.stir() end
    repeat yield(SUSPENDED) until waiter.done
  elseif self.park and self.park(waiter, seconds) then
    give_up(self, waiter)
  else
    set_deadline(self, waiter, seconds)
    -- Deeper there is no C stack to spare, and the deadline that an error leaves does no harm.
    if depth_here(self) > 0 then return drive(self, waiter) end
    local ok, err = pcall(drive, self, waiter)
    if ok then return end
    give_up(self, waiter)
    error(err, 0)
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
---@field private blocks table<thread, true> those that have driven from inside
---@field private suspends table<thread, true> those that have suspended themselves, and never driven from inside
---@field private count_forks fun(): integer grows in the child of each fork
---@field private generation integer what that was when the tasks were made
local methods = {}

--- Runs fn() concurrently in a task of its own, from the next time that somebody waits. It should not
--- raise; if it does, the error is raised again by the one who drives the loop outermost.
---@param fn fun()
function methods:spawn(fn)
  if not isyieldable then
    error("this Lua cannot run requests concurrently: it cannot tell where a coroutine may yield "
      .. "(Lua 5.3, 5.4 and LuaJIT can)", 2)
  end
  leave_to_parent(self)
  local task = create(fn)
  self.tasks[task] = true
  make_ready(self, task)
end

--- Whether the caller is a task, so that what it spawns had better be one.
---@return boolean
function methods:is_task()
  local here = running()
  return here ~= nil and self.tasks[here] == true
end

--- Resumes a task that was suspended by a yield which was not ours, with what that yield is to return.
---@param task thread
---@param ... any
function methods:continue(task, ...)
  local depth = depth_here(self)
  run(self, task, depth, ...)
  raise_failure(self, depth)
end

--- Lets a task that was suspended by a yield which was not ours go on the next time.
---@param task thread
function methods:ready_again(task)
  make_ready(self, task)
end

--- Runs what is ready and does not wait. Raises the error of a task.
---@return number? seconds until there is something to do again in any case; nil: that is up to the world
function methods:turn()
  leave_to_parent(self)
  expire(self)
  local depth = depth_here(self)
  local could_run = depth < DEEPEST and run_ready(self, {}, depth)
  raise_failure(self, depth)
  if could_run and self.first <= self.last then return 0 end
  return until_deadline(self)
end

--- Whether a task is ready or has a deadline.
---@return boolean
function methods:busy()
  return self.first <= self.last or self.deadlines[1] ~= nil
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

local M = {}

---@class mde.loop.options
---@field now fun(): number seconds on a clock that only goes forward
---@field poll fun(seconds: number) waits at most that long for the world and opens the gates of what
--- has happened; it may return early; it resumes nobody
---@field under_way (fun(): boolean)? whether anything is under way that can open a gate; without it a wait that
--- nothing can end is not noticed
---@field park (fun(waiter: mde.loop.waiter, seconds: number?): boolean)? suspends a coroutine of the host's
--- until `done` is set, of which `wake` tells, or the time has passed; false: the caller is none, and drives
---@field stir fun()? called when a task becomes ready or waits, so that the host calls `turn`
---@field foreign fun(task: thread, ...)? gets what a task yielded that was not ours, and resumes it in
--- time; nil: it goes on the next time

--- A loop of its own; tasks of one loop are ordinary callers, who block, for another.
---@param options mde.loop.options
---@return mde.loop
function M.new(options)
  local count_forks = require("mde.posix").fork.generation
  return setmetatable({
    now = options.now,
    poll = options.poll,
    under_way = options.under_way,
    park = options.park, stir = options.stir, foreign = options.foreign,
    tasks = setmetatable({}, { __mode = "k" }),
    blocks = setmetatable({}, { __mode = "k" }), suspends = setmetatable({}, { __mode = "k" }),
    ready = {}, first = 1, last = 0,
    deadlines = {},
    running = nil, depth = 0,
    failure = nil,
    count_forks = count_forks, generation = count_forks(),
  }, metatable)
end

return M
