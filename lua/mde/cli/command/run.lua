--- mde run: plans a playbook, asks, and carries it out; or carries out a plan that was kept.

local arguments_of = require "mde.cli.run.arguments"
local carry_out = require "mde.cli.run.carry_out"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local limits = require "mde.cli.run.limits"
local plan_pass = require "mde.cli.run.plan_pass"
local runs = require "mde.run"
local screen = require "mde.cli.run.screen"
local terminal = require "mde.cli.ui.terminal"

local MAX_BY_YES = 25

local M = {
  name = "run",
  is_audited = true,
  output_is_free = true,
  summary = "Carry out a playbook, or a plan of one that was kept.",
  explained = [[
A plan is made first and shown; what is not in it is not cut off. The record of the run says of
each device what was sent before it leaves, so that a run which was stopped or killed goes on with
mde resume. Few devices come first; more follow when these have succeeded (--waves, --gate). It stops
by itself when the sign-in is refused, when the outcome of many is not known, when somebody takes
back what it does, and at the cap.]],
  examples = {
    { "mde run contain.lua INC-4711", "shows the plan and asks" },
    { "mde run --yes --until 05:00 contain.lua", "asks nobody, begins nothing after five" },
    { "mde run --expect sha256:9b1c44d07a12 tonight.plan", "what somebody else has approved" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("playbook", "A file of Lua, or of mde plan -o."):argname "<playbook|plan>"
  command:argument("arguments", "What the playbook gets as arg and ... ."):argname "<argument>":args "*"
  arguments_of.configure_plan(command)
  command:option("--expect", "Carry it out only if this is the plan's digest."):argname "<digest>":overwrite(false)
  command:option("--journal", "Keep the record of the run in this file."):argname "<file>":overwrite(false)
  arguments_of.configure_session(command)
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  local request = arguments_of.session(arguments)
  request.is_plan = runs.is_record(arguments.playbook)
  if request.is_plan then
    arguments_of.check_fixed { ["--waves"] = arguments.waves, ["--gate"] = arguments.gate,
      ["--no-waves"] = arguments.no_waves, ["--journal"] = arguments.journal, ["an argument"] = arguments.arguments[1] }
  else
    request.plan = arguments_of.plan_options(arguments)
  end
  return request
end

---@param arguments table as argparse leaves them
---@param settings mde.ClientOptions of the profile
---@return mde.ClientOptions
function M.client_options(arguments, settings)
  local cap
  if runs.is_record(arguments.playbook) then cap = runs.cap_of(arguments.playbook) end
  if cap == nil then cap = settings.cap end
  return { cap = arguments_of.caps(arguments.cap, cap) }
end

-- Whether this is the plan that was approved.
local function check_expected(expected, plan)
  local is_it, is_cut_short = runs.is_expected(plan, expected)
  if is_it then return true end
  if is_cut_short then
    terminal.complain(("mde run: --expect %s is cut short: 12 digits or more say which plan is meant; nothing was "
      .. "sent. If this one is, give the whole: --expect %s"):format(errors.quote(expected), runs.shown(plan.digest)))
  else
    terminal.complain(("mde run: this plan is %s, and not the one that --expect names; nothing was sent"):format(
      runs.shown(plan.digest)))
  end
  return false
end

-- What stands in the way of carrying out this plan: a status; nil if nothing does.
local function refuse(context, plan)
  if context.arguments.expect and not check_expected(context.arguments.expect, plan) then return exit.refused end
  local counts = runs.counts(plan)
  if counts.to_send == 0 then
    terminal.say "Nothing is to be sent."
    return counts.left + counts.unresolvable > 0 and exit.refused or counts.not_looked_at > 0 and exit.unavailable
      or exit.done
  end
  if context.arguments.yes then return nil end
  local question, number = screen.question(plan)
  if terminal.confirm(question, number > MAX_BY_YES and number or nil) then return nil end
  terminal.say "Nothing was done."
  return exit.refused
end

local function run_kept(context)
  local arguments, client = context.arguments, context.client
  local opened, err = runs.open(client, arguments.playbook)
  if not opened then error(err, 0) end
  local unused
  unused, err = runs.check_unused(opened)
  if not unused then
    runs.close(opened)
    error(err, 0)
  end
  screen.show(opened.plan, limits.of(client, opened.plan), client:now(), client, true)
  local status = refuse(context, opened.plan)
  if status then
    runs.close(opened)
    return status
  end
  return carry_out.run(context, opened.plan, function(options)
    options.stale = arguments.stale
    return runs.start_opened(client, opened, options)
  end)
end

--- Plans, asks, and carries out.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  if context.request.is_plan then return run_kept(context) end
  local client = context.client
  local plan, status = plan_pass.run(context, context.request.plan)
  if not plan then return status end
  screen.show(plan, limits.of(client, plan), client:now(), client)
  status = refuse(context, plan)
  if status then return status end
  return carry_out.run(context, plan, function(options)
    options.record = context.arguments.journal
    return runs.start(client, plan, options)
  end)
end

return M
