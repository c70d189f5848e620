-- Starts nginx with its Lua module, in a temporary place and on a free port, as whoever runs the tests.
--
--   local server = require("tests.spec.support.nginx").start {
--     workers = 1, ca_file = tenant.ca_file, resolver = names.address,
--     environment = tenant.env,   -- what os.getenv finds in its workers
--     listen = "reuseport",   -- so that the kernel spreads connections over the workers
--     http = "...",        -- more directives of http
--     locations = "...",   -- of the one server, on plain HTTP
--   }
--   local body, status = server.get "/somewhere"
--   ... server.port, server.errors()
--   server.stop()
--
-- The Lua files of the tree and the modules of the build are on its path. What it wrote to its error log is among the
-- standard error of the test.

local shell = require "tests.spec.support.shell"
local clock = require("mde.posix").clock

local PATIENCE_SECONDS = 30
local MODULES = "/usr/lib/nginx/modules"

local nginx = {}

local CONFIGURATION = [[
load_module MODULES/ndk_http_module.so;
load_module MODULES/ngx_http_lua_module.so;
USER
ENVIRONMENT
daemon off;
worker_processes WORKERS;
pid PLACE/nginx.pid;
error_log PLACE/error.log LEVEL;

events {
  worker_connections 1024;
}

http {
  access_log off;
  client_body_temp_path PLACE/body;
  proxy_temp_path PLACE/proxy;
  fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi;
  scgi_temp_path PLACE/scgi;
  keepalive_requests 1000000;
  default_type text/plain;
  lua_package_path "TREE/lua/?.lua;TREE/lua/?/init.lua;TREE/?.lua;;";
  lua_package_cpath "BUILD/luajit/?.so;;";
  lua_ssl_protocols TLSv1.2 TLSv1.3;
  LUA_SSL
  RESOLVER
  HTTP

  server {
    listen 127.0.0.1:PORT LISTEN;
    LOCATIONS
  }
}
]]

local quote, write_file = shell.quote, shell.write_file

local function read_file(path)
  return shell.read_file(path) or ""
end

local function output_of(line)
  return (shell.output_of(line):gsub("%s+$", ""))
end

--- A port that nobody listens on.
---@return integer
function nginx.free_port()
  local listener = assert(require("socket").bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

local function is_there(port)
  local tcp = require("socket").tcp()
  local ok = tcp:connect("127.0.0.1", port)
  tcp:close()
  return ok ~= nil
end

local function environment(variables)
  local lines = {}
  for name, value in pairs(variables or {}) do lines[#lines + 1] = ('env "%s=%s";'):format(name, value) end
  return table.concat(lines, "\n")
end

-- Root's workers would else become somebody who may read neither the tree nor the build.
local function user()
  return output_of "id -u" == "0" and "user root;" or ""
end

local function configuration(options, place, port)
  local ssl = { "lua_ssl_verify_depth " .. (options.verify_depth or 3) .. ";" }
  if options.ca_file then ssl[#ssl + 1] = "lua_ssl_trusted_certificate " .. options.ca_file .. ";" end
  local values = {
    MODULES = MODULES, USER = user(), ENVIRONMENT = environment(options.environment), PLACE = place,
    WORKERS = tostring(options.workers or 1), LEVEL = options.level or "notice", TREE = output_of "pwd",
    BUILD = os.getenv "MDE_BUILD" or output_of "pwd" .. "/build",
    LUA_SSL = table.concat(ssl, "\n  "), HTTP = options.http or "", PORT = tostring(port),
    RESOLVER = options.resolver and "resolver " .. options.resolver .. " ipv6=off;" or "",
    LISTEN = options.listen or "", LOCATIONS = options.locations or "",
  }
  return (CONFIGURATION:gsub("%u[%u_]+", values))
end

-- The shell ends nginx when this process is gone, whatever became of it.
local function launch(place)
  return assert(io.popen(([[PATH=$PATH:/usr/sbin:/sbin; nginx -p %s -e %s/error.log -c %s/nginx.conf 2>%s/said &
    server=$!; echo $server >%s/server.new; mv %s/server.new %s/server; cat >/dev/null; kill $server; wait $server]])
    :gsub("%%s", place), "w"))
end

--- Runs nginx until it serves; raises with its error log if it does not.
---@param options table
---@return table server
function nginx.start(options)
  local place, input, port
  local ends = clock.now() + PATIENCE_SECONDS
  repeat
    place, port = output_of "mktemp -d", nginx.free_port()
    write_file(place .. "/nginx.conf", configuration(options, place, port))
    input = launch(place)
    local pid
    repeat
      clock.sleep(0.02)
      pid = tonumber(read_file(place .. "/server"))
    until pid and (is_there(port) or read_file(("/proc/%d/status"):format(pid)) == "") or clock.now() > ends
    local log = read_file(place .. "/error.log")
    if pid and log:find("Address already in use", 1, true) then
      input:close()
    elseif not pid or not is_there(port) then
      input:close()
      error("nginx did not start: " .. read_file(place .. "/said") .. log, 2)
    end
  until is_there(port)

  local self = { port = port, place = place, url = "http://127.0.0.1:" .. port,
    pid = tonumber(read_file(place .. "/server")) }

  --- What nginx and the Lua in it wrote to the error log.
  function self.errors() return read_file(place .. "/error.log") end

  --- Waits until the error log has this text.
  function self.wait_for(text)
    local last = clock.now() + PATIENCE_SECONDS
    while not self.errors():find(text, 1, true) do
      if clock.now() > last then error(("'%s' is not in the error log:\n%s"):format(text, self.errors()), 2) end
      clock.sleep(0.02)
    end
  end

  --- Asks it; the body and the status.
  ---@param path string
  ---@param seconds number? how long to wait for the answer
  function self.get(path, seconds)
    local text = output_of(("curl -sS --noproxy '*' --max-time %d --write-out '\n%%{http_code}' %s 2>&1")
      :format(seconds or 60, quote(self.url .. path)))
    local body, status = text:match "^(.*)\n(%d+)$"
    return body, tonumber(status)
  end

  --- Sends the master a signal.
  function self.signal(name) os.execute(("kill -%s %d"):format(name, self.pid)) end

  --- Ends nginx.
  function self.stop()
    if not input then return end
    input:close()
    input = nil
    if os.getenv "MDE_LOG" then io.stderr:write(self.errors()) end
    os.execute("rm -rf " .. quote(place))
  end

  return self
end

return nginx
