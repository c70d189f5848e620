-- Runs functions inside a host's own event loop, for tests that busted runs outside of any.

local within = {}

-- luacheck: globals unpack table.unpack (which of them there is depends on the Lua)
local unpack = table.unpack or unpack

local function finish(results)
  assert(results, "the host's loop ended before the function did")
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, results.n)
end

local function pack(...)
  return { n = select("#", ...), ... }
end

--- Runs fn in a coroutine of a cqueues controller until it has returned; what it returns, or raises.
---@param fn fun(): ...
function within.cqueues(fn)
  local controller, results = require "cqueues".new(), nil
  controller:wrap(function() results = pack(pcall(fn)) end)
  while not results do assert(controller:step()) end
  return finish(results)
end

--- Runs fn in a task of a driver for luv, in uv.run, which has to end by itself.
---@param driver mde.Driver
---@param fn fun(): ...
function within.luv(driver, fn)
  local uv, results = require "luv", nil
  driver.spawn(function() results = pack(pcall(fn)) end)
  uv.run()
  return finish(results)
end

return within
