--- clock: a driver's time: its own functions, or the core's where it has none.

local core = require "mde.core"

---@class mde.Clock
---@field now fun(): number seconds on a clock that only goes forward
---@field sleep fun(seconds: number)

-- The core's sleep ends early when a signal arrives.
local function sleep(seconds)
  local ends = core.system.now() + seconds
  while core.system.now() < ends do core.system.sleep(ends - core.system.now()) end
end

---@param driver mde.Driver
---@return mde.Clock
return function(driver)
  return { now = driver.now or core.system.now, sleep = driver.sleep or sleep }
end
