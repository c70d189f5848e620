--- arguments: what mde plan, mde run and mde resume have in common on the command line.

local audit = require "mde.cli.ui.audit"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local terminal = require "mde.cli.ui.terminal"
local whole_number = require "mde.cli.ui.whole_number"

local M = {}

-- The verbs that have a cap.
local capped = {}
for _, verb in ipairs(deeds.verbs) do
  if core.response_actions[verb].is_capped then capped[#capped + 1] = verb end
end

-- "isolate=4", or a count alone, which is of restricts.
local function parse_cap(text)
  local verb, count = text:match "^([^=]*)=(.*)$"
  local value, message = whole_number.parse(count or text)
  if not value then return nil, message end
  for _, one in ipairs(capped) do
    if one == (verb or "restrict") then return { verb = one, count = value } end
  end
  return nil, ("'%s' has no cap; these have: %s"):format(verb, table.concat(capped, ", "))
end

--- Declares the caps.
---@param command table of argparse
---@param default string
function M.configure_cap(command, default)
  command:option("--cap", ("The most of a verb in an hour, isolate=4 say; a count alone is of restricts "
    .. "(default %s); may be repeated."):format(default)):argname "<[verb=]count>":convert(parse_cap):count "*"
end

--- The option `cap` of a client: what was given, and the other verbs as they were. Raises where one is named twice.
---@param given { verb: string, count: number }[] of --cap
---@param cap number|false|table<string, number|false>|nil of the profile, of the plan or of the run; nil: the default
---@return number|false|table<string, number|false>|nil
function M.caps(given, cap)
  if not given[1] then return cap end
  local caps, named = {}, {}
  for _, verb in ipairs(capped) do
    if type(cap) == "table" then caps[verb] = cap[verb] else caps[verb] = cap end
  end
  for _, one in ipairs(given) do
    if named[one.verb] then
      errors.invalid("contradictory_options", ("--cap names %s twice"):format(one.verb), "Leave out one of them.")
    end
    named[one.verb], caps[one.verb] = true, one.count
  end
  return caps
end

--- Declares what a plan is made of.
---@param command table of argparse
function M.configure_plan(command)
  M.configure_cap(command, "25")
  command:option("--waves", "How many devices come first: 1,10,100,rest (default 5,45,rest, for more than 25).")
    :argname "<sizes>":overwrite(false)
  command:option("--gate", "What lets the next wave begin (default succeeded=60%,wait=2m)."):argname "<rule>"
    :overwrite(false)
  command:flag("--no-waves", "All at once: it spreads now.")
end

--- Raises where an option is given that a plan which was kept fixes.
---@param given table<string, any> by how each is called; nil and false: it is not given
function M.check_fixed(given)
  for option, value in pairs(given) do
    if value then
      errors.invalid("option_without_effect", ("%s is fixed by the plan that was kept"):format(option),
        "Leave it out, or name the playbook.")
    end
  end
end

--- Declares what a session is told.
---@param command table of argparse
function M.configure_session(command)
  command:flag("--yes", "Do not ask. Required where nobody can be asked.")
  command:option("--until", "Begin nothing new after this time: 05:00 (of this machine), 2h, or 2026-02-03T05:00:00Z.")
    :argname "<time>":target "until_time":overwrite(false)
  command:flag("--stale", "Carry it out although it is older than what it shows.")
  command:flag("-q --quiet", "Show no progress, and say nothing but errors, warnings, questions and results.")
  audit.configure(command)
end

--- The options of mde.run.plan.
---@param arguments table as argparse leaves them
---@return mde.PlanOptions
function M.plan_options(arguments)
  if arguments.no_waves and arguments.waves then
    errors.invalid("contradictory_options", "--waves and --no-waves contradict each other", "Leave out one of them.")
  end
  local waves = arguments.waves
  if arguments.no_waves then waves = false end
  return { playbook = arguments.playbook, arguments = arguments.arguments, waves = waves, gate = arguments.gate }
end

-- Today at that time of this machine's, or tomorrow.
local function at_clock(hour, minute, now)
  local date = os.date("*t", math.floor(now))
  local seconds = os.time { year = date.year, month = date.month, day = date.day, hour = hour, min = minute, sec = 0 }
  if seconds <= now then
    seconds = os.time { year = date.year, month = date.month, day = date.day + 1, hour = hour, min = minute, sec = 0 }
  end
  return seconds
end

--- When --until is: Unix seconds.
---@param text? string
---@param now number Unix seconds
---@return number?
function M.until_time(text, now)
  if not text then return nil end
  local hour, minute = text:match "^(%d%d?):(%d%d)$"
  hour, minute = hour and core.number.read(hour), minute and core.number.read(minute)
  if hour and hour < 24 and minute < 60 then return at_clock(hour, minute, now) end
  local seconds = duration.parse(text)
  if seconds then return now + seconds end
  local at = core.timestamp.read(text)
  if at and at > now then return at end
  errors.invalid("wrong_value", ("--until is %s, which is no time to come"):format(errors.quote(text)),
    "Write 05:00, 2h or 2026-02-03T05:00:00Z.")
end

--- What a session is told. Raises where nobody is there who would have to be asked.
---@param arguments table as argparse leaves them
---@return { until_time: number? }
function M.session(arguments)
  if not arguments.yes and not terminal.is_interactive() then
    errors.invalid("no_terminal", "there is no terminal to ask on", "Give --yes if you are sure.")
  end
  return { until_time = M.until_time(arguments.until_time, posix.clock.time()) }
end

return M
