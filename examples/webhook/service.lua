--- A webhook that takes alerts and contains the devices they are about.
--
--   POST /alerts      {"id": "da637-1", "device": "laptop-17.corp.example", "severity": "High", "title": "beacon"}
--                     202, with the place to ask in Location
--   GET  /alerts/ID   its outcome
--   GET  /health      200 or 503, for a load balancer
--
-- `device` is a machine id, an Entra device id or a name; `severity` Informational, Low, Medium or High; `id`
-- 8 to 64 of A-Z a-z 0-9 . _ -  An alert that is delivered again is the same alert.
--
-- The first two are signed with a secret that both sides have (ALERT_SECRET in the environment):
--
--   X-Alert-Timestamp: 1767312000       Unix seconds, at most 300 away from this server's clock
--   X-Alert-Signature: v1=5bdcc146...   HMAC-SHA-256, in hexadecimal, of the timestamp, a full stop, and the
--                                       body as it is sent (of a GET, which has none, the path)

local cjson = require "cjson.safe"
local crypto = require "mde.crypto"
local mde = require "mde"
local resty = require "mde.driver.resty"

local WINDOW_SECONDS = 300
local SHORTEST_SECRET = 32
local RECORD_SECONDS = 7 * 24 * 3600
local READ_SECONDS, RESTRICT_SECONDS = 30, 120
-- How long an alert waits whose worker died; who works on it renews the lease.
local LEASE_SECONDS, RENEW_SECONDS = 30, 10
local ASK_AGAIN_SECONDS = 2
local HEALTH_SECONDS, HEALTH_BEFORE_SECONDS = 15, 300
-- There is no such action; being told so takes a token and the service.
local NO_ACTION = "00000000-0000-4000-8000-000000000000"

local json = cjson.new()

local alerts, client, driver, secret

local M = {}

--- Makes the client, for all workers. Called in init_by_lua_block.
function M.start()
  secret = os.getenv "ALERT_SECRET"
  if not secret or #secret < SHORTEST_SECRET then
    error(("ALERT_SECRET must be set in the environment, to at least %d characters; `openssl rand -hex 32` makes one")
      :format(SHORTEST_SECRET), 0)
  end
  alerts = assert(ngx.shared.alerts, "nginx.conf lacks lua_shared_dict alerts")
  driver = resty.new {}
  local err
  client, err = mde.client {
    driver = driver, store = assert(ngx.shared.mde, "nginx.conf lacks lua_shared_dict mde"),
    protect = { names = { "dc-*" }, tags = { "tier0" } }, cap = 25,
  }
  if not client then error(tostring(err), 0) end
end

-- ---- what the workers share

local function recall(name)
  local text = alerts:get(name)
  return text and json.decode(text)
end

local function keep(name, value, seconds)
  alerts:set(name, json.encode(value), seconds)
end

-- ---- answers

local function answer(status, value)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.say(json.encode(value))
end

-- `message` is ours, never a word of the request.
local function refuse(status, code, message)
  answer(status, { error = { code = code, message = message } })
end

local function accept(id)
  ngx.header["Location"] = "/alerts/" .. id
  answer(202, { alert = id, ask = "/alerts/" .. id })
end

-- ---- who is it

-- A header that came twice is no header.
local function header(name)
  local value = ngx.req.get_headers()[name]
  return type(value) == "string" and value or ""
end

--- Whether the request is signed and fresh. If not, it has been answered.
local function is_signed(content)
  local timestamp = header "X-Alert-Timestamp"
  local signature = header("X-Alert-Signature"):match "^v1=(%x+)$" or ""
  local code = assert(crypto.hmac_sha256(secret, timestamp .. "." .. content))
  if not crypto.equal(crypto.hex(code), signature:lower()) then
    refuse(401, "signature", "X-Alert-Signature is not that of X-Alert-Timestamp, a full stop and the content")
  elseif not timestamp:find "^%d+$" or math.abs(ngx.time() - tonumber(timestamp)) > WINDOW_SECONDS then
    refuse(401, "timestamp", ("X-Alert-Timestamp is more than %d seconds away from now"):format(WINDOW_SECONDS))
  else
    return true
  end
