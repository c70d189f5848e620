--- The `mde` command. Each subcommand is a file in command/, which returns an mde.cli.Subcommand; those of the response
-- actions that have none are made from their rows.

local argparse = require "argparse"
local exit = require "mde.cli.ui.exit"
local output = require "mde.cli.ui.output"

---@class mde.cli.Subcommand
---@field name string
---@field summary string
---@field explained? string more help
---@field examples string[][] command lines, each with what it does
---@field configure fun(command: table) declares the options to argparse
---@field request? fun(arguments: table): any reads what the arguments ask, and raises where that is of no use
---@field client_options? fun(arguments: table, settings: mde.ClientOptions): mde.ClientOptions settings: the profile's
---@field needs_no_client? boolean
---@field needs_client? fun(request: any): boolean whether what is asked needs one; default true
---@field is_audited? boolean it makes changes, and has the option --audit
---@field output_is_free? boolean no results go to standard output
---@field has_plain_process? boolean a signal ends it, and its memory is no secret
---@field run fun(context: mde.cli.Context): integer what it does; the exit status

local M = {}

local subcommands = { "restrict", "release", "plan", "run", "resume", "runs", "stop", "undo", "rehearse", "watch",
  "state", "report", "machines", "actions", "action", "alerts", "alert", "incidents", "hunt", "cancel", "package",
  "tag", "untag", "set_device_value", "details", "indicators", "doctor", "sim", "completion", "man", "help" }

