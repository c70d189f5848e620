--- task: what the running task of an `each` shares with the others.
--
-- Lua's `each` hands nothing but the item to the user's function, so what its calls share is found by the coroutine
-- that runs. It is asked for once for each call, when the call begins (client.lua), and passed down from there. A
-- single call that is made beside an `each`, or in a coroutine of the user's own, shares nothing.

local errors = require "mde.base.error"

-- Stands for the main program where that is no coroutine.
local MAIN = {}

local M = {}

---@class mde.Tasks
---@field private caches table<thread|table, mde.Listing>
local Tasks = {}
Tasks.__index = Tasks

---@return mde.Tasks
function M.new()
  return setmetatable({ caches = setmetatable({}, { __mode = "k" }) }, Tasks)
end

local function running()
  return coroutine.running() or MAIN
end

--- What the task in which this is called shares; nil outside.
---@return mde.Listing?
function Tasks:cache()
  return self.caches[running()]
end

local function leave(self, task, outer, fn, ok, ...)
  self.caches[task] = outer
  if not ok then
    errors.locate((...), fn)
    error((...), 0)
  end
  return ...
end

--- The same function, whose calls share this while it runs.
---@param cache mde.Listing
---@param fn fun(...): ...
---@return fun(...): ...
function Tasks:sharing(cache, fn)
  return function(...)
    local task = running()
    local outer = self.caches[task]
    self.caches[task] = cache
    return leave(self, task, outer, fn, pcall(fn, ...))
  end
end

return M
