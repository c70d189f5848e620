--- arguments: what mde plan, mde run and mde resume have in common on the command line.

local audit = require "mde.cli.ui.audit"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local terminal = require "mde.cli.ui.terminal"
local whole_number = require "mde.cli.ui.whole_number"

local M = {}

--- Declares what a plan is made of.
---@param command table of argparse
function M.configure_plan(command)
  command:option("--cap", "The most restricts in an hour (default 25)."):argname "<count>":convert(whole_number.parse)
    :overwrite(false)
  command:option("--waves", "How many devices come first: 1,10,100,rest (default 5,45,rest, for more than 25).")
    :argname "<sizes>":overwrite(false)
  command:option("--gate", "What lets the next wave begin (default succeeded=60%,wait=2m)."):argname "<rule>"
    :overwrite(false)
  command:flag("--no-waves", "All at once: it spreads now.")
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
