-- A name server on the loopback interface, for hosts that ask one of their own (nginx does not read /etc/hosts).
--
--   local names = require("tests.spec.support.server.nameserver").start()
--   ... names.address    -- "127.0.0.1:41234"
--   names.stop()
--
-- localhost is 127.0.0.1; names below "silent.invalid" get no answer; no other exists.
--
-- Run as a program it is the server itself: lua5.4 nameserver.lua. It writes its port.

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

local function serve()
  local udp = assert(require("socket").udp())
  assert(udp:setsockname("127.0.0.1", 0))
  local _, port = udp:getsockname()
  io.write(port, "\n")
  io.flush()
  while true do
    local query, host, from = udp:receivefrom()
    local answer = query and answer_to(query)
    if answer then udp:sendto(answer, host, from) end
  end
end

if arg and arg[0] and arg[0]:find "nameserver%.lua$" then return serve() end

local servers = require "tests.spec.support.process.server"

local nameserver = {}

---@return { address: string, stop: fun() }
function nameserver.start()
  local server, port = servers.start_lua "tests/spec/support/server/nameserver.lua"
  return { address = ("127.0.0.1:%d"):format(port), stop = server.stop }
end

return nameserver
