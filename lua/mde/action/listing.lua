--- listing: the actions of one group, restricts and releases for instance, of the whole tenant, read once for all the
--- devices that a client acts on.
--
-- Looking first asks for the history of one device. Where many are acted on, in an `each` or one call behind the
-- other, one list of all of them serves: it is read when it is first asked for and extended when it is asked for again
-- and is a minute old. What it tells is kept in the client's history cache, beside what the client itself did and read.
-- For what it cannot tell, the end of an opposite action for instance, the one device is read.

local core = require "mde.core"
local single_flights = require "mde.sync.single_flight"

local FRESH_SECONDS = 60
-- How long a listing may take, and how far an extension reaches back behind what was seen last: lists lag.
local READ_SECONDS = 60
local MARGIN_SECONDS = 300
-- What nobody has asked about for so long is forgotten.
local KEPT_SECONDS = 900
-- Looks within a minute from which on the list of all is cheaper than that of one.
local MANY_LOOKS, LOOKS_SECONDS = 3, 60

local M = {}

---@class mde.Listing
---@field private center mde.ActionCenter
---@field private group mde.ResponseGroup
---@field private cache mde.HistoryCache
---@field private single_flight mde.SingleFlight
---@field private doubtful table<string, boolean> machines about which it cannot be asked any more
---@field private looks number[] when there was a look, by the driver's clock; the last few
---@field private asked_at number when it was asked for last
---@field private newest? number when the newest action that was listed was created, by the service's clock
---@field private read_at? number when it was read last, by the driver's clock
---@field private failed_at? number when it could not be read
---@field private absent? boolean what the service said the last time: that there is no such list
---@field private has_nameless? boolean what was read the last time had an action that may be any machine's: then it
--- tells nothing of any, and the next time all are read
---@field private is_incomplete? boolean it had one that does not even say which it is
local Listing = {}
Listing.__index = Listing

---@param center mde.ActionCenter
---@param group mde.ResponseGroup
---@return mde.Listing
function M.new(center, group)
  return setmetatable({ center = center, group = group, cache = center.cache, doubtful = {}, looks = {},
    asked_at = -math.huge, single_flight = single_flights.new(center.driver, center.exchange.sleep) }, Listing)
end

-- A client that acts on a device now and then keeps nothing.
local function forget_old(self)
  local now = self.center.exchange.now()
  if now - self.asked_at > KEPT_SECONDS and not self.single_flight:current "listing" then
    self.cache:forget_listed(self.group)
    self.doubtful = {}
    self.newest, self.read_at, self.failed_at, self.has_nameless, self.is_incomplete = nil, nil, nil, nil, nil
  end
  self.asked_at = now
  self.cache:keep_listed(KEPT_SECONDS)
end

--- A look at one device's history: whether there were so many lately that this list is the cheaper way.
---@return boolean
function Listing:is_worth_it()
  local now = self.center.exchange.now()
  self.looks[#self.looks + 1] = now
  if #self.looks > MANY_LOOKS then table.remove(self.looks, 1) end
  return #self.looks == MANY_LOOKS and now - self.looks[1] < LOOKS_SECONDS
end

--- What was listed by now serves no later look: it is extended before the next.
function Listing:expire()
  self.read_at = nil
end

--- The fate of an action of this machine is not known: from now on it is read by itself.
---@param machine_id string
function Listing:doubt(machine_id)
  self.doubtful[machine_id] = true
end

-- When an action was created, if it says so and if that can be.
local function created_at(self, row)
  local created = core.timestamp.read(row.creationDateTimeUtc)
  return created and created <= self.center.exchange.clock:latest() and created or nil
end

-- Since when actions have to be read again to see what is new and how the pending ones ended; nil: all.
local function since(self)
  if self.has_nameless or self.is_incomplete then return nil end
  local oldest = self.newest and math.min(self.newest, self.center.exchange.clock:time())
  for row in self.cache:pending(self.group) do
    local created = created_at(self, row)
    if not oldest or not created then return nil end
    oldest = math.min(oldest, created)
  end
  return oldest and oldest - MARGIN_SECONDS
end

-- Takes in a row. A machine of which one does not say what it is is read by itself.
local function take_in(self, row)
  local machine_id = row.machineId or self.cache:owner(row.id)
  if not row.id or not row.type then
    if machine_id then self:doubt(core.text.lower(machine_id)) else self.is_incomplete = true end
  elseif not machine_id and self.group:has(row) then
    self.has_nameless = true
  end
  self.cache:note(row)
end

local function extend(self, context)
  local exchange = self.center.exchange
  local started = exchange.now()
  local rows, err, absent = self.center:listed(self.group, since(self), context)
  if not rows then
    self.failed_at = started
    return nil, err
  end
  self.has_nameless, self.is_incomplete = false, false
  for _, row in ipairs(rows) do
    local created = created_at(self, row)
    if created and (not self.newest or created > self.newest) then self.newest = created end
    take_in(self, row)
  end
  self.read_at, self.absent = started, absent
  return true
end

local function is_fresh(self, time)
  return time ~= nil and self.center.exchange.now() - time < FRESH_SECONDS
end

local function extend_in_time(self, context)
  return extend(self, context:within(READ_SECONDS))
end

-- One reads, everybody waits for that one. False if it cannot be read, or not in time.
local function refresh(self, context)
  if is_fresh(self, self.failed_at) then return false end
  return self.single_flight:share("listing", context, extend_in_time, self) == true
end

--- The actions of one machine, not more than a minute old; the caller's own to change.
---@param machine_id string in lower case
---@param context mde.Context
---@return table[]? rows nil if this listing cannot tell; one without an id may be this machine's or another's
---@return number? read_at by the driver's clock
function Listing:rows(machine_id, context)
  forget_old(self)
  if self.doubtful[machine_id] then return nil end
  if not is_fresh(self, self.read_at) and not refresh(self, context) then return nil end
  if self.has_nameless then return nil end
  local rows = self.cache:rows(machine_id)
  if self.is_incomplete then rows[#rows + 1] = {} end
  return rows, self.read_at
end

--- The same, as they are now: of a list that is read after this was asked, one for all who ask meanwhile.
---@param machine_id string in lower case
---@param context mde.Context
---@return table[]? rows nil if this listing cannot tell
---@return boolean? absent the service said that there is no such list
function Listing:rows_now(machine_id, context)
  forget_old(self)
  local asked = self.center.exchange.now()
  while not self.read_at or self.read_at < asked do
    self.failed_at = nil
    if context:left() <= 0 or not refresh(self, context) then return nil end
  end
  if self.has_nameless or self.is_incomplete then return nil end
  return self.cache:rows(machine_id), self.absent
end

return M
