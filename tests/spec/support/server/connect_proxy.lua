-- A proxy that makes tunnels (CONNECT) on the loopback interface, for user "proxied" with the password "opaque-word".
-- By SOCKS 5 it asks for a password and refuses it.
--
--   local proxy = require("tests.spec.support.server.connect_proxy").start()
--   ... proxy.port, proxy.seen()    -- what came before the tunnels, as text
--   proxy.stop()
--
-- Other passwords have it answer in other ways, as real proxies do: see CASES, which say what a driver makes of each.
--
-- `start { tls = true }` is one that is spoken to by TLS, with `proxy.ca_file` for its certificate.
--
-- Run as a program it is the server itself: lua5.4 connect_proxy.lua DIRECTORY [tls]. It writes its port.

local loopback = require "tests.spec.support.server.loopback"
local shell = require "tests.spec.support.process.shell"

local OPEN = "HTTP/1.1 200 Connection established\r\n"
local DENIED = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a proxy\"\r\n"
local PAGE = "<html>no</html>"
local DENIED_WITH_PAGE = DENIED .. ("Content-Length: %d\r\n\r\n%s"):format(#PAGE, PAGE)

-- `tunnel`: whether there is one; else `code` is what the driver says. `is`: "proxied:PASSWORD" as the header has it.
local CASES = {
  { password = "opaque-word", is = "cHJveGllZDpvcGFxdWUtd29yZA==", tunnel = true, answer = OPEN .. "\r\n" },
  -- Fields that mean nothing there (RFC 9110, 9.3.6).
  { password = "framed-word", is = "cHJveGllZDpmcmFtZWQtd29yZA==", tunnel = true,
    answer = OPEN .. "Content-Length: 5\r\n\r\n" },
  { password = "coded-word", is = "cHJveGllZDpjb2RlZC13b3Jk", tunnel = true,
    answer = OPEN .. "Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\n" },
  { password = "wrong-word", is = "cHJveGllZDp3cm9uZy13b3Jk", code = "proxy_auth", answer = DENIED_WITH_PAGE },
  { password = "bare-word", is = "cHJveGllZDpiYXJlLXdvcmQ=", code = "proxy_auth",
    answer = DENIED .. "Content-Length: 0\r\n\r\n" },
  { password = "chunked-word", is = "cHJveGllZDpjaHVua2VkLXdvcmQ=", code = "proxy_auth",
    answer = DENIED .. ("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(#PAGE, PAGE) },
  { password = "endless-word", is = "cHJveGllZDplbmRsZXNzLXdvcmQ=", code = "proxy_auth",
    answer = DENIED .. "Connection: close\r\n\r\n" .. PAGE },
  { password = "closed-word", is = "cHJveGllZDpjbG9zZWQtd29yZA==", code = "proxy",
    answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno" },
}

local function case_of(line)
  local is = line:match "^Proxy%-Authorization: Basic (.*)$"
  for _, case in ipairs(CASES) do
    if case.is == is then return case end
  end
end

local function tls_context(directory)
  local keys = require "mde.sim.server.certificates"
  local authority = keys.make_authority()
  shell.write_file(directory .. "/ca.pem", authority.certificate)
  return keys.server_context(authority)
end

local function serve(directory, tls)
  local context = tls and tls_context(directory)
  local seen = assert(io.open(directory .. "/seen", "w"))
  seen:setvbuf "no"

  -- RFC 1928 and RFC 1929, behind the version.
  local function refuse_by_socks(tcp)
    seen:write "SOCKS\n"
    local function read(count) return (tcp:xread(count, "b", 10) or ""):byte(-1) or 0 end
    read(read(1))
    tcp:xwrite("\5\2", "bn", 10)
    read(1)
    read(read(1))
    read(read(1))
    tcp:xwrite("\1\1", "bn", 10)
    tcp:shutdown "w"
  end

  loopback.serve(function(tcp, loop)
    if context and not tcp:starttls(context, 10) then return tcp:close() end
    local first = tcp:xread(1, "b", 10)
    if first == "\5" then return refuse_by_socks(tcp) end
    local host, port, case
    for bytes in function() return tcp:xread("*l", "b", 10) end do
      local line = ((first or "") .. bytes):gsub("\r$", "")
      first = nil
      if line == "" then break end
      seen:write(line, "\n")
      if not host then host, port = line:match "^CONNECT (%S+):(%d+) HTTP/1%.1$" end
      case = case or case_of(line)
    end
    if not host or not case or not case.tunnel then
      tcp:xwrite(case and case.answer or DENIED_WITH_PAGE, "bn", 10)
    else
      local behind = (host == "localhost" or host == "127.0.0.1") and loopback.connect(port)
      if behind and behind:connect(10) then
        tcp:xwrite(case.answer, "bn", 10)
        loop:wrap(function() loopback.pass_on(behind, tcp) end)
        loopback.pass_on(tcp, behind)
      else
        tcp:xwrite("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "bn", 10)
      end
    end
    tcp:shutdown "w"
  end)
end

if arg and arg[0] and arg[0]:find "connect_proxy%.lua$" then return serve(arg[1], arg[2]) end

local servers = require "tests.spec.support.process.server"

local connect_proxy = { CASES = CASES }

---@param options { tls: boolean? }?
---@return { port: integer, ca_file: string, seen: (fun(): string), stop: fun() }
function connect_proxy.start(options)
  local server, port = servers.start_lua("tests/spec/support/server/connect_proxy.lua",
    options and options.tls and "tls" or nil)
  return {
    port = port, ca_file = server.place .. "/ca.pem", stop = server.stop,
    seen = function() return shell.read_file(server.place .. "/seen") end,
  }
end

return connect_proxy
