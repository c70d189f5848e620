--- mde actions: lists the actions that a query selects.

local columns = require "mde.cli.columns"
local conditions = require "mde.cli.conditions"
local listing = require "mde.cli.listing"
local rows = require "mde.cli.rows"

local actions = {
  name = "actions",
  summary = "List actions.",
  examples = {
    { "mde actions status=Pending type=RestrictCodeExecution", "restricts that wait for their device" },
    { "mde actions 'creationDateTimeUtc>=12h ago' --csv", "what was done last night" },
  },
  explained = conditions.explained_for_actions,
}

--- Declares the options.
---@param command table of argparse
function actions.configure(command)
  conditions.configure(command, "action")
  rows.configure(command)
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@return integer status
function actions.run(arguments)
  local query = conditions.gather(arguments)
  return listing.run(function(client) return client:actions(query) end, arguments, columns.actions)
end

return actions
