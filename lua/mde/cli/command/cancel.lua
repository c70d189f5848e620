--- mde cancel: cancels actions that have not ended yet.

local audit = require "mde.cli.ui.audit"
local single_action = require "mde.cli.batch.single_action"

local M = {
  name = "cancel",
  is_audited = true,
  summary = "Cancel an action that has not ended yet.",
  examples = {
    { 'mde cancel 5c1f9a52-0000-4000-8000-000000000001 --comment "wrong laptop"', "mde actions lists the ids" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  single_action.configure(command)
  command:option("--comment", "Why; recorded in the service."):argname "<text>":count(1):overwrite(false)
  audit.configure(command)
end

M.request = single_action.request

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  return single_action.run(context, 2, "cancelled", function(id)
    return context.client:cancel(id, context.arguments.comment)
  end)
end

return M
