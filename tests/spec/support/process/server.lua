-- Starts a program that serves, and ends it: how every server of the tests begins and ends.
--
--   local server = require("tests.spec.support.process.server").start {
--     command = { "openssl", "s_server", "-accept", "8443" },
--     environment = { NAME = "value" },     -- false takes a variable away
--     lines = 1,                            -- it serves when it has written so many lines to its standard output
--     is_ready = function(server) ... end,  -- or when this is true
--     place = directory,                    -- its own, made ready by the caller; else an empty one is made
--   }
--   ... server.lines[1], server.pid, server.place, server.errors(), server.has_ended()
--   local status = server.stop()            -- its directory is removed
--
-- A program that is in the tree, with a line about its port:
-- server.start_lua("tests/spec/support/server/nameserver.lua", "word for it").
-- None outlives the program that started it.

local fork = require("mde.posix").fork
local shell = require "tests.spec.support.process.shell"
local wait_until = require "tests.spec.support.process.wait_until"

local servers = {}

---@class tests.Server
---@field place string a directory of its own
---@field pid integer
---@field lines string[]
---@field errors fun(): string what it wrote to its standard error
---@field has_ended fun(): boolean
---@field stop fun(): integer? ends it; its exit status, where Lua can tell
---@field finish fun(): integer? the same, and leaves its directory

-- Its standard output is a pipe; the first line is the process id. The environment stands in a file, since a secret is
-- no argument.
local function launch(place, options)
  local words = { "setpriv", "--pdeathsig", "TERM", "--" }
  for _, word in ipairs(options.command) do words[#words + 1] = shell.quote(tostring(word)) end
  shell.write_environment(place .. "/environment", options.environment or {})
  return assert(io.popen((". %s/environment; echo $$; exec %s 2>%s/errors")
    :format(shell.quote(place), table.concat(words, " "), shell.quote(place))))
end

-- Calls fn when the state of Lua is closed, before what was opened earlier: the pipe of a server waits for its end.
local function at_close(fn)
  local newproxy = rawget(_G, "newproxy")
  if not newproxy then return setmetatable({}, { __gc = fn }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = fn
  return proxy
end

--- Starts a server; raises with what it wrote to its standard error if it ends before it serves.
---@param options table
---@return tests.Server
function servers.start(options)
  local place = options.place or shell.new_directory()
  local output = launch(place, options)
  local self = { place = place, pid = tonumber(output:read "*l"), lines = {} }
  local generation = fork.generation()
  self.guard = at_close(function()
    if output and fork.generation() == generation then os.execute(("kill %d 2>/dev/null"):format(self.pid)) end
  end)

  function self.errors() return shell.read_file(place .. "/errors") or "" end

  function self.has_ended()
    local state = (shell.read_file(("/proc/%d/status"):format(self.pid)) or ""):match "State:%s*(%a)"
    return state == nil or state == "Z"
  end

  function self.finish()
    if not output then return nil end
    os.execute(("kill %d 2>/dev/null"):format(self.pid))
    local _, _, status = output:close()
    output = nil
    return status
  end

  function self.stop()
    local status = self.finish()
    shell.remove(place)
    return status
  end

  for i = 1, options.lines or 0 do self.lines[i] = output:read "*l" end
  local is_ready = options.is_ready or function() return #self.lines == (options.lines or 0) end
  local state = wait_until(function()
    -- Asked first: what an ended program has left behind may be what is waited for.
    local ended = self.has_ended()
    return is_ready(self) and "ready" or ended and "ended"
  end, self.errors)
  if state == "ended" then
    local errors = self.errors()
    self.stop()
    error(("%s did not start: %s"):format(options.command[1], errors), 2)
  end
  return self
end

--- Starts a program of the tree on lua5.4, which is given its directory and writes the port where it serves.
---@param path string
---@param word string? what it is given behind the directory
---@return tests.Server server, integer port
function servers.start_lua(path, word)
  local place = shell.new_directory()
  local server = servers.start { command = { "lua5.4", path, place, word }, place = place, lines = 1,
    environment = shell.lua_environment() }
  return server, tonumber(server.lines[1])
end

return servers
