--- flight: one piece of work for many waiters.
--
-- The first who needs something starts it; whoever needs the same while it is under way waits for that
-- one and gets the same result, success or failure. Where the driver can run things concurrently the work
-- is nobody's own: it goes on when the one who started it is gone. Elsewhere it is done on the spot, and a
-- host that switches between its own coroutines meanwhile has the others look again every now and then.
-- After a fork, what was under way is the parent's.

local errors = require "mde.base.error"
local posix = require "mde.posix"

local LOOK_AGAIN_SECONDS = 0.1
-- No wait is without an end, whatever becomes of a host's tasks: longer than any change takes, an hour in the queue of
-- the limits included.
local LONGEST_WORK_SECONDS, LOOK_SECONDS = 5400, 60
-- How much later than the work itself the caller gives up.
local MARGIN_SECONDS = 5

---@class mde.Flight
---@field landed boolean? whether the work has ended
---@field raised boolean? whether it ended by raising `problem`
---@field refused boolean? whether the driver did not take it: nothing was run, and `err` says so
---@field value any what it returned
---@field err any
---@field problem any
---@field package gate table?

---@class mde.Flights
---@field private driver mde.Driver
---@field private sleep fun(seconds: number)
---@field private under_way table<string, mde.Flight>
---@field private generation integer of forks, when those were started
local Flights = {}
Flights.__index = Flights

---@param driver mde.Driver
---@param sleep fun(seconds: number)
---@return mde.Flights
local function new(driver, sleep)
  return setmetatable({ driver = driver, sleep = sleep, under_way = {}, generation = posix.fork.generation() },
    Flights)
end

local function land(self, key, flight, ok, value, err)
  flight.landed, flight.raised = true, not ok
  if ok then
    flight.value, flight.err = value, err
  else
    flight.problem = value
  end
  if key and self.under_way[key] == flight then self.under_way[key] = nil end
  if flight.gate then flight.gate:open() end
end

-- Gives a task to the driver, to be run without whoever calls if it can: whether it was taken, and why not.
local function give(driver, task)
  if driver.detach then return driver.detach(task) end
  if driver.spawn then driver.spawn(task) else task() end
  return true
end

-- A host that drops who called may clear its local variables and give their place to somebody else (nginx does), so
-- work must not use those of a function that still waits: it is given values.
local function bound(work, a, b, c, d, e)
  return function() return work(a, b, c, d, e) end
end

local function launch(self, key, work)
  local driver, flight = self.driver, {}
  if driver.gate then flight.gate = driver.gate() end
  if key then self.under_way[key] = flight end
  local ok, taken, message = pcall(give, driver, function() land(self, key, flight, pcall(work)) end)
  if not ok then
    land(self, key, flight, false, taken)
    error(taken, 0)
  elseif not taken then
    flight.refused = true
    land(self, key, flight, true, nil, errors.new { kind = "unavailable",
      message = "nothing was sent: " .. errors.show(message or "too much is under way"),
      hint = "Try again when less is under way." })
  end
  return flight
end

--- Starts work that takes the place of what was under way for this key.
---@param key string
---@param work fun(): any, any returns a value, or nil and an error
---@param ... any what `work` is called with, at most five values
---@return mde.Flight flight landed already where the driver cannot run things concurrently
function Flights:start(key, work, ...)
  return launch(self, key, bound(work, ...))
end

---@param key string
---@return mde.Flight?
function Flights:current(key)
  local generation = posix.fork.generation()
  if self.generation ~= generation then self.generation, self.under_way = generation, {} end
  return self.under_way[key]
end

--- Waits until the work has ended, or until it is time to see whether somebody else has to do it.
---@param flight mde.Flight? nil: somebody out of sight is at it
---@param seconds number the longest wait
function Flights:wait(flight, seconds)
  if flight and flight.landed then return end
  if flight and flight.gate then
    flight.gate:wait(seconds)
  else
    self.sleep(math.min(seconds, LOOK_AGAIN_SECONDS))
  end
end

--- Does work that comes to its end even where a host drops its caller in the midst of a wait. What it raises is
--- raised here. Where its task was ended by the host, and nobody can know what it did, the error is of kind `unknown`.
---@param context mde.Context of the caller, whose own end the work knows
---@param work fun(): any, any returns a value, or nil and an error
---@return any value
---@return any err also where the driver does not take it: an mde.Error of kind `unavailable`
function Flights:see_through(context, work, ...)
  if not self.driver.detach then return work(...) end
  local now = self.driver.now or posix.clock.now
  local ends = now() + math.min(context:patience(), LONGEST_WORK_SECONDS) + MARGIN_SECONDS
  local flight = launch(self, nil, bound(work, ...))
  while not flight.landed and now() < ends do self:wait(flight, math.min(LOOK_SECONDS, ends - now())) end
  if not flight.landed then
    return nil, errors.new { kind = "unknown", message = "the task that was to do it has not ended in time",
      hint = "Ask for the device's state before you repeat it." }
  end
  if flight.raised then error(flight.problem, 0) end
  return flight.value, flight.err
end

return { new = new }
