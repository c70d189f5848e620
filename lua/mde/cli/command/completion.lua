--- mde completion: writes what makes a shell complete the words of the command.

local fields = require "mde.cli.listing.fields"
local output = require "mde.cli.ui.output"
local shells = require "mde.cli.ui.shells"

local M = {
  name = "completion",
  summary = "Write a completion script for a shell.",
  needs_no_client = true,
  has_plain_process = true,
  examples = {
    { "mde completion bash >~/.local/share/bash-completion/completions/mde", "bash" },
    { 'mde completion zsh >"${fpath[1]}/_mde"', "zsh" },
    { "mde completion fish >~/.config/fish/completions/mde.fish", "fish" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("shell", "The shell."):choices { "bash", "zsh", "fish" }:argname "<shell>"
end

--- The rules of the guard, by which --allow lifts them.
M.rules = { "tags", "names", "device_values", "servers", "platforms", "cap" }

-- What there is to choose from, beside files.
local function completions_of(parser)
  local commands = {}
  for i, command in ipairs(parser._commands) do commands[i] = command._name end
  local list = {
    { command = "restrict", option = "--allow", name = "rules", kind = "word", words = M.rules },
    { command = "help", name = "commands", kind = "word", words = commands },
    { command = "completion", name = "shells", kind = "word", words = { "bash", "zsh", "fish" } },
  }
  for _, what in ipairs { "machines", "actions" } do
    local of = fields[what]
    for _, one in ipairs {
      { option = "--columns", name = "columns", kind = "list", words = of.names },
      { option = "--sort", name = "sort", kind = "word", words = of.names },
      { name = "conditions", kind = "condition", words = of.selectable },
    } do
      one.command, one.name = what, what .. "_" .. one.name
      list[#list + 1] = one
    end
  end
  return list
end

-- The scripts offer hidden options too, unless there are none; nothing is parsed any more.
local function forget_hidden(command)
  for i = #command._options, 1, -1 do
    if command._options[i]._hidden then table.remove(command._options, i) end
  end
  for _, subcommand in ipairs(command._commands) do forget_hidden(subcommand) end
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local parser = context.parser
  forget_hidden(parser)
  output.write(shells.script(parser, context.arguments.shell, completions_of(parser)))
  return 0
end

return M
