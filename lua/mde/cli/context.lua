--- connection: the client that the environment describes, for one run of the command.

local clients = require "mde.client"
local posix = require "mde.posix"
local terminal = require "mde.cli.ui.terminal"

local connection = {}

local current

local function warn(message)
  terminal.say("mde: warning: " .. message)
end

local function on_event(event)
  if event.event == "warning" then warn(event.message) end
end

--- Raises if the environment describes none. What the client warns of is said.
---@param options? mde.ClientOptions
---@return mde.Client
function connection.open(options)
  local all = { on_event = on_event }
  for name, value in pairs(options or {}) do all[name] = value end
  local client, err = clients.new(all)
  if not client then error(err, 0) end
  current = client
  for _, remark in ipairs(client:remarks()) do warn(remark) end
  return client
end

--- What time it is at the service: how long ago something was is told by it.
---@return number seconds Unix seconds
function connection.now()
  return current and current:now() or posix.clock.time()
end

return connection
