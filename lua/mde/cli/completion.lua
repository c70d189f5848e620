--- mde completion: writes what makes a shell complete the words of the command.

local completion = {
  name = "completion",
  summary = "Write a completion script for a shell.",
  needs_no_client = true,
  examples = {
    { "mde completion bash >~/.local/share/bash-completion/completions/mde", "bash" },
    { 'mde completion zsh >"${fpath[1]}/_mde"', "zsh" },
    { "mde completion fish >~/.config/fish/completions/mde.fish", "fish" },
  },
}

--- Declares the options.
---@param command table of argparse
function completion.configure(command)
  command:argument("shell", "The shell."):choices { "bash", "zsh", "fish" }:argname "<shell>"
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@param parser table of argparse, with every subcommand in it
---@return integer status
function completion.run(arguments, parser)
  io.stdout:write(parser["get_" .. arguments.shell .. "_complete"](parser))
  return 0
end

return completion
