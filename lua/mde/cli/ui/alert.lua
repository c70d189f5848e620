--- alert: which source of alerts a command asks, and an alert as JSON.

local M = {}

M.sources = { "defender", "graph" }

--- Declares the option.
---@param command table of argparse
function M.configure(command)
  command:option("--source", "Who is asked: defender, Defender for Endpoint (the default), or graph, Microsoft Graph.")
    :argname "<source>":choices(M.sources):overwrite(false)
end

--- The options of the client's function.
---@param arguments table as argparse leaves them
---@return mde.AlertOptions
function M.read(arguments)
  return { source = arguments.source }
end

--- An alert without the service's own row, which says the same in other words.
---@param alert mde.Alert
---@return table
function M.as_json(alert)
  local own = {}
  for name, value in pairs(alert) do own[name] = value end
  own.row = nil
  return own
end

return M
