--- token_source: the client's token: one for all who need it, one request for it at a time.
--
-- The cache and its rules are the core's (mde.core.token). Here the credential is asked, at most once at a time,
-- all that wait are told the same, and processes that share a store share the token.

local token_claims = require "mde.auth.claims"
local core = require "mde.core"
local contexts = require "mde.sync.context"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local posix = require "mde.posix"
local requests_of = require "mde.request.request"
local sign_in = require "mde.auth.sign_in"
local token_shares = require "mde.auth.token_share"

-- A token request with all its attempts, unless its credential needs more time; it ends before the lease of the one who
-- makes it.
local TOKEN_SECONDS, LEASE_MARGIN_SECONDS = 30, 5
-- A service that was asked in vain as often as may be is left in peace for so long.
local AFTER_ALL_ATTEMPTS_SECONDS = 60
-- Where a refresh cannot go on in the background, a call with a usable token lends it this much of its time.
local REFRESH_SECONDS, REFRESH_PART = 5, 0.25
-- While there is a token that will do, a refresh that fails is not hurried: the next one is due soon.
local REFRESH_ATTEMPTS = 1

local M = {}

---@class mde.Token : mde.Authorization
---@field value string
---@field generation? integer of the cache; nil if the cache did not keep it

---@class mde.TokenSource
---@field tokens mde.core.token the cache
---@field private at_hand { token?: mde.Token } what was handed out last, weakly: a token does not stay in Lua's memory
---@field token_url? string
---@field token_share? mde.TokenShare
---@field private requests mde.Requests
---@field private single_flight mde.SingleFlight
---@field private credential mde.Credential
---@field private flight string under which its requests are shared by all who wait
---@field private service_time fun(): number
---@field private on_token fun(value: string, answer: table, sent: number)
---@field private seconds number how long a request for a token may take, with all its attempts
---@field private lease_seconds number how long the one who makes it keeps others waiting
---@field private claims? table what a claims challenge asked for
---@field private sign_in_offset? number how far the sign-in service's clock is ahead of this machine's
local TokenSource = {}
TokenSource.__index = TokenSource

