--- mde actions: lists the actions that a query selects.

local columns = require "mde.cli.ui.columns"
local conditions = require "mde.cli.listing.conditions"
local listing = require "mde.cli.listing.listing"

return listing.subcommand("actions", "action", columns.actions, {
  summary = "List actions.",
  examples = {
    { "mde actions status=Pending type=RestrictCodeExecution", "restricts that wait for their device" },
    { "mde actions 'creationDateTimeUtc>=12h ago' --csv", "what was done last night" },
    { "mde actions --all --sort creationDateTimeUtc:desc --limit 20", "the newest" },
    { "mde actions status=Pending --columns id,computerDnsName", "the ids, however narrow the terminal" },
  },
  explained = conditions.explained_for_actions,
})
