--- request: what a request may look like, and its bytes in HTTP/1.1. The same is refused as mde.curl refuses.
local core = require "mde.core"

local DEFAULT_TIMEOUT, DEFAULT_MAX_BYTES, DEFAULT_MAX_IDLE = 30, 64 * 1024 * 1024, 50
-- The integers that a double holds exactly.
local MAX_BYTES = 9007199254740991

-- What says where a request ends, and to whom it goes, is the driver's own.
local own_headers = { connection = true, ["content-length"] = true, host = true, ["transfer-encoding"] = true }

local has_body = { POST = true, PUT = true, PATCH = true }

---@class mde.resty.request
---@field bytes string[] head and body
---@field method string
---@field authority string host and port as they stand in the URL
---@field host string without brackets
---@field port integer
---@field plain boolean http, and no proxy
---@field timeout number
---@field max_bytes number
---@field max_idle number

local M = {}

local function refuse(level, format, ...)
  error(format:format(...), level + 1)
end

local function check_text(value, name, level)
  if type(value) ~= "string" then refuse(level + 1, "%s must be a string, not %s", name, type(value)) end
end

-- Not by a pattern, which would take longer over a token than everything else here together.
local function breaks_line(text)
  return text:find("\r", 1, true) or text:find("\n", 1, true) or text:find("\0", 1, true)
end

local function number_of(given, name, otherwise, level)
  local value = given[name]
  if value == nil then return otherwise end
  if type(value) ~= "number" then refuse(level + 1, "%s must be a number, not %s", name, type(value)) end
  if value ~= value or value < 0 then refuse(level + 1, "%s must not be negative", name) end
  return value
end

--- Takes a URL apart; raises for one that cannot be meant.
---@param url string
---@param level integer
---@param plain? boolean whether it is http, as a request's `plain` says
---@return string authority
---@return string host
---@return integer port
---@return string target
function M.take_apart(url, level, plain)
  check_text(url, "url", level + 1)
  local authority, host, port, target = core.url.request(url, plain)
  if not authority then refuse(level, "%s", host) end
  -- It knows no zones, and reads no /etc/hosts.
  if host:find("%", 1, true) then refuse(level, "url names a host with a zone, which nginx does not know") end
  if plain and core.url.class(host) == "this_machine" and not core.url.is_address(host) then host = "127.0.0.1" end
  return authority, host, port, target
end

local function header_lines(given, level)
  local headers = given.headers or {}
  if type(headers) ~= "table" then refuse(level + 1, "headers must be a table, not %s", type(headers)) end
  local lines, encoding = {}, false
  for name, value in pairs(headers) do
    if type(name) ~= "string" then refuse(level + 1, "a header's name is not a string") end
    if not core.header.is_token(name) then refuse(level + 1, "a header's name has a character that is not allowed") end
    check_text(value, "header " .. name, level + 1)
    if breaks_line(value) then refuse(level + 1, "header %s has a line break or NUL in it", name) end
    if own_headers[core.text.lower(name)] then refuse(level + 1, "header %s is the driver's own", name) end
    encoding = encoding or core.text.lower(name) == "accept-encoding"
    lines[#lines + 1] = name .. ": " .. value .. "\r\n"
  end
  if not encoding then lines[#lines + 1] = "Accept-Encoding: identity\r\n" end
  return table.concat(lines)
end

--- Reads a request as driver.md has it; raises what is wrong with it.
---@param given table
---@param level integer whose place the error tells, as `error` counts
---@return mde.resty.request
function M.read(given, level)
  if type(given) ~= "table" then refuse(level, "a request must be a table, not %s", type(given)) end
  local method, body = given.method, given.body
  check_text(method, "method", level)
  if not core.header.is_token(method) then refuse(level, "method is not one word") end
  local plain = given.plain
  if plain ~= nil and type(plain) ~= "boolean" then refuse(level, "plain must be a boolean, not %s", type(plain)) end
  local authority, host, port, target = M.take_apart(given.url, level, plain)
  if body ~= nil then check_text(body, "body", level) end
  local length = (body or has_body[method]) and ("Content-Length: %d\r\n"):format(#(body or "")) or ""
  return {
    method = method, authority = authority, host = host, port = port, plain = plain or false,
    timeout = number_of(given, "timeout", DEFAULT_TIMEOUT, level),
    max_bytes = math.min(number_of(given, "max_bytes", DEFAULT_MAX_BYTES, level), MAX_BYTES),
    max_idle = number_of(given, "max_idle", DEFAULT_MAX_IDLE, level),
    bytes = { method, " ", target, " HTTP/1.1\r\nHost: ", authority, "\r\nConnection: keep-alive\r\n",
      header_lines(given, level), length, "\r\n", body or "" },
  }
end

return M