-- All in the order in which they are shown: behind release the other response actions.
---@return mde.cli.Subcommand[]
local function load_subcommands()
  local responses, words = require "mde.cli.batch.response", require "mde.cli.batch.words"
  local loaded, has_file = {}, {}
  for _, name in ipairs(subcommands) do has_file[name] = true end
  for _, name in ipairs(subcommands) do
    loaded[#loaded + 1] = require("mde.cli.command." .. name)
    for _, verb in ipairs(name == "release" and words.verbs() or {}) do
      if not has_file[verb] then loaded[#loaded + 1] = responses.subcommand(verb) end
    end
  end
  return loaded
end

local introduction = [[
Contains compromised devices through Microsoft Defender for Endpoint.

The tenant and the application stand in the environment: AZURE_TENANT_ID, AZURE_CLIENT_ID and
AZURE_CLIENT_SECRET, or a certificate, a federated token or a managed identity instead. No secret is
ever an argument. Whether all is well: mde doctor. To rehearse without a tenant: mde sim.]]

local overview = [[
Examples:
   mde restrict laptop-17 --comment "beacon to known C2" --incident INC-4711
   mde state laptop-17
   mde machines riskScore=High 'lastSeen>=2h ago'
   mde release --all-of INC-4711 --since 14h --comment "false alarm"
   mde report INC-4711

mde help <command>, or mde <command> --help, shows what a command can do, with examples.]]

local function examples_of(subcommand)
  local lines = { "Examples:" }
  for _, example in ipairs(subcommand.examples or {}) do
    lines[#lines + 1] = ("   %s\n      %s"):format(example[1], example[2])
  end
  return lines[2] and table.concat(lines, "\n")
end

local function epilog(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) or nil end
  return table.concat(parts, "\n\n")
end

-- Also where what terminals need cannot be loaded.
local function complain(name, text)
  local line = ("mde%s: %s"):format(name and " " .. name or "", text)
  local loaded, terminal = pcall(require, "mde.cli.ui.terminal")
  if loaded then terminal.complain(line) else io.stderr:write((line:gsub("[%z\1-\31\127]", " ")), "\n") end
end

-- That results could not be written is never passed over in silence.
local function hand_on_results(status)
  output.flush()
  local reason = output.failure()
  if not reason then return status end
  complain(nil, "results cannot be written: " .. reason)
  return math.max(status, exit.unavailable)
end

-- What an option shows that is all there is to do.
local function show_and_exit(text)
  output.write(text .. "\n")
  os.exit(hand_on_results(exit.done), true)
end

local function show_help(parser)
  parser:add_help { action = function() show_and_exit(parser:get_help()) end }
end

local function build()
  local profiles = require "mde.cli.profile"
  local parser = argparse("mde", introduction, epilog(overview, profiles.explained, exit.explained))
  parser:help_max_width(100):help_description_margin(30):usage_max_width(100)
  parser:command_target "command"
  parser:require_command(true)
  show_help(parser)
  parser:flag("-V --version", "Show the version and exit."):action(function()
    show_and_exit(require("mde")._VERSION)
  end)
  local by_name = {}
  for _, subcommand in ipairs(load_subcommands()) do
    local command = parser:command(subcommand.name)
    show_help(command)
    command:summary(subcommand.summary):description(subcommand.summary)
    command:epilog(epilog(subcommand.explained, examples_of(subcommand), exit.explained))
    subcommand.configure(command)
    if not subcommand.needs_no_client then profiles.configure(command) end
    by_name[subcommand.name] = subcommand
  end
  return parser, by_name
end

-- Whether a word is a time with its units: 5m, 1h30m.
local function is_span(word)
  return word:find "^%d" ~= nil and word:gsub("%d+[smhd]", "") == ""
end

-- The name of the subcommand among the words, for what is said about them.
local function named_in(words, by_name)
  for _, word in ipairs(words) do
    if by_name[word] then return word end
  end
end

-- How long `--wait` alone waits: as long as the response takes on a device that is online.
local function usual_wait(name)
  local row = require("mde.core").response_actions[name]
  return row and row.kind == "acts" and require("mde.cli.batch.change").wait(name) or "10m"
end

--- The time of `--wait` may be a word of its own, which argparse would not tell from a device; `--wait` alone is
--- `--wait=10m`, or longer for what takes longer.
local function spell_out(arguments, by_name)
  local name = named_in(arguments, by_name)
  local words, position = {}, 1
  while arguments[position] do
    local word, after = arguments[position], arguments[position + 1]
    position = position + 1
    if word == "--" then
      for i = position - 1, #arguments do words[#words + 1] = arguments[i] end
      return words
    end
    if word == "--wait" then
      if after and after:find "^%d+$" then
        return nil, ("'--wait %s' has no unit; write --wait %ss, or --wait=10m before a device of that name")
          :format(after, after)
      end
      local time = after and is_span(after) and after or nil
      if time then position = position + 1 end
      word = "--wait=" .. (time or usual_wait(name))
    end
    words[#words + 1] = word
  end
  return words
end

local function usage_error(name, message, parser)
  complain(name, (message:gsub("%s*\n%s*", " ")))
  io.stderr:write(("See mde%s --help.\n"):format(parser and " " .. name or ""))
  return exit.usage
end

--- Runs a subcommand in a process that keeps its memory to itself and ends in order.
local function run(subcommand, arguments, parser)
  if not subcommand.has_plain_process then
    local posix = require "mde.posix"
    local hardened, problem = posix.process.harden()
    if not hardened then complain(subcommand.name, "warning: " .. problem) end
    posix.signal.watch()
  end
  local context = require("mde.cli.context").new(subcommand, arguments, parser)
  return context and subcommand.run(context) or exit.interrupted
end

-- Reading a list, say, ends with an error then.
local function was_interrupted()
  local ok, posix = pcall(require, "mde.posix")
  return ok and posix.signal.interruptions() > 0
end

--- Runs the command.
---@param arguments string[]
---@return integer status for the shell
function M.run(arguments)
  local loaded, parser, by_name = pcall(build)
  if not loaded then
    complain(nil, ("the command cannot start: %s"):format(tostring(parser):match "^[^\n]*"))
    return exit.usage
  end
  local left_out = require("mde.cli.left_out")[arguments[1]]
  if left_out then
    complain(arguments[1], require("mde.cli.ui.problem").in_words(left_out()))
    return exit.usage
  end
  local words, problem = spell_out(arguments, by_name)
  if not words then return usage_error(nil, problem) end
  local ok, parsed = parser:pparse(words)
  if not ok then
    local name = named_in(words, by_name)
    return usage_error(name, parsed, name)
  end
  local subcommand = by_name[parsed.command]
  local ran, status = pcall(run, subcommand, parsed, parser)
  if ran then return hand_on_results(status) end
  output.flush()
  complain(subcommand.name, require("mde.cli.ui.problem").in_words(status))
  return hand_on_results(was_interrupted() and exit.interrupted or exit.of(status))
end

return M
