--- mde action: shows actions by their ids.

local single_action = require "mde.cli.batch.single_action"

local M = {
  name = "action",
  summary = "Show one action.",
  examples = { { "mde action 5c1f9a52-0000-4000-8000-000000000001", "its state, who asked for it and why" } },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  single_action.configure(command)
end

M.request = single_action.request

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  return single_action.run(context, 1, "read", function(id) return context.client:action(id) end)
end

return M
