--- exchange: one authenticated request: slot, token, send, judge, sleep. The only loop there is.
--
-- Every attempt is judged by the core (mde.core.outcome); what it says is done here, in the order in
-- which it happens. Token requests go through the same loop. This is the only place that holds a
-- token, and the only one that talks to a driver.

local claims_of = require "mde.claims"
local core = require "mde.core"
local deadlines = require "mde.deadline"
local errors = require "mde.error"
local failures = require "mde.failure"
local flights = require "mde.flight"
local json = require "mde.json"
local limiters = require "mde.limiter"
local service_clocks = require "mde.service_clock"
local sign_in = require "mde.sign_in"
local stores = require "mde.store"
local token_shares = require "mde.token_share"

local REQUEST_SECONDS = 30
-- A token request with all its attempts ends before the lease of the one who makes it.
local TOKEN_SECONDS = 30
local TOKEN_LEASE_SECONDS = TOKEN_SECONDS + 5
-- Whoever has been asked so often in vain is left in peace for so long.
local TOKEN_ATTEMPTS, AFTER_ALL_ATTEMPTS_SECONDS = 4, 60
-- Where a refresh cannot go on in the background, a call with a usable token lends it this much of its time.
local REFRESH_SECONDS, REFRESH_PART = 5, 0.25
-- While there is a token that will do, a refresh that fails is not hurried: the next one is due soon.
local REFRESH_ATTEMPTS = 1
local KEPT_ALIVE_SECONDS = 50
-- An action is not sent on a connection that the server is likely to be closing just then.
local KEPT_ALIVE_SECONDS_FOR_ACTIONS = 5
local LONGEST_ACTION_ANSWER = 256 * 1024
local LONGEST_PAGE = 64 * 1024 * 1024

---@class mde.Call what to ask the service
---@field method "GET"|"POST"
---@field path string after /api, percent-encoded, with its query
---@field kind "read"|"action" an action changes something and is never sent twice unseen
---@field api string ours for what the service counts by itself in its limits
---@field permission string the application permission it needs
---@field deadline mde.Deadline
---@field body? table sent as JSON
---@field seconds? number the longest that one attempt may take; 30 unless told
---@field usable? fun(answer: table, text: string): boolean, string? whether a decoded 2xx answer, and the text that it
--- was, is what was asked for
---@field before_send? fun(): boolean asked each time when token and slot are in hand, right before it is sent; false:
--- it is not sent, and the call returns nil without an error

---@class mde.Token
---@field value string
---@field generation? integer of the cache; nil if the cache did not keep it
---@field expires? number by the driver's clock

---@class mde.Exchange
---@field now fun(): number
---@field sleep fun(seconds: number)
---@field base_url string
---@field clock mde.ServiceClock
---@field store? mde.Store what is shared with other processes
---@field private token_share? mde.TokenShare
local Exchange = {}
Exchange.__index = Exchange

-- The core's sleep ends early when a signal arrives.
local function sleep(seconds)
  local ends = core.system.now() + seconds
  while core.system.now() < ends do core.system.sleep(ends - core.system.now()) end
end

-- Some digits that tell a credential from another one of the same application, and do not tell it. nil without
-- mde.crypto.
local function fingerprint(credential, application)
  local ok, crypto = pcall(require, "mde.crypto")
  if not ok then return nil end
  local secrets = {}
  for i, secret in ipairs(credential.traits and credential:traits() or credential:secrets()) do
    secrets[i] = type(secret) == "userdata" and secret:reveal() or secret
  end
  local digest = crypto.hmac_sha256(table.concat(secrets, "\0"), application)
  return digest and crypto.hex(digest):sub(1, 16)
end

