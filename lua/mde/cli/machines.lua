--- mde machines: lists the machines that a query selects.

local columns = require "mde.cli.columns"
local conditions = require "mde.cli.conditions"
local listing = require "mde.cli.listing"
local rows = require "mde.cli.rows"

local machines = {
  name = "machines",
  summary = "List machines.",
  examples = {
    { "mde machines riskScore=High 'lastSeen>=2h ago'", "at risk, and seen in the last two hours" },
    { [[mde machines --filter "startswith(computerDnsName,'lab-')" --csv]], "a filter in OData; as CSV" },
    { "mde machines --all --json", "every machine, one JSON object a line" },
  },
  explained = conditions.explained,
}

--- Declares the options.
---@param command table of argparse
function machines.configure(command)
  conditions.configure(command, "machine")
  rows.configure(command)
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@return integer status
function machines.run(arguments)
  local query = conditions.gather(arguments)
  return listing.run(function(client) return client:machines(query) end, arguments, columns.machines)
end

return machines
