--- single_flight: one piece of work for many waiters.
--
-- The first who needs something starts it; others who need the same while it is under way wait for that
-- one and get the same result, success or failure. Where the driver can run things concurrently the work
-- is nobody's own: it goes on when the one who started it is gone. Elsewhere it is done on the spot, and a
-- host that switches between its own coroutines meanwhile has the others look again every now and then.
-- After a fork, what was under way is the parent's.

local errors = require "mde.base.error"
local posix = require "mde.posix"

local LOOK_AGAIN_SECONDS = 0.1
-- No wait is without an end, whatever becomes of a host's tasks: longer than any change takes, an hour in the queue of
-- the limits included.
local MAX_WORK_SECONDS, LOOK_SECONDS = 5400, 60
-- How much later than the work itself the caller gives up.
local MARGIN_SECONDS = 5

local M = {}

---@class mde.SharedCall
---@field began number by the driver's clock
---@field ended boolean? whether the work has ended
---@field raised boolean? whether it ended by raising `problem`
---@field refused boolean? whether the driver did not take it: nothing was run, and `err` says so
---@field value any what it returned
---@field err any
---@field problem any
---@field package gate table?

---@class mde.SingleFlight
---@field private driver mde.Driver
---@field private sleep fun(seconds: number)
---@field private under_way table<string, mde.SharedCall>
---@field private generation integer of forks, when those were started
local SingleFlight = {}
SingleFlight.__index = SingleFlight

---@param driver mde.Driver
---@param sleep fun(seconds: number)
---@return mde.SingleFlight
function M.new(driver, sleep)
  return setmetatable({ driver = driver, sleep = sleep, under_way = {}, generation = posix.fork.generation() },
    SingleFlight)
end

local function now_of(self)
  return (self.driver.now or posix.clock.now)()
end

local function finish(self, key, call, ok, value, err)
  call.ended, call.raised = true, not ok
  if ok then
    call.value, call.err = value, err
  else
    call.problem = value
  end
  if key and self.under_way[key] == call then self.under_way[key] = nil end
  if call.gate then call.gate:open() end
end

-- Gives a task to the driver, to be run without the caller if it can: whether it was taken, and why not.
local function give(driver, task)
  if driver.detach then return driver.detach(task) end
  if driver.spawn then driver.spawn(task) else task() end
  return true
end

-- A host that drops who called may clear its local variables and give their place to somebody else (nginx does), so
-- work must not use those of a function that still waits: it is given values.
local function bound(work, ...)
  if select("#", ...) > 5 then error("work is given five values at the most", 3) end
  local a, b, c, d, e = ...
  return function() return work(a, b, c, d, e) end
end

local function begin(self, key, work)
  local driver, call = self.driver, { began = now_of(self) }
  if driver.gate then call.gate = driver.gate() end
  if key then self.under_way[key] = call end
  local ok, taken, message, code = pcall(give, driver, function() finish(self, key, call, pcall(work)) end)
  if not ok then
    finish(self, key, call, false, taken)
    error(taken, 0)
  elseif not taken then
    call.refused = true
    finish(self, key, call, true, nil, errors.new { kind = "unavailable", code = code or "busy",
      message = "nothing was sent: " .. errors.show(message or "too much is under way"),
      hint = "Try again when less is under way." })
  end
  return call
end

--- Starts work that takes the place of what was under way for this key.
---@param key string
---@param work fun(): any, any returns a value, or nil and an error
---@param ... any what `work` is called with, at most five values
---@return mde.SharedCall call ended already where the driver cannot run things concurrently
function SingleFlight:start(key, work, ...)
  return begin(self, key, bound(work, ...))
end

---@param key string
---@return mde.SharedCall?
function SingleFlight:current(key)
  local generation = posix.fork.generation()
  if self.generation ~= generation then self.generation, self.under_way = generation, {} end
  local call = self.under_way[key]
  -- Its task was ended by a host without a word.
  if call and now_of(self) - call.began > MAX_WORK_SECONDS then self.under_way[key] = nil end
  return self.under_way[key]
end

--- Waits until the work has ended, or until it is time to see whether somebody else has to do it.
---@param call mde.SharedCall? nil: somebody out of sight is at it
---@param seconds number the longest wait
function SingleFlight:wait(call, seconds)
  if call and call.ended then return end
  if call and call.gate then
    call.gate:wait(seconds)
  else
    self.sleep(math.min(seconds, LOOK_AGAIN_SECONDS))
  end
end

--- The result of work that is done once for all that need it at the same time. Where it goes on without the one who
--- began it, it is not bound by his time. What it raises is raised for him alone; the others have no result then.
---@param key string
---@param context mde.Context until when to wait
---@param work fun(object: any, context: mde.Context): any, any returns a value, or nil and an error
---@param object any
---@return any value nil without an error: it did not end in time
---@return any err
function SingleFlight:share(key, context, work, object)
  local call, leads = self:current(key), false
  if not call then
    call, leads = self:start(key, work, object, self.driver.spawn and context:detached() or context), true
  end
  while not call.ended and context:left() > 0 do self:wait(call, context:left()) end
  if leads and call.raised then error(call.problem, 0) end
  return call.value, call.err
end

--- Does work that comes to its end even where a host drops its caller in the midst of a wait. What it raises is
--- raised here. Where its task was ended by the host, and nobody can know what it did, the error is of kind `unknown`.
---@param context mde.Context of the caller, whose own end the work knows
---@param work fun(): any, any returns a value, or nil and an error
---@return any value
---@return any err also where the driver does not take it: an mde.Error of kind `unavailable`
function SingleFlight:run_detached(context, work, ...)
  if not self.driver.detach then return work(...) end
  local now = self.driver.now or posix.clock.now
  local ends = now() + math.min(context:patience(), MAX_WORK_SECONDS) + MARGIN_SECONDS
  local call = begin(self, nil, bound(work, ...))
  while not call.ended and now() < ends do self:wait(call, math.min(LOOK_SECONDS, ends - now())) end
  if not call.ended then
    return nil, errors.new { kind = "unknown", code = "task_lost",
      message = "the task that was to do it has not ended in time",
      hint = "Ask for the device's state before you repeat it." }
  end
  if call.raised then error(call.problem, 0) end
  return call.value, call.err
end

return M
