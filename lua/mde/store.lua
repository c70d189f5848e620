--- store: what clients in several processes share, if the client's option `store` says where.
--
-- A store keeps short texts under names, each for a time, and is one for all the processes that share:
-- an nginx shared dict as it is (`store = ngx.shared.mde`), or any table with the same four methods:
--
--   store:get(key)                       --> text | nil [, message]
--   store:safe_set(key, text, seconds)   --> true | nil, message
--   store:safe_add(key, text, seconds)   --> true | nil|false, "exists" | another message; one of many succeeds
--   store:delete(key)
--
-- Times in it are Unix seconds, since every process has its own monotonic clock.

local core = require "mde.core"
local errors = require "mde.error"
local json = require "mde.json"

local POLL_SECONDS = 0.05
-- A lease is kept by whoever holds it, so it is short: it is how long a process that died holds others up.
local LEASE_SECONDS, RENEW_SECONDS = 30, 10
-- Where nobody can keep it, it lasts as long as what it is for may take.
local UNKEPT_SECONDS = 300

---@class mde.Store
---@field private place table
---@field private prefix string
---@field private exchange { now: (fun(): number), sleep: fun(seconds: number) }
---@field private driver mde.Driver
local Store = {}
Store.__index = Store

---@class mde.Lease
---@field package store mde.Store
---@field package key string
---@field package owner string
---@field package gate? table
---@field package ended? boolean
local Lease = {}
Lease.__index = Lease

local M = {}

--- Raises unless this can be a store.
---@param place any
---@return table
function M.check(place)
  for _, method in ipairs { "get", "safe_set", "safe_add", "delete" } do
    if type(place) ~= "table" or type(place[method]) ~= "function" then
      errors.invalid(("option \"store\" must be a shared dict, not %s"):format(
        place == nil and "nil" or type(place) == "table" and ("a table without " .. method) or "a " .. type(place)),
        "In nginx: `lua_shared_dict mde 1m;` in the http block, and store = ngx.shared.mde.")
    end
  end
  return place
end

---@param place table a checked one
---@param identity string what all who share have in common: tenant, application, host
---@param driver mde.Driver
---@param exchange { now: (fun(): number), sleep: fun(seconds: number) }
---@return mde.Store
function M.new(place, identity, driver, exchange)
  return setmetatable({ place = place, prefix = "mde|" .. identity .. "|", driver = driver,
    exchange = exchange }, Store)
end

local function failure(what, message)
  return errors.new { kind = "unavailable", message = ("the store could not %s: %s"):format(what,
    errors.show(tostring(message or "it gave no reason"))),
    hint = "If it has no memory, make it larger: lua_shared_dict." }
end

--- What stands under a name.
---@param name string
---@return table? value nil if nothing does
---@return mde.Error? err
function Store:read(name)
  local text, message = self.place:get(self.prefix .. name)
  if text == nil then return nil, message and failure("be read", message) or nil end
  local value = json.decode(text)
  if type(value) ~= "table" then return nil, failure("be read", "what stands there is not from here") end
  return value
end

-- A shared dict clears away what is past from the end of its list alone, up to the first that lives: a token, say,
-- that is read once an hour. So where it is full of what is past, it is told to look through the whole list.
local function put(place, method, key, text, seconds)
  local ok, message = place[method](place, key, text, seconds)
  if message == "no memory" and place.flush_expired and place:flush_expired() > 0 then
    return place[method](place, key, text, seconds)
  end
  return ok, message
end

--- Puts a value there for so many seconds.
---@param name string
---@param value table what JSON can hold
---@param seconds number
---@return true?
---@return mde.Error? err
function Store:write(name, value, seconds)
  local ok, message = put(self.place, "safe_set", self.prefix .. name, json.encode(value), seconds)
  if not ok then return nil, failure("be written", message) end
  return true
end

---@param name string
function Store:delete(name)
  self.place:delete(self.prefix .. name)
end

-- Keeps a lease alive as long as its holder is: a task of the holder's own, which ends with it.
local function keep(lease)
  while not lease.gate:wait(RENEW_SECONDS) do
    local place = lease.store.place
    local owner = place:get(lease.key)
    if lease.ended or owner ~= nil and owner ~= lease.owner then return end
    -- It has run out where this process did nothing for long, and is taken again if nobody else did.
    if owner == nil and not put(place, "safe_add", lease.key, lease.owner, LEASE_SECONDS) then return end
    put(place, "safe_set", lease.key, lease.owner, LEASE_SECONDS)
  end
end

--- Takes what only one process may have at a time.
---@param name string
---@param seconds? number how long at most; without it until it is released, or its process has died for a while
---@return mde.Lease? lease nil if somebody else has it
---@return mde.Error? err
function Store:lease(name, seconds)
  local owner, problem = core.system.entropy(16)
  if not owner then return nil, failure("be locked", problem) end
  local lease = setmetatable({ store = self, key = self.prefix .. "lease|" .. name, owner = owner }, Lease)
  local kept = not seconds and self.driver.spawn ~= nil
  local taken, message = put(self.place, "safe_add", lease.key, owner,
    seconds or kept and LEASE_SECONDS or UNKEPT_SECONDS)
  if taken then
    if kept then
      lease.gate = self.driver.gate()
      self.driver.spawn(function() keep(lease) end)
    end
    return lease
  elseif message ~= "exists" then
    return nil, failure("be locked", message)
  end
end

--- The same, and waits for it.
---@param name string
---@param deadline number by the driver's clock
---@param seconds? number
---@return mde.Lease? lease nil if the time was up first
---@return mde.Error? err
function Store:wait_for_lease(name, deadline, seconds)
  while true do
    local lease, err = self:lease(name, seconds)
    if lease or err then return lease, err end
    local remaining = deadline - self.exchange.now()
    if remaining <= 0 then return nil end
    self.exchange.sleep(math.min(POLL_SECONDS, remaining))
  end
end

--- Gives it back; once is enough.
function Lease:release()
  if self.ended then return end
  self.ended = true
  if self.gate then self.gate:open() end
  local place = self.store.place
  if place:get(self.key) == self.owner then place:delete(self.key) end
end

return M
