--- mde alert: shows one alert and its devices.

local columns = require "mde.cli.ui.columns"
local csv = require "mde.cli.ui.csv"
local details = require "mde.cli.ui.details"
local exit = require "mde.cli.ui.exit"
local of_alerts = require "mde.cli.ui.alert"
local output = require "mde.cli.ui.output"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "alert",
  summary = "Show one alert and its devices.",
  explained = "Of each device it says whether it may be acted on, by the id that mde restrict takes.",
  examples = {
    { "mde alert da637551227677560813_-961444813", "what it is about, and which devices were hit" },
    { "mde alert ID --json | jq -r '.devices[] | select(.is_target) | .id'", "the ids, for mde restrict -" },
  },
}

local shown = { "id", "title", "severity", "status", "category", "incidentId", "classification", "determination",
  "assignedTo", "createdDateTime", "lastUpdateDateTime", "firstActivityDateTime", "lastActivityDateTime",
  "serviceSource", "detectionSource", "threatDisplayName", "alertWebUrl", "description" }

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("id", "The alert's id."):argname "<id>"
  of_alerts.configure(command)
  rows.configure(command)
end

local function write(line)
  output.write(terminal.escape(csv.text(line)) .. "\n")
end

local function list(heading, items, described)
  if not items[1] then return end
  output.write("\n" .. heading .. "\n")
  for _, item in ipairs(items) do write("  " .. described(item)) end
end

local function device(one)
  local name = one.computerDnsName or one.aadDeviceId or "a device without a name"
  local standing = one.problem or one.is_contextual and "only seen nearby" or "may be acted on"
  local roles = one.roles[1] and (" (%s)"):format(table.concat(one.roles, ", ")) or ""
  return ("%s  %s%s: %s"):format(one.id or "no machine id", name, roles, standing)
end

local function user(one)
  return one.userPrincipalName or (one.domainName and one.domainName .. "\\" or "") .. (one.accountName or "?")
end

local function file(one)
  return ("%s  %s"):format(one.sha1 or one.sha256 or "no digest", one.fileName or "?")
end

local function process(one)
  return one.processCommandLine or one.fileName or "?"
end

local function comment(one)
  return ("%s  %s: %s"):format(one.createdDateTime or "?", one.createdByDisplayName or "?", one.comment)
end

local function itself(text) return text end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local arguments = context.arguments
  local alert, err = context.client:alert(arguments.id, of_alerts.read(arguments))
  if not alert then error(err, 0) end
  if context.format ~= "text" then
    local writer = rows.new(context, columns.alerts, of_alerts.as_json)
    writer.add(alert)
    writer.finish()
    return exit.done
  end
  details.write(alert, shown)
  list("Devices:", alert.devices, device)
  list("Users:", alert.users, user)
  list("Files:", alert.files, file)
  list("Processes:", alert.processes, process)
  list("Addresses:", alert.addresses, itself)
  list("URLs:", alert.urls, itself)
  list("Comments:", alert.comments, comment)
  return exit.done
end

return M
