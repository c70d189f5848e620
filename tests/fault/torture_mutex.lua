-- A mutex: whatever fails on the way, nobody else finds it locked afterwards.

local mutexes = require "mde.sync.mutex"
local sim = require "mde.sim"

local driver = sim.new({ machines = {} }):driver()
local mutex, note = mutexes.new(driver), { why = "for those who come later" }

local function take_and_give_back()
  local lock = mutex:acquire("key", 0, "owner")
  if not lock then return nil, "it is locked" end
  lock:release(note)
  return true
end

local function before()
  mutex.holders = {}
end

return take_and_give_back, before
