--- mde doctor: finds the fault before the night when it would hurt.

local contexts = require "mde.cli.context"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local json = require "mde.base.json_line"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local problem = require "mde.cli.ui.problem"
local profiles = require "mde.cli.profile"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "doctor",
  summary = "Look at settings, store, proxy, hosts, clock, token and permissions; change nothing.",
  examples = {
    { "mde doctor", "what is wrong, and what to do about it" },
    { "mde doctor --profile contoso", "the same with the settings of a profile" },
    { "mde doctor --graph", "the same, and of Microsoft Graph: token, audience, roles" },
    { "mde doctor --json", "the same for a program: one object" },
  },
  -- It says itself what the environment lacks.
  needs_no_client = true,
}

local marks = { ok = "ok", warning = "WARNING", failed = "FAILED", skipped = "skipped" }
local MARK_COLUMNS, NAME_COLUMNS = 8, 13

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:flag("--graph", "Look at Microsoft Graph, too: its host, its token and its roles.")
  command:flag("--json", "Write one object of JSON.")
  profiles.configure(command)
end

local function write_check(check)
  output.write(("%s %s %s\n"):format(terminal.fit(marks[check.status], MARK_COLUMNS),
    terminal.fit(check.name, NAME_COLUMNS), errors.escape(check.message)))
  if check.hint then
    output.write((" "):rep(MARK_COLUMNS + 1) .. errors.escape(problem.advice(check)) .. "\n")
  end
end

local function write_function(one)
  local text = one.works and (one.remark and "works " .. one.remark or "works") or "needs " .. one.needs
  output.write(("  %s %s\n"):format(terminal.fit(one.name, 38), errors.escape(text)))
end

local function write(report)
  for _, check in ipairs(report.checks) do write_check(check) end
  if report.functions[1] then
    output.write "\n"
    for _, one in ipairs(report.functions) do write_function(one) end
  end
  output.write("\n" .. (report.ok and "Nothing is in the way. Nothing was changed." or "Nothing was changed.") .. "\n")
end

-- The highest of what failed.
local function status_of(report)
  local status = exit.done
  for _, check in ipairs(report.checks) do
    if check.status == "failed" then
      status = math.max(status, exit.of_kind(check.kind))
    end
  end
  return status
end

-- What the profile says, as options of a client, and the check that names it. Raises for one that cannot be used.
local function read_profile(name)
  local options, found, path = profiles.options(name)
  return options, found and { name = "profile", status = "ok",
    message = ("%s of %s"):format(errors.quote(found), errors.show(path)) }
end

-- The client that these options and the environment describe, or nil and what keeps it from being made.
local function connect(options)
  local ok, client, err = errors.try(mde.client, options)
  if not ok then return nil, client end
  return client, err
end

-- The report of a profile, or else of the environment; nil if it was interrupted.
local function examine(name, graph)
  local ok, options, check = errors.try(read_profile, name)
  if not ok then return mde.doctor { problem = options, graph = graph } end
  local client, err = connect(options)
  local report
  if client then
    contexts.say_remarks(client)
    interrupt.during(client, 1, function() report = client:doctor { graph = graph } end)
  else
    report = mde.doctor { problem = err, graph = graph }
  end
  if report and check then table.insert(report.checks, 1, check) end
  return report
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local report = examine(context.arguments.profile, context.arguments.graph)
  if not report then return exit.interrupted end
  if context.format == "json" then output.write(json.encode(report) .. "\n") else write(report) end
  output.flush()
  return status_of(report)
end

return M
