--- answer: reads one answer of HTTP/1.1 from a socket of nginx's, whole or not at all.
local connection = require "mde.driver.resty.connection"
local core = require "mde.core"
local http1 = core.http1

local READ_BYTES = 65536

---@class mde.resty.reading
---@field socket table
---@field ends number
---@field buffer string what has arrived and belongs to nothing yet
---@field received boolean whether anything has arrived
---@field authority string

local M = {}

local function too_long(self, max_bytes)
  return nil, ("the answer of %s is longer than %d bytes"):format(self.authority, max_bytes), "too_large"
end

local function malformed(self, problem)
  return nil, ("the answer of %s is malformed: %s"):format(self.authority, problem), "malformed"
end

-- The next bytes, whatever arrives first; nil, a message and a code if none do.
local function receive(self)
  local bytes, err
  if connection.hurry(self.socket, self.ends) then
    bytes, err = self.socket:receiveany(READ_BYTES)
  else
    err = "timeout"
  end
  if bytes then
    self.received = true
    return bytes
  elseif err == "timeout" then
    return nil, ("no whole answer from %s in time"):format(self.authority), "timeout"
  elseif err ~= "closed" then
    return nil, ("the connection to %s broke: %s"):format(self.authority, (tostring(err):gsub("[^\32-\126]", "?"))),
      "closed"
  elseif self.received then
    return nil, ("the answer of %s ended early"):format(self.authority), "closed"
  end
  return nil, ("%s closed the connection before it answered"):format(self.authority), "closed"
end

local function read_head(self, method)
  while true do
    local head, behind, problem = http1.response_head(self.buffer, 1, method)
    if head then
      self.buffer = self.buffer:sub(behind)
      if head.status == 101 then return malformed(self, "it changes to another protocol") end
      if head.status >= 200 then return head end
    elseif behind == "too_long" then
      return nil, ("the answer of %s is too long: %s"):format(self.authority, problem), "too_large"
    elseif behind == "bad" then
      return malformed(self, problem)
    else
      local bytes, message, code = receive(self)
      if not bytes then return nil, message, code end
      self.buffer = self.buffer .. bytes
    end
  end
end

local function read_length(self, length)
  local parts, have = { self.buffer }, #self.buffer
  while have < length do
    local bytes, message, code = receive(self)
    if not bytes then return nil, message, code end
    parts[#parts + 1], have = bytes, have + #bytes
  end
  local all = table.concat(parts)
  self.buffer = all:sub(length + 1)
  return self.buffer == "" and all or all:sub(1, length)
end

local function read_chunks(self, max_bytes)
  local chunks, parts, bytes = http1.chunks(max_bytes), {}, self.buffer
  self.buffer = ""
  while true do
    local data, done, rest = chunks:feed(bytes)
    if not data then
      if done == "too_long" then return too_long(self, max_bytes) end
      return malformed(self, rest)
    end
    parts[#parts + 1] = data
    if done then
      self.buffer = rest or ""
      return table.concat(parts)
    end
    local message, code
    bytes, message, code = receive(self)
    if not bytes then return nil, message, code end
  end
end

-- A body that ends with the connection may have been cut: nginx tells nobody whether TLS was closed in order.
local function read_body(self, head, max_bytes)
  local encoding = head.headers["content-encoding"]
  if head.body == "none" or head.length == 0 then
    return ""
  elseif encoding and core.text.lower(encoding) ~= "identity" then
    return nil, ("the answer of %s is encoded (%s), which was not asked for"):format(self.authority,
      (encoding:sub(1, 40):gsub("[^\32-\126]", "?"))), "malformed"
  elseif head.body == "close" then
    return nil, ("the answer of %s does not say how long it is, so it could have been cut"):format(self.authority),
      "malformed"
  elseif head.body == "chunked" then
    return read_chunks(self, max_bytes)
  elseif head.length > max_bytes then
    return too_long(self, max_bytes)
  end
  return read_length(self, head.length)
end

--- Reads the answer to a request that has just been sent.
---@param socket table
---@param wanted mde.resty.request
---@param ends number
---@return table? response as driver.md has it
---@return string|boolean reusable whether the connection can carry another request; of a failure its message
---@return string? code of a failure
function M.read(socket, wanted, ends)
  local self = { socket = socket, ends = ends, buffer = "", received = false, authority = wanted.authority }
  local head, body, message, code
  head, message, code = read_head(self, wanted.method)
  if not head then return nil, message, code end
  body, message, code = read_body(self, head, wanted.max_bytes)
  if not body then return nil, message, code end
  return { status = head.status, headers = head.headers, body = body }, head.reusable == true and self.buffer == ""
end

return M
