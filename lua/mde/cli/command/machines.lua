--- mde machines: lists the machines that a query selects.

local columns = require "mde.cli.ui.columns"
local conditions = require "mde.cli.ui.conditions"
local listing = require "mde.cli.ui.listing"

return listing.subcommand("machines", "machine", columns.machines, {
  summary = "List machines.",
  examples = {
    { "mde machines riskScore=High 'lastSeen>=2h ago'", "at risk, and seen in the last two hours" },
    { [[mde machines --filter "startswith(computerDnsName,'lab-')" --csv]], "a filter in OData; as CSV" },
    { "mde machines --all --json", "every machine, one JSON object a line" },
  },
  explained = conditions.explained,
})
