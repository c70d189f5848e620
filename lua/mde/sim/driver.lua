-- The tenant as a driver in the same process (see mde/driver/driver.md): no socket, no waiting but on the tenant's own
-- clock, and the same faults as on the wire as far as a caller can tell them apart.
local core = require "mde.core"
local loop = require "mde.driver.loop"

local M = {}

local CUT = "the connection was closed before the answer was complete"

-- Under these names the tenant is reached.
local hosts = {
  ["login.microsoftonline.com"] = true,
  ["api.security.microsoft.com"] = true,
  ["api.securitycenter.microsoft.com"] = true,
  ["localhost"] = true,
  ["login.microsoftonline.us"] = true,
  ["api-gcc.securitycenter.microsoft.us"] = true,
  ["api-gov.securitycenter.microsoft.us"] = true,
  ["graph.microsoft.com"] = true,
  ["graph.microsoft.us"] = true,
  ["dod-graph.microsoft.us"] = true,
}

-- And under these the endpoints of managed identities, over plain http.
local plain_hosts = { ["169.254.169.254"] = true, ["127.0.0.1"] = true, ["localhost"] = true }

local function check_text(name, value)
  if type(value) ~= "string" then error(("request: %s must be a string"):format(name), 4) end
end

-- Returns the host and the target. What the other drivers refuse is refused here, too.
local function check_request(request)
  check_text("method", request.method)
  check_text("url", request.url)
  local authority, host, _, target = core.url.request(request.url, request.plain)
  if not authority then error("request: " .. host, 3) end
  for name, value in pairs(request.headers or {}) do
    check_text("a header's name", name)
    check_text("header " .. name, value)
    if (name .. value):find "[%z\r\n]" then error("request: a header holds a line break or NUL", 3) end
  end
  if request.body ~= nil then check_text("body", request.body) end
  return host, target
end

-- What leaves; the caller may change the request as soon as it has its answer, which can be before this arrives.
local function snapshot(request)
  local headers = {}
  for name, value in pairs(request.headers or {}) do headers[name] = value end
  return { method = request.method, url = request.url, headers = headers, body = request.body, plain = request.plain }
end

local function too_long(max_bytes)
  return nil, ("the answer is longer than %d bytes"):format(max_bytes), true, "too_large"
end

-- What arrives as an answer, whatever it says.
local unspoilt = { redirect = true, answer = true, throttled = true, challenge = true, skew = true, nameless = true,
  interim = true, deflate = true, hunting_timeout = true }

-- What a fault makes of the tenant's answer; `wait` sleeps as long as the caller is willing to.
local function spoil(rule, response, request, wait, sleep)
  local kind = rule.fault
  if unspoilt[kind] then return response end
  if kind == "gone" then return nil, "the connection was closed without an answer", true, "closed" end
  if kind == "reset" then return nil, "the connection was reset by the other side", true, "closed" end
  if kind == "cut" then return nil, CUT, true, "closed" end
  if kind == "malformed" then return nil, "the answer is malformed", true, "malformed" end
  if kind == "stall" then
    wait()
    return nil, "timed out", true, "timeout"
  elseif kind == "slow" then
    local seconds = #response.body * rule.interval
    if request.timeout and seconds > request.timeout then
      wait()
      return nil, "timed out", true, "timeout"
    end
    sleep(seconds)
    return response
  elseif kind == "wrong_length" then
    if rule.by > 0 then return nil, CUT, true, "closed" end
    response.body = response.body:sub(1, math.max(0, #response.body + rule.by))
    return response
  end
  if request.max_bytes and rule.size > request.max_bytes then return too_long(request.max_bytes) end
  response.body = (kind == "huge" and " " or "\0"):rep(rule.size)
  return response
end

local function poll_for(clock)
  if clock.made_up then return clock.advance end
  return require("mde.posix").clock.sleep
end

--- A driver that reaches this tenant.
---@param tenant mde.sim.tenant
---@param options { latency: number? }? `latency`: seconds that each request takes
---@return table driver
function M.new(tenant, options)
  options = options or {}
  for name in pairs(options) do
    if name ~= "latency" then error(("tenant:driver: there is no option '%s'"):format(tostring(name)), 3) end
  end
  local latency, sending = options.latency or 0, 0
  local events = loop.new { now = tenant.clock.now, poll = poll_for(tenant.clock),
    under_way = function() return sending > 0 end }
  local self = { name = "sim", now = tenant.clock.now }

  local function sleep(seconds)
    if seconds > 0 then events:sleep(seconds) end
  end

  local function exchange(request, host, target)
    if not (request.plain and plain_hosts or hosts)[core.text.lower(host)] then
      return nil, ("could not resolve host: %s"):format(host), false, "resolve"
    end
    local timeout = request.timeout or math.huge
    if tenant.faults:for_connection() then
      return nil, "the connection was refused", false, "connect"
    end
    local rule = tenant.faults:for_request(request.method, target)
    local sent = snapshot(request)
    local function arrive()
      return rule and tenant:handle_with(rule, sent) or tenant:handle(sent)
    end
    -- The request arrives after half of the latency, whether or not somebody still waits for the answer then.
    local half = latency / 2
    if half > timeout then
      events:spawn(function()
        sleep(half)
        arrive()
      end)
      sleep(timeout)
      return nil, "timed out", true, "timeout"
    end
    sleep(half)
    local response = arrive()
    if latency > timeout then
      sleep(timeout - half)
      return nil, "timed out", true, "timeout"
    end
    sleep(half)
    if rule then
      local message, maybe_sent, code
      response, message, maybe_sent, code = spoil(rule, response, request,
        function() sleep(request.timeout or 30) end, sleep)
      if not response then return nil, message, maybe_sent, code end
    end
    if request.max_bytes and #response.body > request.max_bytes then return too_long(request.max_bytes) end
    return response
  end

  local function sent(...)
    sending = sending - 1
    return ...
  end

  function self.send(request)
    local host, target = check_request(request)
    sending = sending + 1
    return sent(exchange(request, host, target))
  end

  function self.sleep(seconds) events:sleep(seconds) end
  function self.spawn(fn) events:spawn(fn) end
  function self.gate() return events:gate() end
  return self
end

return M
