--- token_share: one token for all the processes that share a store.
--
-- Who needs a token takes the one that another process got, or waits for the one that another is
-- getting, or holds the lease and asks. What comes of it, a failure too, is put into the store before the
-- lease is given back, so that nobody asks a second time. Each process keeps its own cache of it.

local core = require "mde.core"
local posix = require "mde.posix"

local POLL_SECONDS = 0.05
-- A store's clock is the wall clock; what is from further ahead than this is from before it was set back.
local AHEAD_SECONDS = 5

local TOKEN, FAILURE, LEASE = "token and age", "token failure", "token"

local M = {}

---@class mde.TokenShare
---@field private store mde.Store
---@field private credential fun(): string? tells credentials apart
---@field private taken_at number when the newest token that this process has had was asked for
---@field private failure_at number when the newest failure that it knows of was told
local TokenShare = {}
TokenShare.__index = TokenShare

---@param store mde.Store
---@param credential fun(): string? digits that tell this process's credential from others; nil where nothing can
---@return mde.TokenShare
function M.new(store, credential)
  return setmetatable({
    store = store, credential = credential, taken_at = -math.huge, failure_at = -math.huge,
  }, TokenShare)
end

local function is_new(entry, time)
  return entry and type(entry.at) == "number" and entry.at > time and entry.at <= posix.clock.time() + AHEAD_SECONDS
end

-- As JSON keeps it, so that its writer does not take it for something newer.
local function as_kept(time)
  return math.floor(time * 1000) / 1000
end

local function look(self)
  local token = self.store:read(TOKEN)
  if is_new(token, self.taken_at) then
    self.taken_at = token.at
    return "token", token
  end
  local failure = self.store:read(FAILURE)
  -- What another credential failed with says nothing of this one.
  if is_new(failure, self.failure_at) and failure.credential == self.credential() then
    self.failure_at = failure.at
    return "failure", failure
  end
end

--- What another process found out that this one does not know yet, if there is anything; or the lease, with
--- which this one is to ask. Nothing at all if the time was up first.
---@param now fun(): number the driver's clock
---@param sleep fun(seconds: number)
---@param deadline number by that clock
---@param seconds number how long the lease lasts
---@return "token"|"failure"|"ask"|nil what
---@return table|mde.Lease|nil found of a token: value, answer, at; of a failure: err, status, retry_after, at
function TokenShare:learn(now, sleep, deadline, seconds)
  repeat
    local what, found = look(self)
    if what then return what, found end
    local lease, err = self.store:lease(LEASE, seconds)
    -- A store that cannot be used is no reason to go without a token.
    if err then return "ask" end
    if lease then
      -- Who had the lease before may have told something since.
      what, found = look(self)
      if not what then return "ask", lease end
      lease:release()
      return what, found
    end
    sleep(math.min(POLL_SECONDS, math.max(0, deadline - now())))
  until now() >= deadline
end

--- Tells the others of a token.
---@param value string
---@param answer table the sign-in service's
---@param at number Unix seconds, when it was asked for
---@param sent number the same by the driver's clock, which nobody sets: the token's age is reckoned by it
---@param seconds number for how long it may be handed out, as the cache says
function TokenShare:fetched(value, answer, at, sent, seconds)
  at = as_kept(at)
  self.taken_at = at
  local kept = { value = value, at = at, sent = sent, answer = { expires_in = answer.expires_in,
    expires_on = answer.expires_on, refresh_in = answer.refresh_in } }
  self.store:write(TOKEN, kept, math.max(1, seconds))
  self.store:delete(FAILURE)
end

--- Tells the others that none could be had.
---@param err mde.Error
---@param status? integer of the answer
---@param retry_after? number seconds
function TokenShare:failed(err, status, retry_after)
  local fields, at = {}, as_kept(posix.clock.time())
  for name, value in pairs(err) do
    if type(value) ~= "table" then fields[name] = value end
  end
  self.failure_at = at
  self.store:write(FAILURE, { err = fields, status = status, retry_after = retry_after, at = at,
    credential = self.credential() }, core.token.MAX_FAILURE_SECONDS)
end

--- The service rejected this token.
---@param value string
function TokenShare:invalidate(value)
  local token = self.store:read(TOKEN)
  if token and token.value == value then self.store:delete(TOKEN) end
end

return M
