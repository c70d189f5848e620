-- examples/webhook in nginx, as it is, with other addresses; and signed requests to it.
--
--   local service = webhook.start(tenant, resolver.address, { ALERT_SOURCE = "graph" })
--   local status, answer = service.send(webhook.delivery(cjson.encode { id = "da637-1" }))
--   ... service.send(webhook.question "da637-1")
local certificates = require "tests.spec.support.certificates"
local cjson = require "cjson"
local crypto = require "mde.crypto"
local nginx = require "tests.spec.support.server.nginx"
local posix = require "mde.posix"
local shell = require "tests.spec.support.process.shell"

local EXAMPLE = "examples/webhook"

local write_file = shell.write_file

local M = {}

M.SECRET = crypto.hex(assert(posix.entropy.bytes(32)))

local function read_file(path)
  return shell.read_file(path) or ""
end

-- ---- the service

-- The example's own nginx.conf, with other addresses, and a log of which worker served what.
local function configuration(port, resolver)
  local text, changes = read_file(EXAMPLE .. "/nginx.conf"), 0
  for from, to in pairs {
    ["127.0.0.1:8443"] = "127.0.0.1:" .. port,
    ["127.0.0.1:53"] = resolver,
    ["access_log access.log;"] = "log_format worker '$pid $request_method $status';\n  access_log access.log worker;",
  } do
    local first, last = text:find(from, 1, true)
    assert(first, "nginx.conf lacks " .. from)
    text, changes = text:sub(1, first - 1) .. to .. text:sub(last + 1), changes + 1
  end
  assert(changes == 3)
  return text
end

--- Starts it for a tenant, with further variables of the environment (false takes one away).
---@return table service
function M.start(tenant, resolver, environment)
  local place, port = shell.new_directory(), nginx.free_port()
  write_file(place .. "/nginx.conf", configuration(port, resolver))
  local certificate = certificates.of_localhost()
  for name, file in pairs { ["trusted.pem"] = tenant.ca_file, ["service.lua"] = EXAMPLE .. "/service.lua",
    ["certificate.pem"] = certificate.certificate_file, ["key.pem"] = certificate.key_file } do
    write_file(place .. "/" .. name, read_file(file))
  end
  local self, server = { place = place }, nil

  local variables = nginx.environment()
  variables.ALERT_SECRET = M.SECRET
  for name, value in pairs(tenant.env) do variables[name] = value end
  variables.SSL_CERT_FILE = false
  for name, value in pairs(environment or {}) do variables[name] = value end

  local function curl(config)
    write_file(place .. "/request", config)
    return (shell.output_of(("curl --no-progress-meter --noproxy '*' --parallel-immediate --config %s/request 2>&1")
      :format(place)):gsub("%s+$", ""))
  end

  -- One request as curl's configuration has it. The body goes through a file, since it may hold anything.
  local function block(request)
    local lines = {
      ("url = https://localhost:%d%s"):format(port, request.path), ("cacert = %s/certificate.pem"):format(place),
      "request = " .. (request.method or "GET"), "max-time = 60",
      ("output = %s/answer"):format(place), ("dump-header = %s/headers"):format(place),
      'write-out = "%{http_code}\\n"',
    }
    for _, header in ipairs(request.headers or {}) do lines[#lines + 1] = ('header = "%s"'):format(header) end
    if request.body then
      write_file(place .. "/body.json", request.body)
      lines[#lines + 1] = ('data-binary = "@%s/body.json"'):format(place)
    end
    return table.concat(lines, "\n") .. "\n"
  end

  --- Status, decoded answer, its text, its headers.
  function self.send(request)
    os.execute(("rm -f %s/answer"):format(place))
    local status = tonumber(curl(block(request)))
    local text = read_file(place .. "/answer")
    if os.getenv "MDE_LOG" then io.stderr:write(text) end
    local ok, answer = pcall(cjson.decode, text)
    return status, ok and answer, text, read_file(place .. "/headers"):lower()
  end

  --- The same request so many times at once; the statuses.
  function self.send_many(count, request)
    local blocks = {}
    for i = 1, count do blocks[i] = block(request) end
    return curl(("parallel\nparallel-max = %d\n"):format(count) .. table.concat(blocks, "next\n"))
  end

  function self.errors() return read_file(place .. "/error.log") end

  --- Kills all workers; nginx starts others.
  function self.kill_workers()
    os.execute(("for status in $(grep -ls \"^PPid:.%d$\" /proc/[0-9]*/status); do "
      .. "status=${status#/proc/}; kill -KILL ${status%%%%/*}; done"):format(server.pid))
  end

  --- The process ids of the workers that answered requests of that method.
  function self.workers(method)
    local pids, count = {}, 0
    for pid in read_file(place .. "/access.log"):gmatch("(%d+) " .. method) do
      if not pids[pid] then pids[pid], count = true, count + 1 end
    end
    return count
  end

  --- Ends nginx; what it said and its status.
  function self.finish()
    local status = server.finish()
    if os.getenv "MDE_LOG" then io.stderr:write(self.errors()) end
    return server.errors() .. self.errors(), status
  end

  function self.stop()
    self.finish()
    server.stop()
  end

  --- Starts nginx, the second time in a place where it remembers nothing.
  function self.begin()
    write_file(place .. "/error.log", "")
    server = nginx.run(place, variables, function(running)
      return running.has_ended() or (self.send { path = "/nothing" }) == 404
    end)
  end

  self.begin()
  return self
end

-- ---- requests

--- What signs a timestamp and a content; with another secret, if there is one.
function M.signature(timestamp, content, secret)
  return crypto.hex(assert(crypto.hmac_sha256(secret or M.SECRET, timestamp .. "." .. content)))
end

--- A delivery, signed now and as it should be where the options do not say otherwise.
function M.delivery(body, options)
  options = options or {}
  local timestamp = options.timestamp or tostring(os.time())
  local headers = options.headers or {
    "X-Alert-Timestamp: " .. timestamp,
    "X-Alert-Signature: v1=" .. (options.signature or M.signature(timestamp, body)),
  }
  headers[#headers + 1] = "Content-Type: " .. (options.content_type or "application/json")
  return { method = "POST", path = "/alerts", headers = headers, body = body }
end

--- The question after an alert, signed now.
function M.question(id)
  local timestamp, path = tostring(os.time()), "/alerts/" .. id
  return { path = path, headers = { "X-Alert-Timestamp: " .. timestamp,
    "X-Alert-Signature: v1=" .. M.signature(timestamp, path) } }
end

return M
