--- store: what clients in several processes share, if the client's option `store` says where.
--
-- A store keeps short texts under names, each for a time, and is one for all the processes that share: a file of this
-- machine (`store = "/run/mde/store"`, shared_file.lua), an nginx shared dict as it is (`store = ngx.shared.mde`), or
-- any table with the same four methods:
--
--   store:get(key)                       --> text | nil [, message]
--   store:safe_set(key, text, seconds)   --> true | nil, message
--   store:safe_add(key, text, seconds)   --> true | nil|false, "exists" | another message; one of many succeeds
--   store:delete(key)
--
-- and, if it can change what stands there in one step,
--
--   store:update(key, seconds, change)   --> true, what `change` returned second and third | nil, message
--                                            change(text|nil) -> the text that is to stand there, or nil: as it was
--
-- Each may return nil, "busy" and is then asked again. Where `on_disk` is true no token is put.
--
-- Times in it are those of the machine's own monotonic clock, except the ones of tokens, which are Unix seconds.

local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local posix = require "mde.posix"
local shared_files = require "mde.sync.shared_file"

local POLL_SECONDS = 0.05
-- For so long, and so often, a store is asked that somebody else is just changing.
local BUSY_SECONDS, BUSY_POLL_SECONDS = 10, 0.005
-- A lease is kept by its holder, so it is short: it is how long a process that died holds others up.
local LEASE_SECONDS, RENEW_SECONDS = 30, 10
-- What nobody waits in the midst of is over at once, or its process has died.
local UPDATE_SECONDS = 5
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
---@param place any a path is that of a shared file
---@param name string how the user calls it
---@return table
function M.check(place, name)
  if type(place) == "string" then
    if place == "" or place:find "%z" then
      errors.invalid("wrong_type", ("%s is no path of a file"):format(name), "Write /run/mde/store, say.")
    end
    return shared_files.new(place)
  end
  for _, method in ipairs { "get", "safe_set", "safe_add", "delete" } do
    if type(place) ~= "table" or type(place[method]) ~= "function" then
      errors.invalid("wrong_type", ("%s must be a path or a shared dict, not %s"):format(name,
        place == nil and "nil" or type(place) == "table" and ("a table without " .. method) or "a " .. type(place)),
        "For the processes of a machine: store = \"/run/mde/store\". In nginx: `lua_shared_dict mde 1m;` in the http "
          .. "block, and store = ngx.shared.mde.")
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

local function failure(self, what, message)
  return errors.new { kind = "unavailable", code = "store_failed", message = ("the store could not %s: %s"):format(what,
    errors.show(tostring(message or "it gave no reason"))),
    hint = self.place.hint or "If it has no memory, make it larger: lua_shared_dict." }
end

-- Asks the place, until nobody else is just changing it.
local function ask(self, method, ...)
  local place, patience = self.place, nil
  while true do
    local value, result, more = place[method](place, ...)
    if value ~= nil or result ~= "busy" then return value, result, more end
    local now = self.exchange.now()
    patience = patience or now + BUSY_SECONDS
    if now >= patience then return nil, "somebody else has been changing it all the time" end
    self.exchange.sleep(BUSY_POLL_SECONDS)
  end
end

--- The text under a name: what `update` puts there.
---@param name string
---@return string? text nil if nothing stands there
---@return mde.Error? err
function Store:read_text(name)
  local text, message = ask(self, "get", self.prefix .. name)
  if text == nil then return nil, message and failure(self, "be read", message) or nil end
  return text
end

--- The value under a name: what `write` puts there.
---@param name string
---@return table? value nil if nothing does
---@return mde.Error? err
function Store:read(name)
  local text, err = self:read_text(name)
  if text == nil then return nil, err end
  local value = json.decode(text)
  if type(value) ~= "table" then return nil, failure(self, "be read", "what stands there is not from here") end
  return value
end

-- A shared dict clears away what is past from the end of its list alone, up to the first that lives: a token, say,
-- that is read once an hour. So where it is full of what is past, it is told to look through the whole list.
local function put(self, method, key, text, seconds)
  local ok, message = ask(self, method, key, text, seconds)
  if message == "no memory" and self.place.flush_expired and self.place:flush_expired() > 0 then
    return ask(self, method, key, text, seconds)
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
  local ok, message = put(self, "safe_set", self.prefix .. name, json.encode(value), seconds)
  if not ok then return nil, failure(self, "be written", message) end
  return true
end

---@param name string
function Store:delete(name)
  ask(self, "delete", self.prefix .. name)
