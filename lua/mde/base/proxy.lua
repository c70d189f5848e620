--- proxy: the proxy on the way to a host, as an option or the environment names it, and what may be shown of it.
--
-- A password with an "@", a "/" or the like in it moves the places at which a URL is taken apart: a part of it would
-- be looked up as the proxy's name, and shown. So a URL that can be read in more than one way is refused, and nothing
-- of it is shown. Of one that can be used scheme, host and port may be shown, and nothing else.

local core = require "mde.core"
local errors = require "mde.base.error"
local variables = require "mde.base.environment"

local M = {}

---@class mde.Proxy : mde.core.url.proxy
---@field source string by which name the user set it: "https_proxy"

-- The first of these that is set is what libcurl takes for a request by https.
local VARIABLES = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

--- What names a proxy that an option gives.
M.OPTION = 'option "proxy"'

local HINT = "It is http://[user:password@]host[:port], or begins with https, socks4, socks4a, socks5 or socks5h. "
  .. "Percent-encode in the user's name and in the password what is not a letter or a digit: @ is %40, : is %3A, / is "
  .. "%2F, \\ is %5C, ? is %3F, # is %23, % is %25, a blank is %20."

--- Takes a proxy's URL apart. Raises for anything else, and for one that can be read in more than one way.
---@param url string
---@param source string by which name the user set it, for errors
---@return mde.Proxy
function M.read(url, source)
  local proxy = core.url.proxy(url)
  if not proxy then
    errors.invalid("proxy_malformed",
      ("%s is not the URL of a proxy; it is not shown, as a password may be in it"):format(source), HINT)
  end
  proxy.source = source
  return proxy
end

--- The hosts that are reached without a proxy, as the environment has it; libcurl obeys that beside an option, too.
---@return string? list
---@return string? variable
function M.exceptions()
  for _, name in ipairs { "no_proxy", "NO_PROXY" } do
    local list = variables.get(name)
    if list then return list, name end
  end
end

--- The proxy that the environment names for https. Raises as `read` does.
---@return mde.Proxy?
function M.of_environment()
  if M.exceptions() == "*" then return nil end
  for _, name in ipairs(VARIABLES) do
    local url = variables.get(name)
    if url then return M.read(url, name) end
  end
end

--- The proxy of an option, or else of the environment; nil for an empty option. Raises as `read` does.
---@param option? string
---@return mde.Proxy?
function M.of_option(option)
  if option == "" then return nil end
  return option and M.read(option, M.OPTION) or not option and M.of_environment() or nil
end

---@class mde.DriverProxy what a driver over libcurl or nginx's sockets tells of its proxy; anybody may show it
---@field shown string "http://proxy.example:3128"
---@field source string "https_proxy"
---@field everywhere boolean there is no host that is reached without it
---@field has_password boolean
---@field traits fun(): string what tells it from another one; a secret

--- What a driver tells of its proxy.
---@param proxy? mde.Proxy
---@param everywhere? boolean default whether the environment names no exceptions
---@return mde.DriverProxy?
function M.about(proxy, everywhere)
  return proxy and { shown = proxy.shown, source = proxy.source, everywhere = everywhere or not M.exceptions(),
    has_password = proxy.user ~= nil, traits = function() return proxy.shown .. " " .. (proxy.user or "") end } or nil
end

--- The message of a failure that is the proxy's.
---@param proxy mde.Proxy
---@param code "proxy"|"proxy_auth"
---@param detail string
---@return string
function M.failure(proxy, code, detail)
  if code == "proxy" then return ("%s; the proxy is %s (%s)"):format(detail, proxy.shown, proxy.source) end
  return ("the proxy %s %s: %s"):format(proxy.shown, proxy.user
    and ("refused the user and password in %s"):format(proxy.source)
    or ("wants a user and password, and %s has none"):format(proxy.source), detail)
end

--- What to do about such a failure; nil for another.
---@param proxy? mde.DriverProxy
---@param code? string
---@return string?
function M.hint(proxy, code)
  local source = proxy and proxy.source or "https_proxy"
  if code == "proxy" then
    return ("Check the proxy that %s names, and whether it lets this machine through."):format(source)
  elseif code == "proxy_auth" then
    return ("Correct the proxy's user and password in %s before you try again: it may lock an account after some wrong "
      .. "passwords."):format(source)
  end
end

return M
