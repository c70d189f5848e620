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

local loopback = require "tests.spec.support.server.loopback"
local shell = require "tests.spec.support.process.shell"

local function serve(directory)
  local own, behind = shell.read_file(directory .. "/ends"):match "(%d+) (%d+)"
  loopback.serve(function(near, loop)
    local far = loopback.connect(behind)
    loop:wrap(function() loopback.pass_on(near, far) end)
    loopback.pass_on(far, near)
  end, tonumber(own))
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
