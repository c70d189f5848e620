--- request: one request: slot, send, judge, sleep. The only loop there is, and the only place that talks to a driver.
--
-- Every attempt is judged by the core (mde.core.outcome); what it says is done here, in the order in which it happens.
-- What lets a request in, a token, is asked for by a function of the caller's; what an answer means, and what an error
-- is called, is the caller's, too.

local core = require "mde.core"
local errors = require "mde.base.error"
local failures = require "mde.request.failure"
local limiters = require "mde.request.limiter"
local posix = require "mde.posix"
local proxies = require "mde.base.proxy"
local proxy_passwords = require "mde.request.proxy_password"
local refusals = require "mde.request.refusal"

local REQUEST_SECONDS = 30

local M = {}

---@class mde.Authorization what lets a request in
---@field header? string the value of the header Authorization
---@field expires? number by the driver's clock

---@class mde.Request
---@field method "GET"|"POST"|"PATCH"
---@field url string
---@field host string who is asked: the URL's host and port; for errors, and by which a proxy's refusal is kept
---@field kind "read"|"action"|"token"|"identity" an action changes something and is never sent twice unseen
---@field api string ours for what the service counts by itself in its limits
---@field is_counted? boolean whether the service counts it
---@field context mde.Context
---@field payload? string
---@field content_type? string
---@field headers? table<string, string>
---@field seconds? number the longest that one attempt may take; default 30
---@field longest integer bytes of the longest answer
---@field idle number seconds: a connection that was idle for longer is not used
---@field plain? boolean it is the one kind of request that is not https
---@field attempts_allowed? integer default 4; of kind "identity" more while the endpoint is not ready
---@field authorize? fun(context: mde.Context): mde.Authorization?, mde.Error? asked before the slot, and again if it
--- ended in the queue
---@field invalidate? fun(authorization: mde.Authorization, response: table) the answer was a first 401
---@field before_send? fun(): boolean asked each time when authorization and slot are in hand, right before it is sent;
--- false: it is not sent, and nil is returned without an error
---@field heard? fun(response: table) told of each answer
---@field read fun(response: table, call: mde.Request): any, string?, mde.ErrorCode? the value of a 2xx answer; or nil
--- and what is wrong
---@field temporary? fun(body: string): boolean whether a refusal says that it is temporary
---@field failure fun(failure: mde.Failure, call: mde.Request): table the fields of its error

---@class mde.Requests
---@field now fun(): number
---@field time fun(): number this machine's time, Unix seconds
---@field sleep fun(seconds: number)
---@field driver mde.Driver
---@field trace mde.Trace
---@field show fun(text: string): string makes a text from outside fit to be shown
---@field limiters table<string, mde.Limiter> for each API
---@field windows mde.Window[] of the service's limits
---@field api_windows table<string, mde.Window[]> of the APIs that have limits of their own
---@field store? mde.Store where the limits are shared
---@field private reserve integer
---@field private user_agent string
---@field private service_time fun(): number Unix seconds
---@field private trouble table<string, string?> for each API what its last attempt failed with
---@field private proxy_password mde.ProxyPassword
local Requests = {}
Requests.__index = Requests

---@param settings { driver: mde.Driver, clock: mde.Clock, trace: mde.Trace, user_agent: string,
--- windows: mde.Window[], reserve: integer, store: mde.Store?, service_time: fun(): number }
---@return mde.Requests
function M.new(settings)
  local trace, clock = settings.trace, settings.clock
  return setmetatable({
    driver = settings.driver, now = clock.now, time = clock.time, sleep = clock.sleep, trace = trace,
    store = settings.store, user_agent = settings.user_agent, windows = settings.windows,
    api_windows = settings.api_windows or {}, reserve = settings.reserve,
    service_time = settings.service_time, limiters = {}, trouble = {},
    proxy_password = proxy_passwords.new(settings.driver, clock),
    show = function(text) return errors.show(trace:redact(text)) end,
  }, Requests)
end

