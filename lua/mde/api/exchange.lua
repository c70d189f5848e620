--- exchange: one authenticated call of the service: it combines requests, the token source and the service's clock.
--
-- The service has two sides, Defender for Endpoint and Microsoft Graph (resource.lua). A client that never asks Graph
-- never gets a token for it.

local token_claims = require "mde.auth.claims"
local clocks = require "mde.sync.clock"
local core = require "mde.core"
local errors = require "mde.base.error"
local single_flights = require "mde.sync.single_flight"
local json = require "mde.base.json"
local requests_of = require "mde.request.request"
local resources_of = require "mde.api.resource"
local service_clocks = require "mde.api.service_clock"
local failures = require "mde.api.failure"
local mutexes = require "mde.sync.mutex"
local stores = require "mde.sync.store"
local token_sources = require "mde.auth.token_source"

local KEPT_ALIVE_SECONDS = 50
-- An action is not sent on a connection that the server is likely to be closing just then.
local KEPT_ALIVE_SECONDS_FOR_ACTIONS = 5
local MAX_ACTION_ANSWER_BYTES = 256 * 1024
local MAX_PAGE_BYTES = 64 * 1024 * 1024

local M = {}

---@class mde.Call what to ask the service
---@field method "GET"|"POST"|"PATCH"|"DELETE"
---@field resource? mde.ResourceName default "defender"
---@field path string after /api, or /v1.0 of Graph, percent-encoded, with its query
---@field kind "read"|"action" an action changes something and is never sent twice unseen
---@field api string ours for what the service counts by itself in its limits
---@field permission string the application permission it needs
---@field context mde.Context
---@field body? table sent as JSON
---@field answers_list? boolean of an action: it is answered with a list, which may be long
---@field may_be_empty? boolean a 2xx answer without a body is `{}`
---@field keeps_digits? boolean whole numbers beyond 2^53 are texts of their digits
---@field seconds? number the longest that one attempt may take; default 30
---@field attempts? integer the most attempts that are made; default 4
---@field usable? fun(answer: table, text: string): boolean, string? whether a decoded 2xx answer, and the text that it
--- was, is what was asked for
---@field before_send? fun(): boolean asked each time when token and slot are in hand, right before it is sent; false:
--- it is not sent, and the call returns nil without an error

---@class mde.Exchange
---@field now fun(): number
---@field time fun(): number this machine's time, Unix seconds
---@field sleep fun(seconds: number)
---@field driver mde.Driver
---@field base_url string
---@field authority string
---@field tenant_id? string
---@field client_id? string
---@field scope string
---@field cloud? string the name of the cloud
---@field credential mde.Credential
---@field clock mde.ServiceClock
---@field single_flight mde.SingleFlight
---@field mutex mde.Mutex what is written to one thing goes one after the other by it, with a store among processes
---@field requests mde.Requests
---@field token_source mde.TokenSource
---@field store? mde.Store what is shared with other processes
---@field host string of base_url
---@field named fun(hint: string): string the hint with what the settings were given by
---@field private resources table<mde.ResourceName, mde.Resource> those that were asked
---@field private connect fun(name: mde.ResourceName): mde.Resource?, mde.Error?
local Exchange = {}
Exchange.__index = Exchange

