--- context: what a call passes down to everything it does: its deadline, its priority, and what was read for others.
--
-- Where the service's limits make everybody wait, the time in the queue is nobody's fault: it does not count, and the
-- deadline moves. It never moves past the end that the caller set by a timeout of his own, which counts everything.

---@class mde.Context
---@field priority mde.Priority
---@field cache? mde.Listing the actions that the devices of one `each` share
---@field private now fun(): number
---@field private time number the deadline by that clock
---@field private ends number the caller's own end; math.huge: none
---@field private whole? mde.Context of what this is a part
local Context = {}
Context.__index = Context

---@alias mde.Priority
---| 1 # a release
---| 2 # a call that somebody waits for
---| 3 # one of many

local M = { RELEASE = 1, SINGLE = 2, MANY = 3 }

---@param now fun(): number the driver's clock
---@param timeout? number seconds for everything; default no end
---@param priority? mde.Priority default M.SINGLE
---@param cache? mde.Listing
---@return mde.Context
function M.new(now, timeout, priority, cache)
  local ends = timeout and now() + timeout or math.huge
  return setmetatable({ now = now, time = ends, ends = ends, priority = priority or M.SINGLE, cache = cache }, Context)
end

--- Seconds until the deadline; 0 or less: it has come.
---@return number
function Context:left()
  return self.time - self.now()
end

--- How long the queue may take.
---@return number seconds
function Context:patience()
  return self.ends - self.now()
end

--- When the deadline comes, as far as that is known now.
---@return number by the driver's clock
function Context:at()
  return self.time
end

--- So many seconds were spent in the queue.
---@param seconds number
function Context:queued(seconds)
  self.time = math.min(self.ends, self.time + seconds)
  if self.whole then self.whole:queued(seconds) end
end

--- The context of a part: at most so many seconds from now. What the part queues, the whole has queued.
---@param seconds number
---@param patience? number how long it may take with the queue; default as long as the whole
---@return mde.Context
function Context:within(seconds, patience)
  local now = self.now()
  local ends = math.min(self.ends, now + (patience or math.huge))
  return setmetatable({ now = self.now, time = math.min(self.time, ends, now + seconds), ends = ends,
    priority = self.priority, cache = self.cache, whole = self }, Context)
end

--- The context of work that others wait for, too: it goes on when the time of the caller who began it is up.
---@return mde.Context
function Context:detached()
  return setmetatable({ now = self.now, time = math.huge, ends = math.huge, priority = self.priority,
    cache = self.cache }, Context)
end

return M
