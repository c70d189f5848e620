-- A TLS server that answers with given bytes, whatever they are, and hangs up: for answers that no honest
-- server gives.
--
--   local server = require("tests.spec.support.server.raw_server").start()
--   server.reply("odd", "HTTP/1.1 200 OK\r\n...")    -- what GET or POST /odd gets
--   server.reply("odder", { "HTTP/1.1 200 OK\r\n...", 0.1, "...", ends = "open" })
--   ... server.base_url, server.ca_file, server.arrived()   --> { "1 connects", "1 odd", "1 answered" }
--   server.stop()
--
-- A list is sent one string after another, each in a TLS record of its own, with so many seconds between as a number
-- says. `ends = "open"`: the next request on the connection is read; without it the connection is closed, and TLS is
-- told nothing.
--
-- Run as a program it is the server itself: lua5.4 raw_server.lua DIRECTORY. It writes its port.

local loopback = require "tests.spec.support.server.loopback"
local shell = require "tests.spec.support.process.shell"

local read_file, write_file = shell.read_file, shell.write_file

local function append_file(path, bytes)
  local file = assert(io.open(path, "ab"))
  file:write(bytes)
  file:close()
end

local function read_request(tcp)
  local first = tcp:xread("*l", "b", 10)
  local length, line = 0, first
  while line and not line:find "^\r?$" do
    line = tcp:xread("*l", "b", 10)
    length = line and tonumber(line:lower():match "^content%-length: *(%d+)") or length
  end
  if length > 0 then tcp:xread(length, "b", 10) end
  return first and first:match "^%u+ /(%w+)"
end

local function serve(directory)
  local cqueues = require "cqueues"
  local keys = require "mde.sim.server.certificates"
  local authority = keys.make_authority()
  local context = keys.server_context(authority)
  write_file(directory .. "/ca.pem", authority.certificate)

  -- Sends what is to be sent; how it ends.
  local function send_reply(tcp, name)
    local text = read_file(directory .. "/reply-" .. name)
    local reply = text and assert(load(text))() or { ends = "close" }
    for _, step in ipairs(reply) do
      if type(step) == "number" then cqueues.sleep(step) else tcp:xwrite(step, "bn", 10) end
    end
    return reply.ends
  end

  local connections = 0

  loopback.serve(function(tcp)
    connections = connections + 1
    local number = connections
    append_file(directory .. "/log", ("%d connects\n"):format(number))
    if tcp:starttls(context, 10) then
      local name, ends
      repeat
        name = read_request(tcp)
        append_file(directory .. "/log", ("%d %s\n"):format(number, name or "ends"))
        if name then
          ends = send_reply(tcp, name)
          append_file(directory .. "/log", ("%d answered\n"):format(number))
        end
      until ends ~= "open" or not name
      tcp:shutdown "w"
    end
    tcp:close()
  end)
end

if arg and arg[0] and arg[0]:find "raw_server%.lua$" then return serve(arg[1]) end

local raw_server = {}

-- A reply as a piece of Lua, so that the server can read it whatever bytes it has.
local function as_lua(reply)
  if type(reply) == "string" then reply = { reply } end
  local parts = {}
  for i, step in ipairs(reply) do
    parts[i] = type(step) == "number" and tostring(step) or ("%q"):format(step)
  end
  parts[#parts + 1] = ("ends = %q"):format(reply.ends or "close")
  return "return { " .. table.concat(parts, ", ") .. " }"
end

---@class tests.raw_server
---@field base_url string
---@field ca_file string
---@field directory string
---@field reply fun(name: string, reply: string|table)
---@field arrived fun(): string[] what came since the last reply was set: "1 connects" is the first connection, "1 odd"
--- a request for /odd on it; "1 answered" says that all of the answer has been sent, "1 ends" that no request follows
---@field stop fun()

--- Controls a server that another process has started, from its directory.
---@param base_url string
---@param directory string
---@return tests.raw_server
function raw_server.attach(base_url, directory)
  local self = { base_url = base_url, directory = directory, ca_file = directory .. "/ca.pem" }
  local seen = 0

  function self.reply(name, reply)
    write_file(directory .. "/reply-" .. name, as_lua(reply))
    seen = #(read_file(directory .. "/log") or "")
  end

  function self.arrived()
    local lines = {}
    local log = read_file(directory .. "/log") or ""
    for line in log:sub(seen + 1):gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines
  end

  function self.stop() end

  return self
end

---@return tests.raw_server
function raw_server.start()
  local server, port = require("tests.spec.support.process.server").start_lua "tests/spec/support/server/raw_server.lua"
  local self = raw_server.attach("https://localhost:" .. port, server.place)
  self.stop = server.stop
  return self
end

return raw_server
