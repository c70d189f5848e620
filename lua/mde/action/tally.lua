--- tally: the restricts of the last hour, counted against the cap.
--
-- It is kept by the client itself, or in the store for all the processes that share it. What was sent
-- before it began is not in it until somebody has asked the service and merged that in; what was sent
-- meanwhile is known by its operation id and not counted twice. A send that is taken before it goes is
-- given back if it did not go.

local core = require "mde.core"

local HOUR = 3600
-- Where the sends stand in a store.
local STORED = "cap|sends"

---@class mde.Send a restrict that counts
---@field id string its operation id, in lower case
---@field at number by the driver's clock, which those who share a store have in common: a wall clock that is set
--- forward would forget what was sent

---@class mde.Earlier a restrict that the service told of
---@field id string
---@field age number seconds

local M = {}

-- ---- kept by the client

---@class mde.Tally
---@field private limiter table
---@field private now fun(): number
---@field private merged boolean
---@field private early table<string, integer> how many were sent under an operation id before that
local Tally = {}
Tally.__index = Tally

---@param cap number
---@param now fun(): number the driver's clock
---@return mde.Tally
function M.new(cap, now)
  return setmetatable({ limiter = core.limiter.new(cap, HOUR), now = now, merged = false, early = {} }, Tally)
end

--- Whether what was sent before is in it; nil if that cannot be known.
---@return boolean?
---@return mde.Error? err
function Tally:is_whole()
  return self.merged
end

--- Adds what was sent before.
---@param earlier mde.Earlier[]
---@return true?
---@return mde.Error? err
function Tally:merge(earlier)
  if self.merged then return true end
  local now = self.now()
  for _, send in ipairs(earlier) do
    local known = self.early[send.id] or 0
    if known > 0 then self.early[send.id] = known - 1 else self.limiter:take(now - send.age) end
  end
  self.merged, self.early = true, {}
  return true
end

--- How many seconds the next must wait: 0 if it may go, nil if no wait helps, as far as that is known without asking.
---@return number?
function Tally:wait()
  return self.limiter:wait(self.now())
end

--- How many may go now, as far as that is known without asking.
---@return integer
function Tally:remaining()
  local _, remaining = self.limiter:peek(self.now())
  return remaining
end

--- Counts a send that is about to go, if there is room or if it goes all the same.
---@param id string
---@param all_the_same boolean?
---@return mde.Send? send nil if there is no room
---@return number? wait seconds until there is; nil if no wait helps
---@return mde.Error? err why it cannot be known
function Tally:take(id, all_the_same)
  local wait = self:wait()
  if wait ~= 0 and not all_the_same then return nil, wait end
  local send = { id = id, at = self.now() }
  self.limiter:take(send.at)
  if not self.merged then self.early[id] = (self.early[id] or 0) + 1 end
  return send
end

--- It did not go.
---@param send mde.Send
function Tally:give_back(send)
  self.limiter:give_back(send.at)
  local known = self.early[send.id]
  if known then self.early[send.id] = known - 1 end
end

--- It went so many seconds ago: its hour began then.
---@param send mde.Send
---@param age number
function Tally:went(send, age)
  local at = self.now() - age
  if at <= send.at then return end
  self.limiter:give_back(send.at)
  self.limiter:take(at)
  send.at = at
end

-- ---- kept in the store

---@class mde.SharedTally: mde.Tally
---@field private store mde.Store
---@field private cap number
local SharedTally = {}
SharedTally.__index = SharedTally

---@param cap number
---@param now fun(): number the driver's clock
---@param store mde.Store
---@return mde.SharedTally
function M.shared(cap, now, store)
  return setmetatable({ cap = cap, now = now, store = store }, SharedTally)
end

local function within_the_hour(self, sends)
  local kept, since = {}, self.now() - HOUR
  for _, send in ipairs(sends) do
    if send.at > since then kept[#kept + 1] = send end
  end
  return kept
end

-- Changes what stands in the store while nobody else can. `change` gets { whole, sends } and returns whether it
-- changed that, and two results. Returns true and these; or nil and an error.
local function change_stored(self, change)
  return self.store:change(STORED, HOUR, function(stored)
    stored = stored or { whole = false, sends = {} }
    stored.sends = within_the_hour(self, stored.sends)
    local changed, result, more = change(stored)
    return changed and stored or nil, result, more
  end)
end

function SharedTally:is_whole()
  local stored, err = self.store:read(STORED)
  if err then return nil, err end
  return stored ~= nil and stored.whole
end

--- What was sent while the store failed is not in it, and has to be asked for.
---@return true? done nil: it still fails
function SharedTally:doubt()
  return (change_stored(self, function(stored)
    stored.whole = false
    return true
  end))
end

function SharedTally:merge(earlier)
  return change_stored(self, function(stored)
    if stored.whole then return false end
    local known = {}
    for _, send in ipairs(stored.sends) do known[send.id] = (known[send.id] or 0) + 1 end
    for _, send in ipairs(earlier) do
      if (known[send.id] or 0) > 0 then
        known[send.id] = known[send.id] - 1
      else
        stored.sends[#stored.sends + 1] = { id = send.id, at = self.now() - send.age }
      end
    end
    stored.whole = true
    return true
  end)
end

local function limiter_of(self, sends)
  local limiter = core.limiter.new(self.cap, HOUR)
  for _, send in ipairs(sends) do limiter:take(send.at) end
  return limiter
end

-- The limiter of what stands in the store now.
local function limiter_now(self)
  local stored = self.store:read(STORED)
  return limiter_of(self, within_the_hour(self, stored and stored.sends or {}))
end

function SharedTally:wait()
  return limiter_now(self):wait(self.now())
end

function SharedTally:remaining()
  local _, remaining = limiter_now(self):peek(self.now())
  return remaining
end

function SharedTally:take(id, all_the_same)
  local done, send, wait = change_stored(self, function(stored)
    local seconds = limiter_of(self, stored.sends):wait(self.now())
    if seconds ~= 0 and not all_the_same then return false, nil, seconds end
    local taken = { id = id, at = self.now() }
    stored.sends[#stored.sends + 1] = taken
    return true, { id = taken.id, at = taken.at }
  end)
  if not done then return nil, nil, send end
  return send, wait
end

-- Puts another time, or none, in the place of a send's.
local function set_time(self, send, at)
  change_stored(self, function(stored)
    for i, other in ipairs(stored.sends) do
      if other.id == send.id and math.abs(other.at - send.at) < 0.001 then
        if at then other.at = at else table.remove(stored.sends, i) end
        return true
      end
    end
    return false
  end)
  send.at = at or send.at
end

function SharedTally:give_back(send)
  set_time(self, send)
end

-- Not worth another lock where it went at once.
function SharedTally:went(send, age)
  local at = self.now() - age
  if at > send.at + 1 then set_time(self, send, at) end
end

return M
