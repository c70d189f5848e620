--- clock: a driver's time: its own functions, or the machine's where it has none.

local posix = require "mde.posix"

local M = {}

---@class mde.Clock
---@field now fun(): number seconds on a clock that only goes forward
---@field time fun(): number Unix seconds
---@field sleep fun(seconds: number)

-- The machine's sleep ends early when a signal arrives.
local function sleep(seconds)
  local ends = posix.clock.now() + seconds
  while posix.clock.now() < ends do posix.clock.sleep(ends - posix.clock.now()) end
end

local function time() return posix.clock.time() end

---@param driver mde.Driver
---@return mde.Clock
function M.of_driver(driver)
  return { now = driver.now or posix.clock.now, time = driver.time or time, sleep = driver.sleep or sleep }
end

return M
