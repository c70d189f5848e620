--- A webhook that takes alerts and contains the devices they are about.
--
--   POST /alerts      {"id": "da637551227677560813_-961444813"}
--                     {"id": "siem-17-1", "device": "laptop-17.corp.example", "severity": "High", "title": "beacon"}
--                     202, with the place to ask in Location
--   GET  /alerts/ID   its outcome, and that of each device
--   GET  /health      200 or 503, for a load balancer
--
-- An id alone is that of an alert of the service. The alert is read, each of its devices that was hit is restricted
-- under its incident, and what was done is written to the alert as a comment. One for which a device was restricted
-- is in progress then. With the three others it is an alert from elsewhere, about one device, and nothing is read or
-- written. An alert that is delivered again is the same alert.
--
-- `id` is 8 to 64 of A-Z a-z 0-9 . _ -  `device` is a machine id, an Entra device id or a name; `severity`
-- Informational, Low, Medium or High.
--
-- Restricting needs Machine.Read.All and Machine.RestrictExecution. An id alone needs Alert.ReadWrite.All beside them
-- (Alert.Read.All reads the alert, and nothing can be written to it). These alerts have one device each. With
-- ALERT_SOURCE=graph in the environment the alert is read from Microsoft Graph, which has all its devices and the part
-- of each: SecurityAlert.ReadWrite.All of Graph.
--
-- POST and GET of alerts are signed with a secret that both sides have (ALERT_SECRET in the environment):
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

local alerts, client, driver, secret, source

local M = {}

--- Makes the client, for all workers. Called in init_by_lua_block.
function M.start()
  secret = os.getenv "ALERT_SECRET"
  if not secret or #secret < SHORTEST_SECRET then
    error(("ALERT_SECRET must be set in the environment, to at least %d characters; `openssl rand -hex 32` makes one")
      :format(SHORTEST_SECRET), 0)
  end
  source = os.getenv "ALERT_SOURCE" or "defender"
  if source ~= "defender" and source ~= "graph" then
    error(("ALERT_SOURCE must be defender or graph, not %s"):format(mde.show(source)), 0)
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

-- Whether a body names an alert of the service, by its id alone.
local function is_reference(content)
  return content.device == nil and content.severity == nil and content.title == nil
end

--- The alert of a body; or nil, status, code, message.
local function read_alert(body)
  local content = is_utf8(body) and json.decode(body)
  if type(content) ~= "table" then return nil, 400, "malformed", "the body is not a JSON object" end
  local alert, is_alone = {}, is_reference(content)
  for _, field in ipairs(fields) do
    local value = content[field.name]
    if not field.check(value) and not (is_alone and field.name ~= "id") then
      return nil, 422, "field", ("%s must be %s"):format(field.name, field.wanted)
    end
    alert[field.name] = value
  end
  return alert
end

-- ---- what to do

--- Why a person is to decide about a device, if so.
local function reason_to_ask(alert, machine)
  if tostring(alert.severity):lower() ~= "high" then
    return "its severity is " .. mde.show(alert.severity or "not known")
  elseif alert.status == "resolved" then
    return "the alert is resolved already"
  elseif not tostring(machine.osPlatform):find "^Windows" then
    return "only Windows can be restricted"
  elseif machine:has_tag "vip" then
    return "its user is to be called first"
  end
end

-- What is told of an error. The first of these are not cured by sending the alert again.
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

--- Restricts a device, or leaves it and says why; or nil and an error.
local function contain(device, alert, options)
  if type(device) == "table" and not device.is_target then
    return { state = "review", reason = device.problem or "it was only seen nearby" }
  end
  local machine, err = client:machine(device, { timeout = READ_SECONDS })
  if not machine then return nil, err end
  local reason = reason_to_ask(alert, machine)
  if reason then return { state = "review", reason = reason } end
  local action
  action, err = client:restrict(machine, mde.comment(alert.title or "an alert without a title"), options)
  if not action then return nil, err end
  return { state = "restricting", outcome = action.outcome, action = { id = action.id, status = action.status } }
end

