-- Which values an indicator of each type may have. Written apart from the client's own rules, so that a mistake in one
-- is not undone by the same mistake in the other.
local core = require "mde.core"

local M = {}

-- For each type of hash how many hexadecimal digits it has.
local digits = { FileSha1 = 40, FileSha256 = 64, FileMd5 = 32, CertificateThumbprint = 40 }

local function is_ipv4(text)
  local parts = { text:match "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$" }
  for _, part in ipairs(parts) do
    if core.number.read(part) > 255 then return false end
  end
  return parts[1] ~= nil
end

local function is_domain(text)
  if #text > 253 or not text:find(".", 1, true) or text:find "^%." or text:find "%.$" or text:find("..", 1, true) then
    return false
  end
  for label in text:gmatch "[^.]+" do
    if #label > 63 or not label:find "^[A-Za-z0-9_][A-Za-z0-9_-]*$" or label:find "-$" then return false end
  end
  return true
end

local function is_url(text)
  local rest = text:gsub("^[Hh][Tt][Tt][Pp][Ss]?://", "")
  local host = rest:match "^([^/?#:]+)"
  return host ~= nil and not text:find "[%z\1-\32\127]" and (is_domain(host) or is_ipv4(host))
end

--- Why a value is refused: a code and a message; nil if it is taken.
---@param type string
---@param value string
---@return string? code
---@return string? message
function M.problem(type, value)
  if digits[type] then
    if #value ~= digits[type] or value:find "%X" then
      return "InvalidHashValue", ("'%s' is not a hash of the type %s."):format(value, type)
    end
  elseif type == "IpAddress" then
    local is_ipv6 = value:find "^[%x:.]+$" ~= nil and value:find ":.*:" ~= nil
    if not is_ipv4(value) and not is_ipv6 then
      return "InvalidIpAddress", ("'%s' is not an IP address."):format(value)
    end
  elseif type == "DomainName" then
    if not is_domain(value) or is_ipv4(value) then
      return "InvalidDomainName", ("'%s' is not a domain name."):format(value)
    end
  elseif not is_url(value) then
    return "InvalidUrl", ("'%s' is not a URL."):format(value)
  end
end

return M
