--- mde indicators: lists the tenant's indicators, adds one or those of a file, and deletes them.

local changes = require "mde.cli.indicator.changes"
local columns = require "mde.cli.ui.columns"
local errors = require "mde.base.error"
local file = require "mde.cli.indicator.file"
local listing = require "mde.cli.listing.listing"

local M = {
  summary = "List, add, import and delete indicators: what devices block.",
  explained = [[
   mde indicators list   [<condition> ...]   as mde machines takes them, or --all
   mde indicators add    <value>             with --type, --action, --title, --description
   mde indicators import <file>              CSV with the service's names in its heading
                                             (indicatorValue, indicatorType, action, title,
                                             description, severity, expirationTime ...), or JSON;
                                             - is standard input
   mde indicators delete <id> ...

Needs the permission Ti.ReadWrite.All. An indicator is for every device of the tenant, or of the
groups that it names: a wrong one cuts off a whole company. So what would be done is shown and asked
about; elsewhere than on a terminal it needs --yes. What would hit more than anybody means is
refused by a rule, which --allow lifts: empty_file, any_address, own_address, private_address,
top_level_domain, vital_domain.

One value of one type is one indicator: adding it again changes it.]],
  examples = {
    { "mde indicators list action=Block 'expirationTime<=2027-01-01'", "those that end soon" },
    { "mde indicators add bad.example --type DomainName --action Block --title CASE-1 --description C2 "
      .. "--expires 30d",
      "blocks a domain for thirty days" },
    { "mde indicators import iocs.csv --dry-run", "checks a file, and sends nothing" },
  },
}

local lister = listing.subcommand("indicators", "indicator", columns.indicators, {})

M.name = lister.name

-- For each option its field.
local fields = { type = "indicatorType", action = "action", title = "title", description = "description",
  severity = "severity", expires = "expires_in", groups = "rbacGroupNames", application = "application" }

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("what", "What to do."):choices { "list", "add", "import", "delete" }
  lister.configure(command)
  command:option("--type", "Of the value: FileSha1, FileSha256, FileMd5, CertificateThumbprint, IpAddress, DomainName "
    .. "or Url."):argname "<type>":overwrite(false)
  command:option("--action", "Allowed, Audit, Block, BlockAndRemediate or Warn."):argname "<action>":overwrite(false)
  command:option("--title", "Its title, a case say."):argname "<text>":overwrite(false)
  command:option("--description", "Why."):argname "<text>":overwrite(false)
  command:option("--severity", "Informational, Low, Medium or High."):argname "<severity>":overwrite(false)
  command:option("--expires", "When it ends, from now: 12h or 30d (default never)."):argname "<span>":overwrite(false)
  command:option("--group", "A device group that it is for (default all devices); may be repeated."):argname "<name>"
    :target "groups":count "*"
  command:option("--application", "What it is shown as made by."):argname "<name>":overwrite(false)
  command:option("--allow", "Lift a rule for this call; may be repeated."):argname "<rule>":count "*"
  command:flag("-y --yes", "Ask nothing.")
  command:flag("-n --dry-run", "Show what would be done, and send nothing.")
  command:flag("-q --quiet", "Say nothing but errors, warnings and results.")
end

local readers = {}

local function refuse_words(arguments, least, most, wanted)
  local count = #arguments.conditions
  if count >= least and count <= most then return end
  errors.invalid("nothing_selected", ("mde indicators %s needs %s"):format(arguments.what, wanted))
end

readers.list = lister.request

function readers.add(arguments)
  refuse_words(arguments, 1, 1, "one value")
  local request = { fields = { indicatorValue = arguments.conditions[1] } }
  for option, field in pairs(fields) do request.fields[field] = arguments[option] end
  if arguments.groups and not arguments.groups[1] then request.fields.rbacGroupNames = nil end
  return request
end

readers["import"] = function(arguments)
  refuse_words(arguments, 1, 1, "one file")
  local request = {}
  request.rows, request.lines = file.read(arguments.conditions[1])
  return request
end

function readers.delete(arguments)
  refuse_words(arguments, 1, 500, "ids, at most 500")
  for _, id in ipairs(arguments.conditions) do
    if not id:find "^[0-9]+$" then
      errors.invalid("wrong_value", ("%s is not the id of an indicator"):format(errors.quote(id)),
        "mde indicators list shows them. Nothing was done.")
    end
  end
  return { ids = arguments.conditions }
end

--- What the arguments ask. Raises where that is of no use.
---@param arguments table as argparse leaves them
---@return table request
function M.request(arguments)
  local request = readers[arguments.what](arguments)
  if arguments.what ~= "list" then
    changes.check_asking(arguments)
    request.allow = arguments.allow
  end
  return request
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local what = context.arguments.what
  if what == "list" then return lister.run(context) end
  return changes[what](context)
end

return M
