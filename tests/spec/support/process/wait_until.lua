-- Waits for what another process does.
--
--   local line = wait_until(function() return file():match "ready on .*" end, errors)

local clock = require("mde.posix").clock

local PATIENCE_SECONDS = 120
local STEP_SECONDS = 0.02

--- Asks again and again until the answer is truthy, and returns that; raises with what `describe` says if it never is.
---@param ask fun(): any
---@param describe (fun(): any)?
---@return any
return function(ask, describe)
  local ends = clock.now() + PATIENCE_SECONDS
  while true do
    local answer = ask()
    if answer then return answer end
    if clock.now() > ends then error("waited in vain: " .. tostring(describe and describe() or ""), 2) end
    clock.sleep(STEP_SECONDS)
  end
end
