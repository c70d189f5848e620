--- mde stop: a run begins nothing new; what is in flight ends.

local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local mde = require "mde"
local problem = require "mde.cli.ui.problem"
local profiles = require "mde.cli.profile"
local runs = require "mde.run"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "stop",
  summary = "Let a run begin nothing new.",
  explained = [[
What it has sent by then is followed to its answer. A file beside its record tells the run. Where the
record does not lie here, on another host say, the store tells it that both share (MDE_STORE, or store
in the profile): the run looks there every 5 seconds, and nothing is asked of the service.]],
  examples = {
    { "mde stop 20260203T031500Z-7f3a", "from another terminal" },
    { "mde stop --profile contoso 20260203T031500Z-7f3a", "from another host that shares the store" },
  },
  -- It makes one only where the record does not lie here.
  needs_no_client = true,
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("run", "The id of a run, or its record."):argname "<run>"
  profiles.configure(command)
end

local function is_here(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function stop_here(run, path)
  -- Where it cannot be told, it is asked all the same.
  if runs.is_in_use(path) == false then
    terminal.say(("No session works on the run %s; there is nothing to stop."):format(errors.show(run)))
    return exit.done
  end
  local stopped, err = runs.stop(path)
  if not stopped then error(err, 0) end
  terminal.say(("Run %s begins nothing new. To go on:"):format(errors.show(run)),
    ("mde resume %s"):format(shell_word.of(runs.name_of(path, run))))
  return exit.done
end

local function stop_elsewhere(run, profile)
  local client, missing = mde.client((profiles.options(profile)))
  if not client then
    terminal.complain(("mde stop: there is no run %s here, and none elsewhere can be asked: %s"):format(
      errors.quote(run), problem.in_words(missing)))
    return exit.usage
  end
  local host, err = runs.stop_elsewhere(client, run)
  if not host then error(err, 0) end
  terminal.say(("Run %s, which works on %s, begins nothing new within %d seconds. To go on, there:"):format(run,
    errors.show(host), runs.STOP_SECONDS), ("mde resume %s"):format(run))
  return exit.done
end

--- Stops it.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local run, profile = context.arguments.run, context.arguments.profile
  local path, err = runs.record_of(run)
  if path and is_here(path) then return stop_here(run, path) end
  -- It began here, and its record is not here any more.
  if err and err.code == "run_moved" then error(err, 0) end
  if runs.is_id(run) then return stop_elsewhere(run, profile) end
  if not path then error(err, 0) end
  terminal.complain(("mde stop: there is no such run: %s"):format(errors.quote(path)))
  return exit.usage
end

return M
