--- resty: the driver for nginx with its Lua module and for OpenResty: nginx's own sockets, so that a worker goes on
-- with its other work while a call of ours waits.
--
-- nginx.conf needs resolver, lua_ssl_trusted_certificate and lua_ssl_verify_depth 3; `check` looks at start whether
-- they do. See driver.md for what a driver promises.
local answer = require "mde.driver.resty.answer"
local connection = require "mde.driver.resty.connection"
local gate = require "mde.driver.resty.gate"
local job_queues = require "mde.driver.resty.job_queue"
local phase = require "mde.driver.resty.phase"
local proxies = require "mde.base.proxy"
local request = require "mde.driver.resty.request"
local semaphores = require "mde.driver.resty.semaphore"
local now = require("mde.posix").clock.now

local QUEUE_LIMIT, PARALLEL = 1000, 16
local CHECK_SECONDS = 15
-- nginx takes no number of milliseconds that is too large for its clock.
local MAX_SLEEP_SECONDS = 3600

local M = {}

-- ---- options

local option_types = { proxy = "string", queue = "number", parallel = "number" }

local function check_options(options)
  if options.ca_file ~= nil then
    error("ca_file cannot be set from Lua in nginx: set lua_ssl_trusted_certificate in nginx.conf", 3)
  end
  for name, value in pairs(options) do
    local wanted = option_types[name]
    if not wanted then error(("there is no option '%s'"):format(tostring(name)), 3) end
    if type(value) ~= wanted then error(("%s must be a %s"):format(name, wanted), 3) end
    if wanted == "number" and not (value >= 1 and value % 1 == 0) then
      error(("%s must be a whole number above 0"):format(name), 3)
    end
  end
end

local function read_proxy(url)
  if url == nil or url == "" then return nil end
  return connection.proxy(proxies.read(url, proxies.OPTION))
end

-- ---- sending

local function exchange(wanted, proxy, ends)
  local socket, message, code = connection.open(wanted, proxy, ends)
  if not socket then return nil, message, false, code end
  if not connection.hurry(socket, ends) then
    socket:close()
    return nil, ("no connection to %s in time"):format(wanted.authority), false, "timeout"
  end
  local sent, err = socket:send(wanted.bytes)
  if not sent then
    socket:close()
    return nil, ("the request to %s could not be sent: %s"):format(wanted.authority,
      (tostring(err):gsub("[^\32-\126]", "?"))), true, err == "timeout" and "timeout" or "closed"
  end
  local response, reusable
  response, reusable, code = answer.read(socket, wanted, ends)
  if not response then
    socket:close()
    return nil, reusable, true, code
  end
  if not (reusable and wanted.max_idle > 0 and socket:setkeepalive(wanted.max_idle * 1000)) then socket:close() end
  local host, port = wanted.host, wanted.port
  response.discard = function() connection.discard(host, port) end
  return response
end

-- ---- the driver

---@class mde.driver.resty.options
---@field proxy string? http://[user:password@]host[:port], percent-encoded; nil or "": none (nginx hides https_proxy
--- from its workers)
---@field queue integer? the most detached calls in one worker, beyond which they are refused (1000)
---@field parallel integer? how many of their requests may be in flight at once to one host (16)

