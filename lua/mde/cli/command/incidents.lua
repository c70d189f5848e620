--- mde incidents: lists the incidents of Microsoft Graph that a query selects.

local alert = require "mde.cli.ui.alert"
local columns = require "mde.cli.ui.columns"
local conditions = require "mde.cli.listing.conditions"
local listing = require "mde.cli.listing.listing"

return listing.subcommand("incidents", "incident", columns.incidents, {
  summary = "List incidents (needs SecurityIncident.Read.All of Graph).",
  examples = {
    { "mde incidents status=active 'severity>=medium'", "what is open" },
    { "mde incidents 'lastUpdateDateTime>=12h ago' --csv", "what has changed last night" },
  },
  explained = conditions.explained_for_incidents .. "\n\nThe alerts of one are listed by mde alerts incidentId=ID.",
  as_json = alert.as_json,
})
