--- mde alerts: lists the alerts that a query selects.

local alert = require "mde.cli.ui.alert"
local columns = require "mde.cli.ui.columns"
local conditions = require "mde.cli.listing.conditions"
local listing = require "mde.cli.listing.listing"

return listing.subcommand("alerts", "alert", columns.alerts, {
  summary = "List alerts (needs Alert.Read.All; of Graph SecurityAlert.Read.All).",
  examples = {
    { "mde alerts severity=high status=new 'createdDateTime>=2h ago'", "what has come in the last two hours" },
    { "mde alerts 'severity>=medium' --source graph --json", "of all products, by Microsoft Graph" },
    { "mde alerts incidentId=28282 --columns createdDateTime,title,devices", "those of an incident" },
    { "mde alerts --all --sort createdDateTime:desc --limit 20", "the newest" },
  },
  explained = conditions.explained_for_alerts .. "\n\n"
    .. "A device in parentheses is not to be acted on: mde alert says why.",
  options = alert, as_json = alert.as_json,
})
