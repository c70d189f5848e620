--- connection: the client that the environment describes, for one run of the command.

local clients = require "mde.client"
local terminal = require "mde.cli.terminal"

local connection = {}

--- Raises if the environment describes none.
---@param options? mde.ClientOptions
---@return mde.Client
function connection.open(options)
  local client, err = clients.new(options)
  if not client then error(err, 0) end
  for _, remark in ipairs(client:remarks()) do terminal.say("mde: warning: " .. remark) end
  return client
end

return connection