--- A random number from 0 to below 1.
---@return number
function M.random()
  local bytes = posix.entropy.bytes(3)
  if not bytes then return 0.5 end
  local a, b, c = bytes:byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

local function is_response(value)
  return type(value) == "table" and type(value.status) == "number" and value.status % 1 == 0
    and type(value.headers) == "table" and type(value.body) == "string"
end

-- Sends once; tells what was sent and what came back: a response, or nil, a message, whether something may have been
-- sent, and the driver's code for the reason.
local function send(self, call, request)
  local trace, driver, started = self.trace, self.driver, self.now()
  local kept_back, reason = self.proxy_password:ask(call.host, request)
  if kept_back then return nil, kept_back, false, reason end
  if trace:on() then
    trace:tell { event = "request", driver = driver.name, method = request.method, url = request.url,
      headers = request.headers, body = request.body }
  end
  local response, message, maybe_sent, code = driver.send(request)
  if response and not is_response(response) then
    response, message, maybe_sent, code = nil, "the driver gave an answer without status, headers or body", true,
      "driver_broken"
  elseif response then
    if call.heard then call.heard(response) end
  else
    message = self.show(tostring(message or "the driver gave no reason"))
    code = type(code) == "string" and self.show(code) or nil
  end
  self.proxy_password:heard(call.host, request, code, message)
  if trace:on() then
    local event = { event = "response", driver = driver.name, method = request.method, url = request.url,
      seconds = self.now() - started, kind = call.kind }
    if response then
      event.status, event.headers, event.body = response.status, response.headers, response.body
    else
      event.message, event.maybe_sent, event.code = message, maybe_sent ~= false, code
    end
    trace:tell(event)
  end
  return response, message, maybe_sent ~= false, code
end

-- How long an answer asks to wait: seconds | nil; whether it asks in a way that nobody understands.
local function read_retry_after(self, response, refusal)
  local seconds, problem = core.header.retry_after(response.headers, self.service_time(), response.status,
    refusal.message)
  return seconds, problem ~= nil
end

-- Reads what an attempt brought: the facts for the judge, the value it is about, and what an error would tell: a
-- problem and its code, or a refusal.
local function read_attempt(self, call, response, message, maybe_sent, code)
  if not response then return { maybe_sent = maybe_sent, code = code }, nil, { message = message, code = code } end
  -- With places for what is told to the judge in any case: a table that grows is made again each time.
  local facts = { status = response.status, usable = nil, was_answered = nil, attempt = nil, authentications = nil,
    now = nil, deadline = nil, random = nil }
  if response.status >= 200 and response.status < 300 then
    local value, problem, reason = call.read(response, call)
    facts.usable = value ~= nil
    return facts, value, { message = problem, code = reason }
  end
  local refusal = refusals.read(response, self.show)
  facts.retry_after, facts.retry_after_invalid = read_retry_after(self, response, refusal)
  facts.said_code, facts.said = refusal.code, refusal.message
  facts.temporary = call.temporary ~= nil and call.temporary(response.body)
  return facts, nil, {}, refusal
end

-- An answer that is neither what was asked for nor the service's refusal may be the answer to another request, and all
-- that follow on its connection may be shifted: the driver closes it.
local function discard_unless_understood(response, value, refusal)
  local refused = refusal and refusal.code and response.status >= 400 and response.status < 500
  if value == nil and not refused and response.discard then response.discard() end
end

--- The error of a call whose time was up.
---@param before_what string "it could be sent"
---@param trouble? string what has kept it so far, if that is known; more time would not help against that
---@return mde.Error
function M.time_is_up(before_what, trouble)
  local message = "the time was up before " .. before_what
  if trouble then
    return errors.new { kind = "unavailable", code = "time_is_up", message = message .. ": " .. trouble }
  end
  return errors.new { kind = "unavailable", code = "time_is_up", message = message, hint = "Give it a longer timeout." }
end

