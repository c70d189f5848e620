--- mde rehearse: a playbook goes through bad nights in a simulated tenant, before the night that counts.

local arguments_of = require "mde.cli.run.arguments"
local carry_out = require "mde.cli.run.carry_out"
local deeds = require "mde.run.deed"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local output = require "mde.cli.ui.output"
local phrase = require "mde.cli.ui.phrase"
local posix = require "mde.posix"
local profiles = require "mde.cli.profile"
local rehearsal = require "mde.cli.run.rehearsal"
local runs = require "mde.run"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

-- What a rehearsal takes of a profile: what decides, and not where to.
local TAKEN = { "protect", "cap", "limits", "reserve" }
local MAX_NAMED = 5

local M = {
  name = "rehearse",
  summary = "Let a playbook go through bad nights in a simulated tenant.",
  explained = [[
mde sends nothing to a service and uses no credential; what the playbook does outside of mde, a
mail for example, it does here too. It is planned, carried out and continued in a simulated tenant
on a made-up clock, once for each night: quiet, busy (throttled, failing), lost (answers are lost,
and the run is cut off), crossed (colleagues act meanwhile, devices are off). The application has
every permission, unless a fixture names its roles. The machines are those of --fleet, your own
tenant's for example, and the guard is the profile's. What the record says afterwards is compared
with what the tenant really did. A gate that would ask a person is opened. With --keep the records
stay, for mde report. --json writes one object a night: night, about, counts (of the plan), state,
why, sessions, seconds, sent, reads, record, twice, missing, unrecorded and error. The exit status
is 0 if every night ended complete and as recorded, 4 if one did not end, 5 if a record and its
tenant differ.]],
  examples = {
    { "mde rehearse contain.lua High INC-4711", "in the simulated tenant's own fleet" },
    { "mde machines --json all >fleet.json; mde rehearse --fleet fleet.json contain.lua High INC-4711",
      "in a fleet that is your own" },
    { "mde rehearse --night lost --keep nights contain.lua High INC-4711", "one night, whose record is kept" },
  },
  needs_no_client = true,
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("playbook", "A file of Lua."):argname "<playbook>"
  command:argument("arguments", "What the playbook gets as arg and ... ."):argname "<argument>":args "*"
  command:option("--fleet", "The machines: what mde machines --json wrote, or a fixture of mde sim."):argname "<file>"
    :overwrite(false)
  command:option("--night", "One of the nights alone; may be repeated.")
    :choices { "quiet", "busy", "lost", "crossed" }:count "*"
  command:option("--faults", "A night of your own: a fixture of mde sim that says what goes wrong; may be repeated.")
    :argname "<file>":count "*"
  command:option("--keep", "Keep the records of the runs in this directory."):argname "<directory>":overwrite(false)
  arguments_of.configure_plan(command)
  command:flag("--json", "Write one JSON object a line, for each night.")
  command:flag("-q --quiet", "Say nothing but the result and errors.")
  profiles.configure(command)
end

-- The nights that are asked for: those that are named and those of files; without any all that there are.
local function nights_of(arguments)
  local list, named = {}, {}
  for _, name in ipairs(arguments.night) do named[name] = true end
  for _, night in ipairs(rehearsal.nights) do
    if named[night.name] or not arguments.night[1] and not arguments.faults[1] then list[#list + 1] = night end
  end
  for _, path in ipairs(arguments.faults) do list[#list + 1] = rehearsal.night_of_file(path) end
  return list
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  local settings, client = profiles.options(arguments.profile), {}
  for _, name in ipairs(TAKEN) do client[name] = settings[name] end
  client.cap = arguments_of.caps(arguments.cap, client.cap)
  return { plan = arguments_of.plan_options(arguments), nights = nights_of(arguments),
    fleet = rehearsal.fleet(arguments.fleet), client = client }
end

-- ---- what is told

local function named(list)
  local shown = {}
  for i = 1, math.min(#list, MAX_NAMED) do shown[i] = errors.show(list[i]) end
  if #list > MAX_NAMED then shown[#shown + 1] = ("and %d more"):format(#list - MAX_NAMED) end
  return table.concat(shown, ", ")
end

local differences = { { "twice", "done twice by one step" },
  { "missing", "accepted by the record, and not there" }, { "unrecorded", "there, and not in the record" } }

local function differs(result)
  local verdict = result.verdict
  return verdict ~= nil and (verdict.twice[1] or verdict.missing[1] or verdict.unrecorded[1]) ~= nil
end

-- "restrict 20, isolate 3": what is planned.
local function verbs_in_words(counts)
  local words = {}
  for _, verb in ipairs(deeds.verbs) do
    if counts[verb] > 0 then words[#words + 1] = deeds.of(verb).asks:format(counts[verb]) end
  end
  if counts.if_needed > 0 then words[#words + 1] = ("%d if needed"):format(counts.if_needed) end
  return words[1] and table.concat(words, ", ") or "nothing to do"
end

local function say(result, kept)
  local night = result.night
  output.write(("%s: %s\n"):format(errors.show(night.name), errors.show(night.about)))
  if result.err then
    output.write("  " .. errors.escape(tostring(result.err)) .. "\n")
    if not result.plan then return end
  end
  local counts = runs.counts(result.plan)
  output.write(("  plan: %s, %d already, %d left, %d not resolvable\n"):format(verbs_in_words(counts),
    counts.already_active, counts.left, counts.unresolvable))
  local report = result.report
  if not report then return end
  output.write(("  run: %s in %s; %s, %d sent, %d reads\n"):format(report.state,
    duration.text(result.seconds), phrase.counted(result.sessions, "session"), result.sent, result.reads))
  output.write("  last session: " .. carry_out.ends(report) .. "\n")
  if report.state ~= "complete" and report.why then output.write("  why: " .. errors.show(report.why) .. "\n") end
  for _, one in ipairs(differences) do
    local list = result.verdict[one[1]]
    if list[1] then output.write(("  WRONG: %d %s: %s\n"):format(#list, one[2], named(list))) end
  end
  if not differs(result) then
    output.write "  verified: the tenant did what the record says, and nothing twice\n"
  end
  if kept then output.write(("  record: mde report %s\n"):format(errors.show(shell_word.of(result.path)))) end
end

local function object(result, kept)
  local report, verdict = result.report or {}, result.verdict or {}
  return { night = result.night.name, about = result.night.about, counts = result.plan and runs.counts(result.plan),
    state = report.state, why = report.why, sessions = result.sessions, seconds = result.seconds, sent = result.sent,
    reads = result.reads, record = kept and result.path or nil, twice = verdict.twice, missing = verdict.missing,
    unrecorded = verdict.unrecorded, error = result.err and tostring(result.err) or nil }
end

local function status_of(result)
  if differs(result) then return exit.unknown end
  if result.err then return exit.of(result.err) end
  return result.report and result.report.state ~= "complete" and exit.unfinished or exit.done
end

-- ---- the whole

-- The directory of the records, and whether it is to be kept.
local function place_of(arguments)
  if not arguments.keep then return rehearsal.new_directory(), false end
  local made, err = runs.make_directory(arguments.keep)
  if not made then error(err, 0) end
  return arguments.keep, true
end

--- Rehearses each night.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local arguments, request = context.arguments, context.request
  local directory, is_kept = place_of(arguments)
  local status = exit.done
  local ok, problem = pcall(function()
    for _, night in ipairs(request.nights) do
      if posix.signal.interruptions() > 0 then break end
      if terminal.has_movable_line() and not terminal.is_quiet() then
        terminal.set_status(("The night %s ..."):format(errors.show(night.name)))
      end
      local result = rehearsal.run(night, { fleet = request.fleet, client = request.client, plan = request.plan,
        path = ("%s/%s.db"):format(directory, night.name) })
      terminal.set_status(nil)
      if arguments.json then
        output.write(json.encode(object(result, arguments.keep)) .. "\n")
      else
        say(result, arguments.keep)
      end
      output.flush()
      status = math.max(status, status_of(result))
    end
  end)
  terminal.set_status(nil)
  if not is_kept then rehearsal.remove_directory(directory, request.nights) end
  if not ok then error(problem, 0) end
  return posix.signal.interruptions() > 0 and exit.interrupted or status
end

return M
