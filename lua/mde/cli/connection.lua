--- connection: the client that the environment describes, for one run of the command.

local clients = require "mde.client"

local connection = {}

--- Raises if the environment describes none.
---@param options? mde.ClientOptions
---@return mde.Client
function connection.open(options)
  local client, err = clients.new(options)
  if not client then error(err, 0) end
  return client
end

return connection