-- Some digits that tell a credential from another one of the same application, and its proxy from others, and do not
-- tell them. nil without mde.crypto.
local function fingerprint(credential, application, proxy)
  local ok, crypto = pcall(require, "mde.crypto")
  if not ok then return nil end
  local secrets = {}
  for i, secret in ipairs(credential.traits and credential:traits() or credential:secrets()) do
    secrets[i] = type(secret) == "userdata" and secret:reveal() or secret
  end
  if proxy and proxy.traits then secrets[#secrets + 1] = proxy.traits() end
  local digest = crypto.hmac_sha256(table.concat(secrets, "\0"), application)
  return digest and crypto.hex(digest):sub(1, 16)
end

---@class mde.TokenSourceSettings
---@field requests mde.Requests
---@field single_flight mde.SingleFlight
---@field driver mde.Driver
---@field credential mde.Credential
---@field tenant_id? string
---@field client_id? string
---@field authority string
---@field scope string
---@field service_time fun(): number the service's time, Unix seconds
---@field on_token fun(value: string, answer: table, sent: number) told of each token and when it was asked for
---@field store? mde.Store where the token is shared
---@field application string tells the application from others
---@field named fun(hint: string): string the hint with what the settings were given by

---@param settings mde.TokenSourceSettings
---@return mde.TokenSource
function M.new(settings)
  local requests, credential, application = settings.requests, settings.credential, settings.application
  local tenant_id, seconds = settings.tenant_id, credential.seconds or TOKEN_SECONDS
  return setmetatable({
    flight = "token " .. settings.scope,
    seconds = seconds, lease_seconds = seconds + LEASE_MARGIN_SECONDS,
    requests = requests, now = requests.now, sleep = requests.sleep, trace = requests.trace, show = requests.show,
    single_flight = settings.single_flight, driver = settings.driver, credential = credential, tenant_id = tenant_id,
    client_id = settings.client_id, scope = settings.scope, service_time = settings.service_time,
    on_token = settings.on_token, named = settings.named, tokens = core.token.new(),
    at_hand = setmetatable({}, { __mode = "v" }),
    token_url = tenant_id and ("%s/%s/oauth2/v2.0/token"):format(settings.authority, tenant_id),
    token_share = settings.store
      and token_shares.new(settings.store, function()
        return fingerprint(credential, application, settings.driver.proxy)
      end),
  }, TokenSource)
end

---@return mde.Token
local function authorization(value, generation, expires)
  return { value = value, header = "Bearer " .. value, generation = generation, expires = expires }
end

-- The sign-in service judges an assertion by its own clock.
local function learn_sign_in_clock(self, response)
  local now, told = posix.clock.time(), response.headers.date
  local date = type(told) == "string" and core.header.date(told, now)
  if date then self.sign_in_offset = date - now end
end

-- What a claims challenge asks the next token to have in it.
local function learn_claims(self, response)
  for _, challenge in ipairs(core.header.challenges(response.headers["www-authenticate"] or "") or {}) do
    local parameters = challenge.parameters
    if challenge.scheme == "bearer" and parameters.error == "insufficient_claims" and parameters.claims then
      local claims = core.base64.decode(parameters.claims)
      self.claims = claims and json.object(claims) or self.claims
    end
  end
end

-- How far the sign-in service's clock is ahead of this machine's, as well as that is known.
local function sign_in_offset(self)
  return self.sign_in_offset or self.service_time() - posix.clock.time()
end

-- Asks by the credential. `attempts`: the most that one request may take; nil: as many as are usual for it.
local function ask_for_token(self, deadline, attempts)
  local request = sign_in.new {
    tenant_id = self.tenant_id, client_id = self.client_id, token_url = self.token_url, scope = self.scope,
    claims = self.claims, show = self.show,
    context = contexts.new(self.now):within(math.min(deadline - self.now(), self.seconds)),
    clock = function() return posix.clock.time() + sign_in_offset(self) end,
    clock_offset = function() return sign_in_offset(self) end,
    conceal = function(text) self.trace:conceal_proof(text) end,
    call = function(call)
      call.attempts_allowed = attempts
      if call.url == self.token_url then call.heard = function(response) learn_sign_in_clock(self, response) end end
      return self.requests:perform(call)
    end,
  }
  local sent, sent_at = self.now(), posix.clock.time()
  local answer, err = self.credential:ask(request)
  if err and err.hint then err = errors.derive(err, { hint = self.named(err.hint) }) end
  local info = request.info or {}
  info.sent, info.sent_at = info.sent or sent, info.sent_at or sent_at
  return answer, err, info
end

-- Puts a token into the cache. Returns it, or nothing if one that was asked for later is there.
local function keep_token(self, lease, sent, value, answer, sent_at)
  self.trace:conceal(value)
  local generation, why = self.tokens:fetched(lease, sent, value, answer, sent_at, requests_of.random())
  if why == "older" then return nil end
  self.on_token(value, answer, sent)
  return authorization(value, generation, generation and self.tokens:expiry() or nil)
end

-- Takes what another process found out: a token, or a failure, about which the cache is to be asked again.
local function take_shared(self, lease, what, found)
  if what == "token" then
    self.trace:tell { event = "token", outcome = "shared" }
    return keep_token(self, lease, math.min(found.sent, self.now()), found.value, found.answer, found.at)
  end
  local age = math.max(0, posix.clock.time() - found.at)
  self.tokens:failed(lease, self.now() - age, found.status, found.retry_after, errors.new(found.err))
end

local function ask_and_keep(self, lease, deadline, attempts)
  local share, claims = self.token_share, self.claims
  local answer, err, info = ask_for_token(self, deadline, attempts)
  if answer then
    -- A challenge that came meanwhile is still to be met.
    if self.claims == claims then self.claims = nil end
    self.trace:tell { event = "token", outcome = "fetched" }
    local token = keep_token(self, lease, info.sent, answer.access_token, answer, info.sent_at)
    if share and token and token.generation then
      share:fetched(token.value, answer, info.sent_at, info.sent, self.tokens:usable_until() - self.now())
    end
    return token
  end
  self.trace:tell { event = "token", outcome = err.kind, code = err.code }
  if self.now() >= deadline then
    -- The caller's own time ended it, which says nothing about the sign-in service.
    self.tokens:abandon(lease)
  else
    -- What was not refused may be otherwise in a moment, whatever its status says elsewhere.
    local status = info.verdict == "refused" and info.response.status or nil
    local retry_after = info.retry_after
    local is_in_vain = info.spent and not attempts or err.code == "proxy_auth"
    if not retry_after and is_in_vain then retry_after = AFTER_ALL_ATTEMPTS_SECONDS end
    self.tokens:failed(lease, self.now(), status, retry_after, err)
    if share then share:failed(err, status, retry_after) end
  end
  return nil, err
end

-- Asks the sign-in service for a token and tells the cache, and the processes that share it, the result. Returns the
-- token; nil and an error; or nothing if the cache is to be asked again.
local function fetch_token(self, lease, deadline, attempts)
  if not self.token_share then return ask_and_keep(self, lease, deadline, attempts) end
  local what, found = self.token_share:learn(self.now, self.sleep,
    math.min(deadline, self.now() + self.lease_seconds), self.lease_seconds)
  if what == "token" or what == "failure" then return take_shared(self, lease, what, found) end
  if not what then
    -- Somebody else has asked all the while, the second after one who died perhaps.
    self.tokens:abandon(lease)
    return nil
  end
  local ok, token, err = pcall(ask_and_keep, self, lease, deadline, attempts)
  if found then found:release() end
  if not ok then error(token, 0) end
  return token, err
end

local function start_call(self, lease, deadline, attempts)
  return self.single_flight:start(self.flight, function()
    local finished, token, err = pcall(fetch_token, self, lease, deadline, attempts)
    if finished then return token, err end
    self.tokens:abandon(lease)
    self.trace:tell { event = "token", outcome = "raised", message = tostring(token) }
    error(token, 0)
  end)
end

-- Starts to get a token. Whatever raises on the way, nobody waits for a lease that nobody holds.
local function start_fetch(self, lease, deadline, attempts)
  self.fetching = { lease = lease, generation = posix.fork.generation() }
  local ok, call = pcall(start_call, self, lease, deadline, attempts)
  if not ok or call.refused then self.tokens:abandon(lease) end
  if ok then return call end
  error(call, 0)
end

-- A token that was being fetched when this process was forked comes to the parent alone.
local function leave_to_parent(self)
  if self.fetching and self.fetching.generation ~= posix.fork.generation() then
    self.tokens:abandon(self.fetching.lease)
    self.fetching = nil
  end
end

local function has_changed(credential)
  return credential.changed ~= nil and credential:changed()
end

--- The host that is shown the credential.
---@return string
function TokenSource:signs_in_at()
  local own = self.credential.host and self.credential:host()
  return own or self.token_url and core.url.authority(self.token_url) or "the function that gets tokens"
end

--- A token for the service, from the cache or from the sign-in service. Callers that need one at the
--- same time share one request and its result.
---@param context mde.Context
---@return mde.Token? token
---@return mde.Error? err
function TokenSource:token(context)
  local deadline, tokens, in_background = context:at(), self.tokens, self.driver.spawn ~= nil
  leave_to_parent(self)
  while true do
    local now = self.now()
    if now >= deadline then
      return nil, requests_of.time_is_up(self:signs_in_at() .. " gave a token", self.requests:trouble_of "token")
    end
    local known = self.at_hand.token
    local answer, a, b, c = tokens:ask(now, self.lease_seconds, known and known.generation)
    if answer == "use" then
      if not a then return known end
      self.at_hand.token = authorization(a, b, tokens:expiry())
      return self.at_hand.token
    elseif answer == "failed" and has_changed(self.credential) then
      tokens:forget_failure()
    elseif answer == "failed" then
      return nil, errors.derive(a, { age = b })
    elseif answer == "refresh" then
      -- Asked again, the cache has the new token, or the old one without another refresh.
      start_fetch(self, c, in_background and math.huge
        or now + math.min(REFRESH_SECONDS, (deadline - now) * REFRESH_PART), REFRESH_ATTEMPTS)
    else
      local leads = answer == "fetch"
      local call, lease_ends
      if leads then
        call = start_fetch(self, a, in_background and math.huge or deadline)
        lease_ends = now + self.lease_seconds
      else
        call, lease_ends = self.single_flight:current(self.flight), a
      end
      self.single_flight:wait(call, math.min(lease_ends, deadline) - now)
      if call and call.raised then
        if leads then error(call.problem, 0) end
      elseif call and call.value then
        return call.value
      elseif call and call.err then
        return nil, errors.derive(call.err, {})
      end
    end
  end
end

--- The service did not take a token: it is not handed out any more, and a challenge is met by the next one.
---@param token mde.Token
---@param response table
function TokenSource:invalidate(token, response)
  learn_claims(self, response)
  self.tokens:rejected(token.generation or 0)
  if self.token_share then self.token_share:invalidate(token.value) end
end

--- What the access token says of itself, from a token as any call gets it.
---@param context mde.Context
---@return mde.Claims? claims
---@return mde.Error? err
function TokenSource:token_claims(context)
  local token, err = self:token(context)
  if not token then return nil, err end
  return token_claims.of_token(token.value)
end

return M
