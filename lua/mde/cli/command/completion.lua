--- mde completion: writes what makes a shell complete the words of the command.

local fields = require "mde.cli.listing.fields"
local output = require "mde.cli.ui.output"
local profiles = require "mde.cli.profile"
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

local SHELLS = { "bash", "zsh", "fish" }

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("shell", "bash, zsh or fish; or profiles, which writes the names for --profile, one a line.")
    :choices { "bash", "zsh", "fish", "profiles" }:argname "<shell>"
end

--- The rules of the guard, by which --allow lifts them.
M.rules = { "tags", "names", "device_values", "servers", "platforms", "cap" }

local function list_of(subcommand)
  local of = fields[subcommand]
  return of and { kind = "list", words = of.names }
end

-- What the value of an option is, by its name and that of its subcommand.
local of_options = {
  ["--allow"] = function() return { kind = "word", words = M.rules } end,
  ["--profile"] = function() return { kind = "profile" } end,
  -- Its time may be left out.
  ["--wait"] = function() return nil end,
  ["--columns"] = list_of,
  ["--sort"] = function(subcommand) return { kind = "word", words = fields[subcommand].names } end,
}

local function names_of(commands)
  local names = {}
  for i, command in ipairs(commands) do names[i] = command._name end
  return names
end

-- The place of the words that are no options.
-- Whose words are a playbook, a plan or a record.
local names_files = { plan = true, run = true, resume = true, stop = true, undo = true, rehearse = true, report = true,
  watch = true }

local function place_of_words(parser, command)
  local of = fields[command._name]
  if of then return { kind = "condition", words = of.selectable, values = of.choices } end
  if command._name == "completion" then return { kind = "word", words = SHELLS } end
  if command == parser or command._name == "help" then return { kind = "word", words = names_of(parser._commands) } end
  return { kind = names_files[command._name] and "file" or "text" }
end

-- nil for a flag.
local function place_of_value(option, subcommand)
  if option._minargs == 0 then return nil end
  local own = of_options[option._name]
  if own then return own(subcommand) end
  if option._choices then return { kind = "word", words = option._choices } end
  local shown = table.concat(option:_get_argument_list(), " ")
  return { kind = (shown == "<file>" or shown == "<directory>") and "file" or "text" }
end

-- Its first sentence, without the end.
local function first_sentence(text)
  return (text:match "^(.-)%.%s" or text):gsub("%.$", "")
end

-- A subcommand, or what comes before it, with all that is not hidden.
local function offered(parser, command)
  local options = {}
  for _, option in ipairs(command._options) do
    if not option._hidden then
      options[#options + 1] = {
        names = option._public_aliases, about = first_sentence(option:_get_description()),
        repeated = option._maxcount > 1, place = place_of_value(option, command._name),
      }
    end
  end
  return {
    name = command == parser and "" or command._name, about = first_sentence(command._summary or ""),
    options = options, place = place_of_words(parser, command),
  }
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local parser, wanted = context.parser, context.arguments.shell
  if wanted == "profiles" then
    for _, name in ipairs(profiles.names()) do output.write(name .. "\n") end
    return 0
  end
  local commands = { offered(parser, parser) }
  for _, command in ipairs(parser._commands) do commands[#commands + 1] = offered(parser, command) end
  output.write(shells.script(wanted, commands))
  return 0
end

return M
