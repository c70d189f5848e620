--- mde plan: what a playbook would do; nothing is changed.

local arguments_of = require "mde.cli.run.arguments"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local output = require "mde.cli.ui.output"
local plan_pass = require "mde.cli.run.plan_pass"
local runs = require "mde.run"
local screen = require "mde.cli.run.screen"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "plan",
  summary = "Show what a playbook would do, and change nothing.",
  explained = [[
The playbook is run: it finds its devices, and what it would restrict, isolate or release is looked
at and noted. What is planned or pending is taken to succeed. The digest stands for what is shown;
another person can approve it by mde run --expect. With --json the plan is one object: format, digest,
made_at, tenant_id, client_id, base_url, undoes, playbook, counts, seconds, at_once, cap,
cap_lets_through and cap_of (if the cap of a verb stops the run; of several the first, and caps has
them all, a quarantine's with sha1), others, unresolvable (asked, verb, code, kind, why) and devices
(id, name, platform, tags, device_value, last_seen, is_server, is_offline, wave, verb, scope, sha1,
release_after in seconds, if_needed, incident, decision, rule, why, holder, reason, asked).
The decision is the verb if it would be sent, else already_active, protected, conflict, superseded,
held, not_held or not_looked_at.]],
  examples = {
    { "mde plan contain.lua INC-4711", "what contain.lua would do for that incident" },
    { "mde plan -o tonight.plan contain.lua", "kept, to be carried out by mde run tonight.plan" },
    { "mde plan --json contain.lua | jq .counts", "for a program" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("playbook", "A file of Lua."):argname "<playbook>"
  command:argument("arguments", "What the playbook gets as arg and ... ."):argname "<argument>":args "*"
  arguments_of.configure_plan(command)
  command:option("-o --output", "Keep the plan in this file, for mde run."):argname "<file>":overwrite(false)
  command:flag("--json", "Write the plan as one JSON object.")
  command:flag("--exit-code", "Exit with status 6 if something would be sent.")
  command:flag("-q --quiet", "Say nothing but the plan and errors.")
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  return { plan = arguments_of.plan_options(arguments) }
end

---@param arguments table as argparse leaves them
---@param settings mde.ClientOptions of the profile
---@return mde.ClientOptions
function M.client_options(arguments, settings)
  return { cap = arguments_of.caps(arguments.cap, settings.cap) }
end

--- Makes the plan and shows it.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local arguments, client = context.arguments, context.client
  local plan, status = plan_pass.run(context, context.request.plan)
  if not plan then return status end
  if arguments.output then
    local saved, err = runs.save(client, plan, arguments.output)
    if not saved then error(err, 0) end
  end
  if arguments.json then
    output.write(json.encode(screen.object(client, plan)) .. "\n")
  else
    screen.show(client, plan)
  end
  if arguments.output then terminal.remark(("Kept in %s; to carry it out: mde run %s"):format(arguments.output,
    shell_word.of(arguments.output))) end
  local counts = runs.counts(plan)
  return arguments.exit_code and counts.to_send > 0 and exit.would_send or exit.done
end

return M
