--- mutex: what only one may do at a time under a key; changes of one machine go one after the other by it.
--
-- Who waits has it in the order of asking, and nobody waits for other keys. With a store it holds between processes,
-- too. After a fork, what was taken is the parent's.

local posix = require "mde.posix"

-- Longer than anything that is done meanwhile takes, an hour in the queue of the limits included. One who has had it
-- for so long is gone: a host may end its tasks.
local MAX_HELD_SECONDS = 5400
-- For so long it is known who had it last.
local REMEMBERED_SECONDS, RELEASES_BETWEEN_SWEEPS = MAX_HELD_SECONDS, 256

local M = {}

---@class mde.Mutex
---@field private driver mde.Driver
---@field private now fun(): number the driver's clock
---@field private store? mde.Store
---@field private taken table<string, { gate: table, ends: number }>
---@field private holders table<string, mde.Holder> who had it last, for each key
---@field private releases integer
---@field private generation integer of forks, when those were taken
local Mutex = {}
Mutex.__index = Mutex

---@class mde.Holder
---@field owner? string
---@field at number when it was taken or given back last, by the driver's clock
---@field note table|false what the last who left one has left

---@class mde.Lock
---@field private mutex mde.Mutex
---@field private key string
---@field private holder mde.Holder
---@field private waited boolean somebody else had it when it was asked for
---@field private previous mde.Holder|false
---@field private turn table|false among the tasks of this process
---@field private lease mde.Lease|false among processes
local Lock = {}
Lock.__index = Lock

---@param driver mde.Driver
---@param store? mde.Store
---@return mde.Mutex
function M.new(driver, store)
  return setmetatable({ driver = driver, now = driver.now or posix.clock.now, store = store, taken = {}, holders = {},
    releases = 0, generation = posix.fork.generation() }, Mutex)
end

-- Waits for the other tasks of this process. Returns false if the time was up.
local function take_turn(lock, deadline)
  local mutex, key = lock.mutex, lock.key
  local now, generation = mutex.now, posix.fork.generation()
  if mutex.generation ~= generation then mutex.generation, mutex.taken = generation, {} end
  while mutex.taken[key] and mutex.taken[key].ends > now() do
    local turn = mutex.taken[key]
    lock.waited = true
    turn.gate:wait(math.min(deadline, turn.ends) - now())
    if mutex.taken[key] == turn and now() >= deadline then return false end
  end
  local turn = { gate = mutex.driver.gate(), ends = now() + MAX_HELD_SECONDS }
  mutex.taken[key] = turn
  lock.turn = turn
  return true
end

local function end_turn(self, key, turn)
  if self.taken[key] == turn then self.taken[key] = nil end
  turn.gate:open()
end

-- The same among processes. Where the store fails it goes on by itself: to contain one machine matters more than the
-- order in which that is done.
local function take_lease(lock, deadline)
  local store, name = lock.mutex.store, "turn|" .. lock.key
  local lease, err = store:lease(name)
  if not lease and not err then
    lock.waited = true
    lease, err = store:wait_for_lease(name, deadline)
  end
  lock.lease = lease or false
  return lease ~= nil or err ~= nil
end

-- Who comes next is told of this one, also if it dies.
local function begin(lock)
  local mutex, stored = lock.mutex, nil
  if lock.lease then stored = mutex.store:read("holder|" .. lock.key) end
  lock.previous = stored or mutex.holders[lock.key] or false
  lock.holder.at, lock.holder.note = mutex.now(), lock.previous and lock.previous.note or false
  mutex.holders[lock.key] = lock.holder
  if lock.lease then mutex.store:write("holder|" .. lock.key, lock.holder, REMEMBERED_SECONDS) end
end

local function take(lock, deadline)
  if lock.mutex.driver.gate and not take_turn(lock, deadline) then return false end
  if lock.mutex.store and not take_lease(lock, deadline) then return false end
  begin(lock)
  return true
end

--- Waits until nobody else has this key, and has it then.
---@param key string
---@param seconds? number how long to wait; nil: until it comes
---@param owner? string for whom, if that one may ask several times
---@return mde.Lock? lock nil if the time was up
function Mutex:acquire(key, seconds, owner)
  local deadline = seconds and self.now() + seconds or math.huge
  -- Everything has its place already: once the lock is had, it must not be lost for want of memory.
  local lock = setmetatable({ mutex = self, key = key, waited = false, holder = { owner = owner, at = 0, note = false },
    previous = false, turn = false, lease = false }, Lock)
  local ok, taken = pcall(take, lock, deadline)
  if ok and taken then return lock end
  if lock.lease then lock.lease:release() end
  if lock.turn then end_turn(self, key, lock.turn) end
  if not ok then error(taken, 0) end
  return nil
end

-- Now and then, so that what nobody asks about any more does not pile up.
local function forget_old(self)
  self.releases = self.releases + 1
  if self.releases % RELEASES_BETWEEN_SWEEPS ~= 0 then return end
  local since = self.now() - REMEMBERED_SECONDS
  for key, holder in pairs(self.holders) do
    if holder.at < since then self.holders[key] = nil end
  end
end

-- Tells those who come later.
local function leave(lock, mutex, note)
  local holder = lock.holder
  holder.at, holder.note = mutex.now(), note or holder.note
  if lock.lease then mutex.store:write("holder|" .. lock.key, holder, REMEMBERED_SECONDS) end
end

--- Gives it back; once is enough.
---@param note? table for those who come later; without one, what the one before has left stays
function Lock:release(note)
  local mutex = self.mutex
  if not mutex then return end
  self.mutex = nil
  local ok, problem = pcall(leave, self, mutex, note)
  if self.lease then self.lease:release() end
  if self.turn then end_turn(mutex, self.key, self.turn) end
  if not ok then error(problem, 0) end
  forget_old(mutex)
end

--- Whether another owner had it then or later, or it is not known.
---@param time number by the driver's clock
---@return boolean
function Lock:was_taken_since(time)
  local previous = self.previous
  return self.waited or previous and previous.owner ~= self.holder.owner and previous.at >= time
end

--- What the last before this one who left a note has left.
---@return table?
function Lock:note()
  return self.previous and self.previous.note or nil
end

local function finish(lock, ok, ...)
  lock:release()
  if not ok then error((...), 0) end
  return true, ...
end

--- Runs `work` when nobody else is at work under this key.
---@param key string
---@param seconds? number how long to wait; nil: until it comes
---@param work fun(): ...
---@return boolean done false if the time was up; nothing was run then
---@return any ... what `work` returned
function Mutex:take(key, seconds, work)
  local lock = self:acquire(key, seconds)
  if not lock then return false end
  return finish(lock, pcall(work))
end

return M
