--- mde action: shows actions by their ids.

local single_action = require "mde.cli.batch.single_action"

local action = {
  name = "action",
  summary = "Show one action.",
  examples = { { "mde action 5c1f9a52-0000-4000-8000-000000000001", "its state, who asked for it and why" } },
}

--- Declares the options.
---@param command table of argparse
function action.configure(command)
  single_action.configure(command)
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@return integer status
function action.run(arguments)
  return single_action.run(arguments, 1, "read", function(client, id) return client:action(id) end)
end

return action
