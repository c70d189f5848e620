--- turns: changing calls for one machine go one after the other.
--
-- Two calls for one machine that both look first and then both send would each see a history without
-- the other. Calls for different machines do not know of each other. With a store they queue between
-- processes, too. After a fork, turns that were taken are the parent's.

local core = require "mde.core"

-- Longer than any change takes, an hour in the queue of the limits included. Whoever has had the turn for so long is
-- gone: a host may end its tasks.
local LONGEST_TURN_SECONDS = 5400

---@class mde.Turns
---@field private driver mde.Driver
---@field private store? mde.Store
---@field private taken table<string, { gate: table, ends: number }>
---@field private generation integer of forks, when those were taken
local Turns = {}
Turns.__index = Turns

---@param driver mde.Driver
---@param store? mde.Store
---@return mde.Turns
local function new(driver, store)
  return setmetatable({ driver = driver, store = store, taken = {}, generation = core.system.generation() }, Turns)
end

local function give_back(lease, ok, ...)
  lease:release()
  if not ok then error((...), 0) end
  return true, ...
end

-- This process has the turn; the others are asked for it. Where the store fails it goes on by itself: to contain one
-- machine matters more than the order in which that is done.
local function among_processes(self, key, deadline, work)
  if not self.store then return true, work() end
  local lease, err = self.store:wait_for_lease("turn|" .. key, deadline or math.huge)
  if err then return true, work() end
  if not lease then return false end
  return give_back(lease, pcall(work))
end

local function finish(self, key, turn, ok, ...)
  if self.taken[key] == turn then self.taken[key] = nil end
  turn.gate:open()
  if not ok then error((...), 0) end
  return ...
end

--- Runs `work` when nobody else is at work under this key.
---@param key string
---@param seconds? number how long to wait for the turn; nil: until it comes
---@param work fun(): ...
---@return boolean done false if the turn did not come in time; nothing was run then
---@return any ... what `work` returned
function Turns:take(key, seconds, work)
  local driver = self.driver
  local now = driver.now or core.system.now
  local deadline = seconds and now() + seconds
  if not driver.gate then return among_processes(self, key, deadline, work) end
  local generation = core.system.generation()
  if self.generation ~= generation then self.generation, self.taken = generation, {} end
  while self.taken[key] and self.taken[key].ends > now() do
    local turn = self.taken[key]
    turn.gate:wait(math.min(deadline or math.huge, turn.ends) - now())
    if deadline and self.taken[key] == turn and now() >= deadline then return false end
  end
  local turn = { gate = driver.gate(), ends = now() + LONGEST_TURN_SECONDS }
  self.taken[key] = turn
  return finish(self, key, turn, pcall(among_processes, self, key, deadline, work))
end

return { new = new }
