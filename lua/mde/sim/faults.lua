-- What can be told to go wrong: rules that say which requests are meant and what happens to their answers.
--
--   { match = { method = "POST", path = "restrictCodeExecution", nth = 2 }, fault = "cut", at = "head", count = 1 }
--
-- `match`: `method`, `path` (a plain part of path and query) and `nth` (begin with the nth such request) may each be
-- left out. `count`: how many requests are hit (1; false for all). `processed`: whether the tenant acts on the request
-- before the fault. The kinds, with their own fields:
--
-- of bytes:
--
--   refuse        the connection is closed before anything is read: hits connections, so `match` has `nth` alone
--   reset         the connection is reset after the request was read; not processed by default
--   gone          processed, then the connection is closed without an answer
--   cut           the answer ends early: `at` = "nothing", "head" or "half" (of the body); `how` = "close" or "reset"
--   stall         the answer stops and the connection stays open: `at` = "nothing" (by default), "head" or "half"
--   slow          one byte each `interval` (0.05) seconds; the connection stays
--   wrong_length  Content-Length is off by `by` bytes (10; negative: too short), then the connection closes
--   malformed     no HTTP: `how` = "head", "length" (two of them, which differ) or "chunk"
--
-- of HTTP:
--
--   huge          a body of `size` bytes (100 MB)
--   gzip_bomb     Content-Encoding: gzip, which inflates to `size` bytes (100 MB)
--   deflate       Content-Encoding: deflate, which was not asked for: `format` = "zlib" or "raw"
--   interim       `times` (1) interim answers of `status` (103) before the answer
--   redirect      `status` (302) and `location`; not processed by default
--   answer        `status` (200), `headers`, `body`, as they are; not processed by default
--
-- and the service's own:
--
--   throttled     429 with a Retry-After of `seconds` (30) in a `form`: "seconds", "milliseconds", "date", "rfc850",
--                 "asctime", "text" (in the message alone), "negative", "garbage" or "none"; not processed by default
--   challenge     401 that asks for a token with other claims; not processed by default
--   skew          Date is off by `by` seconds (a day)
--   nameless      the action in the answer does not say whose it is
--   hunting_timeout  504 as Graph's hunting gives it, with an empty message; not processed by default
--
-- An answer that is lost after the action took effect is `gone`; a page of a proxy's, an action that is not known for
-- a moment (404) and the like are `answer`. How lists lag and duplicates are answered are settings: see
-- model/tenant.lua.
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local time = require "mde.sim.base.time"

local M = {}
M.__index = M

local megabyte, day = 1024 * 1024, 86400

local function is_one_of(...)
  local allowed = {}
  for _, value in ipairs { ... } do allowed[value] = true end
  return function(value) return allowed[value] == true end
end

local function is_number(value) return type(value) == "number" and value == value end
local function is_size(value) return is_number(value) and value >= 0 and value == math.floor(value) end
local function is_text(value) return type(value) == "string" end
local function is_boolean(value) return type(value) == "boolean" end

local function is_status(value) return is_size(value) and value >= 200 and value <= 599 end
local function is_interim(value) return is_size(value) and value >= 100 and value <= 199 and value ~= 101 end

-- What the server writes itself.
local framing = { ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true }

local function is_headers(value)
  if type(value) ~= "table" then return false end
  for name, text in pairs(value) do
    if not is_text(name) or not is_text(text) or (name .. text):find "[%z\r\n]" or framing[core.text.lower(name)] then
      return false
    end
  end
  return true
end

local place = is_one_of("nothing", "head", "half")

