--- interrupt: Ctrl-C. Once: nothing new is begun, and what is in flight is finished. Twice: stop at once.
--
-- Signals are only counted; a task beside the others looks at the count and, when it is reached,
-- raises, which ends the wait of whoever drives the driver's tasks.

local posix = require "mde.posix"

local LOOK_SECONDS = 0.1

local interrupt = {}

local STOP = setmetatable({}, { __tostring = function() return "interrupted" end })

--- Whether the process was asked to end.
---@return boolean
function interrupt.asked()
  return posix.signal.interruptions() > 0
end

--- Whether what was raised is the end of the wait, which nobody on the way may take for an error.
---@param raised any
---@return boolean
function interrupt.is_stop(raised)
  return raised == STOP
end

--- Runs fn(), which is given up at that many interruptions.
---@param driver mde.Driver
---@param patience integer 1 where nothing changes; 2 where what is in flight is to be finished
---@param fn fun(): any
---@param on_first? fun() is called at the first interruption, if there is patience
---@return boolean finished false if it was given up
---@return any result
function interrupt.during(driver, patience, fn, on_first)
  local over, told = false, false
  local function watch()
    while not over do
      driver.sleep(LOOK_SECONDS)
      local count = posix.signal.interruptions()
      if not over and count >= patience then
        over = true
        error(STOP, 0)
      elseif not over and count > 0 and not told then
        told = true
        if on_first then on_first() end
      end
    end
  end
  if driver.spawn then driver.spawn(watch) end
  local ok, result = pcall(fn)
  over = true
  if ok then return true, result end
  if result == STOP then return false end
  error(result, 0)
end

return interrupt
