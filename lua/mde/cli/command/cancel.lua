--- mde cancel: cancels actions that have not ended yet.

local audit = require "mde.cli.ui.audit"
local core = require "mde.core"
local errors = require "mde.base.error"
local single_action = require "mde.cli.batch.single_action"

local rows = core.response_actions

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

-- The permission that an action of this type needs.
local function permission_of(action_type)
  for _, name in ipairs(rows) do
    local own = rows[name].type
    if own and core.text.lower(own) == core.text.lower(action_type or "") then return rows[name].permission end
  end
end

-- The error with the permission that cancelling this action needs: only the type of the action tells that.
local function with_permission(client, id, err)
  local action = client:action(id)
  local permission = action and permission_of(action.type)
  if not permission then return err end
  local told = errors.derive(err, { hint = ("%s This action needs the permission %s."):format(err.hint, permission) })
  -- That the token lacks this one is not certain.
  told.permission = nil
  return told
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local client, comment = context.client, context.arguments.comment
  return single_action.run(context, 2, "cancelled", function(id)
    local action, err = client:cancel(id, comment)
    if action or err.kind ~= "permission" then return action, err end
    return nil, with_permission(client, id, err)
  end)
end

return M
