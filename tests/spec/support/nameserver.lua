-- A name server on the loopback interface, for hosts that ask one of their own (nginx does not read /etc/hosts).
--
--   local names = require("tests.spec.support.nameserver").start()
--   ... names.address    -- "127.0.0.1:41234"
--   names.stop()
--
-- localhost is 127.0.0.1; names below "silent.invalid" get no answer; no other exists.
--
-- Run as a program it is the server itself: lua5.4 nameserver.lua FILE, which then holds the port. It ends with its
-- standard input.

local HEADER_BYTES, TYPE_A = 12, 1

-- The name asked for, and the index behind it.
local function read_name(query)
  local labels, at = {}, HEADER_BYTES + 1
  while (query:byte(at) or 0) > 0 do
    local length = query:byte(at)
    labels[#labels + 1] = query:sub(at + 1, at + length):lower()
    at = at + 1 + length
  end
  return table.concat(labels, "."), at + 1
end

local function answer_to(query)
  local name, behind = read_name(query)
  if #query < behind + 3 or name:find "silent%.invalid$" then return nil end
  local known = name == "localhost"
  local is_a = query:byte(behind + 1) == TYPE_A
  local record = known and is_a and "\192\012\0\1\0\1\0\0\0\30\0\4\127\0\0\1" or ""
  local flags = known and "\129\128" or "\129\131"
  return query:sub(1, 2) .. flags .. "\0\1\0" .. (record == "" and "\0" or "\1") .. "\0\0\0\0"
    .. query:sub(HEADER_BYTES + 1, behind + 3) .. record
end

local function serve(file)
  local socket = require "socket"
  local udp = assert(socket.udp())
  assert(udp:setsockname("127.0.0.1", 0))
  local _, port = udp:getsockname()
  local output = assert(io.open(file, "w"))
  output:write(port, "\n")
  output:close()
  local input = { getfd = function() return 0 end, dirty = function() return false end }
  while true do
    local ready = socket.select({ udp, input })
    if ready[input] then return end
    local query, host, from = udp:receivefrom()
    local answer = query and answer_to(query)
    if answer then udp:sendto(answer, host, from) end
  end
end

if arg and arg[0] and arg[0]:find "nameserver%.lua$" then return serve(arg[1]) end

local nameserver = {}

---@return { address: string, stop: fun() }
function nameserver.start()
  local pipe = assert(io.popen "mktemp -d")
  local directory = assert(pipe:read "*l")
  pipe:close()
  os.execute(("mkfifo %s/port"):format(directory))
  local input = assert(io.popen(("exec lua5.4 tests/spec/support/nameserver.lua %s/port"):format(directory), "w"))
  local port = assert(io.open(directory .. "/port")):read "*l"
  local self = { address = "127.0.0.1:" .. port }

  function self.stop()
    input:close()
    os.execute("rm -rf " .. directory)
  end

  return self
end

return nameserver