--- A driver over nginx's sockets. May be made in init_by_lua.
---@param options mde.driver.resty.options?
---@return mde.Driver driver
function M.new(options)
  options = options or {}
  check_options(options)
  local proxy = read_proxy(options.proxy)
  local detached = job_queues.new(options.queue or QUEUE_LIMIT)
  local at_once, per_host = options.parallel or PARALLEL, {}
  local driver = { name = "resty", configured_in = "nginx.conf", now = now, proxy = proxies.about(proxy, true) }

  local function revive() detached:revive() end

  -- Detached calls go on without the one who would have been patient, so they must not pile up at a slow service.
  local function in_turn(wanted, ends)
    local key = wanted.host .. "|" .. wanted.port
    local of_host = per_host[key]
    if not of_host then
      of_host = semaphores.new(at_once)
      per_host[key] = of_host
    end
    -- What is sent late has too little time left to be answered, and then its outcome is unknown.
    local slot = of_host:take(ends, ends - wanted.timeout / 2)
    if not slot then
      return nil, ("%d requests to %s were in flight all the time, which is the limit (option parallel of the driver)")
        :format(at_once, wanted.authority), false, "busy"
    end
    local ok, response, message, maybe_sent, code = pcall(exchange, wanted, proxy, ends)
    of_host:give(slot)
    if not ok then error(response, 0) end
    return response, message, maybe_sent, code
  end

  --- Sends one request; see driver.md. Raises in a phase of nginx that cannot wait.
  function driver.send(given)
    local wanted = request.read(given, 2)
    phase.check()
    local ends = now() + wanted.timeout
    if detached:is_inside() then return in_turn(wanted, ends) end
    return exchange(wanted, proxy, ends)
  end

  function driver.sleep(seconds)
    phase.check()
    local ends = now() + seconds
    repeat
      ngx.sleep(math.max(0.001, math.min(ends - now(), MAX_SLEEP_SECONDS)))
    until now() >= ends
  end

  --- Runs fn() in a light thread of the caller's own request.
  function driver.spawn(fn)
    phase.check()
    ngx.thread.spawn(fn)
  end

  function driver.gate()
    return gate.new(revive)
  end

  --- Runs fn() in a timer, so that it goes on when the caller's request has ended. It may be refused.
  ---
  --- Neither fn nor what it calls may use local variables of a function that has not returned: when nginx drops a
  --- request, it clears the stack on which these are and gives it to the next one (lua_thread_cache_max_entries).
  ---@param fn fun()
  ---@return true? taken
  ---@return string? message
  ---@return string? code "busy"
  function driver.detach(fn)
    phase.check()
    return detached:push(fn)
  end

  --- Makes a verified connection to the host of a URL, sends nothing, and closes it.
  ---@param url string
  ---@return true? reached
  ---@return string? message what is in the way, and what to do about it
  function driver.reach(url)
    local authority, host, port = request.take_apart(url, 2)
    phase.check()
    local socket, message = connection.open({ authority = authority, host = host, port = port, max_idle = 0 }, proxy,
      now() + CHECK_SECONDS)
    if not socket then return nil, message end
    socket:close()
    return true
  end

  return driver
end

-- ---- the check at start

local function check_now(premature, driver, urls)
  if premature then return end
  local problems, known = {}, {}
  for _, url in ipairs(urls) do
    local ok, reached, message = pcall(driver.reach, url)
    if not ok then message = reached end
    if (not ok or not reached) and not known[message] then
      known[message] = true
      problems[#problems + 1] = message
    end
  end
  if #problems > 0 then ngx.log(ngx.ERR, "mde: calls will fail: ", table.concat(problems, "; ")) end
end

--- Looks whether this nginx can reach what a client needs: a verified connection to each host, in a timer. What is in
--- the way stands in the error log, in one line, with the directive to set. For init_worker_by_lua, where the first
--- worker does it for all.
---@param client mde.Client|string[]|string the client, or URLs
function M.check(client)
  local driver, urls
  if type(client) == "string" then
    urls = { client }
  elseif type(client) == "table" and type(client[1]) == "string" then
    urls = client
  elseif type(client) == "table" and type(client.exchange) == "table" then
    urls = { client.exchange.base_url, client.exchange.token_source.token_url }
    driver = client.driver.reach and client.driver
  else
    error("check wants a client or URLs", 2)
  end
  driver = driver or M.new()
  if ngx.get_phase() == "init_worker" and (ngx.worker.id() or 0) ~= 0 then return end
  local ok, err = ngx.timer.at(0, check_now, driver, urls)
  if not ok then ngx.log(ngx.ERR, "mde: the check at start could not begin: ", err) end
end

return M