end

-- ---- what is it about

local severities = { Informational = true, Low = true, Medium = true, High = true }

local function is_line(value, most)
  return type(value) == "string" and #value >= 1 and #value <= most and not value:find "%c"
end

local fields = {
  { name = "id", wanted = "8 to 64 of A-Z a-z 0-9 . _ -", check = function(value)
    return is_line(value, 64) and #value >= 8 and not value:find "[^A-Za-z0-9._-]"
  end },
  { name = "device", wanted = "a machine id, an Entra device id or a name", check = function(value)
    return is_line(value, 255)
  end },
  { name = "severity", wanted = "Informational, Low, Medium or High", check = function(value)
    return severities[value] == true
  end },
  { name = "title", wanted = "a line of at most 500 bytes", check = function(value)
    return is_line(value, 500)
  end },
}

-- JSON is UTF-8, which the decoder does not look at.
local function is_utf8(text)
  local _, _, problem = ngx.re.find(text, "^", "u")
  return problem == nil
end

--- The alert of a body; or nil, status, code, message.
local function read_alert(body)
  local content = is_utf8(body) and json.decode(body)
  if type(content) ~= "table" then return nil, 400, "malformed", "the body is not a JSON object" end
  local alert = {}
  for _, field in ipairs(fields) do
    local value = content[field.name]
    if not field.check(value) then
      return nil, 422, "field", ("%s must be %s"):format(field.name, field.wanted)
    end
    alert[field.name] = value
  end
  return alert
end

-- ---- what to do

--- "restrict", or "review" and why.
local function decide(alert, machine)
  if alert.severity ~= "High" then
    return "review", "its severity is " .. alert.severity
  elseif not tostring(machine.osPlatform):find "^Windows" then
    return "review", "only Windows can be restricted"
  elseif machine:has_tag "vip" then
    return "review", "its user is to be called first"
  end
  return "restrict"
end

-- What is told of an error. Whoever sends the alert again cannot cure the first of them.
local final = { protected = true, superseded = true, invalid = true }

local function problem(err)
  if type(err) ~= "table" or not err.kind then
    ngx.log(ngx.ERR, "a bug: ", tostring(err))
    return { state = "failed", error = { kind = "internal", message = "the log of the server says why" } }
  end
  keep("last error", { kind = err.kind, at = ngx.time() }, RECORD_SECONDS)
  ngx.log(ngx.WARN, tostring(err))
  return {
    state = final[err.kind] and not err.retry_at and "refused" or "failed",
    error = { kind = err.kind, message = tostring(err), rule = err.rule, retry_at = err.retry_at },
  }
end

--- What becomes of an alert.
local function handle(alert)
  local machine, err = client:machine(alert.device, { timeout = READ_SECONDS })
  if not machine then return problem(err) end
  local decision, reason = decide(alert, machine)
  if decision ~= "restrict" then return { state = "review", reason = reason } end
  local action
  action, err = client:restrict(machine, mde.comment(alert.title), { key = alert.id, timeout = RESTRICT_SECONDS })
  if not action then return problem(err) end
  return { state = "restricting", outcome = action.outcome, action = { id = action.id, status = action.status } }
end

-- ---- the record of each alert: pending, review, refused, failed, restricting, restricted

local function read(id)
  return recall("alert " .. id)
end

local function write(id, device, record)
  record.alert, record.device = id, device
  keep("alert " .. id, record, RECORD_SECONDS)
end

local function needs_work(record)
  return record == nil or record.state == "pending" or record.state == "failed"
end

-- Keeps the lease of an alert until the gate opens.
local function keep_lease(alert, ended)
  while not ended:wait(RENEW_SECONDS) do alerts:set("lease " .. alert.id, true, LEASE_SECONDS) end
end

local function work(alert)
  local ended = driver.gate()
  driver.spawn(function() keep_lease(alert, ended) end)
  local ok, result = pcall(handle, alert)
  write(alert.id, alert.device, ok and result or problem(result))
  ended:open()
  alerts:delete("lease " .. alert.id)
end

