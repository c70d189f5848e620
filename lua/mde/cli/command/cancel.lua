--- mde cancel: cancels actions that have not ended yet.

local audit = require "mde.cli.ui.audit"
local single_action = require "mde.cli.batch.single_action"

local M = {
  name = "cancel",
  is_audited = true,
  summary = "Cancel an action that has not ended yet.",
  explained = [[
Needs the permission of what is cancelled: Machine.Isolate for an isolation, Machine.Scan for a
scan. An error names it.]],
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
  local client, comment = context.client, context.arguments.comment
  return single_action.run(context, 2, "cancelled", function(id)
    local action, err = client:cancel(id, comment)
    if action or err.kind ~= "permission" then return action, err end
    -- Which permission is missing, the type of the action says.
    local known = client:action(id)
    if not known then return nil, err end
    return client:cancel(known, comment)
  end)
end

return M
