--- mde actions: lists the actions that a query selects.

local columns = require "mde.cli.ui.columns"
local conditions = require "mde.cli.listing.conditions"
local listing = require "mde.cli.listing.listing"
local sieve = require "mde.cli.listing.sieve"

return listing.subcommand("actions", "action", columns.actions, {
  summary = "List actions.",
  examples = {
    { "mde actions status=Pending type=RestrictCodeExecution", "restricts that wait for their device" },
    { "mde actions 'creationDateTimeUtc>=12h ago' --csv", "what was done last night" },
    { "mde actions --incident INC-4711 status=Failed", "what failed of an incident" },
    { "mde actions --comment 'known c2' 'creationDateTimeUtc>=7d ago'", "by a part of the comment" },
    { "mde actions --all --sort creationDateTimeUtc:desc --limit 20", "the newest" },
    { "mde actions status=Pending --columns id,computerDnsName", "the ids, however narrow the terminal" },
  },
  explained = conditions.explained_for_actions .. "\n\n" .. sieve.explained,
}, sieve)
