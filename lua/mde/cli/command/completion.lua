--- mde completion: writes what makes a shell complete the words of the command.

local output = require "mde.cli.ui.output"

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
  output.write(parser["get_" .. context.arguments.shell .. "_complete"](parser))
  return 0
end

return M