-- The budget of an API.
local function limiter_of(self, api, is_counted)
  local limiter = self.limiters[api]
  if not limiter then
    local windows = is_counted and (self.api_windows[api] or self.windows) or {}
    -- The reserve is for releases, which no API with limits of its own serves.
    local reserve = self.api_windows[api] and 0 or self.reserve
    limiter = limiters.new { name = api, windows = windows, reserve = reserve, now = self.now, time = self.time,
      sleep = self.sleep, driver = self.driver, store = windows[1] and self.store or nil }
    self.limiters[api] = limiter
  end
  return limiter
end

-- Whether what lets a call in has ended since a moment. What had ended before that may be tried all the same.
local function ended_since(self, authorization, began)
  local ends = authorization.expires
  return ends ~= nil and ends > began and ends <= self.now()
end

-- Waits until the call may be sent. Returns what lets it in, an empty table where nothing
-- has to, and its slot; or nil and an error. The slot comes second, since it is for a call that is sent at once; where
-- what lets the call in ends in the queue, there is another.
local function admit(self, call, limiter)
  local authorization, err = {}, nil
  while true do
    if call.authorize then authorization, err = call.authorize(call.context) end
    if err then return nil, err end
    local began = self.now()
    local slot, problem = limiter:enter(call.context)
    if not slot then
      return nil, problem.paused
        and errors.new(failures.throttled(call.host, problem.paused, self.time())) or problem
    end
    if slot.waited and self.trace:on() then
      self.trace:tell { event = "queued", method = call.method, url = call.url, seconds = slot.waited }
    end
    if not ended_since(self, authorization, began) then return authorization, slot end
    limiter:give_back(slot)
  end
end

local function headers_for(self, call, authorization)
  local headers = {
    ["Accept"] = "application/json",
    ["User-Agent"] = self.user_agent,
    ["Content-Type"] = call.content_type,
    ["Authorization"] = authorization.header,
  }
  if call.headers then
    for name, value in pairs(call.headers) do headers[name] = value end
  end
  return headers
end

-- Asks whether what was decided before the wait still stands. The slot is kept meanwhile; what lets the call
-- in is replaced if it ended then. Returns that; or nil, and an error if that is why.
local function confirm(self, call, authorization)
  if not call.before_send then return authorization end
  local began = self.now()
  if not call.before_send() then return nil end
  if not ended_since(self, authorization, began) then return authorization end
  return call.authorize(call.context)
end

-- How long an attempt may take: it ends before the deadline, and before what lets it in does. What
-- lived so short that it is over already may be tried all the same.
local function seconds_for(self, call, authorization)
  local now, ends = self.now(), call.context:at()
  if authorization.expires and authorization.expires > now then ends = math.min(ends, authorization.expires) end
  return math.min(call.seconds or REQUEST_SECONDS, ends - now)
end

-- What is to be said of a Retry-After that is longer than any limit of the service; nil if it is not.
local function report_excess(self, call, facts)
  local seconds = facts.retry_after
  if not seconds or seconds <= core.outcome.MAX_WAIT_SECONDS then return nil end
  local message = ("%s asks to wait for %s seconds, of which an hour at most is believed"):format(call.host,
    core.number.whole(seconds))
  self.trace:tell { event = "warning", code = "retry_after_too_long", seconds = seconds, message = message }
  return message
end

