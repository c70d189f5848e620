--- https_url: the https URL of a host, as people set it: also without its scheme, as Microsoft's libraries take it.

local core = require "mde.core"
local errors = require "mde.base.error"
local urls = require "mde.base.url"

local M = {}

local function valid_port(port)
  local number = tonumber(port)
  return number ~= nil and number >= 1 and number <= 65535
end

-- The host, port and path of a URL; nil if it has anything else, or none of these.
local function parts_of(url)
  local scheme = "^[hH][tT][tT][pP][sS]://"
  local host, rest = url:match(scheme .. "([A-Za-z0-9._-]+)(.*)$")
  if not host then host, rest = url:match(scheme .. "(%[[%x:.]+%])(.*)$") end
  if not host then return nil end
  local port, path = rest:match "^:(%d+)(.*)$"
  path = path or rest
  if port and not valid_port(port) or path ~= "" and not path:find "^/[A-Za-z0-9/._~-]*$" then return nil end
  return host, port, path
end

-- With https:// in front of what begins with a host. A single word could be anything, and is not taken for one.
local function with_scheme(value)
  if value:find("://", 1, true) then return value end
  local host = value:match "^[^:/]*"
  local is_host = host:find(".", 1, true) or core.text.lower(host) == "localhost" or value:find "^%["
    or value:find "^[A-Za-z0-9_-]+:%d"
  return is_host and "https://" .. value or value
end

-- As a token endpoint writes itself, which an assertion has to repeat: in lower case but for the path, and without the
-- port that is meant anyway.
local function normal(url)
  local host, port, path = parts_of(url)
  return ("https://%s%s%s"):format(core.text.lower(host), port and tonumber(port) ~= 443 and ":" .. port or "",
    (path:gsub("/+$", "")))
end

--- The URL in its normal form, without slashes at its end. Raises for anything else.
---@param value string
---@param name string by which the user set it
---@return string url
function M.check(value, name)
  if core.text.lower(value):find "^http://" then
    errors.invalid("url_insecure", ("%s is %s: only https is spoken"):format(name, urls.shown(value)),
      "Write https://.")
  end
  local url = with_scheme(value)
  if not parts_of(url) then
    errors.invalid("url_malformed", ("%s is %s, which is not the https URL of a host"):format(name, urls.shown(value)),
      "Write https://host, and nothing after it but a port.")
  end
  return normal(url)
end

--- The parts of a URL that was checked.
---@param url string
---@return string host
---@return string? port
---@return string path "" or one that begins with a slash
function M.parts(url)
  return parts_of(url)
end

return M
