--- trace: what happened, for those who watch, without a secret in it.
--
-- An event is a table with `event` ("request", "response", "retry", "token", "warning", "change"), `time` (Unix
-- seconds) and what belongs to it. It goes to the client's `on_event` and, with MDE_LOG=json in the environment, to
-- standard error as one line of JSON. Headers and bodies are redacted copies. What MDE_LOG says beside that is named
-- once, and nothing stops for it.

local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local posix = require "mde.posix"
local variables = require "mde.base.environment"

local MAX_BODY_BYTES = 4096
-- The newest, and the one before it, which requests in flight still carry.
local CONCEALED_TOKENS, CONCEALED_PROOFS = 2, 2

local M = {}

---@class mde.Trace
---@field private on_event? fun(event: table)
---@field private to_log boolean
---@field private secrets fun(): (string|userdata)[]
---@field private has_raised? boolean the watcher has, and that was told
---@field private tokens userdata[]
---@field private proofs userdata[]
local Trace = {}
Trace.__index = Trace

--- How MDE_LOG says that events are logged.
---@return "json"|nil
---@return mde.Error? err what it says is no way to log
function M.wanted_log()
  local value = variables.get "MDE_LOG"
  if not value then return nil end
  if core.text.lower(value) == "json" then return "json" end
  return nil, errors.new { kind = "invalid", code = "wrong_value",
    message = ("MDE_LOG is %s, which is no way to log; there is json. Nothing is logged"):format(errors.quote(value)),
    hint = "Set MDE_LOG=json, or leave it out." }
end

local has_refused = false

-- Whether events are logged. Says once, in this Lua state, that MDE_LOG says something unknown.
local function is_logged()
  local wanted, err = M.wanted_log()
  if err and not has_refused then
    has_refused = true
    io.stderr:write("mde: ", tostring(err), "\n")
  end
  return wanted == "json"
end

--- A trace of one client.
---@param on_event? fun(event: table)
---@param secrets fun(): (string|userdata)[] the values that must not appear, whatever form they take
---@return mde.Trace
function M.new(on_event, secrets)
  return setmetatable({
    on_event = on_event,
    to_log = is_logged(),
    secrets = secrets,
    tokens = {},
    proofs = {},
  }, Trace)
end

local function conceal(list, text, most)
  list[#list + 1] = core.secret.new(text)
  if #list > most then table.remove(list, 1):wipe() end
end

--- Keeps a token out of everything that is shown from now on, as the credential's own secrets are.
---@param token string
function Trace:conceal(token)
  conceal(self.tokens, token, CONCEALED_TOKENS)
end

--- The same of what a token is asked for with and that is no secret for long: an assertion, say.
---@param proof string
function Trace:conceal_proof(proof)
  conceal(self.proofs, proof, CONCEALED_PROOFS)
end

local function known_secrets(self)
  local all = {}
  for i, secret in ipairs(self.secrets()) do all[i] = secret end
  for _, token in ipairs(self.tokens) do all[#all + 1] = token end
  for _, proof in ipairs(self.proofs) do all[#all + 1] = proof end
  return all
end

--- A text without secrets: those of known places (headers, form fields, JSON) and the client's own.
---@param text string
---@return string
function Trace:redact(text)
  return core.redact.known(core.redact.text(text), known_secrets(self))
end

local function redacted_headers(self, headers)
  local copy, secrets = {}, known_secrets(self)
  for name, value in pairs(headers) do
    copy[name] = core.redact.known(core.redact.header(name, tostring(value)), secrets)
  end
  return copy
end

-- Cut before redacting, so that a page of 11 MB is not searched, and once more after it.
local function redacted_body(self, body)
  body = self:redact(body:sub(1, 16 * MAX_BODY_BYTES))
  return #body > MAX_BODY_BYTES and body:sub(1, MAX_BODY_BYTES) .. "..." or body
end

-- A line of JSON has to be UTF-8, and what came from outside may be anything.
local function as_utf8(value)
  if type(value) == "string" then return (value:gsub("[\128-\255]+", errors.escape)) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, field in pairs(value) do copy[as_utf8(name)] = as_utf8(field) end
  return copy
end

local function log(event)
  io.stderr:write(json.encode(as_utf8(event)) .. "\n")
end

---@return boolean whether anybody watches
function Trace:on()
  return self.on_event ~= nil or self.to_log
end

local function tell_raised(self, problem)
  local message = self:redact(tostring(problem))
  if self.to_log then
    log { event = "on_event raised", time = posix.clock.time(), message = message }
  else
    io.stderr:write("mde: on_event raised: ", errors.show(message), "\n")
  end
end

--- Calls what tells a watcher. What it raises is its own affair and changes nothing here; it is told once.
---@param fn fun(...)
function Trace:shield(fn, ...)
  local ok, problem = pcall(fn, ...)
  if ok or self.has_raised then return end
  self.has_raised = true
  pcall(tell_raised, self, problem)
end

--- Tells an event. `headers`, `body`, `url`, `message` and `comment` are redacted here; everything else must be clean.
--- What a run has written down was redacted then, and stays as it was written.
---@param event table of now, if it has no `time`
function Trace:tell(event)
  if not self:on() then return end
  event.time = event.time or posix.clock.time()
  if event.url then event.url = self:redact(event.url) end
  if event.headers then event.headers = redacted_headers(self, event.headers) end
  if event.body then event.body = redacted_body(self, event.body) end
  for _, name in ipairs { "message", "comment" } do
    if event[name] and not event.run then event[name] = self:redact(event[name]) end
  end
  if self.to_log then log(event) end
  if self.on_event then self:shield(self.on_event, event) end
end

return M
