--- mde undo: takes back what a run has restricted, isolated or contained, and nothing else.

local arguments_of = require "mde.cli.run.arguments"
local carry_out = require "mde.cli.run.carry_out"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local json = require "mde.base.json_line"
local mde = require "mde"
local limits = require "mde.cli.run.limits"
local output = require "mde.cli.ui.output"
local plan_pass = require "mde.cli.run.plan_pass"
local runs = require "mde.run"
local screen = require "mde.cli.run.screen"
local terminal = require "mde.cli.ui.terminal"

local COMMENT = "Taken back: the run is undone."
-- So many may be confirmed by yes; more by their number.
local MAX_BY_YES = 25
local MAX_NAMED = 40

local M = {
  name = "undo",
  is_audited = true,
  output_is_free = true,
  summary = "Take back what a run has restricted or isolated, and nothing else.",
  explained = [[
A device is released if every restriction that holds it carries an operation id of this run; so with
an isolation, which is taken back first. What somebody else holds too, the same incident by hand or
by another run, is left and named; so is what somebody has released already. What is still pending
is cancelled. What nothing takes back is named: a scan, a quarantine, a package; so is what a newer
mde has done in ways that this one does not know. The undo is a run of its own: it is shown first,
recorded, and goes on with mde resume. Nobody goes on with a run that was undone. --json with
--dry-run writes the plan as mde plan --json does.]],
  examples = {
    { "mde undo 20260203T031500Z-7f3a", "shows what would be taken back, and asks" },
    { 'mde undo --comment "false alarm" --yes ./tonight.db', "by its record; asks nobody" },
    { "mde undo --dry-run --exit-code 20260203T031500Z-7f3a", "exit status 6 if something would be taken back" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("run", "The id of a run, or its record."):argname "<run>"
  command:option("--comment", ("Why; recorded in the service (default %q)."):format(COMMENT)):argname "<text>"
    :overwrite(false)
  command:option("--journal", "Keep the record of the undo in this file."):argname "<file>":overwrite(false)
  command:flag("--dry-run", "Show what would be taken back, and change nothing.")
  command:flag("--exit-code", "With --dry-run: exit with status 6 if something would be taken back.")
  command:flag("--json", "With --dry-run: write the plan as one JSON object.")
  arguments_of.configure_session(command)
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  for option, value in pairs { ["--exit-code"] = arguments.exit_code, ["--json"] = arguments.json } do
    if value and not arguments.dry_run then
      errors.invalid("option_without_effect", ("%s belongs to --dry-run"):format(option),
        "Leave it out, or add --dry-run.")
    end
  end
  arguments.comment = arguments.comment or COMMENT
  local ok, err = mde.check("release", arguments.comment, {})
  if not ok then error(err, 0) end
  if arguments.dry_run then return {} end
  return arguments_of.session(arguments)
end

local function say_names(title, names)
  if not names[1] then return end
  local shown = {}
  for i = 1, math.min(#names, MAX_NAMED) do shown[i] = errors.show(names[i]) end
  if #names > MAX_NAMED then shown[#shown + 1] = ("and %d more"):format(#names - MAX_NAMED) end
  terminal.say(("%s: %d: %s"):format(title, #names, table.concat(shown, ", ")))
end

local function with_verbs(list)
  local names = {}
  for i, one in ipairs(list) do names[i] = ("%s (%s)"):format(one.name, one.verb) end
  return names
end

-- What is not the run's to take back, or nobody's.
local function say_found(undone)
  say_names("Held already when the run came by, and left so", undone.found)
  say_names("Done by the run, and taken back by nothing", with_verbs(undone.lasting))
  say_names("Done by the run in ways that this version of mde does not know, and left so", with_verbs(undone.foreign))
  say_names("Changed by the run beside devices, and left so", undone.others)
end

local function left_status(counts)
  return counts.left + counts.unresolvable > 0 and exit.refused or counts.not_looked_at > 0 and exit.unavailable
    or exit.done
end

-- A dry run ends here, and so does an undo with which nothing is to be done, or to which the answer is no.
local function refuse(context, plan)
  local arguments, counts = context.arguments, runs.counts(plan)
  if arguments.dry_run then
    return arguments.exit_code and counts.to_send > 0 and exit.would_send or left_status(counts)
  end
  if counts.to_send == 0 then
    terminal.say "Nothing is to be taken back."
    return left_status(counts)
  end
  local question, number = screen.question(plan)
  if arguments.yes or terminal.confirm(question, number > MAX_BY_YES and number or nil) then return nil end
  terminal.say "Nothing was done."
  return exit.refused
end

--- Plans, asks, and takes back.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local arguments, client = context.arguments, context.client
  local plan, status = plan_pass.undo(context, arguments.run, arguments.comment)
  if not plan then return status end
  if arguments.json then
    output.write(json.encode(screen.object(plan, limits.of(client, plan))) .. "\n")
  else
    say_found(plan.undone)
    screen.show(plan, limits.of(client, plan), client:now(), client)
  end
  status = refuse(context, plan)
  if status then return status end
  return carry_out.run(context, plan, function(options)
    options.record = arguments.journal
    return runs.start(client, plan, options)
  end)
end

return M
