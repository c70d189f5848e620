--- mde machines: lists the machines that a query selects.

local columns = require "mde.cli.ui.columns"
local conditions = require "mde.cli.listing.conditions"
local listing = require "mde.cli.listing.listing"

return listing.subcommand("machines", "machine", columns.machines, {
  summary = "List machines.",
  examples = {
    { "mde machines riskScore=High 'lastSeen>=2h ago'", "at risk, and seen in the last two hours" },
    { [[mde machines --filter "startswith(computerDnsName,'lab-')" --csv]], "a filter in OData; as CSV" },
    { "mde machines --all --json", "every machine, one JSON object a line" },
    { "mde machines riskScore=High --sort lastSeen:desc --limit 10 --columns computerDnsName,lastSeen,id",
      "the ten seen last" },
  },
  explained = conditions.explained,
})
