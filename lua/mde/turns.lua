--- turns: changing calls for one machine go one after the other.
--
-- Two calls for one machine that both look first and then both send would each see a history without
-- the other. Calls for different machines do not know of each other.

local core = require "mde.core"

---@class mde.Turns
---@field private driver mde.Driver
---@field private taken table<string, table>
local Turns = {}
Turns.__index = Turns

---@param driver mde.Driver
---@return mde.Turns
local function new(driver)
  return setmetatable({ driver = driver, taken = {} }, Turns)
end

local function finish(self, key, gate, ok, ...)
  self.taken[key] = nil
  gate:open()
  if not ok then error((...), 0) end
  return true, ...
end

--- Runs `work` when nobody else is at work under this key.
---@param key string
---@param seconds? number how long to wait for the turn; nil: until it comes
---@param work fun(): ...
---@return boolean done false if the turn did not come in time; nothing was run then
---@return any ... what `work` returned
function Turns:take(key, seconds, work)
  local driver = self.driver
  if not driver.gate then return true, work() end
  local now = driver.now or core.system.now
  local deadline = seconds and now() + seconds
  while self.taken[key] do
    if not self.taken[key]:wait(deadline and deadline - now()) then return false end
  end
  local gate = driver.gate()
  self.taken[key] = gate
  return finish(self, key, gate, pcall(work))
end

return { new = new }
