--- mde package: tells the link to what a collection has collected.

local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local exit = require "mde.cli.ui.exit"
local output = require "mde.cli.ui.output"
local single_action = require "mde.cli.batch.single_action"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "package",
  summary = "Tell the link to an investigation package that was collected.",
  explained = [[
The link alone goes to standard output. It holds for a short time, and is fetched without a sign-in:
who has it can read the package. The service gives two links a minute.]],
  examples = {
    { "mde collect laptop-17 --comment forensics --wait", "first; it tells the action's id" },
    { 'curl -o package.zip "$(mde package 5c1f9a52-0000-4000-8000-000000000001)"', "fetches it" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("id", "The id of the collection, a GUID."):argname "<id>"
  command:flag("-q --quiet", "Say nothing but errors, warnings and the link.")
end

--- The action that the arguments name. Raises for what is no id.
---@param arguments table as argparse leaves them
---@return string id
function M.request(arguments)
  single_action.check_id(arguments.id)
  return arguments.id
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local link, err
  local finished = interrupt.during(context.client, 1, function()
    link, err = context.client:package_link(context.request)
  end)
  if not finished then return exit.interrupted end
  if not link then error(err, 0) end
  output.write(errors.escape(link) .. "\n")
  terminal.remark "The link holds for a short time. Who has it can read the package: do not hand it on."
  return exit.done
end

return M
