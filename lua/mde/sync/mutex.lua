--- mutex: what only one may do at a time under a key; changes of one machine go one after the other by it.
--
-- Who waits has it in the order of asking, and nobody waits for other keys. With a store it holds between processes,
-- too. After a fork, what was taken is the parent's.

local core = require "mde.core"

-- Longer than anything that is done meanwhile takes, an hour in the queue of the limits included. One who has had it
-- for so long is gone: a host may end its tasks.
local LONGEST_SECONDS = 5400
-- For so long it is known that somebody had it.
local REMEMBERED_SECONDS, RELEASES_BETWEEN_SWEEPS = 120, 256

---@class mde.Mutex
---@field private driver mde.Driver
---@field private now fun(): number the driver's clock
---@field private store? mde.Store
---@field private taken table<string, { gate: table, ends: number }>
---@field private ended table<string, number> when it was given back last, for each key
---@field private releases integer
---@field private generation integer of forks, when those were taken
local Mutex = {}
Mutex.__index = Mutex

---@class mde.Lock
---@field private mutex mde.Mutex
---@field private key string
---@field private turn? table among the tasks of this process
---@field private lease? mde.Lease among processes
local Lock = {}
Lock.__index = Lock

---@param driver mde.Driver
---@param store? mde.Store
---@return mde.Mutex
local function new(driver, store)
  return setmetatable({ driver = driver, now = driver.now or core.system.now, store = store, taken = {}, ended = {},
    releases = 0, generation = core.system.generation() }, Mutex)
end

-- Waits for the other tasks of this process. nil if the time was up.
local function take_turn(self, key, deadline)
  local now = self.now
  local generation = core.system.generation()
  if self.generation ~= generation then self.generation, self.taken = generation, {} end
  while self.taken[key] and self.taken[key].ends > now() do
    local turn = self.taken[key]
    turn.gate:wait(math.min(deadline, turn.ends) - now())
    if self.taken[key] == turn and now() >= deadline then return nil end
  end
  local turn = { gate = self.driver.gate(), ends = now() + LONGEST_SECONDS }
  self.taken[key] = turn
  return turn
end

local function end_turn(self, key, turn)
  if self.taken[key] == turn then self.taken[key] = nil end
  turn.gate:open()
end

--- Waits until nobody else has this key, and has it then.
---@param key string
---@param seconds? number how long to wait; nil: until it comes
---@return mde.Lock? lock nil if the time was up
function Mutex:acquire(key, seconds)
  local deadline = seconds and self.now() + seconds or math.huge
  local turn
  if self.driver.gate then
    turn = take_turn(self, key, deadline)
    if not turn then return nil end
  end
  local lock = setmetatable({ mutex = self, key = key, turn = turn }, Lock)
  if not self.store then return lock end
  local ok, lease, err = pcall(self.store.wait_for_lease, self.store, "turn|" .. key, deadline)
  -- Where the store fails it goes on by itself: to contain one machine matters more than the order in which that is
  -- done.
  if ok and (lease or err) then
    lock.lease = lease
    return lock
  end
  if turn then end_turn(self, key, turn) end
  if not ok then error(lease, 0) end
  return nil
end

-- Now and then, so that what nobody asks about any more does not pile up.
local function forget_old(self)
  self.releases = self.releases + 1
  if self.releases % RELEASES_BETWEEN_SWEEPS ~= 0 then return end
  local since = self.now() - REMEMBERED_SECONDS
  for key, time in pairs(self.ended) do
    if time < since then self.ended[key] = nil end
  end
end

--- Gives it back; once is enough.
function Lock:release()
  local mutex, key = self.mutex, self.key
  if not mutex then return end
  self.mutex = nil
  forget_old(mutex)
  mutex.ended[key] = mutex.now()
  if self.lease then
    mutex.store:write("ended|" .. key, { at = mutex.now() }, REMEMBERED_SECONDS)
    self.lease:release()
  end
  if self.turn then end_turn(mutex, key, self.turn) end
end

--- Whether somebody gave it back then or later; true where that cannot be known.
---@param key string
---@param time number by the driver's clock, at most a minute ago
---@return boolean
function Mutex:was_taken_since(key, time)
  if (self.ended[key] or -math.huge) >= time then return true end
  if not self.store then return false end
  local stored, err = self.store:read("ended|" .. key)
  return err ~= nil or stored ~= nil and stored.at >= time
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

return { new = new }
