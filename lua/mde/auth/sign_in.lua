--- sign_in: what a credential gets a token by.
--
-- A credential tells its story from top to bottom in `ask`, and sends with what stands here; every attempt, time-out
-- and judgement is the exchange's, as for any other request.

local core = require "mde.core"
local failures = require "mde.auth.failure"
local json = require "mde.base.json"
local refusal = require "mde.auth.credential.refusal"

local MAX_ANSWER_BYTES = 64 * 1024
local KEPT_ALIVE_SECONDS = 50
local ATTEMPT_SECONDS = 15

-- That the client understands a claims challenge, so that the service may revoke its tokens at once.
local CAPABILITIES = { "cp1" }

local M = {}

---@class mde.Credential a way to prove who the application is
---@field kind string "secret", "certificate", ...
---@field identity_source? string of a managed identity: what names it, if that is an option of the credential's
---@field source? string what it came from, as hints name it: a file, an option, a variable
---@field ask fun(self: mde.Credential, request: mde.TokenRequest): table?, mde.Error? the token endpoint's answer
---@field secrets fun(self: mde.Credential): (string|userdata)[] texts and mde.core secrets to keep out of every log
---@field traits? fun(self: mde.Credential): (string|userdata)[] what tells it from another one of the application;
--- its secrets by default
---@field changed? fun(self: mde.Credential): boolean whether it is another than when it was last asked
---@field about? fun(self: mde.Credential): { name: string, value: string }[] what may be shown of it
---@field remarks? fun(self: mde.Credential): string[] what is not as it should be, one line each
---@field host? fun(self: mde.Credential): string? who receives it, if that is not the token endpoint
---@field seconds? number the longest that one request for a token may take with all its attempts; default 30
---@field needs_application? boolean false: it works without the ids of tenant and application

---@class mde.TokenRequest one request for a token, with all that it takes
---@field tenant_id? string
---@field client_id? string
---@field token_url string
---@field scope string
---@field claims? table what a claims challenge asks for
---@field info? table of the last attempt: response, sent, sent_at, retry_after
---@field private call fun(call: table): table?, mde.Error?, table
---@field private clock fun(): number
---@field private clock_offset fun(): number
---@field private conceal fun(text: string)
---@field show fun(text: string): string makes a text from outside fit to be shown
local TokenRequest = {}
TokenRequest.__index = TokenRequest

---@param fields table tenant_id, client_id, token_url, scope, claims, context, call, clock, conceal, show
---@return mde.TokenRequest
function M.new(fields)
  return setmetatable(fields, TokenRequest)
end

--- The service's time, Unix seconds, as well as it is known.
---@return number
function TokenRequest:time()
  return self.clock()
end

--- By how much that differs from this machine's clock.
---@return number seconds
function TokenRequest:time_offset()
  return self.clock_offset()
end

--- What the token is for, as the older endpoints name it.
---@return string
function TokenRequest:resource()
  return (self.scope:gsub("/%.default$", ""))
end

--- Keeps a text out of everything that is shown from now on.
---@param text string
function TokenRequest:keep_secret(text)
  self.conceal(text)
end

--- Whether a table is a token endpoint's answer.
---@param answer table
---@return table? answer
---@return string? problem
function M.check_answer(answer)
  local value, kind = answer.access_token, answer.token_type
  if type(value) ~= "string" or value == "" then return nil, "it has no access_token" end
  if value:find "[^\33-\126]" then return nil, "its access_token has characters that no token has" end
  if kind ~= nil and core.text.lower(tostring(kind)) ~= "bearer" then return nil, "its token_type is not Bearer" end
  return answer
end

local function read_answer(response)
  local answer, problem = json.object(response.body)
  if not answer then return nil, problem, "not_json" end
  answer, problem = M.check_answer(answer)
  return answer, problem, "not_a_token"
end

local function send(self, call)
  call.api = "token"
  call.context = self.context
  call.seconds = ATTEMPT_SECONDS
  call.read, call.temporary = read_answer, refusal.is_temporary
  call.longest, call.idle = MAX_ANSWER_BYTES, KEPT_ALIVE_SECONDS
  call.host = core.url.authority(call.url) or call.url
  local answer, err, info = self.call(call)
  self.info = info
  return answer, err
end

local function form(fields)
  local names, parts = {}, {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  for i, name in ipairs(names) do
    parts[i] = name .. "=" .. core.odata.encode(fields[name])
  end
  return table.concat(parts, "&")
end

-- What the token is to have in it, beside what every token has.
local function claims_of(challenge)
  local claims = {}
  for name, value in pairs(challenge or {}) do claims[name] = value end
  local of_token = {}
  for name, value in pairs(type(claims.access_token) == "table" and claims.access_token or {}) do
    of_token[name] = value
  end
  of_token.xms_cc = { values = CAPABILITIES }
  claims.access_token = of_token
  return json.encode(claims)
end

--- Asks the token endpoint of the tenant.
---@param fields table<string, string> what the credential adds to the form
---@return table? answer
---@return mde.Error? err
function TokenRequest:post(fields)
  local all = { grant_type = "client_credentials", client_id = self.client_id, scope = self.scope,
    claims = claims_of(self.claims) }
  for name, value in pairs(fields) do all[name] = value end
  return send(self, { method = "POST", kind = "token", url = self.token_url, payload = form(all),
    content_type = "application/x-www-form-urlencoded", failure = failures.sign_in })
end

---@class mde.IdentityCall
---@field url string with what belongs to every request of this endpoint; the rest is added
---@field query table<string, string?>
---@field headers table<string, string>
---@field failure fun(failure: mde.Failure): table

--- Asks a managed identity's own endpoint, which is on this machine or next to it.
---@param call mde.IdentityCall
---@return table? answer
---@return mde.Error? err
function TokenRequest:get(call)
  local query, own = form(call.query), core.url.parse(call.url)
  local separator = own and own.query and "&" or "?"
  local url = query == "" and call.url or call.url .. separator .. query
  return send(self, { method = "GET", kind = "identity", url = url,
    headers = call.headers, plain = own ~= nil and own.scheme == "http", failure = call.failure })
end

return M