-- An alert has come as far as the device that needs most.
local function state_of(devices)
  local has = {}
  for _, device in ipairs(devices) do has[device.state] = true end
  for _, state in ipairs { "failed", "restricting", "refused", "review", "restricted" } do
    if has[state] then return state end
  end
end

-- What comes of a device, whatever goes wrong.
local function outcome_of(device, alert, options)
  local ok, outcome, err = pcall(contain, device, alert, options)
  if not ok or not outcome then outcome = problem(ok and err or outcome) end
  outcome.device = tostring(device)
  return outcome
end

--- What comes of all devices of an alert, side by side: one that has to wait keeps none of the others waiting. Not by
--- client:each, which shares what it has read for up to a minute: an alert is decided by how its devices are now.
local function contain_all(alert, devices, options)
  if #devices == 0 then return { state = "review", reason = "it names no device" } end
  local outcomes, ended = {}, {}
  for i, device in ipairs(devices) do
    ended[i] = driver.gate()
    driver.spawn(function()
      outcomes[i] = outcome_of(device, alert, options)
      ended[i]:open()
    end)
  end
  for _, gate in ipairs(ended) do gate:wait() end
  return { state = state_of(outcomes), devices = outcomes }
end

-- The same words whenever the same was done: a comment that is there already is not written again.
local function line_about(device)
  local what = device.action and ("action %s restricts it"):format(device.action.id)
    or device.reason and "left: " .. device.reason
    or device.state == "refused" and "left: " .. device.error.message
    or "not restricted yet: " .. device.error.kind
  return ("%s: %s"):format(device.device, what)
end

--- Writes to an alert of the service what was done. One for which nothing was restricted stays new: nobody is on it.
local function report(alert, record)
  if alert.status == "resolved" then return end
  local lines, status = {}, nil
  for i, device in ipairs(record.devices or {}) do
    lines[i] = line_about(device)
    if device.action and alert.status == "new" then status = "inProgress" end
  end
  local comment = mde.comment(record.devices and table.concat(lines, "; ") or "left: " .. record.reason)
  local written, err = alert:update({ status = status, comment = comment }, { timeout = READ_SECONDS })
  if written then return end
  record.error, record.state = problem(err).error, "failed"
end

--- Reads an alert of the service and works it off; its record.
local function handle_reference(id)
  local alert, err = client:alert(id, { source = source, timeout = READ_SECONDS })
  if not alert then return problem(err) end
  local record = contain_all(alert, alert.devices, alert:options { timeout = RESTRICT_SECONDS })
  report(alert, record)
  return record
end

--- Works an alert off; its record.
local function handle(alert)
  if not alert.device then return handle_reference(alert.id) end
  return contain_all(alert, { alert.device }, { key = alert.id, timeout = RESTRICT_SECONDS })
end

-- ---- the record of each alert, and of each of its devices: review, refused, failed, restricting, restricted. An
-- alert that is being worked on is pending.

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
    return refuse(409, "device", "this alert was delivered before, with another device or as another kind")
  end
  if needs_work(record) and not begin(alert) then
    ngx.header["Retry-After"] = "5"
    return refuse(503, "busy", "too much is under way; deliver it again")
  end
  accept(alert.id)
end

-- Asks the service how far the action of a device is; whether it was told.
local function follow(device)
  local action, err = client:action(device.action.id, { timeout = READ_SECONDS })
  if not action then
    ngx.log(ngx.WARN, tostring(err))
    return false
  end
  device.action.status = action.status
  if action.status == "Succeeded" then
    device.state = "restricted"
  elseif action.status ~= "Pending" and action.status ~= "InProgress" then
    device.state, device.error = "failed", { kind = "failed", message = "the action ended as " .. action.status }
  end
  return true
end

-- Of many who want to know at the same time how far an alert is, one asks.
local function refresh(record)
  if not alerts:add("asked " .. record.alert, true, ASK_AGAIN_SECONDS) then return end
  local before = alerts:get("alert " .. record.alert)
  for _, device in ipairs(record.devices) do
    if device.state == "restricting" and not follow(device) then break end
  end
  if not record.error then record.state = state_of(record.devices) end
  -- Unless it has been worked on since.
  if alerts:get("alert " .. record.alert) == before then write(record.alert, record.device, record) end
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
  if record.devices then
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
