--- interrupt: Ctrl-C. Once: nothing new is begun, and what is in flight is finished. Twice: stop at once.
--
-- Signals are only counted. The count is looked at while a call waits.

local posix = require "mde.posix"

local M = {}

--- Whether the process was asked to end.
---@return boolean
function M.asked()
  return posix.signal.interruptions() > 0
end

--- Runs fn(), which is left at that many interruptions.
---@param client mde.Client
---@param patience integer 1 where nothing changes; 2 where what is in flight is to be finished
---@param fn fun(): any
---@param on_first? fun() is called at the first interruption, if there is patience
---@param on_look? fun() is called every now and then
---@return boolean finished false if it was left
---@return any result
function M.during(client, patience, fn, on_first, on_look)
  local told = false
  return client:interruptible(fn, function()
    local count = posix.signal.interruptions()
    if count >= patience then return true end
    if count > 0 and not told then
      told = true
      if on_first then on_first() end
    end
    if on_look then on_look() end
    return false
  end)
end

return M
