--- mde resume: goes on with a run that was stopped, paused or killed.

local arguments_of = require "mde.cli.run.arguments"
local carry_out = require "mde.cli.run.carry_out"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local plan_pass = require "mde.cli.run.plan_pass"
local runs = require "mde.run"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "resume",
  is_audited = true,
  output_is_free = true,
  summary = "Go on with a run that was stopped, paused or killed.",
  explained = [[
The playbook of the record runs again, not the file. What was done is not done twice: results that
are recorded are given back, and what was sent and not answered is found out first. Before anything
is sent it is shown how many are done, how many follow, and what the playbook does not reach any
more.]],
  examples = {
    { "mde resume 20260203T031500Z-7f3a", "by its id" },
    { "mde resume --yes ./tonight.db", "by its record" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("run", "The id of a run, or its record."):argname "<run>"
  arguments_of.configure_cap(command, "the plan's")
  command:option("--gate", "What lets the next wave begin (default the plan's)."):argname "<rule>":overwrite(false)
  command:flag("--no-waves", "All that are left at once.")
  command:flag("--modules-changed", "Go on although modules that the playbook loads have changed.")
  arguments_of.configure_session(command)
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  return arguments_of.session(arguments)
end

---@param arguments table as argparse leaves them
---@param settings mde.ClientOptions of the profile
---@return mde.ClientOptions
function M.client_options(arguments, settings)
  local path, cap = runs.record_of(arguments.run), nil
  if path then cap = runs.cap_of(path) end
  if cap == nil then cap = settings.cap end
  return { cap = arguments_of.caps(arguments.cap, cap) }
end

local function show(found, opened)
  terminal.say(("%d recorded, %d to be sent, %d sent and not answered, %d recorded and not reached, %d not planned.")
    :format(found.recorded, found.to_send, found.open, found.not_reached, found.not_planned))
  if found.raised then terminal.caution(found.raised.message) end
  if found.not_planned > 0 then
    terminal.caution "what the plan does not list is left; a new plan shows it"
  end
  if found.is_changed then
    terminal.caution(("the file %s has changed; the text in the record runs"):format(
      errors.quote(opened.plan.playbook.name)))
  end
end

-- Whether to go on.
local function confirm(context, found)
  if context.arguments.yes or found.to_send + found.open == 0 then return true end
  return terminal.confirm(("Go on with %d?"):format(found.to_send + found.open))
end

--- Plans over the record, asks, and goes on.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local arguments, client = context.arguments, context.client
  local opened, err = runs.open(client, arguments.run)
  if not opened then error(err, 0) end
  if opened.state == "complete" then
    local why = opened.record.journal:run().why
    runs.close(opened)
    terminal.say(("Run %s is complete%s; there is nothing to go on with."):format(errors.show(arguments.run),
      why and (" (%s)"):format(errors.show(why)) or ""))
    return exit.done
  end
  local ok, found, status = pcall(plan_pass.again, context, opened,
    { stale = arguments.stale, modules_changed = arguments.modules_changed })
  if not ok or not found then
    runs.close(opened)
    if not ok then error(found, 0) end
    return status
  end
  show(found, opened)
  if not confirm(context, found) then
    runs.close(opened)
    terminal.say "Nothing was done."
    return exit.refused
  end
  return carry_out.run(context, opened.plan, function(options)
    options.gate, options.waves = arguments.gate, arguments.no_waves and "rest" or nil
    return runs.resume(client, opened, options)
  end)
end

return M
