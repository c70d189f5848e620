--- context: what a subcommand runs with.
--
-- It is made when all of it is known: what the arguments ask is read and checked first, then the client is made that
-- the environment describes.

local audit = require "mde.cli.ui.audit"
local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local mde = require "mde"
local profiles = require "mde.cli.profile"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

---@class mde.cli.Context
---@field arguments table as argparse leaves them
---@field parser table of argparse, with every subcommand in it
---@field format "json"|"csv"|"text" in which results are written
---@field request any what the arguments ask, as the subcommand's `request` has read it; nil if it has none
---@field profile? string the name of the profile
---@field client mde.Client nil where none is needed
---@field headed? mde.cli.RowColumn[] the columns whose heading was written last

local M = {}

local function warn(message)
  terminal.say("mde: warning: " .. message)
end

-- What is done with what the client tells: warnings are said, changes audited.
local function watcher(audited)
  return function(event)
    if event.event == "warning" then warn(event.message) end
    if audited then audited(event) end
  end
end

--- Says before anything is sent, also with --quiet, what is not as it should be: that somebody else than Microsoft
--- receives the credential, for instance.
---@param client mde.Client
---@param profile? string that it was made of
function M.say_remarks(client, profile)
  local about = profile and ("profile %s: "):format(errors.show(profile)) or ""
  for _, remark in ipairs(client:remarks()) do warn(about .. remark) end
end

-- The client that the profile and the environment describe; raises if they describe none. What the client warns of is
-- said.
local function connect(all, options, profile, audited)
  all.on_event = watcher(audited)
  for name, value in pairs(options or {}) do all[name] = value end
  local client, err = mde.client(all)
  if not client then error(err, 0) end
  M.say_remarks(client, profile)
  return client
end

--- The context of one run. Raises for arguments or an environment that are of no use.
---@param subcommand mde.cli.Subcommand
---@param arguments table as argparse leaves them
---@param parser table of argparse
---@return mde.cli.Context? context nil if the command was interrupted while it read what the arguments ask
function M.new(subcommand, arguments, parser)
  terminal.be_quiet(arguments.quiet or false)
  local request = subcommand.request and subcommand.request(arguments)
  if interrupt.asked() then return nil end
  local client, profile
  if not subcommand.needs_no_client and (not subcommand.needs_client or subcommand.needs_client(request)) then
    local settings
    settings, profile = profiles.options(arguments.profile)
    client = connect(settings, subcommand.client_options and subcommand.client_options(arguments, settings), profile,
      subcommand.is_audited and audit.open(arguments, subcommand.output_is_free))
  end
  return { arguments = arguments, parser = parser, format = rows.format(arguments), request = request, client = client,
    profile = profile }
end

return M
