--- surroundings: the doctor's checks of what stands on this machine: the log, the certificates to trust, the store, the
-- proxy.
--
-- Each adds one check to a report, and says who set what it looks at.

local ca_bundle = require "mde.driver.ca_bundle"
local errors = require "mde.base.error"
local proxies = require "mde.base.proxy"
local traces = require "mde.base.trace"
local variables = require "mde.base.environment"

local M = {}

--- What MDE_LOG says.
---@param report table see doctor.lua
function M.log(report)
  local wanted, err = traces.wanted_log()
  if err then return report:add("log", "warning", err.message, err.hint, err.kind, err.code) end
  return report:add("log", "ok", wanted and "MDE_LOG: each event is a line of JSON on standard error"
    or "nothing is logged; MDE_LOG=json logs each event")
end

-- How the certificates that a driver was told to trust are named; nil if it was told of none.
local function named(authorities)
  local words = {}
  for i, one in ipairs(authorities) do words[i] = ("%s (%s)"):format(errors.show(one.path), one.source) end
  return words[1] and ("those in %s are trusted"):format(table.concat(words, " and "))
end

-- What SSL_CERT_DIR says, where it is left out although nothing but SSL_CERT_FILE is set beside it.
local function left_out(authorities)
  local only = #authorities == 1 and authorities[1].source == "SSL_CERT_FILE"
  return only and variables.get "SSL_CERT_DIR"
end

-- What is wrong with directories that are trusted beside a file; alone they have failed the settings.
local function of_no_use(authorities)
  local beside = authorities[2]
  if not beside then return nil end
  local ok, err = errors.try(ca_bundle.check_directories, beside.path, beside.source)
  return not ok and err or nil
end

--- Which certificates are trusted. What is of no use has failed the settings, or is left out beside what is.
---@param report table
---@param driver mde.Driver
function M.certificates(report, driver)
  local authorities = driver.authorities or {}
  local flaw = of_no_use(authorities)
  if flaw then
    return report:add("certificates", "warning", ("%s; %s"):format(named { authorities[1] }, flaw.message), flaw.hint)
  end
  local text = named(authorities) or driver.configured_in and ("%s says which are trusted"):format(driver.configured_in)
    or "those are trusted that the driver trusts by itself"
  local directories = left_out(authorities)
  if not directories then return report:add("certificates", "ok", text) end
  return report:add("certificates", "warning", text, ("SSL_CERT_DIR names %s, and the driver's TLS library reads no "
    .. "directory: put these certificates into the file, too."):format(errors.quote(directories)))
end

--- Whether the store is of use: it is locked, written and read.
---@param report table
---@param store? mde.Store
function M.store(report, store)
  if not store then
    return report:add("store", "ok", "none (MDE_STORE): each process keeps the service's limits and the cap by itself")
  end
  local ok, err = store:try()
  if not ok then return report:fail("store", err) end
  local text = ("%s can be locked, written and read"):format(store:name())
  if not store:is_relative() then return report:add("store", "ok", text) end
  return report:add("store", "warning", text, "It is another file in each directory where a program is started: "
    .. "write the whole path.")
end

-- How many of the hosts that were asked have answered through the proxy, to how many others a connection went through
-- it, why there was none to another, and how many have answered at all.
local function count(proxy, tries)
  local answered, connected, reached, code = 0, 0, 0, nil
  for _, one in ipairs(tries) do
    if one.answered then reached = reached + 1 end
    if one.proxied or one.answered and proxy.everywhere then
      answered = answered + 1
    elseif proxy.everywhere and (one.code or ""):find "^tls" then
      connected = connected + 1
    else
      code = one.code or code
    end
  end
  return answered, connected, code, reached
end

--- Which proxy is used, and whether requests go through it.
---@param report table
---@param driver mde.Driver
---@param tries { answered: boolean, proxied?: boolean, code?: string }[] of the hosts that were asked
function M.proxy(report, driver, tries)
  local proxy = driver.proxy
  if not proxy then return report:add("proxy", "ok", "the driver uses none") end
  local answered, connected, code, reached = count(proxy, tries)
  local text = ("%s (%s): %s"):format(errors.show(proxy.shown), errors.show(proxy.source),
    answered > 0 and "a request went through it" or connected > 0 and "connections go through it"
    or not proxy.everywhere and proxy.shown:find "^socks" and "whether a request went through it, libcurl does not tell"
    or "no request went through it")
  local hosts, name = proxies.exceptions()
  if not proxy.everywhere and hosts and answered < #tries then
    text = ("%s; %s leaves it out for %s"):format(text, name, errors.show(hosts))
  end
  if answered + connected == 0 and proxy.everywhere or code == "proxy" or code == "proxy_auth" then
    return report:add("proxy", "failed", text, proxies.hint(proxy, code) or proxies.hint(proxy, "proxy"),
      "unavailable", code or "proxy")
  end
  if answered + connected == 0 and reached == 0 then
    return report:add("proxy", "warning", text, proxies.hint(proxy, "proxy"))
  end
  return report:add("proxy", "ok", text)
end

return M
