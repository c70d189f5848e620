-- The tenant over HTTPS, on cqueues and luaossl: HTTP/1.1 with kept-alive connections, heads and chunks read by the
-- core's http1. Whatever a client sends costs it its own connection at most.
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local signal = require "cqueues.signal"
local socket = require "cqueues.socket"
local core = require "mde.core"
local control = require "mde.sim.server.control"
local deflate = require "mde.sim.server.deflate"
local gzip = require "mde.sim.server.gzip"
local http1 = core.http1

local M = {}
M.__index = M

-- Seconds, and bytes.
local HANDSHAKE_SECONDS, REQUEST_SECONDS, WRITE_SECONDS, DRAIN_SECONDS = 10, 30, 60, 2
local MAX_HEAD_BYTES, MAX_BODY_BYTES, MAX_DRAINED_BYTES, READ_BYTES = 64 * 1024, 4 * 1024 * 1024, 1024 * 1024, 64 * 1024

-- From how many bytes on a list is packed.
local MIN_PACKED_BYTES = 16 * 1024

local reasons = {
  [200] = "OK", [201] = "Created", [204] = "No Content", [301] = "Moved Permanently", [302] = "Found",
  [307] = "Temporary Redirect", [308] = "Permanent Redirect", [400] = "Bad Request", [401] = "Unauthorized",
  [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed", [408] = "Request Timeout",
  [413] = "Content Too Large", [414] = "URI Too Long", [415] = "Unsupported Media Type", [429] = "Too Many Requests",
  [431] = "Request Header Fields Too Large", [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

---- one connection: reading

local connection = {}
connection.__index = connection

-- Reads what has arrived into the buffer; false when nothing more comes in time.
function connection:fill(seconds)
  local bytes = self.socket:xread(-READ_BYTES, "bn", seconds)
  if not bytes or bytes == "" then return false end
  self.buffer = self.buffer .. bytes
  return true
end

-- The next request's head; or nil and the status of the refusal, if there is somebody to refuse.
function connection:read_head()
  local deadline
  while true do
    if self.buffer ~= "" then
      local head, next_position = http1.request_head(self.buffer, 1)
      if head then
        self.buffer = self.buffer:sub(next_position)
        return head
      elseif next_position ~= "more" then
        return nil, 400
      elseif #self.buffer > MAX_HEAD_BYTES then
        return nil, 431
      end
      deadline = deadline or cqueues.monotime() + REQUEST_SECONDS
    end
    if not self:fill(deadline and math.max(0, deadline - cqueues.monotime()) or self.server.idle) then
      return nil, self.buffer ~= "" and 408 or nil
    end
  end
end

function connection:read_length(length, deadline)
  local parts, have = { self.buffer }, #self.buffer
  while have < length do
    local bytes = self.socket:xread(-READ_BYTES, "bn", math.max(0, deadline - cqueues.monotime()))
    if not bytes or bytes == "" then return nil, 400 end
    parts[#parts + 1], have = bytes, have + #bytes
  end
  local all = table.concat(parts)
  self.buffer = all:sub(length + 1)
  return all:sub(1, length)
end

function connection:read_chunks(deadline)
  local reader, parts = http1.chunks(MAX_BODY_BYTES), {}
  while true do
    if self.buffer ~= "" then
      local data, done, rest = reader:feed(self.buffer)
      if not data then return nil, done == "too_long" and 413 or 400 end
      parts[#parts + 1] = data
      self.buffer = done and rest or ""
      if done then return table.concat(parts) end
    end
    if not self:fill(math.max(0, deadline - cqueues.monotime())) then return nil, 400 end
  end
end

function connection:read_body(head)
  if head.body == "none" then return nil end
  if head.body == "length" and head.length > MAX_BODY_BYTES then return nil, 413 end
  if core.text.lower(head.headers["expect"] or "") == "100-continue" then
    self:write "HTTP/1.1 100 Continue\r\n\r\n"
  end
  local deadline = cqueues.monotime() + REQUEST_SECONDS
  if head.body == "chunked" then return self:read_chunks(deadline) end
  return self:read_length(head.length, deadline)
end

---- one connection: writing

-- False once the other side takes nothing more.
function connection:write(bytes)
  if self.broken or bytes == "" then return not self.broken end
  local written = self.socket:xwrite(bytes, "bn", WRITE_SECONDS)
  if not written then self.broken = true end
  return not self.broken
end

local function head_of(response, framing, close)
  local lines = { ("HTTP/1.1 %d %s"):format(response.status, reasons[response.status] or "Status") }
  for name, value in pairs(response.headers) do
    lines[#lines + 1] = ("-" .. name):gsub("%-[a-z]", core.text.upper):sub(2) .. ": " .. value
  end
  lines[#lines + 1] = framing
  if close then lines[#lines + 1] = "Connection: close" end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function length_of(bytes)
  return ("Content-Length: %d"):format(bytes)
end

-- Sends an answer whole; the API's own come in chunks, as the service's do. To HEAD there is no body, whatever it says.
function connection:respond(response, close, chunked)
  local body = response.body
  if self.method == "HEAD" then return self:write(head_of(response, length_of(#body), close)) end
  if response.status == 204 or response.status == 304 then return self:write(head_of(response, nil, close)) end
  if chunked and body ~= "" then
    return self:write(("%s%x\r\n%s\r\n0\r\n\r\n")
      :format(head_of(response, "Transfer-Encoding: chunked", close), #body, body))
  end
  return self:write(head_of(response, length_of(#body), close) .. body)
end

-- Whether a client takes gzip: it says so, and not with a weight of nothing.
local function takes_gzip(headers)
  for item in ((headers["accept-encoding"] or "") .. ","):gmatch "([^,]*)," do
    local name, parameters = item:match "^%s*([A-Za-z0-9-]+)%s*(.*)$"
    if name == "gzip" then return not parameters:find "^;%s*q%s*=%s*0%.?0*%s*$" end
  end
  return false
end

-- Packs a long list, as the service does, for a client that takes it so.
local function pack(head, response)
  if head.method ~= "GET" or response.status ~= 200 or #response.body < MIN_PACKED_BYTES
      or not head.target:find "^/api/" or not takes_gzip(head.headers) then
    return
  end
  local packed = gzip.pack(response.body)
  if not packed then return end
  response.body = packed
  response.headers["content-encoding"], response.headers["vary"] = "gzip", "Accept-Encoding"
end

---- one connection: going wrong

-- Closes with a reset: lingering is switched off, which cqueues cannot do and luasocket can.
local function reset(tcp)
  local handle = require("socket").tcp()
  handle:setfd(tcp:pollfd())
  handle:setoption("linger", { on = true, timeout = 0 })
  handle:setfd(-1)
  tcp:close()
end

local function wait_for_end(self)
  repeat until not self.socket:xread(-READ_BYTES, "bn", 3600)
end

local spoilers = {}

function spoilers.gone() end

function spoilers.reset(self) reset(self.socket) end

function spoilers.cut(self, rule, response)
  if rule.at ~= "nothing" then
    local body = rule.at == "half" and response.body:sub(1, math.floor(#response.body / 2)) or ""
    self:write(head_of(response, length_of(math.max(1, #response.body))) .. body)
  end
  if rule.how == "reset" then reset(self.socket) end
end

function spoilers.stall(self, rule, response)
  spoilers.cut(self, { at = rule.at }, response)
  wait_for_end(self)
end

function spoilers.slow(self, rule, response)
  local bytes = head_of(response, length_of(#response.body)) .. response.body
  for i = 1, #bytes do
    if not self:write(bytes:sub(i, i)) then return end
    cqueues.sleep(rule.interval)
  end
  return true
end

function spoilers.wrong_length(self, rule, response)
  self:write(head_of(response, length_of(math.max(0, #response.body + rule.by))) .. response.body)
end

function spoilers.huge(self, rule, response)
  local piece, left = (" "):rep(READ_BYTES), rule.size
  local going = self:write(head_of(response, length_of(left)))
  while going and left > 0 do
    going = self:write(left >= #piece and piece or piece:sub(1, left))
    left = left - #piece
  end
end

function spoilers.malformed(self, rule, response)
  local length, body = length_of(#response.body), response.body
  if rule.how == "head" then return self:write("HTTP/1.1 2x0 OK\r\n" .. length .. "\r\n\r\n" .. body) end
  if rule.how == "length" then
    length = length .. "\r\n" .. length_of(#body + 1)
  else
    length, body = "Transfer-Encoding: chunked", "zz\r\n" .. body .. "\r\n0\r\n\r\n"
  end
  self:write(head_of(response, length) .. body)
end

function spoilers.gzip_bomb(self, rule, response)
  local bomb = gzip.zeros(math.max(1, rule.size))
  response.headers["content-encoding"] = "gzip"
  self:write(head_of(response, length_of(bomb.length)))
  bomb.write(function(bytes) self:write(bytes) end)
end

-- These say themselves what the bytes are.
local never_packed = { answer = true, deflate = true, gzip_bomb = true, huge = true }

-- What stays an answer, and the connection open.
local dressings = {}

function dressings.interim(self, rule)
  self:write(("HTTP/1.1 %d Interim\r\n\r\n"):format(rule.status):rep(rule.times))
end

function dressings.deflate(_, rule, response)
  if response.body == "" then return end
  response.headers["content-encoding"] = "deflate"
  response.body = deflate.stored(response.body, rule.format)
end

---- one connection: from request to answer

-- HTTP/1.1 asks for one host, by name.
local function names_host(head)
  return head.version == "1.0" or (head.headers["host"] or ""):find "^[^%s,/?#@]+$" ~= nil
end

local function wants_close(head)
  local header = core.text.lower(head.headers["connection"] or "")
  if header:find("close", 1, true) then return true end
  return head.version == "1.0"
end

-- Answers what cannot be understood. Then it reads on for a moment: to close with bytes unread would reset the
-- connection, and the answer could be lost.
function connection:refuse(status)
  local deadline, left = cqueues.monotime() + DRAIN_SECONDS, MAX_DRAINED_BYTES
  self:respond(self.server.tenant:complete { status = status, headers = {}, body = "" }, true)
  self.socket:shutdown "w"
  while left > 0 do
    local bytes = self.socket:xread(-READ_BYTES, "bn", math.max(0, deadline - cqueues.monotime()))
    if not bytes then return end
    left = left - #bytes
  end
end

function connection:answer(head, body)
  local request = { method = head.method, url = head.target, headers = head.headers, body = body,
    plain = self.entrance.plain }
  local tenant, close = self.server.tenant, wants_close(head)
  if self.entrance.for_control or (not self.entrance.plain and control.owns(head.target)) then
    return self:respond(tenant:complete(control.answer(tenant, request)), close) and not close
  end
  local rule = tenant.faults:for_request(head.method, head.target)
  local latency = self.server.latency
  if latency > 0 then cqueues.sleep(latency / 2) end
  local response = rule and tenant:handle_with(rule, request) or tenant:handle(request)
  if latency > 0 then cqueues.sleep(latency / 2) end
  if not (rule and never_packed[rule.fault]) then pack(head, response) end
  local spoil = rule and spoilers[rule.fault]
  if spoil then
    return spoil(self, rule, response) and not close or false
  end
  local dress = rule and dressings[rule.fault]
  if dress then dress(self, rule, response) end
  return self:respond(response, close, not close and head.target:find "^/api/" ~= nil) and not close
end

-- Serves requests until the connection is of no more use.
function connection:serve()
  while true do
    local head, status = self:read_head()
    local body
    if head then
      self.method = head.method
      if names_host(head) then body, status = self:read_body(head) else status = 400 end
    end
    if status then self:refuse(status) end
    if not head or status then return end
    if not self:answer(head, body) then return end
  end
end

local function report(message)
  io.stderr:write("mde sim: ", tostring(message), "\n")
end

-- Errors of the world are results here, not raised.
local function pass_on(_, _, code) return code end

function M:accept(tcp, entrance)
  tcp:onerror(pass_on)
  tcp:setmode("bn", "bn")
  local refused = not entrance.for_control and self.tenant.faults:for_connection()
  if not refused and (entrance.plain or tcp:starttls(entrance.context, HANDSHAKE_SECONDS)) then
    local client = setmetatable({ server = self, entrance = entrance, socket = tcp, buffer = "" }, connection)
    local ok, message = xpcall(client.serve, debug.traceback, client)
    if not ok then
      report(message)
      client:refuse(500)
    end
  end
  tcp:close()
end

---- all connections

local function listen(host, port)
  local listener = socket.listen { host = host, port = port, reuseaddr = true, v6only = host == "::1" }
  listener:onerror(pass_on)
  local ok, code = listener:listen()
  if not ok then
    listener:close()
    return nil, code
  end
  return listener
end

-- One listener for each address of localhost, on the same port. A machine without IPv6 has one.
local function listen_on_both(port)
  local first, code = listen("127.0.0.1", port)
  if not first then return nil, code end
  local _, _, bound = first:localname()
  local second
  second, code = listen("::1", bound)
  if not second and code == errno.EADDRINUSE then
    first:close()
    return nil, code
  end
  return { first, second }, bound
end

-- A port and what is behind it.
local function new_entrance(wanted_port, context, for_control)
  local listeners, port
  for _ = 1, wanted_port == 0 and 10 or 1 do
    listeners, port = listen_on_both(wanted_port)
    if listeners then
      return { port = port, listeners = listeners, context = context, plain = context == nil,
        for_control = for_control }
    end
  end
  return nil, ("port %d cannot be bound: %s. %s"):format(wanted_port, errno.strerror(port),
    port == errno.EADDRINUSE and "Something else listens there: stop it, or choose another port." or
    "Choose another port.")
end

--- A server without a port.
---@param tenant mde.sim.tenant
---@param latency number seconds that each request takes
---@param idle number seconds after which a connection is closed on which nothing is asked
---@return table server
function M.new(tenant, latency, idle)
  return setmetatable({ tenant = tenant, latency = latency, idle = idle, entrances = {} }, M)
end

--- Opens a port of localhost.
---@param port integer 0 for any that is free
---@param context userdata? from `keys.server_context`; nil: plain http, for the endpoints of managed identities alone
---@param for_control boolean? true: nothing but the simulator's own requests, and no faults
---@return integer? port
---@return string? message
function M:open(port, context, for_control)
  local entrance, message = new_entrance(port, context, for_control)
  if not entrance then return nil, message end
  self.entrances[#self.entrances + 1] = entrance
  return entrance.port
end

function M:take_connections(listener, entrance)
  while not self.stopped do
    -- Otherwise the first answer waits until the client has acknowledged what ends the handshake: 40 ms.
    local tcp = listener:accept { nodelay = true }
    if tcp then
      self.loop:wrap(function() self:accept(tcp, entrance) end)
    else
      -- Out of descriptors, most likely: a moment later some are free again.
      cqueues.sleep(0.1)
    end
  end
end

local function wait_for_signal(self)
  local listener = signal.listen(signal.SIGINT, signal.SIGTERM)
  listener:wait()
  self.stopped = true
end

local function wait_for_end_of_input(self)
  self.input_task = coroutine.running()
  repeat cqueues.poll { pollfd = 0, events = "r" } until not io.stdin:read(1)
  self.stopped = true
end

--- Serves until SIGINT or SIGTERM.
---@param options { until_eof: boolean?, ready: fun()? }? `until_eof`: also until standard input ends; `ready` is called
--- as soon as a signal ends this call and not the process
function M:run(options)
  options = options or {}
  self.loop = cqueues.new()
  signal.block(signal.SIGINT, signal.SIGTERM)
  signal.ignore(signal.SIGPIPE)
  if options.ready then options.ready() end
  for _, entrance in ipairs(self.entrances) do
    for _, listener in pairs(entrance.listeners) do
      self.loop:wrap(function() self:take_connections(listener, entrance) end)
    end
  end
  self.loop:wrap(function() wait_for_signal(self) end)
  if options.until_eof then self.loop:wrap(function() wait_for_end_of_input(self) end) end
  while not self.stopped do
    local ok, message, _, task = self.loop:step()
    if not ok and task and task == self.input_task then
      -- Standard input is a file or /dev/null, which cannot be waited for and soon ends.
      self.stopped = true
    elseif not ok then
      report(message)
    end
  end
  for _, entrance in ipairs(self.entrances) do
    for _, listener in pairs(entrance.listeners) do listener:close() end
  end
end

return M
