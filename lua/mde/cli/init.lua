-- The `mde` command. Each subcommand is a file beside this one, which returns
--   { name, summary, configure = function(command), run = function(arguments) -> exit status }
local argparse = require "argparse"

local cli = {}

local subcommands = { "sim" }

local usage_error = 1

local function build()
  local parser = argparse("mde", "Contains compromised devices through Microsoft Defender for Endpoint.")
  parser:command_target "command"
  parser:require_command(true)
  local by_name = {}
  for _, name in ipairs(subcommands) do
    local subcommand = require("mde.cli." .. name)
    subcommand.configure(parser:command(subcommand.name, subcommand.summary))
    by_name[subcommand.name] = subcommand
  end
  return parser, by_name
end

--- Runs the command.
---@param arguments string[]
---@return integer status for the shell
function cli.run(arguments)
  local parser, by_name = build()
  local ok, parsed = parser:pparse(arguments)
  if not ok then
    io.stderr:write("mde: ", parsed, "\n", parser:get_usage(), "\n")
    return usage_error
  end
  return by_name[parsed.command].run(parsed)
end

return cli
