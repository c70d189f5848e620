-- What every driver for an event loop promises, inside nginx: answers with the report of tests/hosts/event_loop.lua,
-- run in the phase that it is called in, or in a timer.
local resty = require "mde.driver.resty"
local raw_server = require "tests.spec.support.server.raw_server"
local suite = require "tests.hosts.nginx.suite"
local tenants = require "tests.hosts.nginx.tenant"

local M = {}

-- Has nginx call fn again and again beside this request.
local function every(seconds, fn)
  local stopped = false
  ngx.thread.spawn(function()
    while not stopped do
      fn()
      ngx.sleep(seconds)
    end
  end)
  return function() stopped = true end
end

local function run(share)
  local env = {}
  for name in ("AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_AUTHORITY_HOST MDE_BASE_URL"):gmatch "%S+" do
    env[name] = os.getenv(name)
  end
  return suite.text(suite.run(function()
    require "tests.hosts.event_loop" {
      name = "resty",
      make = function() return resty.new() end,
      serve = function()
        return tenants.of(resty.new(), os.getenv "MDE_BASE_URL", env, os.getenv "MDE_IDENTITY_URL")
      end,
      places = { { name = ngx.get_phase(), run = function(_, fn) fn() end } },
      every = every, never_blocks = true, share = share,
      raw = raw_server.attach(os.getenv "MDE_RAW_URL", os.getenv "MDE_RAW_DIRECTORY"),
    }
  end))
end

local function run_in_timer()
  local finished = require("ngx.semaphore").new(0)
  local report
  assert(ngx.timer.at(0, function()
    local ok, text = pcall(run)
    report = ok and text or "raised: " .. tostring(text)
    finished:post()
  end))
  finished:wait(280)
  return report or "the timer did not end"
end

--- Answers the request with the report.
---@param in_timer boolean? whether the tests run in a timer
---@param share integer[]? of the driver contract's tests, { 1, 2 } the first of two; default all of them
function M.answer(in_timer, share)
  local ok, text = pcall(in_timer and run_in_timer or run, share)
  ngx.status = 200
  ngx.print(ok and text or "raised: " .. tostring(text))
  ngx.exit(200)
end

return M