-- For each kind its own fields: how each is checked, and what it is if left out.
local kinds = {
  refuse = { processed = false },
  reset = { processed = false },
  gone = { processed = true },
  cut = { processed = true, fields = { at = { place, "half" }, how = { is_one_of("close", "reset"), "close" } } },
  stall = { processed = true, fields = { at = { place, "nothing" } } },
  slow = { processed = true, fields = { interval = { is_number, 0.05 } } },
  wrong_length = { processed = true, fields = { by = { is_number, 10 } } },
  huge = { processed = true, fields = { size = { is_size, 100 * megabyte } } },
  gzip_bomb = { processed = true, fields = { size = { is_size, 100 * megabyte } } },
  malformed = { processed = true, fields = { how = { is_one_of("head", "length", "chunk"), "head" } } },
  deflate = { processed = true, fields = { format = { is_one_of("zlib", "raw"), "zlib" } } },
  interim = { processed = true, fields = { status = { is_interim, 103 }, times = { is_size, 1 } } },
  throttled = { processed = false, fields = { seconds = { is_number, 30 }, form = { is_one_of("seconds",
    "milliseconds", "date", "rfc850", "asctime", "text", "negative", "garbage", "none"), "seconds" } } },
  challenge = { processed = false },
  skew = { processed = true, fields = { by = { is_number, day } } },
  nameless = { processed = true },
  hunting_timeout = { processed = false },
  redirect = { processed = false, fields = { status = { is_status, 302 },
    location = { is_text, "https://elsewhere.example/" } } },
  answer = { processed = false, fields = { status = { is_status, 200 }, headers = { is_headers, {} },
    body = { is_text, "" } } },
}

local matching = { method = is_text, path = is_text, nth = is_size }

local common = { fault = true, match = true, count = true, processed = true }

local function read_match(match, kind)
  if type(match) ~= "table" then error("match must be a table", 0) end
  for name, value in pairs(match) do
    if not matching[name] or not matching[name](value) then
      error(("match: '%s' does not exist or has a wrong value"):format(tostring(name)), 0)
    end
  end
  if kind == "refuse" and (match.method or match.path) then
    error("refuse hits a connection before its request is known: match can have nth alone", 0)
  end
  return { method = match.method, path = match.path, nth = match.nth or 1 }
end

local function read_rule(rule)
  local kind = type(rule) == "table" and kinds[rule.fault]
  if not kind then error("there is no fault of this kind: " .. tostring(type(rule) == "table" and rule.fault), 0) end
  local own = kind.fields or {}
  local complete = { fault = rule.fault, match = read_match(rule.match or {}, rule.fault), seen = 0, applied = 0 }
  for name in pairs(rule) do
    if not common[name] and not own[name] then
      error(("fault '%s' has no field '%s'"):format(rule.fault, tostring(name)), 0)
    end
  end
  for name, field in pairs(own) do
    local check, default = field[1], field[2]
    complete[name] = rule[name]
    if rule[name] == nil then complete[name] = default end
    if not check(complete[name]) then error(("fault '%s': wrong value for '%s'"):format(rule.fault, name), 0) end
  end
  complete.processed = kind.processed
  if rule.processed ~= nil then
    if not is_boolean(rule.processed) then error("processed must be true or false", 0) end
    complete.processed = rule.processed
  end
  complete.count = rule.count == nil and 1 or rule.count or math.huge
  if not is_number(complete.count) then error("count must be a number, or false for no limit", 0) end
  return complete
end

---@return table faults none yet
function M.new()
  return setmetatable({ rules = {} }, M)
end

