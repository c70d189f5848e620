--- curl: the driver for scripts: libcurl, several requests in flight from one thread.
--
-- All drivers of a Lua state share its connections. See driver.md for what a driver promises.
local authorities = require "mde.authorities"
local loops = require "mde.driver.loop"

local curl = {}

-- transfer -> tells its sender that it ended. Shared, since whoever polls finds the transfers of all.
local senders = setmetatable({}, { __mode = "k" })
local in_flight_of_all, open_drivers = 0, 0

local function load_module()
  local ok, result = pcall(require, "mde.curl")
  if ok then return result end
  error("the C module mde.curl is missing: build mde with libcurl's headers installed (Debian: "
    .. "libcurl4-openssl-dev; CMake: -DMDE_CURL=ON), or give the client another driver\n" .. tostring(result), 3)
end

-- Telling comes before releasing, and both may be repeated: Ctrl-C in between loses nothing.
local function tell_senders(multi)
  local transfer = multi:finished()
  while transfer do
    local tell = senders[transfer]
    if tell then tell() end
    multi:release(transfer)
    transfer = multi:finished()
  end
end

local function check_options(options)
  for name, value in pairs(options) do
    local wanted = (name == "ca_file" or name == "proxy") and "string"
      or (name == "now" or name == "sleep") and "function"
    if not wanted then error(("there is no option '%s'"):format(tostring(name)), 3) end
    if type(value) ~= wanted then error(("%s must be a %s"):format(name, wanted), 3) end
  end
  if (options.now == nil) ~= (options.sleep == nil) then error("now and sleep come together", 3) end
end

-- Raises for a file that is of no use, before there is anything to close.
local function find_authorities(ca_file)
  if ca_file then return authorities.check(ca_file, "ca_file") end
  local named = os.getenv "SSL_CERT_FILE"
  return named and named ~= "" and authorities.check(named, "SSL_CERT_FILE") or nil
end

---@class mde.driver.curl.options
---@field ca_file string? the CA certificates to trust; nil: SSL_CERT_FILE, else libcurl's own
---@field proxy string? nil: what https_proxy and no_proxy say; "": none
---@field now (fun(): number)? with `sleep`: a made-up clock, for tests. Its time passes only while
--- nothing is in flight; the time-outs of requests are real ones.
---@field sleep fun(seconds: number)?

--- A driver over libcurl.
---@param options mde.driver.curl.options?
---@return mde.Driver driver
function curl.new(options)
  options = options or {}
  check_options(options)
  local settings = { ca_file = find_authorities(options.ca_file), proxy = options.proxy }
  local module = load_module()
  local multi = module.multi()
  local now = options.now or require("mde.core").system.now
  local in_flight, closed = 0, false
  open_drivers = open_drivers + 1

  local function poll(seconds)
    if options.sleep and in_flight == 0 then
      options.sleep(seconds)
    else
      multi:poll(seconds)
      tell_senders(multi)
    end
  end

  local loop = loops.new { now = now, poll = poll, under_way = function() return in_flight_of_all > 0 end }
  local driver = { name = "curl", now = now }

  --- Sends one request; see driver.md. An error or Ctrl-C that ends the wait takes the request back if
  --- nothing of it has gone; otherwise it goes on to its end whenever something is waited for.
  function driver.send(request)
    if closed then error("the driver is closed", 2) end
    local transfer, message, maybe_sent = multi:start(request, settings)
    if not transfer then return nil, message, maybe_sent end
    local gate, finished = loop:gate(), false
    in_flight, in_flight_of_all = in_flight + 1, in_flight_of_all + 1
    senders[transfer] = function()
      if not finished then
        finished = true
        in_flight, in_flight_of_all = in_flight - 1, in_flight_of_all - 1
      end
      gate:open()
    end
    local ok, err = pcall(gate.wait, gate)
    if not ok then
      transfer:withdraw()
      error(err, 0)
    end
    return transfer:result()
  end

  function driver.sleep(seconds)
    loop:sleep(seconds)
  end

  function driver.spawn(fn)
    loop:spawn(fn)
  end

  function driver.gate()
    return loop:gate()
  end

  --- Ends the use of this driver. The last one that is closed closes the connections, unless a request
  --- is still in flight: that one is not cut off.
  function driver.close()
    if closed then return end
    closed = true
    open_drivers = open_drivers - 1
    if open_drivers == 0 and in_flight_of_all == 0 then multi:close() end
  end

  return driver
end

return curl
