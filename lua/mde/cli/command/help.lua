--- mde help: shows what --help shows.

local output = require "mde.cli.ui.output"

local M = {
  name = "help",
  summary = "Show what the command, or one of its commands, can do.",
  needs_no_client = true,
  has_plain_process = true,
  examples = {
    { "mde help", "the commands there are" },
    { "mde help restrict", "the same as mde restrict --help" },
  },
}

-- The parser of a subcommand.
local function find(parser, name)
  for _, command in ipairs(parser._commands) do
    if command._name == name then return command end
  end
end

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  local parser = command._parent
  command:argument("topic", "The command to show."):args "?":argname "<command>":convert(function(name)
    if find(parser, name) then return name end
    -- It says what was probably meant, as of every misspelt command.
    local ok, message = parser:pparse { "--", name }
    return nil, not ok and message or nil
  end)
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local topic = context.arguments.topic
  local shown = topic and find(context.parser, topic) or context.parser
  output.write(shown:get_help() .. "\n")
  return 0
end

return M
