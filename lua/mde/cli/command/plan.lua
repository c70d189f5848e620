--- mde plan: what a playbook would do, or a plan that was kept, as it was shown; nothing is changed.

local arguments_of = require "mde.cli.run.arguments"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local limits = require "mde.cli.run.limits"
local output = require "mde.cli.ui.output"
local phrase = require "mde.cli.ui.phrase"
local plan_pass = require "mde.cli.run.plan_pass"
local posix = require "mde.posix"
local runs = require "mde.run"
local screen = require "mde.cli.run.screen"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "plan",
  summary = "Show what a playbook would do, or a plan that was kept, and change nothing.",
  explained = [[
The playbook is run: it finds its devices, and what it would restrict, isolate or release is looked
at and noted. What is planned or pending is taken to succeed. The digest stands for what is shown;
another person can approve it by mde run --expect. With --json the plan is one object: format, digest,
made_at, tenant_id, client_id, base_url, undoes, playbook, counts, seconds, at_once, cap,
cap_lets_through and cap_of (if the cap of a verb stops the run; of several the first, and caps has
them all, a quarantine's with sha1, and with if_needed one that is in the way only of what mde.may
shows), others, unresolvable (asked, verb, code, kind, why) and devices (id, name, platform, tags,
device_value, last_seen, is_server, is_offline, wave, verb, scope, sha1, release_after in seconds,
if_needed, incident, decision, rule, why, holder, reason, asked).
The decision is the verb if it would be sent, else already_active, protected, conflict, superseded,
held, not_held or not_looked_at; left, of the verb leave, is what the playbook itself leaves
(mde.leave), and why says its reason.

A plan that was kept (-o), or that of a run, is shown as it was then; no tenant is asked and no setting
is needed. It is said when it was made, and whether it was carried out, or until when it can be; with
--json it has run, state, expires_at and, if it was carried out, used_at beside.]],
  examples = {
    { "mde plan contain.lua INC-4711", "what contain.lua would do for that incident" },
    { "mde plan -o tonight.plan contain.lua", "kept, to be carried out by mde run tonight.plan" },
    { "mde plan tonight.plan", "the same plan once more, and whether it was carried out" },
    { "mde plan --json contain.lua | jq .counts", "for a program" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("playbook", "A file of Lua; or of mde plan -o, or a run, to see its plan."):argname
    "<playbook|plan>"
  command:argument("arguments", "What the playbook gets as arg and ... ."):argname "<argument>":args "*"
  arguments_of.configure_plan(command)
  command:option("-o --output", "Keep the plan in this file, for mde run."):argname "<file>":overwrite(false)
  command:flag("--json", "Write the plan as one JSON object.")
  command:flag("--exit-code", "Exit with status 6 if something would be sent.")
  command:flag("-q --quiet", "Say nothing but the plan and errors.")
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  local name = arguments.playbook
  if not runs.is_record(name) and not runs.is_id(name) then
    return { plan = arguments_of.plan_options(arguments) }
  end
  arguments_of.check_fixed { ["--waves"] = arguments.waves, ["--gate"] = arguments.gate,
    ["--no-waves"] = arguments.no_waves, ["--cap"] = arguments.cap[1], ["--output"] = arguments.output,
    ["an argument"] = arguments.arguments[1] }
  return { kept = name }
end

---@param request { kept?: string }
---@return boolean
function M.needs_client(request)
  return not request.kept
end

---@param arguments table as argparse leaves them
---@param settings mde.ClientOptions of the profile
---@return mde.ClientOptions
function M.client_options(arguments, settings)
  return { cap = arguments_of.caps(arguments.cap, settings.cap) }
end

local function status_of(context, plan)
  return context.arguments.exit_code and runs.counts(plan).to_send > 0 and exit.would_send or exit.done
end

-- ---- a plan that was kept

local states = { planned = "It was not carried out.", complete = "its run is complete",
  running = "its run is under way, or was killed",
  paused = "its run is paused", stopped = "its run is stopped", broken = "its run broke off" }

local function say_kept(kept)
  local made, ends = phrase.minute(kept.plan.made, true), phrase.minute(kept.expires_at, true)
  if not kept.used_at then
    terminal.say(("Kept in %s. It can be carried out until %s UTC, an hour after it was made (%s UTC)%s."):format(
      errors.quote(kept.path), ends, made, posix.clock.time() > kept.expires_at and "; that has passed" or ""))
    return terminal.say(states.planned)
  end
  terminal.say(("Kept in %s, made %s UTC."):format(errors.quote(kept.path), made))
  terminal.say(("It was carried out, from %s UTC on, and cannot be again; %s. What came of each device:"):format(
    phrase.minute(kept.used_at, true), states[kept.state]), "mde report " .. shell_word.of(kept.run))
end

local function show_kept(context)
  local kept, err = runs.kept(context.request.kept)
  if not kept then error(err, 0) end
  local plan = kept.plan
  local found = limits.kept(plan.limits)
  if context.arguments.json then
    local object = screen.object(plan, found)
    object.run, object.state, object.expires_at = kept.run, kept.state, phrase.second(kept.expires_at)
    object.used_at = phrase.second(kept.used_at)
    output.write(json.encode(object) .. "\n")
  else
    screen.show(plan, found, plan.made, nil, true)
    say_kept(kept)
  end
  return status_of(context, plan)
end

--- Makes the plan and shows it; or shows one that was kept.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  if context.request.kept then return show_kept(context) end
  local arguments, client = context.arguments, context.client
  local plan, status = plan_pass.run(context, context.request.plan)
  if not plan then return status end
  local found = limits.of(client, plan)
  if arguments.output then
    local saved, err = runs.save(client, plan, arguments.output, found)
    if not saved then error(err, 0) end
  end
  if arguments.json then
    output.write(json.encode(screen.object(plan, found)) .. "\n")
  else
    screen.show(plan, found, client:now(), client, arguments.output ~= nil)
  end
  if arguments.output then terminal.remark(("Kept in %s; to carry it out: mde run %s"):format(arguments.output,
    shell_word.of(arguments.output))) end
  return status_of(context, plan)
end

return M
