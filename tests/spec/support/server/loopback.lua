-- What a program of the tests is made of that takes connections on the loopback interface.
--
--   loopback.serve(function(tcp, loop) ... end)     -- writes its port; returns when the program is ended, never before
--
-- Of cqueues: each connection is answered in a coroutine of its own, and no error of a socket raises.

local loopback = {}

--- Makes a socket's errors results, and has it change and keep back no byte.
function loopback.ready(tcp)
  tcp:onerror(function(_, _, code) return code end)
  tcp:setmode("bn", "bn")
  return tcp
end

--- A connection to another port of this machine.
function loopback.connect(port)
  local socket = require "cqueues.socket"
  return loopback.ready(socket.connect { host = "127.0.0.1", port = tonumber(port), nodelay = true })
end

--- Hands on what comes, until no more does.
function loopback.pass_on(from, to)
  for bytes in function() return from:xread(-4096, "bn") end do to:xwrite(bytes, "bn", 10) end
  to:shutdown "w"
end

---@param answer fun(tcp: table, loop: table)
---@param own_port integer? default one that is free
function loopback.serve(answer, own_port)
  local cqueues = require "cqueues"
  local signal = require "cqueues.signal"
  local socket = require "cqueues.socket"
  signal.ignore(signal.SIGPIPE)
  local listener = socket.listen { host = "127.0.0.1", port = own_port or 0, reuseaddr = true }
  assert(listener:listen())
  local loop = cqueues.new()
  loop:wrap(function()
    while true do
      -- What was sent is to be with the other side, and not to wait for what that sends.
      local tcp = listener:accept { nodelay = true }
      if tcp then loop:wrap(function() answer(loopback.ready(tcp), loop) end) end
    end
  end)
  local _, _, port = listener:localname()
  io.write(("%d\n"):format(port))
  io.flush()
  assert(loop:loop())
end

return loopback
