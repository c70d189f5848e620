--- mde stop: a run begins nothing new; what is in flight ends.

local exit = require "mde.cli.ui.exit"
local runs = require "mde.run"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "stop",
  summary = "Let a run begin nothing new.",
  explained = "A file beside its record tells the run. What it has sent by then is followed to its answer.",
  examples = { { "mde stop 20260203T031500Z-7f3a", "from another terminal" } },
  needs_no_client = true,
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("run", "The id of a run, or its record."):argname "<run>"
end

--- Stops it.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local path, err = runs.record_of(context.arguments.run)
  if not path then error(err, 0) end
  local file, problem = io.open(path, "rb")
  if not file then
    terminal.complain(("mde stop: there is no such run: %s"):format(problem))
    return exit.usage
  end
  file:close()
  if not runs.is_in_use(path) then
    terminal.say(("No session works on the run %s; there is nothing to stop."):format(context.arguments.run))
    return exit.done
  end
  local stopped
  stopped, err = runs.stop(path)
  if not stopped then error(err, 0) end
  terminal.say(("Run %s begins nothing new. To go on:"):format(context.arguments.run),
    ("mde resume %s"):format(runs.name_of(path)))
  return exit.done
end

return M
