--- curl: the driver for scripts: libcurl, several requests in flight from one thread.
--
-- All drivers of a Lua state share its connections. See driver.md for what a driver promises.
local loops = require "mde.driver.loop"
local transfers = require "mde.driver.transfers"

local M = {}

local KNOWN_OPTIONS = { ca_file = "string", proxy = "string", now = "function", sleep = "function" }

---@class mde.driver.curl.options
---@field ca_file string? the CA certificates to trust; nil: SSL_CERT_FILE and SSL_CERT_DIR, else libcurl's own
---@field proxy string? http://[user:password@]host[:port], percent-encoded; nil: what https_proxy and no_proxy say;
--- "": none
---@field now (fun(): number)? with `sleep`: a made-up clock, for tests. Its time passes only while
--- nothing is in flight; the time-outs of requests are real ones.
---@field sleep fun(seconds: number)?

--- A driver over libcurl.
---@param options mde.driver.curl.options?
---@return mde.Driver driver
function M.new(options)
  options = options or {}
  transfers.check_options(options, KNOWN_OPTIONS)
  if (options.now == nil) ~= (options.sleep == nil) then error("now and sleep come together", 2) end
  local multi = transfers.multi()
  local now = options.now or require("mde.posix").clock.now
  local loop, line

  local function poll(seconds)
    if options.sleep and not line.in_flight() then
      options.sleep(seconds)
    else
      multi:poll(seconds)
      transfers.tell(multi)
    end
  end

  loop = loops.new { now = now, poll = poll, under_way = transfers.in_flight }
  local function gate() return loop:gate() end
  line = transfers.open(multi, { ca_file = options.ca_file, proxy = options.proxy }, gate)

  return {
    name = "curl",
    now = now,
    proxy = line.proxy,
    authorities = line.authorities,
    send = line.send,
    sleep = function(seconds) loop:sleep(seconds) end,
    spawn = function(fn) loop:spawn(fn) end,
    gate = gate,
    close = line.close,
  }
end

return M
