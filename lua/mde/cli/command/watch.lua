--- mde watch: runs a playbook that waits for alerts, until it is interrupted.

local arguments_of = require "mde.cli.run.arguments"
local audit = require "mde.cli.ui.audit"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local mde = require "mde"
local phrase = require "mde.cli.ui.phrase"
local posix = require "mde.posix"
local problem = require "mde.cli.ui.problem"
local terminal = require "mde.cli.ui.terminal"
local watching = require "mde.run.watching"

local MAX_IDS = 10
local STATUS_SECONDS = 1

local M = {
  name = "watch",
  is_audited = true,
  output_is_free = true,
  summary = "Hand each alert to a playbook, once.",
  explained = [[
The playbook is a file of Lua that calls mde.watch { cursor = "FILE", handler = function(alert, options)
... end }. Each alert is handed over once, also when the command is stopped, killed or started again:
which were is kept in the cursor. An alert whose handler fails is handed over again, and set aside and
named after some tries; one for which the cap is full waits. Ctrl-C ends the command when the handler
that runs has ended; a second one at once. Exit status 4: with --once, alerts have failed, were set
aside or have no id, or that of --again is not set aside.]],
  examples = {
    { "mde watch on-alert.lua", "until Ctrl-C, or systemctl stop" },
    { "mde watch --once on-alert.lua", "what has come since the last time, from a timer" },
    { "mde watch --again da637551227677560813_-961444813 on-alert.lua", "an alert that was set aside, too" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("playbook", "A file of Lua."):argname "<playbook>"
  command:argument("arguments", "What the playbook gets as arg and ... ."):argname "<argument>":args "*"
  command:flag("--once", "End after one complete read.")
  command:option("--again", "Hand this alert over again, which was set aside; several times for several.")
    :argname "<id>":count "*"
  command:option("--since", "The first time: what was created before is not handed over, 2h ago or "
    .. "2026-02-03T10:00:00Z (default now)."):argname "<time>":overwrite(false)
  arguments_of.configure_cap(command, "25")
  command:flag("-q --quiet", "Do not say what was handed over; failures are said.")
  audit.configure(command)
end

-- "2h ago", "2h", or a time as the library takes it.
local function read_since(text)
  if not text then return nil end
  local span = text:match "^(%S+) ago$" or text
  local seconds = duration.parse(span)
  return seconds and mde.ago(seconds) or text
end

---@param arguments table as argparse leaves them
function M.request(arguments)
  local playbook, err = watching.read(arguments.playbook, arguments.arguments)
  if not playbook then error(err, 0) end
  return { playbook = playbook, since = read_since(arguments.since), once = arguments.once,
    again = arguments.again[1] and arguments.again }
end

---@param arguments table as argparse leaves them
---@param settings mde.ClientOptions of the profile
---@return mde.ClientOptions
function M.client_options(arguments, settings)
  return { cap = arguments_of.caps(arguments.cap, settings.cap) }
end

-- ---- what is said

local function text_of(err)
  return errors.is(err) and problem.in_words(err) or errors.show(err)
end

local function name_of(event)
  local title = type(event.alert) == "table" and event.alert.title
  return title and ("%s (%s)"):format(errors.show(event.id or "an alert"), errors.show(title))
    or errors.show(event.id or "an alert")
end

local reasons = { no_id = "it has no id by which it could be known", no_time = "it has no time",
  interrupted = "the process has died in its handler each time", gone = "it is not in the list any more" }

local say = {}

function say.begun(event)
  if event.lost then
    terminal.caution "the last lines of the cursor were not whole; an alert may be handed over a second time"
  end
  terminal.remark(event.fresh and ("Watching for alerts from %s on."):format(phrase.second(event.since))
    or "Watching for alerts; going on from the cursor.")
end

function say.handed_over(event)
  if not event.err then return terminal.remark(("%s: handed over."):format(name_of(event))) end
  terminal.complain(("mde watch: %s: handed over; left as it is: %s"):format(name_of(event), text_of(event.err)))
end

function say.failed(event)
  terminal.complain(("mde watch: %s: try %d failed: %s"):format(name_of(event), event.attempt, text_of(event.err)))
end

function say.put_off(event)
  terminal.complain(("mde watch: %s: put off: %s"):format(name_of(event), text_of(event.err)))
end

function say.set_aside(event)
  local why = reasons[event.reason] or ("try %d failed: %s"):format(event.attempt, text_of(event.err))
  terminal.complain(("mde watch: %s: set aside: %s"):format(name_of(event), why))
end

function say.unusable(event)
  terminal.complain(("mde watch: %s is not handed over: %s"):format(name_of(event), reasons[event.reason]))
end

function say.old(event)
  terminal.remark(("%s: not handed over: it is too old to be new; mde alert shows it."):format(name_of(event)))
end

function say.not_aside(event)
  terminal.complain(("mde watch: %s is not set aside, so it is not handed over again. Check the id."):format(
    errors.show(event.id)))
end

function say.waiting(event)
  if not event.err then return end
  terminal.complain(("mde watch: alerts cannot be read, again in %s: %s"):format(duration.countdown(event.seconds),
    text_of(event.err)))
end

local function status_line(watch)
  local status = watch:status()
  local parts = { ("Watching: behind by %s"):format(duration.countdown(status.behind)),
    ("%d handed over"):format(status.handed_over) }
  if status.waiting > 0 then parts[#parts + 1] = ("%d to be tried again"):format(status.waiting) end
  if #status.set_aside > 0 then parts[#parts + 1] = ("%d set aside"):format(#status.set_aside) end
  return table.concat(parts, ", ")
end

-- ---- the playbook

---@class mde.cli.Watching
---@field watch? mde.Watch the one that runs, or has run last
---@field failures integer
---@field is_stopping boolean

local is_failure = { failed = true, set_aside = true, unusable = true, not_aside = true }

local function options_of(context, state)
  local request = context.request
  return { once = request.once, since = request.since, again = request.again,
    on_event = function(event)
      if is_failure[event.what] then state.failures = state.failures + 1 end
      if say[event.what] then say[event.what](event) end
    end,
    on_watch = function(watch)
      state.watch = watch
      if state.is_stopping then watch:stop() end
    end }
end

-- Shows how it stands, once a second.
local function show_status(state, now)
  if not state.watch or terminal.is_quiet() or not terminal.has_movable_line() then return end
  if state.shown_at and now - state.shown_at < STATUS_SECONDS then return end
  state.shown_at = now
  terminal.set_status(status_line(state.watch))
end

-- The ids of what was set aside, since it is handed over again only if somebody says so.
local function say_set_aside(watch)
  local ids = watch:status().set_aside
  if not ids[1] then return end
  local shown = {}
  for i = 1, math.min(#ids, MAX_IDS) do shown[i] = errors.show(ids[i]) end
  local left = #ids > MAX_IDS and (" and %d more"):format(#ids - MAX_IDS) or ""
  terminal.remark(("Set aside: %s%s. To have one handed over again: mde watch --again ID PLAYBOOK."):format(
    table.concat(shown, ", "), left))
end

local function finish(context, state, finished, ended, err)
  terminal.set_status(nil)
  if state.watch then
    terminal.remark(status_line(state.watch) .. ".")
    say_set_aside(state.watch)
  end
  if not finished then
    terminal.complain "mde watch: left while a handler ran; its alert is handed over again"
    return exit.interrupted
  end
  if not ended then error(err, 0) end
  local status = state.watch:status()
  local has_failed = state.failures > 0 or status.waiting > 0
  return context.request.once and has_failed and exit.unfinished or exit.done
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  ---@type mde.cli.Watching
  local state = { failures = 0, is_stopping = false }
  local options = options_of(context, state)
  local finished, ended, err = interrupt.during_playbook(context.client, 2, function()
    return watching.run(context.client, context.request.playbook, options)
  end, function()
    state.is_stopping = true
    if state.watch then state.watch:stop() end
    terminal.remark "Stopping when the handler that runs has ended. Once more: at once."
  end, function() show_status(state, posix.clock.now()) end)
  if not finished then watching.leave() end
  return finish(context, state, finished, ended, err)
end

return M
