--- carry_out: a session of a run at the terminal: its progress, what stops it, and what is said in the end.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local json = require "mde.base.json_line"
local others = require "mde.cli.ui.others"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local phrase = require "mde.cli.ui.phrase"
local problem = require "mde.cli.ui.problem"
local progress = require "mde.cli.ui.progress"
local runs = require "mde.run"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

-- So long nothing ends before it is said on a terminal, to so many seconds.
local QUIET_SECONDS = 10
-- Of a list so many are said in the end.
local MAX_SHOWN = 40

local M = {}

-- What the record does not have stands at least on the screen.
local function write_unwritten(told)
  output.write(json.encode { unwritten = told } .. "\n")
end

-- ---- while it runs

-- Each verb has waves of its own.
local function of_verb(counts)
  return (counts.verb == nil or counts.verb == "restrict") and "" or " of " .. counts.verb
end

local function ask_gate(arguments)
  if arguments.yes or not terminal.is_interactive() then return nil end
  return function(counts, why)
    terminal.set_status(nil)
    terminal.say(("Wave %d%s: %d sent, %d succeeded, %d failed, %d cancelled, %d pending, %d unknown."):format(
      counts.wave, of_verb(counts), counts.sent, counts.succeeded, counts.failed, counts.cancelled, counts.pending,
      counts.unknown))
    terminal.say(("The gate stays closed: %s."):format(why))
    return terminal.confirm("Go on?")
  end
end

-- The verb of which there is most.
local function most_of(counts)
  local most
  for _, verb in ipairs(deeds.verbs) do
    if counts[verb] > 0 and (not most or counts[verb] > counts[most]) then most = verb end
  end
  return most or "release"
end

-- What is shown of a session as it runs.
local function watcher(client, plan)
  local counts = runs.counts(plan)
  local left_of = pace.left(client, most_of(counts))
  local now, at_gate = client.exchange.now, nil
  local total, done, last = counts.to_send - counts.if_needed + counts.recorded, 0, now()
  -- A playbook that waits for devices (mde.wait) tells nothing.
  local function quiet()
    local seconds = math.floor((now() - last) / QUIET_SECONDS) * QUIET_SECONDS
    return seconds > 0 and ("nothing new for %s"):format(duration.countdown(seconds)) or nil
  end
  local shown = progress.new("Running", total, true, function(left)
    return at_gate or quiet() or left > 0 and left_of(left) or nil
  end)
  -- A playbook may call more than its plan shows.
  local function step(failed)
    if done == total then return end
    done = done + 1
    shown.step(failed)
  end
  local tell = {}
  function tell.ended(event)
    at_gate = nil
    if errors.is(event.err) and event.err.code == "run_stopped" then return end
    -- What a rule leaves has not failed.
    step(event.err ~= nil and not (errors.is(event.err) and event.err.rule))
    if not event.err then return end
    local err = event.asked and errors.about(event.err, ("%s %s"):format(event.verb, event.asked)) or event.err
    terminal.complain("mde: " .. problem.in_words(err, ("mde resume --cap %s=N"):format(event.verb)))
  end
  function tell.drift(event)
    terminal.say(("%s %s: %s."):format(event.verb, errors.quote(event.computerDnsName), event.words))
  end
  function tell.replayed() step(false) end
  function tell.gate(event)
    local gate = event.counts
    at_gate = ("wave %d%s: %d of %d succeeded, %s"):format(gate.wave, of_verb(gate), gate.succeeded, gate.sent,
      duration.countdown(event.seconds))
    shown.refresh()
  end
  function tell.wave() at_gate = nil end
  function tell.unwritten(event) write_unwritten(event.unwritten) end
  function tell.stop(event) terminal.say(("Stopping: %s. What is in flight ends."):format(event.stop.message)) end
  return shown, function(event)
    last = now()
    if tell[event.event] then tell[event.event](event) end
  end
end

-- ---- the end

local ending_words = { accepted = "accepted", already_active = "already active" }

