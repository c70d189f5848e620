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
is sent it is shown how many are done, how many follow, and by name what the plan shows and the
playbook does not ask for any more, and what it asks for and the plan does not show. Neither is sent.
Where it comes to nothing of what is recorded and planned, its list being empty for example, --yes does
not close the run.]],
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
    :format(found.recorded, found.to_send, found.open, found.not_reached, #found.not_planned))
  if found.raised then terminal.caution(found.raised.message) end
  carry_out.say_changes("%d not planned, and left; a new plan shows it:", found.not_planned)
  carry_out.say_changes(found.raised and "%d planned, and not reached before the playbook raised:"
    or "%d planned, and not asked for by the playbook any more; nothing is sent to them:", found.not_called,
    function(one) return one.why and errors.show(one.why) end)
  if found.is_changed then
    terminal.caution(("the file %s has changed; the text in the record runs"):format(
      errors.quote(opened.plan.playbook.name)))
  end
end

-- Whether the playbook comes to nothing of what is recorded and planned, and raises nothing: a list that was cut, say.
-- To go on would close the run for good.
local function comes_to_nothing(found)
  return not found.raised and found.recorded + found.to_send + found.open == 0 and found.not_called[1] ~= nil
end

-- Whether to go on.
local function confirm(context, found)
  if context.arguments.yes and comes_to_nothing(found) then
    terminal.complain "mde resume: the playbook comes to nothing of what is recorded and planned; are its data there?"
    terminal.say "Without --yes, on a terminal, the run can be closed so."
    return false
  end
  -- A playbook that raises closes nothing: what it has not reached follows when it goes on.
  local count, rest = found.to_send + found.open, found.raised and 0 or #found.not_called
  if context.arguments.yes or count + rest == 0 then return true end
  local without = rest > 0 and (", and without these %d"):format(rest) or ""
  return terminal.confirm(("Go on with %d%s?"):format(count, without))
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
    runs.find_again(opened)
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