--- Has the alert worked on, unless somebody is or was: one of all workers holds its lease. If that cannot be, nil.
local function begin(alert)
  local leads, why = alerts:add("lease " .. alert.id, true, LEASE_SECONDS)
  if not leads then return why == "exists" end
  if not needs_work(read(alert.id)) then
    alerts:delete("lease " .. alert.id)
    return true
  end
  write(alert.id, alert.device, { state = "pending" })
  local taken, message = driver.detach(function() work(alert) end)
  if taken then return true end
  ngx.log(ngx.ERR, message)
  alerts:delete("alert " .. alert.id)
  alerts:delete("lease " .. alert.id)
end

--- POST /alerts
function M.deliver()
  if ngx.req.get_method() ~= "POST" then
    ngx.header["Allow"] = "POST"
    return refuse(405, "method", "alerts are delivered by POST")
  end
  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  if body == "" and ngx.req.get_body_file() then return refuse(413, "too_large", "an alert has at most 16 KB") end
  if not is_signed(body) then return end
  if header("Content-Type"):lower():match "^[^;%s]*" ~= "application/json" then
    return refuse(415, "content_type", "an alert is application/json")
  end
  local alert, status, code, message = read_alert(body)
  if not alert then return refuse(status, code, message) end
  local record = read(alert.id)
  if record and record.device ~= alert.device then
    return refuse(409, "device", "this alert was delivered before, for another device")
  end
  if needs_work(record) and not begin(alert) then
    ngx.header["Retry-After"] = "5"
    return refuse(503, "busy", "too much is under way; deliver it again")
  end
  accept(alert.id)
end

-- Asks the service how far the action is. Of many who want to know at the same time, one asks.
local function refresh(record)
  if not alerts:add("asked " .. record.alert, true, ASK_AGAIN_SECONDS) then return end
  local action, err = client:action(record.action.id, { timeout = READ_SECONDS })
  if not action then
    ngx.log(ngx.WARN, tostring(err))
    return
  end
  record.action.status = action.status
  if action.status == "Succeeded" then
    record.state = "restricted"
  elseif action.status ~= "Pending" and action.status ~= "InProgress" then
    record.state, record.error = "failed", { kind = "failed", message = "the action ended as " .. action.status }
  end
  write(record.alert, record.device, record)
end

--- GET /alerts/ID
function M.tell()
  if ngx.req.get_method() ~= "GET" then
    ngx.header["Allow"] = "GET"
    return refuse(405, "method", "the outcome of an alert is asked by GET")
  end
  if not is_signed(ngx.var.uri) then return end
  local record = read(ngx.var.uri:match "^/alerts/([A-Za-z0-9._-]+)$" or "")
  if not record then return refuse(404, "not_found", "no such alert was delivered lately") end
  if record.state == "restricting" then
    refresh(record)
  elseif record.state == "pending" and not alerts:get("lease " .. record.alert) then
    record = read(record.alert) or record
    if record.state == "pending" then record.error = { kind = "interrupted", message = "deliver it again" } end
  end
  answer(200, record)
end

-- ---- health

-- What one worker finds out holds for all, for a while. While it does, the others tell what was found before.
local function find_health()
  if not alerts:add("health asked", true, ASK_AGAIN_SECONDS * 3) then
    return recall "health before" or { status = "failing", kind = "not known yet" }
  end
  local _, err = client:action(NO_ACTION, { timeout = 5 })
  local kind = type(err) == "table" and err.kind or "none"
  local health = { status = "ok" }
  if kind ~= "not_found" and kind ~= "throttled" then health = { status = "failing", kind = kind } end
  keep("health", health, HEALTH_SECONDS)
  keep("health before", health, HEALTH_BEFORE_SECONDS)
  alerts:delete "health asked"
  return health
end

--- GET /health: whether the service gives this one a token and answers; and the last error of an alert.
function M.health()
  local health = recall "health" or find_health()
  local last = recall "last error"
  if last then health.last_error = { kind = last.kind, seconds_ago = ngx.time() - last.at } end
  answer(health.status == "ok" and 200 or 503, health)
end

return M
