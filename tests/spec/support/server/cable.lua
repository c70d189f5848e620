-- The cable between a client and a tenant: a port of its own on localhost, behind which the tenant is, and which can be
-- cut in the midst of everything and mended.
--
--   local cable = require("tests.spec.support.server.cable").start(tenant.base_url)
--   ... cable.env(tenant.env)    -- the environment of a client at this end
--   cable.cut()                  -- every connection breaks, and there are no new ones
--   cable.mend()
--   cable.stop()
--
-- Run as a program it is the cable itself: lua5.4 cable.lua DIRECTORY, where the file "ends" names both ports. It
-- writes its port.

local shell = require "tests.spec.support.process.shell"

local function serve(directory)
  local cqueues = require "cqueues"
  local signal = require "cqueues.signal"
  local socket = require "cqueues.socket"
  signal.ignore(signal.SIGPIPE)
  local own, behind = shell.read_file(directory .. "/ends"):match "(%d+) (%d+)"
  local listener = socket.listen { host = "127.0.0.1", port = tonumber(own), reuseaddr = true }
  assert(listener:listen())
  local loop = cqueues.new()

  local function ready(tcp)
    tcp:onerror(function(_, _, code) return code end)
    tcp:setmode("bn", "bn")
    return tcp
  end

  local function pass_on(from, to)
    for bytes in function() return from:xread(-4096, "bn") end do to:xwrite(bytes, "bn", 10) end
    to:shutdown "w"
  end

  loop:wrap(function()
    while true do
      local near = listener:accept { nodelay = true }
      if near then
        local far = ready(socket.connect { host = "127.0.0.1", port = tonumber(behind), nodelay = true })
        ready(near)
        loop:wrap(function() pass_on(near, far) end)
        loop:wrap(function() pass_on(far, near) end)
      end
    end
  end)
  local _, _, port = listener:localname()
  io.write(("%d\n"):format(port))
  io.flush()
  assert(loop:loop())
end

if arg and arg[0] and arg[0]:find "cable%.lua$" then return serve(arg[1]) end

local servers = require "tests.spec.support.process.server"

local cables = {}

---@param base_url string of the tenant
---@return { env: (fun(env: table<string, string>): table<string, string>), cut: fun(), mend: fun(), stop: fun() }
function cables.start(base_url)
  local place, behind = shell.new_directory(), base_url:match ":(%d+)$"
  local server, port

  local function lay()
    shell.write_file(place .. "/ends", ("%d %s"):format(port or 0, behind))
    server = servers.start { command = { "lua5.4", "tests/spec/support/server/cable.lua", place }, place = place,
      lines = 1, environment = shell.lua_environment() }
    port = tonumber(server.lines[1])
  end

  lay()
  return {
    env = function(env)
      local own = {}
      for name, value in pairs(env) do own[name] = value:gsub(":" .. behind .. "%f[%D]", ":" .. port) end
      return own
    end,
    cut = function() server.finish() end,
    mend = lay,
    stop = function() server.stop() end,
  }
end

return cables
