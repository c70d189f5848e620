--- interruptible: work that may be left before its end, because somebody pressed Ctrl-C for instance.
--
-- The work is a task of its own; the caller looks every now and then whether to leave it. What was left stays where it
-- waits: it is neither told nor undone, and goes on only if the driver is driven again.

local errors = require "mde.base.error"

local LOOK_SECONDS = 0.1

local M = {}

--- Calls fn(), and leaves it once is_interrupted() says so. What fn raises is raised here. Where the driver has no
--- tasks, fn is called and nothing is asked.
---@param driver mde.Driver
---@param fn fun(): any, any
---@param is_interrupted fun(): boolean?
---@return boolean finished false if it was left
---@return any value what fn returned
---@return any err
function M.run(driver, fn, is_interrupted)
  if not driver.spawn then return true, fn() end
  local gate = driver.gate()
  local ok, value, err
  driver.spawn(function()
    ok, value, err = pcall(fn)
    gate:open()
  end)
  while not gate:wait(LOOK_SECONDS) do
    if is_interrupted() then return false end
  end
  if not ok then
    errors.locate(value, fn)
    error(value, 0)
  end
  return true, value, err
end

return M
