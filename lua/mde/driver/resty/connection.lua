--- connection: a verified TLS connection on nginx's own sockets, from nginx's pools or new, also through a proxy.
--
-- nginx reads its certificates and name servers from its configuration and from nowhere else, so what goes wrong is
-- told with the directive to set.
local core = require "mde.core"
local errors = require "mde.base.error"
local gate = require "mde.driver.resty.gate"
local posix = require "mde.posix"
local proxies = require "mde.base.proxy"
local semaphore = require "ngx.semaphore"
local http1, now = core.http1, posix.clock.now

local MAX_MILLISECONDS = 1000000000
local PROXY_PORT = 80
local PROXY_AUTHENTICATION_REQUIRED = 407
local READ_BYTES = 65536
local POLL_SECONDS = 1

local RESOLVER = "set resolver in nginx.conf to a name server (resolver 127.0.0.53 ipv6=off;)"
local AUTHORITY = "if that is the right host, point lua_ssl_trusted_certificate in nginx.conf at the certificates to "
  .. "trust (Debian: /etc/ssl/certs/ca-certificates.crt), and set lua_ssl_verify_depth 3"
local NAME = "it was issued for another name: check the URL, the DNS and any proxy in between"
local ADDRESS = "nginx compares names only: use the host's name instead of its address"
local TIME = "renew it, or set this machine's clock right"
local VERSION = "TLS 1.2 or newer is required"
local UNKNOWN_REASON = "nginx's error log says why"

local M = {}

-- ---- what went wrong

local function visible(detail)
  return (tostring(detail):gsub("[^\32-\126]", "?"))
end

-- nginx tells what went wrong in words alone. They are read here and nowhere else: a message and a code come of them.
local function connect_failure(name, err)
  if err == "timeout" then return ("no connection to %s in time"):format(name), "timeout" end
  if err:find("no resolver defined", 1, true) then
    return ("could not resolve host %s: nginx knows no name server; %s"):format(name, RESOLVER), "resolver"
  end
  local detail = err:match "could not be resolved %((.*)%)"
  if detail then return ("could not resolve host %s: %s"):format(name, visible(detail)), "resolve" end
  return ("could not connect to %s: %s"):format(name, visible(err)), "connect"
end

local function certificate_code(reason)
  if reason == UNKNOWN_REASON then return "tls_certificate" end
  if reason:find("expired", 1, true) or reason:find("not yet valid", 1, true) then return "tls_expired" end
  return reason == "certificate host mismatch" and "tls_name" or "tls_untrusted"
end

local function certificate_advice(target, code)
  if code == "tls_expired" then return TIME end
  if code == "tls_untrusted" or code == "tls_certificate" then return AUTHORITY end
  return M.is_address(target.host) and ADDRESS or NAME
end

-- The number before the reason is OpenSSL's; where there is another reason than OpenSSL's, it is of an earlier failure.
-- nginx tells the last of several reasons, which for a chain that is too long is that its authority is not known.
local function handshake_failure(target, err)
  local name, reason = target.authority, err:gsub("^%d+: ", "")
  if reason == "timeout" then return ("no connection to %s in time"):format(name), "timeout" end
  if reason == "handshake failed" or reason == "closed" then
    return ("TLS with %s failed: %s (%s)"):format(name, reason, VERSION), "tls"
  end
  local code = certificate_code(reason)
  return ("the TLS certificate of %s was not accepted: %s; %s"):format(name, visible(reason),
    certificate_advice(target, code)), code
end

-- ---- steps on the way

--- Gives a socket's next operation what is left of the time.
---@return boolean in_time
function M.hurry(socket, ends)
  local milliseconds = math.ceil((ends - now()) * 1000)
  if milliseconds <= 0 then return false end
  milliseconds = math.min(milliseconds, MAX_MILLISECONDS)
  socket:settimeouts(milliseconds, milliseconds, milliseconds)
  return true
end

---@param host string
---@return boolean
function M.is_address(host)
  return core.url.is_address(host)
end

-- A name may take nginx as long as resolver_timeout says, whatever the socket's own time-out.
local function connect(socket, host, port, options, ends)
  if not M.hurry(socket, ends) then return nil, "timeout" end
  if M.is_address(host) then
    return socket:connect(host:find(":", 1, true) and "[" .. host .. "]" or host, port, options)
  end
  local done, ok, err = gate.new(), nil, nil
  local thread = ngx.thread.spawn(function()
    ok, err = socket:connect(host, port, options)
    done:open()
  end)
  if not done:wait(ends - now()) then
    ngx.thread.kill(thread)
    return nil, "timeout"
  end
  ngx.thread.wait(thread)
  return ok, err
end

