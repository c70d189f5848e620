-- A TLS server that answers with given bytes, whatever they are, and hangs up: for answers that no honest
-- server gives.
--
--   local server = require("tests.spec.support.raw_server").start()
--   server.reply("odd", "HTTP/1.1 200 OK\r\n...")    -- what GET or POST /odd gets
--   ... server.base_url, server.ca_file
--   server.stop()
--
-- Run as a program it is the server itself: lua5.4 raw_server.lua DIRECTORY. It ends with its standard input.

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local function write_file(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

local function serve(directory)
  local cqueues = require "cqueues"
  local signal = require "cqueues.signal"
  local socket = require "cqueues.socket"
  local keys = require "mde.sim.keys"
  signal.ignore(signal.SIGPIPE)
  local authority = keys.make_authority()
  local context = keys.server_context(authority)
  write_file(directory .. "/ca.pem", authority.certificate)
  local listener = socket.listen { host = "127.0.0.1", port = 0 }
  assert(listener:listen())
  local loop = cqueues.new()

  local function answer(tcp)
    tcp:onerror(function(_, _, code) return code end)
    tcp:setmode("bn", "bn")
    if tcp:starttls(context, 10) then
      local first = tcp:xread("*l", "b", 10)
      local length, line = 0, first
      while line and not line:find "^\r?$" do
        line = tcp:xread("*l", "b", 10)
        length = line and tonumber(line:lower():match "^content%-length: *(%d+)") or length
      end
      if length > 0 then tcp:xread(length, "b", 10) end
      local name = first and first:match "^%u+ /(%w+)"
      if name then
        tcp:xwrite(read_file(directory .. "/reply-" .. name) or "", "bn", 10)
        tcp:shutdown "w"
      end
    end
    tcp:close()
  end

  loop:wrap(function()
    while true do
      local tcp = listener:accept()
      if tcp then loop:wrap(function() answer(tcp) end) end
    end
  end)
  loop:wrap(function()
    repeat cqueues.poll { pollfd = 0, events = "r" } until not io.stdin:read(1)
    os.exit(0)
  end)
  local _, _, port = listener:localname()
  write_file(directory .. "/port", ("%d\n"):format(port))
  assert(loop:loop())
end

if arg and arg[0] and arg[0]:find "raw_server%.lua$" then return serve(arg[1]) end

local raw_server = {}

---@return { base_url: string, ca_file: string, reply: fun(name: string, bytes: string), stop: fun() }
function raw_server.start()
  local pipe = assert(io.popen "mktemp -d")
  local directory = assert(pipe:read "*l")
  pipe:close()
  os.execute(("mkfifo %s/port"):format(directory))
  local build = os.getenv "MDE_BUILD" or "./build"
  local input = assert(io.popen(("LUA_PATH_5_4='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH_5_4='%s/lua5.4/?.so;;' "
    .. "exec lua5.4 tests/spec/support/raw_server.lua %s"):format(build, directory), "w"))
  local port = assert(io.open(directory .. "/port")):read "*l"
  local self = { base_url = "https://localhost:" .. port, ca_file = directory .. "/ca.pem" }

  function self.reply(name, bytes)
    write_file(directory .. "/reply-" .. name, bytes)
  end

  function self.stop()
    input:close()
    os.execute("rm -rf " .. directory)
  end

  return self
end

return raw_server
