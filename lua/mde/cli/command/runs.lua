--- mde runs: lists the runs of playbooks, the newest first, with what to type next.

local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local output = require "mde.cli.ui.output"
local phrase = require "mde.cli.ui.phrase"
local runs = require "mde.run"
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "runs",
  summary = "List the runs of playbooks, the newest first, with what to type next.",
  explained = [[
A run of a kept plan is among them, wherever its file lies. The state is the record's: planned,
running, paused, stopped, broken or complete; killed where the record says running and no session is
at work; unreadable where the file cannot be read, or is not there any more, which is told in its
line. Where it cannot be told whether a session is at work, the state stays running, and why says so.
With --json each run is one object: run, path, verb, playbook, state, why, made (UTC), devices and
next, which is absent where there is nothing to do.]],
  examples = {
    { "mde runs", "all of this user" },
    { "mde runs --json | jq -r 'select(.state == \"paused\") | .next'", "for a program" },
    { "mde runs /var/lib/soc/runs", "those of another directory" },
  },
  needs_no_client = true,
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("directory", "Where the records lie (default ${XDG_STATE_HOME:-~/.local/state}/mde/runs)."):argname
    "<directory>":args "?"
  command:flag("--json", "Write one JSON object a line.")
end

-- What is to be typed next has to be seen whole, and so has the run.
local columns = { { title = "RUN", least = 21, kept = true }, { title = "STATE", least = 10 },
  { title = "DEVICES", least = 7 }, { title = "NEXT", least = 32, kept = true },
  { title = "MADE (UTC)", least = 16, optional = true }, { title = "VERB", optional = true },
  { title = "PLAYBOOK", optional = true } }

local function write_json(list)
  for _, run in ipairs(list) do
    local object = {}
    for name, value in pairs(run) do object[name] = value end
    object.made = phrase.second(run.made)
    output.write(json.encode(object) .. "\n")
  end
end

local function write_table(list)
  local shown = tables.new(columns, terminal.shows_results() and terminal.columns() or math.huge,
    function(line, is_heading)
      output.write((is_heading and terminal.heading(line) or line) .. "\n")
    end)
  for _, run in ipairs(list) do
    shown.add { run.run, run.state, run.devices and ("%d"):format(run.devices) or "", run.next or "-",
      run.made and phrase.minute(run.made, true) or "", run.verb or "", run.playbook or run.why or "" }
  end
  shown.finish()
end

--- Lists them.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local list, err = runs.list(context.arguments.directory)
  if not list then error(err, 0) end
  if context.format == "json" then
    write_json(list)
    return exit.done
  end
  write_table(list)
  for _, run in ipairs(list) do
    if run.state == "unreadable" then
      terminal.complain(("mde runs: %s cannot be read: %s"):format(errors.quote(run.path), errors.show(run.why)))
    elseif run.state == "running" and run.why then
      terminal.complain(("mde runs: %s: %s"):format(errors.quote(run.path), errors.show(run.why)))
    end
  end
  if not list[1] then terminal.say "There are no runs." end
  return exit.done
end

return M
