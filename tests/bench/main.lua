-- Starts the server of the benchmark, and runs its two parts against it.
--
-- usage: main.lua HERE BUILD COUNT ROUNDS
--
-- Started in the root of the tree, with MDE_BUILD.

local certificates = require "tests.spec.support.certificates"
local nginx = require "tests.spec.support.server.nginx"
local shell = require "tests.spec.support.process.shell"

local here, build, count, rounds = arg[1], arg[2], arg[3], arg[4]

-- Two servers over TLS, the second of which thinks for a while.
local HTTP = [[
  lua_shared_dict bench 1m;
  keepalive_timeout 600s;
  client_body_buffer_size 64k;
  init_by_lua_block { require("tests.bench.service") }
  ssl_certificate CERTIFICATE;
  ssl_certificate_key KEY;
  ssl_protocols TLSv1.2 TLSv1.3;

  server {
    listen 127.0.0.1:FAST ssl;
    keepalive_requests 100000000;
    default_type application/json;
    location /api/ { content_by_lua_block { require("tests.bench.service").api() } }
    location /bench/ { content_by_lua_block { require("tests.bench.service").bench() } }
    location / { content_by_lua_block { require("tests.bench.service").sign_in() } }
  }

  server {
    listen 127.0.0.1:SLOW ssl;
    keepalive_requests 100000000;
    default_type application/json;
    location /api/ {
      access_by_lua_block { ngx.sleep(0.05) }
      content_by_lua_block { require("tests.bench.service").api() }
    }
    location / { content_by_lua_block { require("tests.bench.service").sign_in() } }
  }
]]

local one = certificates.of_localhost()
local values = { CERTIFICATE = one.certificate_file, KEY = one.key_file, FAST = tostring(nginx.free_port()),
  SLOW = tostring(nginx.free_port()) }
local server = nginx.start { workers = 1, level = "warn", http = HTTP:gsub("%u+", values) }

local function run(...)
  local words = { "lua5.4" }
  for _, word in ipairs { ... } do words[#words + 1] = shell.quote(word) end
  return (os.execute(table.concat(words, " ")))
end

local place = shell.new_directory()
local well = run(here .. "/measure.lua", here, build, place, one.certificate_file,
  "https://localhost:" .. values.FAST, count, rounds)
if well then
  print()
  well = run(here .. "/beside.lua", "https://localhost:" .. values.SLOW, one.certificate_file, count, rounds)
end
if not well then io.stderr:write(server.errors()) end
server.stop()
certificates.remove()
shell.remove(place)
os.exit(well or false)
