--- flight: one piece of work for many waiters.
--
-- The first who needs something starts it; whoever needs the same while it is under way waits for that
-- one and gets the same result, success or failure. Where the driver can run things concurrently the work
-- is nobody's own: it goes on when the one who started it is gone. Elsewhere it is done on the spot, and a
-- host that switches between its own coroutines meanwhile has the others look again every now and then.

local LOOK_AGAIN_SECONDS = 0.1

---@class mde.Flight
---@field landed boolean? whether the work has ended
---@field raised boolean? whether it ended by raising `problem`
---@field value any what it returned
---@field err any
---@field problem any
---@field package gate table?

---@class mde.Flights
---@field private driver mde.Driver
---@field private sleep fun(seconds: number)
---@field private under_way table<string, mde.Flight>
local Flights = {}
Flights.__index = Flights

---@param driver mde.Driver
---@param sleep fun(seconds: number)
---@return mde.Flights
local function new(driver, sleep)
  return setmetatable({ driver = driver, sleep = sleep, under_way = {} }, Flights)
end

local function land(flight, ok, value, err)
  flight.landed, flight.raised = true, not ok
  if ok then
    flight.value, flight.err = value, err
  else
    flight.problem = value
  end
end

local function fly(self, key, flight, work)
  land(flight, pcall(work))
  if self.under_way[key] == flight then self.under_way[key] = nil end
  if flight.gate then flight.gate:open() end
end

--- Starts work that takes the place of what was under way for this key.
---@param key string
---@param work fun(): any, any returns a value, or nil and an error
---@return mde.Flight flight landed already where the driver cannot run things concurrently
function Flights:start(key, work)
  local driver, flight = self.driver, {}
  if driver.gate then flight.gate = driver.gate() end
  self.under_way[key] = flight
  if driver.spawn then
    driver.spawn(function() fly(self, key, flight, work) end)
  else
    fly(self, key, flight, work)
  end
  return flight
end

---@param key string
---@return mde.Flight?
function Flights:current(key)
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

return { new = new }