-- Asks the proxy for a tunnel. nil, what went wrong and a code if there is none.
local function tunnel(socket, proxy, target, ends)
  local to = ("%s:%d"):format(target.host:find(":", 1, true) and "[" .. target.host .. "]" or target.host, target.port)
  local bytes, err = socket:send { "CONNECT ", to, " HTTP/1.1\r\nHost: ", to, "\r\n", proxy.authorization, "\r\n" }
  local answer = ""
  while bytes do
    local head, behind, problem = http1.response_head(answer, 1, "CONNECT")
    -- A refusal is one however it goes on: nothing else is read from this connection.
    local status = head and head.status
      or behind ~= "more" and core.number.read(answer:match "^HTTP/1%.[01] (%d%d%d)[ \r]" or "")
    if status and status >= 300 then
      return nil, ("it answered %d to CONNECT"):format(status),
        status == PROXY_AUTHENTICATION_REQUIRED and "proxy_auth" or "proxy"
    elseif head and head.status >= 200 and behind > #answer then
      return true
    elseif head then
      return nil, "its answer to CONNECT is not one", "proxy"
    elseif behind ~= "more" then
      return nil, "its answer is malformed: " .. problem, "proxy"
    end
    if not M.hurry(socket, ends) then return nil, "timeout", "timeout" end
    bytes, err = socket:receiveany(READ_BYTES)
    answer = answer .. (bytes or "")
  end
  return nil, err, err == "timeout" and "timeout" or "proxy"
end

-- How often the connections to a host were given up, in this worker. nginx lets nobody close one that idles in a pool,
-- so those from before are left in pools that nobody asks any more.
local discarded = {}

-- Every property that makes one connection unlike another. A password must not stand in nginx's debug log.
local function pool_of(target, proxy)
  local place = target.host .. "|" .. target.port
  local round = discarded[place] or 0
  if target.plain then return ("mde|http|%s|idle %s|%d"):format(place, core.number.write(target.max_idle), round) end
  return ("mde|https|%s|sni %s|verified|idle %s|%s|%d"):format(place, target.host, core.number.write(target.max_idle),
    proxy and ngx.md5(proxy.authority .. "|" .. proxy.authorization) or "direct", round)
end

--- Has no further request go over a connection to that host that is open now.
---@param host string
---@param port integer
function M.discard(host, port)
  local place = host .. "|" .. port
  discarded[place] = (discarded[place] or 0) + 1
end

---@class mde.resty.proxy
---@field shown string
---@field source string
---@field user? string
---@field authority string
---@field host string
---@field port integer
---@field authorization string a header line, or nothing

--- What a tunnel through a proxy takes. Raises for a proxy that is spoken to by something else than http.
---@param proxy mde.Proxy
---@return mde.resty.proxy
function M.proxy(proxy)
  if proxy.scheme ~= "http" then
    errors.invalid("proxy_unsupported",
      ("%s begins with %s://, and in nginx a proxy is spoken to by http alone"):format(proxy.source, proxy.scheme),
      "Name a proxy by http://[user:password@]host[:port].")
  end
  return { shown = proxy.shown, source = proxy.source, user = proxy.user, authority = proxy.authority,
    host = proxy.host, port = proxy.port or PROXY_PORT,
    authorization = proxy.user and ("Proxy-Authorization: Basic %s\r\n"):format(ngx.encode_base64(proxy.user)) or "" }
end

-- ---- the whole way

-- Has nginx look once for what has arrived, which is when it closes connections in its pools on which something has. A
-- sleep of no length alone ends before that, unless it begins when events that were posted are handled.
local function poll()
  local posted = semaphore.new(0)
  local thread = ngx.thread.spawn(function()
    posted:wait(POLL_SECONDS)
    ngx.sleep(0)
  end)
  posted:post()
  ngx.thread.wait(thread)
end

local function handshake(socket, target, ends)
  if not M.hurry(socket, ends) then return nil, "timeout" end
  local ok, err = socket:sslhandshake(false, target.host, true)
  if not ok then return nil, tostring(err) end
  -- nginx's Lua module 0.10.23 reports a refused certificate as success if the whole handshake was done at once, as
  -- can happen within one machine. It has closed the connection then.
  if not socket:getreusedtimes() then return nil, UNKNOWN_REASON end
  return true
end

--- A connection over which nothing of the request has gone yet.
---@param target { authority: string, host: string, port: integer, max_idle: number, plain: boolean? }
---@param proxy mde.resty.proxy?
---@param ends number
---@return table? socket
---@return string? message
---@return string? code
function M.open(target, proxy, ends)
  poll()
  local socket = ngx.socket.tcp()
  proxy = not target.plain and proxy or nil
  local first = proxy or target
  local ok, err = connect(socket, first.host, first.port, { pool = pool_of(target, proxy) }, ends)
  if not ok then
    local message, code = connect_failure(proxy and ("%s, the proxy on the way to %s"):format(proxy.authority,
      target.authority) or target.authority, err)
    return nil, message, proxy and (code == "connect" or code == "resolve") and "proxy" or code
  end
  if target.plain or socket:getreusedtimes() > 0 then return socket end
  if proxy then
    local code
    ok, err, code = tunnel(socket, proxy, target, ends)
    if not ok then
      socket:close()
      if code == "proxy_auth" then
        return nil, proxies.failure(proxy, code, ("no way to %s: %s"):format(target.authority, err)), code
      end
      return nil, ("the proxy %s gave no tunnel to %s: %s; check the proxy option")
        :format(proxy.authority, target.authority, visible(err)), code
    end
  end
  ok, err = handshake(socket, target, ends)
  if ok then return socket end
  socket:close()
  local message, code = handshake_failure(target, err)
  return nil, message, code
end

return M