-- What tells an application from others that share a store; and whether that is certain. Of a function that gets
-- tokens nobody knows whose they are: the next client's may be those of another tenant.
local function application_of(settings)
  local credential = settings.credential
  if settings.tenant_id and settings.client_id then
    return core.text.lower(("%s|%s|%s"):format(settings.authority, settings.tenant_id, settings.client_id)), true
  end
  local traits = { credential.kind }
  for _, trait in ipairs(credential.traits and credential:traits() or {}) do traits[#traits + 1] = tostring(trait) end
  return core.text.lower(table.concat(traits, "|")), credential.traits ~= nil
end

---@param settings table driver, store, credential, authority, tenant_id, client_id, scope, base_url, trace, user_agent,
--- graph_url (or graph_doubt) and graph_scope, windows (of the service's limits), api_windows (of APIs that have limits
--- of their own), reserve
---@return mde.Exchange
function M.new(settings)
  local driver, place = settings.driver, settings.store
  local application, is_certain = application_of(settings)
  local time = clocks.of_driver(driver)
  local function store_of(what)
    return stores.new(place, application .. "|" .. what, driver, time)
  end
  local store = place and store_of(core.text.lower(settings.base_url)) or nil
  local clock, single_flight = service_clocks.new(time, settings.trace), single_flights.new(driver, time.sleep)
  local function service_time() return clock:time() end
  local requests = requests_of.new { driver = driver, clock = time, trace = settings.trace,
    user_agent = settings.user_agent, windows = settings.windows, api_windows = settings.api_windows,
    reserve = settings.reserve, store = store,
    service_time = service_time }
  local function connect(name)
    local resource, err = resources_of.new(name, settings)
    if not resource then return nil, err end
    local source = token_sources.new {
      named = resource.named,
      requests = requests, single_flight = single_flight, driver = driver, credential = settings.credential,
      tenant_id = settings.tenant_id, client_id = settings.client_id, authority = settings.authority,
      scope = resource.scope, application = application,
      store = place and is_certain and not place.on_disk and store_of(resource.scope) or nil,
      service_time = service_time,
      on_token = function(value, answer, sent) clock:hear_token(value, answer, sent) end,
    }
    resource.token_source = source
    resource.authorize = function(context) return source:token(context) end
    resource.invalidate = function(token, response) source:invalidate(token, response) end
    resource.heard = resource.tells_time and function(response) clock:hear_api(response.headers) end or nil
    return resource
  end
  local defender = assert(connect "defender")
  return setmetatable({
    connect = connect, resources = { defender = defender },
    requests = requests, token_source = defender.token_source, store = store, clock = clock,
    single_flight = single_flight, mutex = mutexes.new(driver, store), named = defender.named,
    now = time.now, time = time.time, sleep = time.sleep, driver = driver, trace = settings.trace,
    credential = settings.credential, tenant_id = settings.tenant_id, client_id = settings.client_id,
    base_url = settings.base_url, authority = settings.authority, scope = settings.scope, cloud = settings.cloud_name,
    graph_url = settings.graph_url, host = defender.host,
  }, Exchange)
end

-- ---- calls

---@class mde.AuthenticatedRequest : mde.Request
---@field usable? fun(answer: table, text: string): boolean, string?
---@field may_be_empty? boolean
---@field keeps_digits? boolean
---@field permission? string nil: nobody knows which
---@field credential mde.Credential
---@field resource mde.Resource

local function read(response, request)
  if request.may_be_empty and response.body == "" then return {} end
  local body = request.keeps_digits and core.json.digits(response.body) or response.body
  local answer, problem, text = json.object(body)
  if not answer then return nil, problem, "not_json" end
  if request.usable then
    local ok, why = request.usable(answer, text)
    if not ok then return nil, why, "not_as_asked" end
  end
  return answer
end

-- What an error of the service needs to know beside what the request knows.
local function describe(failure, request)
  local token, status = failure.authorization, failure.response and failure.response.status
  failure.permission, failure.credential, failure.resource = request.permission, request.credential.kind,
    request.resource
  local is_about_token = status == 403 or status == 401
  failure.claims = is_about_token and token and token.value and token_claims.of_token(token.value) or nil
  return failures.describe(failure)
end

--- A side of the service; nil and an error if no setting says where it is.
---@param name mde.ResourceName
---@return mde.Resource? resource
---@return mde.Error? err
function Exchange:resource(name)
  local resource, err = self.resources[name], nil
  if not resource then
    resource, err = self.connect(name)
    self.resources[name] = resource
  end
  return resource, err
end

--- A token for the service; see token_source.lua.
---@param context mde.Context
---@param name? mde.ResourceName default "defender"
---@return mde.Token? token
---@return mde.Error? err
function Exchange:token(context, name)
  local resource, err = self:resource(name or "defender")
  if not resource then return nil, err end
  return resource.token_source:token(context)
end

--- What the access token says of itself, from a token as any call gets it.
---@param context mde.Context
---@param name? mde.ResourceName default "defender"
---@return mde.Claims? claims
---@return mde.Error? err
function Exchange:token_claims(context, name)
  local resource, err = self:resource(name or "defender")
  if not resource then return nil, err end
  return resource.token_source:token_claims(context)
end

--- The host that is shown the credential.
---@return string
function Exchange:signs_in_at()
  return self.token_source:signs_in_at()
end

--- Asks for something that needs no credential, once, and leaves it to the caller what an answer means.
---@param url string
---@param seconds number
---@return table? response
---@return string? message why there is no response
---@return string? code the same for programs: the driver's, or "time_is_up"
---@return number? offset how far the host's clock is ahead of this machine's, if it told the time
function Exchange:probe(url, seconds)
  if seconds <= 0 then return nil, "the time was up", "time_is_up" end
  local before = self.time()
  local response, message, code = self.requests:probe(url, seconds, MAX_ACTION_ANSWER_BYTES, KEPT_ALIVE_SECONDS)
  if not response then return nil, message, code end
  local after, told = self.time(), response.headers.date
  local date = type(told) == "string" and core.header.date(told, after)
  return response, nil, nil, date and date - (before + after) / 2 or nil
end

--- How long a call would wait for the service's limits if it came now.
---@param api string
---@return number seconds
function Exchange:queue(api)
  return self.requests:queue(api)
end

--- What is left of the budget of an API.
---@param api string
---@param count integer for how many more calls the time is told
---@return mde.Peek
function Exchange:peek(api, count)
  return self.requests:peek(api, count)
end

--- Asks the service.
---@param call mde.Call
---@return table? answer the decoded reply
---@return mde.Error? err
---@return table info attempts, sent, sent_at, verdict, class: "not_sent" only if no attempt was, nil if none was made
function Exchange:call(call)
  local resource, problem = self:resource(call.resource or "defender")
  if not resource then return nil, problem, { attempts = 0 } end
  local action = call.kind == "action"
  local answer, err, info = self.requests:perform {
    method = call.method, kind = call.kind, api = call.api, context = call.context, seconds = call.seconds,
    attempts_allowed = call.attempts,
    host = resource.host, url = resource.base_url .. resource.root .. call.path, headers = resource.headers,
    payload = call.body and json.encode(call.body),
    content_type = call.body and "application/json; charset=utf-8",
    longest = action and not call.answers_list and MAX_ACTION_ANSWER_BYTES or MAX_PAGE_BYTES,
    idle = action and KEPT_ALIVE_SECONDS_FOR_ACTIONS or KEPT_ALIVE_SECONDS,
    is_counted = true, before_send = call.before_send,
    authorize = resource.authorize, invalidate = resource.invalidate, heard = resource.heard,
    read = read, usable = call.usable, may_be_empty = call.may_be_empty,
    keeps_digits = call.keeps_digits,
    failure = describe, permission = call.permission, credential = self.credential, resource = resource,
  }
  if err and err.hint then err = errors.derive(err, { hint = resource.named(err.hint) }) end
  return answer, err, info
end

--- Signs in, and makes sure that what time it is does not rest on one clock alone: where this machine's and the token's
--- differ, the API is asked for something small. Graph does not tell the time, and its token has to do.
---@param context mde.Context
---@param name? mde.ResourceName which is signed in to, default "defender"
---@return true?
---@return mde.Error? err the sign-in failed
function Exchange:settle_clock(context, name)
  local token, err = self:token(context, name)
  if not token then return nil, err end
  if name ~= "graph" and not self.clock:is_settled() then
    -- Whatever the answer is, it has the time in it.
    self:call { method = "GET", path = "/machines?$top=1", kind = "read", api = "machines",
      permission = "Machine.Read.All", context = context }
  end
  return true
end

return M
