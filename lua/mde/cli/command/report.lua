--- mde report: tells what a run did, from its record; or what incidents did, from the service's history.

local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local html = require "mde.cli.report.html"
local incident = require "mde.cli.report.incident"
local incident_names = require "mde.cli.ui.incidents"
local interrupt = require "mde.cli.ui.interrupt"
local output = require "mde.cli.ui.output"
local page = require "mde.cli.report.page"
local posix = require "mde.posix"
local rows = require "mde.cli.ui.rows"
local run = require "mde.cli.report.run"
local runs = require "mde.run"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "report",
  summary = "Tell what a run or an incident did: which devices, when, by whom, and what is to be done now.",
  explained = [[
Of a run it comes from its record alone, so no tenant is asked: of one that is under way, has ended,
was killed, or was sent by somebody. It is named by its id or by the path of its record. Every device
has one word for what came of it, and stands in one place, the worst first: unknown, failed, refused,
cancelled, not sent, withheld, not asked for, superseded, not looked at; pending, sending and planned;
restricted, released, isolated and so on; already active, protected, conflict, held, may come, not
needed, not held and left, which were left alone. NOTE says why.
--html writes a page that can be mailed and opened anywhere, for people who do not know mde. --copy
makes one file of the record, also of a run that is under way. --verify reads the service's list of
actions, compares each change with it by its operation id, and names what differs; exit status 2 if
something does. --json writes one object a line: first the run (type "run"), then each device (type
"device"), with its changes. --csv has a line for each change of a device. --ocsf writes the audit
events again, byte for byte as --audit wrote them.

Of incidents it comes from the service's own history, in a few requests, so it can be asked for later
and on another machine. There is a line for each restriction of a device: it was restricted several
times where its name stands there several times. The release beside it is the first after it that
succeeded or, where none has, the newest that was asked for. Isolations follow in lines of their own
(VERB). What did not succeed has its status in the place of a time; BY is then who cancelled it. --csv
has the ids, all times and who asked for what, --json one object a device and verb (of), with all of
its restrictions and releases; restricted says whether it is so now. Of isolations these are called
isolations and isolated.
An incident that no action names is exit status 2; those that acted last are shown then.

Times are UTC, as month-day hour:minute.]],
  examples = {
    { "mde report 20260203T031500Z-7f3a", "what came of each device of a run, and what is to be done now" },
    { "mde report 20260203T031500Z-7f3a --verify --html run.html", "a page to mail, compared with the service" },
    { "mde report 20260203T031500Z-7f3a --copy run.db", "the record as one file to mail; mde report run.db reads it" },
    { "mde report INC-4711", "what an incident did, as a table" },
    { "mde report INC-4711 --since 30d --csv >INC-4711.csv", "for the ticket: the last 30 days, as CSV" },
    { "mde report INC-4711 INC-4712 --json", "of two together, one JSON object a device" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("subjects", "A run, by its id or the path of its record; or incidents: of several, the devices of "
    .. "all of them."):args "+":argname "<run-or-incident>"
  command:flag("--incident", "What is named is an incident, though there is a run of that name.")
  command:option("--since", "What the incident did that long ago or later: 30d, 14h."):argname "<time>"
    :convert(duration.parse):overwrite(false)
  command:flag("--verify", "Compare a run's record with the service's own list.")
  command:option("--html", "Write the report of a run as a page of HTML into this new file."):argname "<file>"
    :overwrite(false)
  command:option("--copy", "Write the record of a run into this new file, to be sent to somebody."):argname "<file>"
    :overwrite(false)
  command:flag("--ocsf", "Write the audit events of a run, one line of OCSF each.")
  rows.configure(command)
  rows.configure_heading(command)
end

-- ---- what is asked

---@class mde.cli.ReportRequest
---@field run? string its id or the path of its record
---@field incidents? string[]
---@field with_client boolean

local function contradict(message, hint)
  errors.invalid("contradictory_options", message, hint)
end

-- Options that are for runs alone.
local of_runs = { "verify", "html", "copy", "ocsf" }

local function named_runs(arguments)
  local list = {}
  for _, subject in ipairs(arguments.incident and {} or arguments.subjects) do
    if runs.is_run(subject) then list[#list + 1] = subject end
  end
  return list
end

-- A new file is wanted; standard output takes neither a page nor a record.
local function check_new_file(option, path)
  if path == "" then
    errors.invalid("empty_text", ("--%s is empty; an empty shell variable?"):format(option), "Give a path.")
  elseif path == "-" then
    errors.invalid("report_unwritable", ("--%s is -, and it is written into a file alone"):format(option),
      "Nothing was done. Name a new file; ./- is one of that name.")
  end
end

local function check_run(arguments, list)
  for _, option in ipairs { "html", "copy" } do check_new_file(option, arguments[option]) end
  if #arguments.subjects > 1 then
    contradict(("%s is a run, and a run is reported by itself"):format(errors.quote(list[1])),
      "Report one after the other. If an incident of that name is meant: --incident.")
  end
  if arguments.ocsf and (arguments.json or arguments.csv) then
    contradict("--ocsf, --json and --csv contradict each other", "Give one of them.")
  end
  if arguments.since then
    contradict("--since is for incidents, and a run is reported whole", "Leave it out. If an incident of that name is "
      .. "meant: --incident.")
  end
end

local function check_incidents(arguments)
  for _, name in ipairs(of_runs) do
    if arguments[name] then
      errors.invalid("run_missing", ("--%s is for a run, and %s is not one"):format(name,
        errors.quote(arguments.subjects[1])), "Give the id of a run on this machine, or the path of its record.")
    end
  end
  incident_names.check("mde report", arguments.subjects)
end

--- What the arguments name; raises for what cannot be.
---@param arguments table as argparse leaves them
---@return mde.cli.ReportRequest
function M.request(arguments)
  local list = named_runs(arguments)
  if list[1] then
    check_run(arguments, list)
    return { run = list[1], with_client = arguments.verify or false }
  end
  check_incidents(arguments)
  return { incidents = arguments.subjects, with_client = true }
end

---@param request mde.cli.ReportRequest
---@return boolean
function M.needs_client(request)
  return request.with_client
end

-- ---- a run

-- The file of an incident's name is meant here; the incident itself may have been.
local function say_doubt(name)
  if not core.comment.incident_valid(name) or name:find "[./]" or name:find "^%d+T%d+Z%-" then return end
  terminal.remark(("%s is a file here, the record of a run. If the incident is meant: mde report --incident %s"):format(
    errors.quote(name), shell_word.of(name)))
end

-- Compares it with the service; nil and a status if that was interrupted.
local function verify(context, account)
  if not context.arguments.verify then return nil end
  local finished, verification, err = interrupt.during(context.client, 1, function()
    return runs.verify(context.client, account)
  end)
  if not finished then
    terminal.say "Interrupted; the service was not read to the end."
    return nil, exit.interrupted
  end
  if not verification then error(err, 0) end
  return verification
end

local function copy(name, path)
  local ok, err = runs.copy(name, path)
  if not ok then error(err, 0) end
  terminal.remark(("The record is in %s; to read it: mde report %s"):format(errors.show(path), shell_word.of(path)))
end

local function write_page(path, account, verification)
  html.write(path, function(out)
    page.write(out, { account = account, verification = verification, made_at = posix.clock.time() })
  end)
  terminal.remark(("The page is in %s."):format(errors.show(path)))
end

local function write_audit(name)
  local lines, lost = runs.audit_lines(name)
  if not lines then error(lost, 0) end
  for _, line in ipairs(lines) do output.write(line .. "\n") end
  if lost > 0 then terminal.say(("%d events of the record cannot be told."):format(lost)) end
end

local function report_run(context)
  local arguments, name = context.arguments, context.request.run
  say_doubt(name)
  local account, err = runs.account(name)
  if not account then error(err, 0) end
  if arguments.copy then copy(name, arguments.copy) end
  local verification, status = verify(context, account)
  if status then return status end
  if arguments.html then write_page(arguments.html, account, verification) end
  if arguments.ocsf then
    write_audit(name)
  elseif not (arguments.copy or arguments.html) or context.format ~= "text" then
    run.write(context, account, verification)
  end
  run.say(account)
  if verification then run.say_verified(verification) end
  return verification and verification.differences[1] and exit.refused or exit.done
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  if context.request.run then return report_run(context) end
  local status = incident.run(context)
  for _, name in ipairs(context.request.incidents) do
    -- What looks like the id of a run, and has no record here.
    local path = runs.record_of(name)
    if status == exit.refused and path and path ~= name then
      terminal.say(("Nor is there a run of that id on this machine: there is no %s."):format(errors.show(path)))
    end
  end
  return status
end

return M