-- What tells an application from others that share a store.
local function application_of(settings)
  local credential = settings.credential
  if settings.tenant_id and settings.client_id then
    return core.text.lower(("%s|%s|%s"):format(settings.authority, settings.tenant_id, settings.client_id))
  end
  local traits = { credential.kind }
  for _, trait in ipairs(credential.traits and credential:traits() or {}) do traits[#traits + 1] = tostring(trait) end
  return core.text.lower(table.concat(traits, "|"))
end

---@param settings table driver, store, credential, authority, tenant_id, client_id, scope, base_url, trace, user_agent,
--- windows (of the service's limits), reserve
---@return mde.Exchange
local function new(settings)
  local driver = settings.driver
  local self = setmetatable({
    driver = driver,
    now = driver.now or core.system.now,
    sleep = driver.sleep or sleep,
    credential = settings.credential,
    tenant_id = settings.tenant_id,
    client_id = settings.client_id,
    authority = settings.authority,
    scope = settings.scope,
    token_url = settings.tenant_id and ("%s/%s/oauth2/v2.0/token"):format(settings.authority, settings.tenant_id),
    base_url = settings.base_url,
    trace = settings.trace,
    user_agent = settings.user_agent,
    tokens = core.token.new(),
    claims = nil, -- what a claims challenge asked for
    windows = settings.windows,
    reserve = settings.reserve,
    limiters = {}, -- for each API
    trouble = {}, -- for each API what its last attempt failed with
    sign_in_offset = nil, -- how far the sign-in service's clock is ahead of this machine's
  }, Exchange)
  self.clock = service_clocks.new(self.now, self.trace)
  self.flights = flights.new(driver, self.sleep)
  if settings.store then
    local application = application_of(settings)
    self.store = stores.new(settings.store, application .. "|" .. core.text.lower(settings.base_url), driver, self)
    self.token_share = not settings.store.on_disk and token_shares.new(
      stores.new(settings.store, application .. "|" .. settings.scope, driver, self),
      function() return fingerprint(settings.credential, application) end)
  end
  -- Makes a text from outside fit to be shown.
  self.show = function(text) return errors.show(self.trace:redact(text)) end
  return self
end

--- A random number from 0 to below 1.
local function random()
  local bytes = core.system.entropy(3)
  if not bytes then return 0.5 end
  local a, b, c = bytes:byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

-- The sign-in service judges an assertion by its own clock.
local function learn_sign_in_clock(self, response)
  local date = type(response.headers.date) == "string" and core.header.date(response.headers.date)
  if date then self.sign_in_offset = date - core.system.time() end
end

-- What the time is, by an answer.
local function learn_clock(self, call, response)
  if call.authenticated then
    self.clock:hear_api(response.headers)
  elseif call.url == self.token_url then
    learn_sign_in_clock(self, response)
  end
end

local function is_response(value)
  return type(value) == "table" and type(value.status) == "number" and value.status % 1 == 0
    and type(value.headers) == "table" and type(value.body) == "string"
end

-- Sends once; tells what was sent and what came back: a response, or nil, a message, whether something may have been
-- sent, and the driver's code for the reason.
local function send(self, call, request)
  local trace, driver, started = self.trace, self.driver, self.now()
  if trace:on() then
    trace:tell { event = "request", driver = driver.name, method = request.method, url = request.url,
      headers = request.headers, body = request.body }
  end
  local response, message, maybe_sent, code = driver.send(request)
  if response and not is_response(response) then
    response, message, maybe_sent = nil, "the driver gave an answer without status, headers or body", true
  elseif response then
    learn_clock(self, call, response)
  else
    message = self.show(tostring(message or "the driver gave no reason"))
  end
  if trace:on() then
    local event = { event = "response", driver = driver.name, method = request.method, url = request.url,
      seconds = self.now() - started, kind = call.kind }
    if response then
      event.status, event.headers, event.body = response.status, response.headers, response.body
    else
      event.message, event.maybe_sent = message, maybe_sent ~= false
    end
    trace:tell(event)
  end
  return response, message, maybe_sent ~= false, code
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

-- How long an answer asks to wait: seconds | nil; whether it asks in a way that nobody understands.
local function read_retry_after(response, refusal)
  local seconds, problem = core.header.retry_after(response.headers, core.system.time())
  if not seconds and not problem and response.status == 429 and refusal.message then
    seconds = tonumber(refusal.message:match "again in (%d%d?%d?%d?%d?) second")
  end
  return seconds, problem ~= nil
end

local function names_active_request(response, refusal)
  return response.status == 400 and (refusal.code == "ActiveRequestAlreadyExists"
    or (refusal.message or ""):find("Action is already in progress", 1, true) ~= nil)
end

-- Reads what an attempt brought: the facts for the judge, the value it is about, and what an error would tell.
local function read_attempt(self, call, response, message, maybe_sent, code)
  if not response then return { maybe_sent = maybe_sent, code = code }, nil, message end
  local facts = { status = response.status }
  if response.status >= 200 and response.status < 300 then
    local value, problem = call.read(response)
    facts.usable = value ~= nil
    return facts, value, problem
  end
  local refusal = failures.read(response, self.show)
  facts.retry_after, facts.retry_after_invalid = read_retry_after(response, refusal)
  facts.active_request = names_active_request(response, refusal)
  facts.temporary = call.temporary ~= nil and call.temporary(response.body)
  return facts, nil, nil, refusal
end

-- An answer that is neither what was asked for nor the service's refusal may be the answer to another request, and all
-- that follow on its connection may be shifted: the driver closes it.
local function discard_unless_understood(response, value, refusal)
  local refused = refusal and refusal.code and response.status >= 400 and response.status < 500
  if value == nil and not refused and response.discard then response.discard() end
end

-- `trouble`: what has kept it so far, if that is known; more time would not help against that.
local function time_is_up(before_what, trouble)
  local message = "the time was up before " .. before_what
  if trouble then return errors.new { kind = "unavailable", message = message .. ": " .. trouble } end
  return errors.new { kind = "unavailable", message = message, hint = "Give it a longer timeout." }
end

-- The budget of an API. The service's sign-in is not counted.
local function limiter_of(self, api, is_counted)
  local limiter = self.limiters[api]
  if not limiter then
    local windows = is_counted and self.windows or {}
    limiter = limiters.new { name = api, windows = windows, reserve = self.reserve, now = self.now, sleep = self.sleep,
      driver = self.driver, store = windows[1] and self.store or nil }
    self.limiters[api] = limiter
  end
  return limiter
end

-- Waits until the call may be sent. Returns its token, an empty one where it needs none, and its slot; or nil and an
-- error. The token comes first, since a slot is for a call that is sent at once; where it ends in the queue, there is
-- another.
local function admit(self, call, limiter)
  local token, err = {}, nil
  while true do
    if call.authenticated then token, err = self:token(call.deadline) end
    if err then return nil, err end
    local began = self.now()
    local slot, problem = limiter:enter(call.deadline)
    if not slot then
      return nil, problem.paused and errors.new(failures.throttled(call.host, problem.paused)) or problem
    end
    if slot.waited and self.trace:on() then
      self.trace:tell { event = "queued", method = call.method, url = call.url, seconds = slot.waited }
    end
    if not token.expires or token.expires <= began or token.expires > self.now() then return token, slot end
    limiter:give_back(slot)
  end
end

local function headers_for(self, call, token)
  local headers = {
    ["Accept"] = "application/json",
    ["User-Agent"] = self.user_agent,
    ["Content-Type"] = call.content_type,
    ["Authorization"] = token.value and "Bearer " .. token.value,
  }
  for name, value in pairs(call.headers or {}) do headers[name] = value end
  return headers
end

-- Asks whether what was decided before the wait still stands. The slot is kept meanwhile; a token that ended then is
-- replaced. Returns the token; or nil, and an error if that is why.
local function confirm(self, call, token)
  if not call.before_send then return token end
  local began = self.now()
  if not call.before_send() then return nil end
  if not token.expires or token.expires <= began or token.expires > self.now() then return token end
  return self:token(call.deadline)
end

-- How long an attempt may take: it ends before the deadline, and before its token does. A token that lived so
-- short that it is over already may be tried all the same.
local function seconds_for(self, call, token)
  local now, ends = self.now(), call.deadline:at()
  if token.expires and token.expires > now then ends = math.min(ends, token.expires) end
  return math.min(call.seconds or REQUEST_SECONDS, ends - now)
end

-- What is to be said of a Retry-After that is longer than any limit of the service; nil if it is not.
local function report_excess(self, call, facts)
  local seconds = facts.retry_after
  if not seconds or seconds <= core.outcome.LONGEST_WAIT then return nil end
  local message = ("%s asks to wait for %.0f seconds, of which an hour at most is believed"):format(call.host, seconds)
  self.trace:tell { event = "warning", code = "retry_after_too_long", seconds = seconds, message = message }
  return message
end

--- The loop. `call` has, beside the fields of mde.Call: host, url, content_type, payload, read, failure, longest,
--- idle and authenticated.
---@return any value nil on failure
---@return mde.Error? err
---@return table info attempts, sent (driver's clock) and sent_at (Unix seconds) of the last, response, retry_after,
--- verdict, class
local function run(self, call)
  local info, authentications = { attempts = 0 }, 0
  local limiter = limiter_of(self, call.api, call.authenticated)
  while true do
    local token, slot = admit(self, call, limiter)
    if not token then return nil, slot, info end
    local problem
    token, problem = confirm(self, call, token)
    if not token then
      limiter:give_back(slot)
      return nil, problem, info
    end
    local seconds = seconds_for(self, call, token)
    if seconds <= 0 then
      limiter:give_back(slot)
      return nil, time_is_up("it could be sent", self.trouble[call.api]), info
    end

    info.attempts = info.attempts + 1
    info.sent, info.sent_at = self.now(), core.system.time()
    local response, message, maybe_sent, code = send(self, call, {
      method = call.method, url = call.url, headers = headers_for(self, call, token), body = call.payload,
      timeout = seconds, max_bytes = call.longest, max_idle = call.idle, plain = call.plain,
    })
    local facts, value, refusal
    facts, value, problem, refusal = read_attempt(self, call, response, message, maybe_sent, code)
    if response then discard_unless_understood(response, value, refusal) end
    facts.attempt, facts.authentications = info.attempts - authentications, authentications
    facts.attempts_allowed = call.attempts_allowed
    facts.now, facts.deadline, facts.random = self.now(), call.deadline:at(), random()
    local verdict, delay, class = core.outcome.judge(call.kind, facts)
    info.verdict, info.response, info.retry_after = verdict, response, facts.retry_after
    if info.class == nil or class ~= "not_sent" then info.class = class end
    self.trouble[call.api] = verdict ~= "done" and (problem or ("HTTP %d"):format(facts.status)) or nil
    if class == "not_sent" then limiter:give_back(slot) else limiter:answered(slot) end
    local excess = report_excess(self, call, facts)
    if facts.status == 429 then limiter:pause(delay, excess ~= nil) end

    if verdict == "done" then
      limiter:resume()
      return value, nil, info
    elseif verdict == "authenticate" or verdict == "retry" then
      if self.trace:on() then
        self.trace:tell { event = "retry", method = call.method, url = call.url, attempt = info.attempts,
          status = facts.status, message = message, delay = delay }
      end
      if verdict == "authenticate" then
        authentications = authentications + 1
        learn_claims(self, response)
        self.tokens:rejected(token.generation or 0)
        if self.token_share then self.token_share:rejected(token.value) end
      else
        self.sleep(delay)
      end
    else
      local fields = call.failure { host = call.host, kind = call.kind, permission = call.permission,
        verdict = verdict, delay = delay, attempts = info.attempts, response = response, message = problem,
        refusal = refusal, show = self.show, credential = self.credential.kind,
        claims = facts.status == 403 and token.value and claims_of(token.value) or nil }
      fields.http_status = response and response.status
      fields.code = fields.code or refusal and refusal.code
      fields.request_id = fields.request_id or refusal and refusal.request_id
      if excess then fields.message = ("%s (%s)"):format(fields.message, excess) end
      return nil, errors.new(fields), info
    end
  end
end

local function host_of(url)
  return url:match "^https?://([^/?#]+)" or url
end

-- ---- tokens

-- How far the sign-in service's clock is ahead of this machine's, as well as that is known.
local function sign_in_offset(self)
  return self.sign_in_offset or self.clock:time() - core.system.time()
end

-- Asks by the credential. `attempts`: the most that one request may take.
local function ask_for_token(self, deadline, attempts)
  local request = sign_in.new {
    tenant_id = self.tenant_id, client_id = self.client_id, token_url = self.token_url, scope = self.scope,
    claims = self.claims, show = self.show,
    deadline = deadlines.new(self.now, math.min(deadline - self.now(), TOKEN_SECONDS)),
    clock = function() return core.system.time() + sign_in_offset(self) end,
    clock_offset = function() return sign_in_offset(self) end,
    conceal = function(text) self.trace:conceal_proof(text) end,
    call = function(call)
      call.attempts_allowed = attempts
      return run(self, call)
    end,
  }
  local sent, sent_at = self.now(), core.system.time()
  local answer, err = self.credential:ask(request)
  local info = request.info or {}
  info.sent, info.sent_at = info.sent or sent, info.sent_at or sent_at
  return answer, err, info
end

-- Puts a token into the cache. Returns it, or nothing if one that was asked for later is there.
local function keep_token(self, lease, sent, value, answer, sent_at)
  self.trace:conceal(value)
  local generation, why = self.tokens:fetched(lease, sent, value, answer, sent_at, random())
  if why == "older" then return nil end
  self.clock:hear_token(value, answer, sent)
  return { value = value, generation = generation, expires = generation and self.tokens:expiry() }
end

-- Takes what another process found out: a token, or a failure, about which the cache is to be asked again.
local function take_shared(self, lease, what, found)
  local age = math.max(0, core.system.time() - found.at)
  if what == "token" then
    self.trace:tell { event = "token", outcome = "shared" }
    return keep_token(self, lease, self.now() - age, found.value, found.answer, found.at)
  end
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
    if share and token and token.expires then
      share:fetched(token.value, answer, info.sent_at, token.expires - self.now())
    end
    return token
  end
  self.trace:tell { event = "token", outcome = err.kind, code = err.code }
  if self.now() >= deadline then
    -- The caller's own time ended it, which says nothing about the sign-in service.
    self.tokens:abandon(lease)
  else
    local status = info.response and info.response.status
    local retry_after = info.retry_after
    if not retry_after and info.verdict == "exhausted" and info.attempts >= TOKEN_ATTEMPTS then
      retry_after = AFTER_ALL_ATTEMPTS_SECONDS
    end
    self.tokens:failed(lease, self.now(), status, retry_after, err)
    if share then share:failed(err, status, retry_after) end
  end
  return nil, err
end

-- Asks the sign-in service for a token and tells the cache, and whoever shares it, what came of it. Returns the
-- token; nil and an error; or nothing if the cache is to be asked again.
local function fetch_token(self, lease, deadline, attempts)
  if not self.token_share then return ask_and_keep(self, lease, deadline, attempts) end
  local what, found = self.token_share:learn(self.now, self.sleep,
    math.min(deadline, self.now() + TOKEN_LEASE_SECONDS), TOKEN_LEASE_SECONDS)
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

local function fly(self, lease, deadline, attempts)
  return self.flights:start("token", function()
    local finished, token, err = pcall(fetch_token, self, lease, deadline, attempts)
    if finished then return token, err end
    self.tokens:abandon(lease)
    self.trace:tell { event = "token", outcome = "raised", message = tostring(token) }
    error(token, 0)
  end)
end

-- Starts to get a token. Whatever raises on the way, nobody waits for a lease that nobody holds.
local function start_fetch(self, lease, deadline, attempts)
  self.fetching = { lease = lease, generation = core.system.generation() }
  local ok, flight = pcall(fly, self, lease, deadline, attempts)
  if not ok or flight.refused then self.tokens:abandon(lease) end
  if ok then return flight end
  error(flight, 0)
end

-- A token that was being fetched when this process was forked comes to the parent alone.
local function leave_to_parent(self)
  if self.fetching and self.fetching.generation ~= core.system.generation() then
    self.tokens:abandon(self.fetching.lease)
    self.fetching = nil
  end
end

-- An error that many are told, so that none can change it for another. `age`: seconds since it was told first.
local function told_again(err, age)
  local copy = {}
  for name, value in pairs(err) do copy[name] = value end
  copy.age = age
  return errors.new(copy)
end

local function has_changed(credential)
  return credential.changed ~= nil and credential:changed()
end

--- The host that is shown the credential.
---@return string
function Exchange:signs_in_at()
  local own = self.credential.host and self.credential:host()
  return own or self.token_url and host_of(self.token_url) or "the function that gets tokens"
end

--- A token for the service, from the cache or from the sign-in service. Whoever needs one at the same
--- time shares one request and its result.
---@param until_when mde.Deadline
---@return mde.Token? token
---@return mde.Error? err
function Exchange:token(until_when)
  local deadline, tokens, in_background = until_when:at(), self.tokens, self.driver.spawn ~= nil
  leave_to_parent(self)
  while true do
    local now = self.now()
    if now >= deadline then
      return nil, time_is_up(self:signs_in_at() .. " gave a token", self.trouble.token)
    end
    local answer, a, b, c = tokens:ask(now, TOKEN_LEASE_SECONDS)
    if answer == "use" then
      return { value = a, generation = b, expires = tokens:expiry() }
    elseif answer == "failed" and has_changed(self.credential) then
      tokens:forget_failure()
    elseif answer == "failed" then
      return nil, told_again(a, b)
    elseif answer == "refresh" then
      -- Asked again, the cache has the new token, or the old one without another refresh.
      start_fetch(self, c, in_background and math.huge
        or now + math.min(REFRESH_SECONDS, (deadline - now) * REFRESH_PART), REFRESH_ATTEMPTS)
    else
      local leads = answer == "fetch"
      local flight, lease_ends
      if leads then
        flight = start_fetch(self, a, in_background and math.huge or deadline, TOKEN_ATTEMPTS)
        lease_ends = now + TOKEN_LEASE_SECONDS
      else
        flight, lease_ends = self.flights:current "token", a
      end
      self.flights:wait(flight, math.min(lease_ends, deadline) - now)
      if flight and flight.raised then
        if leads then error(flight.problem, 0) end
      elseif flight and flight.value then
        return flight.value
      elseif flight and flight.err then
        return nil, told_again(flight.err)
      end
    end
  end
end

-- ---- calls

local function reader(usable)
  return function(response)
    local answer, problem = json.object(response.body)
    if answer and usable then
      local ok, why = usable(answer, response.body)
      if not ok then return nil, why end
    end
    return answer, problem
  end
end

--- What the access token says of itself, from a token as any call gets it.
---@param deadline mde.Deadline
---@return mde.Claims? claims
---@return mde.Error? err
function Exchange:token_claims(deadline)
  local token, err = self:token(deadline)
  if not token then return nil, err end
  return claims_of(token.value)
end

--- Asks for something that needs no credential, once, and leaves it to the caller what an answer means.
---@param url string
---@param seconds number
---@return table? response
---@return string? message why there is none
---@return number? offset how far the host's clock is ahead of this machine's, if it told the time
function Exchange:probe(url, seconds)
  if seconds <= 0 then return nil, "the time was up" end
  local before = core.system.time()
  local response, message = send(self, { kind = "read" }, { method = "GET", url = url, timeout = seconds,
    headers = headers_for(self, {}, {}), max_bytes = LONGEST_ACTION_ANSWER, max_idle = KEPT_ALIVE_SECONDS })
  if not response then return nil, message end
  local date = type(response.headers.date) == "string" and core.header.date(response.headers.date)
  return response, nil, date and date - (before + core.system.time()) / 2 or nil
end

--- How long a call would wait for the service's limits if it came now.
---@param api string
---@return number seconds
function Exchange:queue(api)
  return limiter_of(self, api, true):peek().retry_after
end

--- What is left of the budget of an API.
---@param api string
---@param count integer for how many more calls the time is told
---@return mde.Peek
function Exchange:peek(api, count)
  local limiter = limiter_of(self, api, true)
  local peek = limiter:peek()
  peek.seconds = limiter:seconds(count)
  return peek
end

--- Asks the service.
---@param call mde.Call
---@return table? answer the decoded reply
---@return mde.Error? err
---@return table info attempts, sent, sent_at, verdict, class: "not_sent" only if no attempt was, nil if none was made
function Exchange:call(call)
  local action = call.kind == "action"
  return run(self, {
    method = call.method, kind = call.kind, api = call.api, permission = call.permission,
    deadline = call.deadline, seconds = call.seconds,
    host = host_of(self.base_url), url = self.base_url .. "/api" .. call.path,
    payload = call.body and json.encode(call.body),
    content_type = call.body and "application/json; charset=utf-8",
    read = reader(call.usable), before_send = call.before_send, failure = failures.service, authenticated = true,
    longest = action and LONGEST_ACTION_ANSWER or LONGEST_PAGE,
    idle = action and KEPT_ALIVE_SECONDS_FOR_ACTIONS or KEPT_ALIVE_SECONDS,
  })
end

--- Signs in, and makes sure that what time it is does not rest on one clock alone: where this machine's and the token's
--- differ, the API is asked for something small.
---@param deadline mde.Deadline
---@return true?
---@return mde.Error? err the sign-in failed
function Exchange:settle_clock(deadline)
  local token, err = self:token(deadline)
  if not token then return nil, err end
  if not self.clock:is_settled() then
    -- Whatever the answer is, it has the time in it.
    self:call { method = "GET", path = "/machines?$top=1", kind = "read", api = "machines",
      permission = "Machine.Read.All", deadline = deadline }
  end
  return true
end

return { new = new }
