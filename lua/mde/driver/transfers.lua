--- transfers: what this Lua state has in flight over libcurl, and who waits for each.
--
-- The drivers over libcurl (curl, cqueues, luv) differ in who waits how; this is what they share. There
-- is one multi handle, with its connections, for all of them, so the one who drives it finds the transfers
-- of all and tells their senders.

local authorities = require "mde.driver.ca_bundle"
local errors = require "mde.base.error"
local proxies = require "mde.base.proxy"

local M = {}

-- transfer -> tells its sender that it ended. What is in flight is what stands here: a number kept beside it could be
-- left wrong by Ctrl-C.
local senders = setmetatable({}, { __mode = "k" })
local open_drivers = 0

local function load_module()
  local ok, result = pcall(require, "mde.curl")
  if ok then return result end
  local why = tostring(result):find("^module '") and "is not installed" or "cannot be loaded: " .. errors.show(result)
  errors.invalid("libcurl_missing",
    "the C module mde.curl, which carries requests over libcurl, " .. why, "Install libcurl 7.76 or newer "
    .. "with its headers (Debian: libcurl4-openssl-dev) and build mde again, or give the client another driver.")
end

--- Raises, for the caller of the driver's `new`, what is wrong with its options.
---@param options table
---@param wanted table<string, string> the type of each option that there is
function M.check_options(options, wanted)
  for name, value in pairs(options) do
    local kind = wanted[name]
    if not kind then error(("there is no option '%s'"):format(tostring(name)), 3) end
    if type(value) ~= kind then error(("%s must be a %s"):format(name, kind), 3) end
  end
end

--- The multi handle of this Lua state.
function M.multi()
  return load_module().multi()
end

--- The same, behind a descriptor for an event loop.
function M.loop()
  local multi, message = load_module().loop()
  if not multi then error(message, 3) end
  return multi
end

--- Whether a transfer is in flight, or has ended and was not told of yet.
---@return boolean
function M.in_flight()
  return next(senders) ~= nil
end

--- Tells the senders of what has ended. Telling comes before releasing, and both may be repeated: Ctrl-C in
--- between loses nothing.
function M.tell(multi)
  local transfer = multi:finished()
  while transfer do
    local tell = senders[transfer]
    if tell then tell() end
    senders[transfer] = nil
    multi:release(transfer)
    transfer = multi:finished()
  end
end

---@class mde.driver.line a driver's share
---@field send fun(request: table): table?, string?, boolean?, string?
---@field close fun()
---@field in_flight fun(): boolean
---@field proxy? mde.DriverProxy
---@field authorities mde.Authorities[]

-- Raises for what is of no use, before there is anything to close.
local function find_authorities(ca_file)
  local library = load_module().version
  if ca_file then return authorities.check(ca_file, "ca_file", library), nil, 'option "ca_file"' end
  return authorities.of_environment(library)
end

-- A proxy's failure, with the proxy's name and where that comes from. libcurl tells neither, and not always whose
-- failure it is: where there is a proxy on the way to each host, connections are to the proxy.
local function tell_failure(line, proxy, message, maybe_sent, code)
  if line.proxy and line.proxy.everywhere and code == "connect" then code = "proxy" end
  if code == "proxy" or code == "proxy_auth" then message = proxies.failure(proxy, code, message) end
  return nil, message, maybe_sent, code
end

--- Opens a driver's share in the connections. Raises for a ca_file or a proxy that is of no use.
---@param multi table
---@param settings { ca_file: string?, proxy: string? }
---@param gate fun(): mde.gate a gate, shut, at which `send` waits
---@return mde.driver.line
function M.open(multi, settings, gate)
  local ca_file, ca_path, source = find_authorities(settings.ca_file)
  settings = { ca_file = ca_file, ca_path = ca_path, proxy = settings.proxy }
  local proxy = proxies.of_option(settings.proxy)
  local line, own, closed = { proxy = proxies.about(proxy), authorities = authorities.about(ca_file, ca_path, source) },
    {}, false
  open_drivers = open_drivers + 1

  --- Sends one request; see driver.md. An error or Ctrl-C that ends the wait takes the request back if
  --- nothing of it has gone; otherwise it goes on to its end whenever something is waited for.
  function line.send(request)
    if closed then error("the driver is closed", 2) end
    local transfer, message, maybe_sent, code = multi:start(request, settings)
    if not transfer then return nil, message, maybe_sent, code end
    local answered = gate()
    senders[transfer] = function()
      own[transfer] = nil
      answered:open()
    end
    own[transfer] = true
    local ok, err = pcall(answered.wait, answered)
    if not ok then
      if transfer:withdraw() then M.tell(multi) end
      error(err, 0)
    end
    local response
    response, message, maybe_sent, code = transfer:result()
    if not response and proxy and not request.plain then
      return tell_failure(line, proxy, message, maybe_sent, code)
    elseif not response then
      return nil, message, maybe_sent, code
    end
    response.discard = function() transfer:discard() end
    return response
  end

  --- Whether any of what was sent here is in flight.
  function line.in_flight()
    return next(own) ~= nil
  end

  --- Ends the use of the driver. The last one that is closed closes the connections, unless a request
  --- is still in flight: that one is not cut off.
  function line.close()
    if closed then return end
    closed = true
    open_drivers = open_drivers - 1
    if open_drivers == 0 and not M.in_flight() then multi:close() end
  end

  return line
end

return M