end

-- Where the place cannot change something in one step: a lease stands for the step.
local function update_by_lease(self, name, seconds, change)
  local lease, err = self:wait_for_lease(name, self.exchange.now() + BUSY_SECONDS, UPDATE_SECONDS)
  if not lease then return nil, err or failure(self, "be changed", "it stayed locked by somebody else") end
  local key = self.prefix .. name
  local text, message = ask(self, "get", key)
  if text == nil and message then
    lease:release()
    return nil, failure(self, "be read", message)
  end
  local ok, fresh, result, more = pcall(change, text)
  local written = true
  if ok and fresh then written, message = put(self, "safe_set", key, fresh, seconds) end
  lease:release()
  if not ok then error(fresh, 0) end
  if not written then return nil, failure(self, "be written", message) end
  return true, result, more
end

--- Changes the text under a name while nobody else can.
---@param name string
---@param seconds number how long it stands
---@param change fun(text: string?): string?, any, any what is to stand there (nil: as it was), and two results. It does
--- not wait for anything
---@return true? done
---@return any result or the mde.Error
---@return any more
function Store:update(name, seconds, change)
  if not self.place.update then return update_by_lease(self, name, seconds, change) end
  local done, result, more = ask(self, "update", self.prefix .. name, seconds, change)
  if not done then return nil, failure(self, "be changed", result) end
  return true, result, more
end

-- Keeps a lease alive as long as its holder is: a task of the holder's own, which ends with it.
local function keep(lease)
  local store = lease.store
  while not lease.gate:wait(RENEW_SECONDS) do
    local owner = ask(store, "get", lease.key)
    if lease.ended or owner ~= nil and owner ~= lease.owner then return end
    -- It has run out where this process did nothing for long, and is taken again if nobody else did.
    if owner == nil and not put(store, "safe_add", lease.key, lease.owner, LEASE_SECONDS) then return end
    put(store, "safe_set", lease.key, lease.owner, LEASE_SECONDS)
  end
end

--- Takes what only one process may have at a time.
---@param name string
---@param seconds? number how long at most; without it until it is released, or its process has died for a while
---@return mde.Lease? lease nil if somebody else has it
---@return mde.Error? err
function Store:lease(name, seconds)
  local owner, problem = posix.entropy.bytes(16)
  if not owner then return nil, failure(self, "be locked", problem) end
  local lease = setmetatable({ store = self, key = self.prefix .. "lease|" .. name, owner = owner }, Lease)
  local kept = not seconds and self.driver.spawn ~= nil
  local taken, message = put(self, "safe_add", lease.key, owner,
    seconds or kept and LEASE_SECONDS or UNKEPT_SECONDS)
  if taken then
    if kept then
      lease.gate = self.driver.gate()
      self.driver.spawn(function() keep(lease) end)
    end
    return lease
  elseif message ~= "exists" then
    return nil, failure(self, "be locked", message)
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

-- The lease, and the entry, of those who only see whether it is of use.
local TRIAL, TRIAL_SECONDS = "trial", 5

--- What it is, in words.
---@return string
function Store:name()
  local place = self.place
  if type(place.name) == "function" then return place:name() end
  return place.flush_expired and "a shared dict" or "a table of your own"
end

--- Whether it is another one wherever the program is started.
---@return boolean
function Store:is_relative()
  return type(self.place.is_relative) == "function" and self.place:is_relative()
end

--- Whether it is of use: it is made, locked, written, read and cleared.
---@return true?
---@return mde.Error? err
function Store:try()
  local lease, err = self:wait_for_lease(TRIAL, self.exchange.now() + BUSY_SECONDS, TRIAL_SECONDS)
  if not lease then return nil, err or failure(self, "be locked", "somebody else has had it all the time") end
  local mark = core.base64.encode_url(lease.owner)
  local ok, problem = self:write(TRIAL, { mark = mark }, TRIAL_SECONDS)
  err = problem
  if ok then
    local read
    read, err = self:read(TRIAL)
    if not err and (not read or read.mark ~= mark) then
      err = failure(self, "be read", "what was written into it a moment ago does not stand there")
    end
    self:delete(TRIAL)
  end
  lease:release()
  if err then return nil, err end
  return true
end

--- Gives it back; once is enough.
function Lease:release()
  if self.ended then return end
  self.ended = true
  if self.gate then self.gate:open() end
  if ask(self.store, "get", self.key) == self.owner then ask(self.store, "delete", self.key) end
end

return M
