--- deadline: until when a call, or a part of it, may go on, and whom it lets go first.
--
-- Where the service's limits make everybody wait, the time in the queue is nobody's fault: it does not count, and the
-- deadline moves. It never moves past the end that the caller set by a timeout of his own, which counts everything.

---@class mde.Deadline
---@field rank mde.Rank
---@field private now fun(): number
---@field private time number by that clock
---@field private ends number the caller's own end; math.huge: none
---@field private whole? mde.Deadline of what this is a part
local Deadline = {}
Deadline.__index = Deadline

---@alias mde.Rank
---| 1 # a release
---| 2 # a call that somebody waits for
---| 3 # one of many

local M = { RELEASE = 1, SINGLE = 2, MANY = 3 }

---@param now fun(): number the driver's clock
---@param seconds number math.huge: none but the caller's own
---@param ends? number when the caller's own timeout ends, by that clock; default math.huge
---@param rank? mde.Rank default M.SINGLE
---@return mde.Deadline
function M.new(now, seconds, ends, rank)
  ends = ends or math.huge
  return setmetatable({ now = now, time = math.min(ends, now() + seconds), ends = ends, rank = rank or M.SINGLE },
    Deadline)
end

--- Seconds that are left; 0 or less: it has come.
---@return number
function Deadline:left()
  return self.time - self.now()
end

--- How long the queue may take.
---@return number seconds
function Deadline:patience()
  return self.ends - self.now()
end

--- When it comes, as far as that is known now.
---@return number by the driver's clock
function Deadline:at()
  return self.time
end

--- So many seconds were spent in the queue.
---@param seconds number
function Deadline:queued(seconds)
  self.time = math.min(self.ends, self.time + seconds)
  if self.whole then self.whole:queued(seconds) end
end

--- The deadline of a part: at most so many seconds from now. What the part queues, the whole has queued.
---@param seconds number
---@param patience? number how long it may take with the queue; default as long as the whole
---@return mde.Deadline
function Deadline:at_most(seconds, patience)
  local now = self.now()
  local ends = math.min(self.ends, now + (patience or math.huge))
  return setmetatable({ now = self.now, time = math.min(self.time, ends, now + seconds), ends = ends,
    rank = self.rank, whole = self }, Deadline)
end

return M
