-- A proxy that makes tunnels (CONNECT) on the loopback interface, for user "proxied" with the password "opaque-word".
--
--   local proxy = require("tests.spec.support.server.connect_proxy").start()
--   ... proxy.port, proxy.seen()    -- what came before the tunnels, as text
--   proxy.stop()
--
-- Run as a program it is the server itself: lua5.4 connect_proxy.lua DIRECTORY. It writes its port.

local AUTHORIZATION = "Basic cHJveGllZDpvcGFxdWUtd29yZA=="

local function serve(directory)
  local cqueues = require "cqueues"
  local signal = require "cqueues.signal"
  local socket = require "cqueues.socket"
  signal.ignore(signal.SIGPIPE)
  local listener = socket.listen { host = "127.0.0.1", port = 0 }
  assert(listener:listen())
  local loop = cqueues.new()
  local seen = assert(io.open(directory .. "/seen", "w"))
  seen:setvbuf "no"

  local function ready(tcp)
    tcp:onerror(function(_, _, code) return code end)
    tcp:setmode("bn", "bn")
    return tcp
  end

  local function pass_on(from, to)
    for bytes in function() return from:xread(-4096, "bn", 60) end do to:xwrite(bytes, "bn", 10) end
    to:shutdown "w"
  end

  local function answer(tcp)
    ready(tcp)
    local host, port, allowed
    for bytes in function() return tcp:xread("*l", "b", 10) end do
      local line = bytes:gsub("\r$", "")
      if line == "" then break end
      seen:write(line, "\n")
      if not host then host, port = line:match "^CONNECT (%S+):(%d+) HTTP/1%.1$" end
      allowed = allowed or line == "Proxy-Authorization: " .. AUTHORIZATION
    end
    if not host or not allowed then
      tcp:xwrite("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "bn", 10)
    else
      -- cqueues resolves by /etc/hosts, which a machine need not have.
      if host == "localhost" then host = "127.0.0.1" end
      local behind = ready(socket.connect { host = host, port = tonumber(port) })
      if behind:connect(10) then
        tcp:xwrite("HTTP/1.1 200 Connection established\r\n\r\n", "bn", 10)
        loop:wrap(function() pass_on(behind, tcp) end)
        pass_on(tcp, behind)
      else
        tcp:xwrite("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "bn", 10)
      end
    end
    tcp:shutdown "w"
  end

  loop:wrap(function()
    while true do
      local tcp = listener:accept()
      if tcp then loop:wrap(function() answer(tcp) end) end
    end
  end)
  local _, _, port = listener:localname()
  io.write(("%d\n"):format(port))
  io.flush()
  assert(loop:loop())
end

if arg and arg[0] and arg[0]:find "connect_proxy%.lua$" then return serve(arg[1]) end

local shell = require "tests.spec.support.process.shell"
local servers = require "tests.spec.support.process.server"

local connect_proxy = {}

---@return { port: integer, seen: (fun(): string), stop: fun() }
function connect_proxy.start()
  local server, port = servers.start_lua "tests/spec/support/server/connect_proxy.lua"
  return {
    port = port, stop = server.stop,
    seen = function() return shell.read_file(server.place .. "/seen") end,
  }
end

return connect_proxy
