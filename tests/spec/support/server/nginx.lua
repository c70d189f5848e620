-- Starts nginx with its Lua module, in a temporary place and on a free port, as whoever runs the tests.
--
--   local server = require("tests.spec.support.server.nginx").start {
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

local servers = require "tests.spec.support.process.server"
local shell = require "tests.spec.support.process.shell"
local wait_until = require "tests.spec.support.process.wait_until"

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

local function is_served(port)
  local tcp = require("socket").tcp()
  local ok = tcp:connect("127.0.0.1", port)
  tcp:close()
  return ok ~= nil
end

local function directives_of(variables)
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
    MODULES = MODULES, USER = user(), ENVIRONMENT = directives_of(options.environment), PLACE = place,
    WORKERS = tostring(options.workers or 1), LEVEL = options.level or "notice", TREE = output_of "pwd",
    BUILD = output_of("realpath " .. shell.quote(shell.build())),
    LUA_SSL = table.concat(ssl, "\n  "), HTTP = options.http or "", PORT = tostring(port),
    RESOLVER = options.resolver and "resolver " .. options.resolver .. " ipv6=off;" or "",
    LISTEN = options.listen or "", LOCATIONS = options.locations or "",
  }
  return (CONFIGURATION:gsub("%u[%u_]+", values))
end

--- Where the Lua of nginx finds the tree and the modules under test, where its configuration does not say it.
---@return table<string, string>
function nginx.environment()
  local tree = output_of "pwd"
  return { LUA_PATH = ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(tree, tree),
    LUA_CPATH = output_of("realpath " .. shell.quote(shell.build())) .. "/luajit/?.so;;" }
end

--- Starts the command nginx in a directory that has its nginx.conf; see tests/spec/support/process/server.lua.
---@param place string
---@param environment table<string, string|false>
---@param is_ready fun(server: tests.Server): any
---@return tests.Server
function nginx.run(place, environment, is_ready)
  local variables = { PATH = os.getenv "PATH" .. ":/usr/sbin:/sbin" }
  for name, value in pairs(environment) do variables[name] = value end
  return servers.start { place = place, environment = variables, is_ready = is_ready,
    command = { "nginx", "-p", place, "-e", place .. "/error.log", "-c", place .. "/nginx.conf" } }
end

-- Another process may take the port before nginx does.
local function start_on_some_port(options)
  local place, port = shell.new_directory(), nginx.free_port()
  shell.write_file(place .. "/nginx.conf", configuration(options, place, port))
  local function is_taken()
    return (shell.read_file(place .. "/error.log") or ""):find("Address already in use", 1, true)
  end
  local server = nginx.run(place, {}, function() return is_taken() or is_served(port) end)
  if not is_taken() then return server, port end
  server.stop()
  return start_on_some_port(options)
end

--- Runs nginx until it serves; raises with its error log if it does not.
---@param options table
---@return table server
function nginx.start(options)
  local server, port = start_on_some_port(options)
  local place = server.place
  local self = { port = port, place = place, url = "http://127.0.0.1:" .. port, pid = server.pid }

  --- What nginx and the Lua in it wrote to the error log.
  function self.errors() return shell.read_file(place .. "/error.log") or "" end

  --- Waits until the error log has this text.
  function self.wait_for(text)
    wait_until(function() return self.errors():find(text, 1, true) end, function()
      return text .. "\n" .. self.errors()
    end)
  end

  --- Asks it; the body and the status.
  ---@param path string
  ---@param seconds number? how long to wait for the answer
  function self.get(path, seconds)
    local text = output_of(("curl -sS --noproxy '*' --max-time %d --write-out '\n%%{http_code}' %s 2>&1")
      :format(seconds or 60, shell.quote(self.url .. path)))
    local body, status = text:match "^(.*)\n(%d+)$"
    return body, tonumber(status)
  end

  --- Sends the master a signal.
  function self.signal(name) os.execute(("kill -%s %d"):format(name, self.pid)) end

  --- Ends nginx.
  function self.stop()
    server.finish()
    if os.getenv "MDE_LOG" then io.stderr:write(self.errors()) end
    server.stop()
  end

  return self
end

return nginx
