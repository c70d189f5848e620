--- interrupt: Ctrl-C. Once: nothing new is begun, and what is in flight is finished. Twice: stop at once.
--
-- Signals are only counted. The count is looked at while a call waits.

local posix = require "mde.posix"

-- So long a playbook may compute, and look at nothing.
local BUSY_SECONDS = 3

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
---@return any more
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

local function bounded(...)
  posix.signal.end_unless_looked_at(0)
  return ...
end

--- The same for a fn that may compute without end: at that many interruptions, where it waits for nothing in seconds,
--- the process ends (130).
---@param client mde.Client
---@param patience integer
---@param fn fun(): any
---@param on_first? fun()
---@param on_look? fun()
---@return boolean finished
---@return any result
---@return any more
function M.during_playbook(client, patience, fn, on_first, on_look)
  posix.signal.end_unless_looked_at(patience, BUSY_SECONDS)
  return bounded(M.during(client, patience, fn, on_first, on_look))
end

return M