--- Sends until there is an answer of use, a refusal, or no reason to go on.
---@param call mde.Request
---@return any value nil on failure, and where `before_send` has stopped it
---@return mde.Error? err
---@return table info attempts, sent (driver's clock) and sent_at (Unix seconds) of the last, response, retry_after,
--- verdict, spent (the attempts are used up), class: "not_sent" only if no attempt was, nil if none was made
function Requests:perform(call)
  local info = { attempts = 0, sent = nil, sent_at = nil, verdict = nil, spent = nil, response = nil, class = nil }
  local authentications, was_answered = 0, false
  local limiter = limiter_of(self, call.api, call.is_counted)
  while true do
    local authorization, slot = admit(self, call, limiter)
    if not authorization then return nil, slot, info end
    local problem
    authorization, problem = confirm(self, call, authorization)
    if not authorization then
      limiter:give_back(slot)
      return nil, problem, info
    end
    local seconds = seconds_for(self, call, authorization)
    if seconds <= 0 then
      limiter:give_back(slot)
      return nil, M.time_is_up("it could be sent", self.trouble[call.api]), info
    end

    info.attempts = info.attempts + 1
    info.sent, info.sent_at = self.now(), self.time()
    local response, message, maybe_sent, code = send(self, call, {
      method = call.method, url = call.url, headers = headers_for(self, call, authorization), body = call.payload,
      timeout = seconds, max_bytes = call.longest, max_idle = call.idle, plain = call.plain,
    })
    local facts, value, refusal
    facts, value, problem, refusal = read_attempt(self, call, response, message, maybe_sent, code)
    if response then discard_unless_understood(response, value, refusal) end
    facts.was_answered, was_answered = was_answered, was_answered or response ~= nil
    facts.attempt, facts.authentications = info.attempts - authentications, authentications
    facts.attempts_allowed = call.attempts_allowed
    facts.now, facts.deadline, facts.random = self.now(), call.context:at(), M.random()
    local verdict, delay, class, spent = core.outcome.judge(call.kind, facts)
    info.verdict, info.spent, info.response, info.retry_after = verdict, spent, response, facts.retry_after
    if info.class == nil or class ~= "not_sent" then info.class = class end
    self.trouble[call.api] = verdict ~= "done" and (problem.message or ("HTTP %d"):format(facts.status)) or nil
    if class == "not_sent" then limiter:give_back(slot) else limiter:answered(slot, class == "definite") end
    local excess = report_excess(self, call, facts)
    if facts.status == 429 then limiter:pause(delay, excess ~= nil) end

    if class == "definite" then limiter:resume() end

    if verdict == "done" then
      return value, nil, info
    elseif verdict == "authenticate" or verdict == "retry" then
      if self.trace:on() then
        self.trace:tell { event = "retry", method = call.method, url = call.url, attempt = info.attempts,
          status = facts.status, message = message, delay = delay }
      end
      if verdict == "authenticate" then
        authentications = authentications + 1
        call.invalidate(authorization, response)
      else
        self.sleep(delay)
      end
    else
      local fields = call.failure({ host = call.host, kind = call.kind, verdict = verdict, delay = delay,
        attempts = info.attempts, at = self.time(), response = response, message = problem.message, code = problem.code,
        refusal = refusal, show = self.show, authorization = authorization,
        proxy_hint = not response and proxies.hint(self.driver.proxy, problem.code) or nil }, call)
      fields.http_status = response and response.status
      fields.code = refusal and refusal.code or fields.code
      fields.request_id = fields.request_id or refusal and refusal.request_id
      if excess then fields.message = ("%s (%s)"):format(fields.message, excess) end
      return nil, errors.new(fields), info
    end
  end
end

--- What the last attempt at an API failed with.
---@param api string
---@return string?
function Requests:trouble_of(api)
  return self.trouble[api]
end

--- Asks for something that needs no credential, once, and leaves it to the caller what an answer means.
---@param url string
---@param seconds number
---@param longest integer
---@param idle number
---@return table? response
---@return string? message why there is no response
---@return string? code the driver's for that
function Requests:probe(url, seconds, longest, idle)
  local response, message, _, code = send(self, { kind = "read", host = core.url.authority(url) }, { method = "GET",
    url = url, timeout = seconds, headers = headers_for(self, {}, {}), max_bytes = longest, max_idle = idle })
  return response, message, code
end

--- How long a call would wait for the service's limits if it came now.
---@param api string
---@return number seconds
function Requests:queue(api)
  return limiter_of(self, api, true):peek().retry_after
end

--- What is left of the budget of an API.
---@param api string
---@param count integer for how many more calls the time is told
---@return mde.Peek
function Requests:peek(api, count)
  local limiter = limiter_of(self, api, true)
  local peek = limiter:peek()
  peek.seconds = limiter:seconds(count)
  return peek
end

return M