--- Adds a rule; raises a message if it is malformed.
---@param rule table
function M:add(rule)
  self.rules[#self.rules + 1] = read_rule(rule)
end

function M:clear()
  self.rules = {}
end

local function meant(rule, method, target)
  local match = rule.match
  return (not match.method or core.text.upper(match.method) == method)
    and (not match.path or target:find(match.path, 1, true) ~= nil)
end

-- Every rule counts what it sees; the first that is due strikes.
local function strike(self, is_meant)
  local due
  for _, rule in ipairs(self.rules) do
    if is_meant(rule) then
      rule.seen = rule.seen + 1
      if not due and rule.seen >= rule.match.nth and rule.applied < rule.count then due = rule end
    end
  end
  if due then due.applied = due.applied + 1 end
  return due
end

--- The rule that hits this request, if any.
---@param method string
---@param target string path and query
---@return table? rule
function M:for_request(method, target)
  return strike(self, function(rule) return rule.fault ~= "refuse" and meant(rule, method, target) end)
end

--- The rule that hits this new connection, if any.
---@return table? rule
function M:for_connection()
  return strike(self, function(rule) return rule.fault == "refuse" end)
end

-- In the shape of the side that was asked. `codes`: Defender's and Microsoft Graph's.
local function refusal(status, headers, codes, message, path)
  local is_graph = path:find "^/[vV]1%.0/" ~= nil
  headers["content-type"] = "application/json; charset=utf-8"
  return { status = status, headers = headers,
    body = ('{"error":{"code":"%s","message":"%s",%s}}'):format(codes[is_graph and 2 or 1], message,
      is_graph and '"innerError":{"request-id":"rehearsed"}' or '"target":"|rehearsed."') }
end

-- How each form of Retry-After is written; `now` is the time of the answer.
local retry_after = {
  seconds = function(seconds) return "retry-after", ("%d"):format(seconds) end,
  milliseconds = function(seconds) return "retry-after-ms", ("%d"):format(seconds * 1000) end,
  date = function(seconds, now) return "retry-after", time.http(now + seconds) end,
  rfc850 = function(seconds, now) return "retry-after", time.rfc850(now + seconds) end,
  asctime = function(seconds, now) return "retry-after", time.asctime(now + seconds) end,
  negative = function(seconds) return "retry-after", ("-%d"):format(seconds) end,
  garbage = function() return "retry-after", "soon" end,
}

local canned = {}

function canned.redirect(rule)
  return { status = rule.status, headers = { location = rule.location }, body = "" }
end

function canned.answer(rule)
  local headers = { ["content-type"] = "application/json; charset=utf-8" }
  for name, value in pairs(rule.headers) do headers[core.text.lower(name)] = value end
  return { status = rule.status, headers = headers, body = rule.body }
end

function canned.throttled(rule, now, path)
  local headers, message = {}, "API calls quota exceeded!"
  if retry_after[rule.form] then
    local name, value = retry_after[rule.form](rule.seconds, now)
    headers[name] = value
  elseif rule.form == "text" then
    message = ("%s You can send requests again in %d seconds."):format(message, rule.seconds)
  end
  return refusal(429, headers, { "429", "TooManyRequests" }, message, path)
end

function canned.hunting_timeout()
  return { status = 504, headers = { ["content-type"] = "application/json" },
    body = '{"error":{"code":"UnknownError","message":"","innerError":{"date":"2026-02-03T10:11:12",'
      .. '"request-id":"00000000-0000-4000-8000-000000000504",'
      .. '"client-request-id":"00000000-0000-4000-8000-000000000504"}}}' }
end

function canned.challenge(_, _, path)
  local claims = encoding.base64url '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
  return refusal(401, { ["www-authenticate"] = ('Bearer realm="", error="insufficient_claims", claims="%s"')
    :format(claims) }, { "Unauthorized", "InvalidAuthenticationToken" }, "The access token has been revoked.", path)
end

--- The answer that takes the place of the tenant's, for the kinds that have one.
---@param rule table
---@param now number the time, Unix seconds
---@param path string of the request
---@return table? response
function M.canned_answer(rule, now, path)
  local make = canned[rule.fault]
  return make and make(rule, now, path)
end

local shapers = {}

function shapers.skew(response, rule, now)
  response.headers["date"] = time.http(now + rule.by)
end

function shapers.nameless(response)
  for _, name in ipairs { "machineId", "computerDnsName" } do
    response.body = response.body:gsub(('"%s":"[^"]*"'):format(name), ('"%s":null'):format(name))
  end
end

--- Changes what an answer says, for the kinds that leave it an answer.
---@param rule table
---@param response table changed in place
---@param now number the time, Unix seconds
function M.shape(rule, response, now)
  local shape = shapers[rule.fault]
  if shape then shape(response, rule, now) end
end

return M