--- How many of the calls of a session ended how, in words.
---@param report mde.RunReport
---@return string
function M.ends(report)
  local counts, order = {}, {}
  local function count(word)
    if not counts[word] then
      counts[word] = 0
      order[#order + 1] = word
    end
    counts[word] = counts[word] + 1
  end
  for _, entry in ipairs(report.entries) do
    local err = entry.err
    if entry.action then
      local outcome = entry.action.outcome
      -- It counts for the exit status, too, whichever session has done it.
      local has_failed = core.history.status(entry.action.status) == "failed"
      count(has_failed and "failed" or entry.replayed and "done by an earlier session" or ending_words[outcome]
        or outcome)
    elseif errors.is(err) and err.code == "run_stopped" then
      count "not begun"
    elseif errors.is(err) and err.rule then
      count("left by the rule " .. errors.show(err.rule))
    else
      count(errors.is(err) and err.kind or "raised")
    end
  end
  for i, word in ipairs(order) do order[i] = ("%d %s"):format(counts[word], word) end
  local rest = #report.not_come_to
  if rest > 0 then
    if not order[1] then order[1] = "nothing was sent this time" end
    order[#order + 1] = ("%d planned and not reached"):format(rest)
  end
  return order[1] and table.concat(order, ", ") or "nothing was to be done"
end

-- The status of one call that ended; what was not begun is the run's.
local function status_of(entry)
  local err = entry.err
  if entry.action and core.history.status(entry.action.status) == "failed" then return exit.unfinished end
  if not err or errors.is(err) and err.code == "run_stopped" then return exit.done end
  return exit.of(err)
end

local function has_sent(report)
  for _, entry in ipairs(report.entries) do
    if entry.action or errors.is(entry.err) and entry.err.kind == "unknown" then return true end
  end
  return report.open[1] ~= nil
end

--- The exit status of a session.
---@param report mde.RunReport
---@return integer
function M.status(report)
  local status = exit.done
  for _, entry in ipairs(report.entries) do
    local own = status_of(entry)
    -- Lost midway.
    if own == exit.usage and has_sent(report) then own = exit.refused end
    status = math.max(status, own)
  end
  if report.not_called[1] then status = math.max(status, exit.refused) end
  if report.open[1] then status = math.max(status, exit.unknown) end
  for _, one in ipairs(report.others) do status = math.max(status, errors.is(one.err) and exit.of(one.err)
    or exit.unknown) end
  if report.state == "paused" or report.state == "stopped" then status = math.max(status, exit.unfinished) end
  if report.state == "broken" then
    status = math.max(status, has_sent(report) and exit.unfinished or exit.of(report.err))
  end
  return status
end

--- Says the changes of a list, one a line, each with what is said of it.
---@param title string with a place for how many
---@param list table[]
---@param words_of? fun(change: table): string?
function M.say_changes(title, list, words_of)
  if not list[1] then return end
  terminal.say(title:format(#list))
  for i = 1, math.min(#list, MAX_SHOWN) do
    local one = list[i]
    local words, name = words_of and words_of(one), one.name or one.asked or one.machine_id or one.device
    terminal.say(("  %s %s%s"):format(one.verb, errors.show(name),
      words and ": " .. words or ""))
  end
  if #list > MAX_SHOWN then terminal.say(("  and %d more"):format(#list - MAX_SHOWN)) end
end

--- Says how a session ended, and what to do now.
---@param report mde.RunReport
function M.say_end(report)
  for _, told in ipairs(report.unwritten) do write_unwritten(told) end
  if report.err then terminal.complain("mde: " .. problem.in_words(report.err)) end
  M.say_changes("%d recorded, and not reached by the playbook this time:", report.not_reached,
    function(step)
      local left = step.why_left and ("; left by the playbook now: %s"):format(errors.show(step.why_left)) or ""
      return (step.outcome or "not answered") .. left
    end)
  M.say_changes("%d recorded, and asked for otherwise this time; what is recorded holds:", report.differing,
    function(call) return call.words end)
  M.say_changes("%d planned, and not asked for by the playbook this time:", report.not_called,
    function(one) return one.why and errors.show(one.why) end)
  M.say_changes("%d planned, and not reached, since the playbook did not come so far:", report.not_come_to)
  for _, line in ipairs(others.not_done(report.others)) do terminal.say(line) end
  for _, step in ipairs(report.open) do
    terminal.say(("%s %s: sent, and not known what came of it; mde state %s shows it"):format(step.verb, step.device,
      shell_word.of(step.device)))
  end
  terminal.say(("Run %s is %s: %s."):format(report.run, report.state, M.ends(report)))
  if report.pending[1] then
    terminal.say(("%d sent, and not finished yet when the playbook ended. To look again:"):format(#report.pending),
      ("mde report %s --verify"):format(shell_word.of(report.run)))
  end
  if report.state == "complete" then return end
  if report.why then terminal.say(("Why: %s."):format(report.why)) end
  local stop, goes_on = report.stop, "To go on:"
  if stop and stop.rule == "cap" and stop.retry_at then
    goes_on = ("To go on when the cap lets the next go, at %s, or now with a higher --cap:"):format(
      phrase.second(math.ceil(stop.retry_at)))
  end
  terminal.say(goes_on, ("mde resume %s"):format(shell_word.of(report.run)))
end

-- What to call it from elsewhere, while it runs and if it is killed.
local function say_begin(session, until_time)
  local name = shell_word.of(runs.name_of(session.path, session.id))
  terminal.remark(("Run %s. From another terminal mde stop %s stops it; if it is killed, mde resume %s goes on.")
    :format(name, name, name))
  if session.is_shared then
    terminal.remark(("From where the store is shared, mde stop %s stops it, too."):format(session.id))
  end
  if until_time then
    terminal.remark(("It begins nothing new after %s, which is %s UTC."):format(
      os.date("%Y-%m-%d %H:%M", math.floor(until_time)), phrase.minute(until_time, true)))
  end
end

--- Runs a session and says how it ended.
---@param context mde.cli.Context
---@param plan mde.RunPlan
---@param session fun(options: mde.RunOptions): mde.RunReport?, mde.Error?
---@return integer status
function M.run(context, plan, session)
  local arguments, client = context.arguments, context.client
  local shown, on_event = watcher(client, plan)
  local halt
  local finished, report, err = interrupt.during_playbook(client, 2, function()
    return session { until_time = context.request.until_time, ask_gate = ask_gate(arguments), on_event = on_event,
      is_listed = true, on_session = function(one)
        halt = function(stop) one:halt(stop) end
        say_begin(one, context.request.until_time)
      end }
  end, function()
    if halt then halt { rule = "interrupt", state = "stopped", message = "it was interrupted" } end
  end, function() shown.refresh() end)
  shown.finish()
  if not finished then
    runs.leave()
    terminal.say "Interrupted twice; what was in flight is not known. The next session finds out: mde resume."
    return exit.interrupted
  end
  if not report then error(err, 0) end
  M.say_end(report)
  if interrupt.asked() then return exit.interrupted end
  return M.status(report)
end

return M
