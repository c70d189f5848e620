--- change: what `mde restrict`, `mde release` and the other response actions have in common: which devices, why, a look
-- and a question, the deed, and its outcome.

local audit = require "mde.cli.ui.audit"
local batch = require "mde.cli.batch.batch"
local consult = require "mde.cli.batch.consult"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local left = require "mde.cli.batch.left"
local list = require "mde.cli.batch.list"
local log = require "mde.cli.batch.log"
local lookup = require "mde.cli.batch.lookup"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local phrase = require "mde.cli.ui.phrase"
local plans = require "mde.cli.batch.plan"
local progress = require "mde.cli.ui.progress"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"
local verify = require "mde.cli.batch.verify"
local words_of = require "mde.cli.batch.words".of

local MAX_CAP_REFUSALS = 5

local M = {}

M.explained = [[
What --json writes of each device: device (as named), outcome (accepted, already_active, would_send,
error, unknown if it was stopped in flight, not_started), machine_id, computerDnsName, action (as
the service tells it), waited (Succeeded), the scope or file that was asked for (isolation_type,
scan_type, sha1) and error (kind, message, hint, text and what else is known).]]

-- A time, or how long ago it was.
local function decided_at(text)
  local seconds = duration.parse(text)
  if seconds then return { ago = seconds } end
  if text:find "^%d%d%d%d%-" then return text end
  return nil, ("'%s' is not a time; write 20m, or 2026-02-03T10:11:12Z"):format(text)
end

--- How long is waited where no time is given: "10m".
---@param verb string
---@return string
function M.wait(verb)
  local minutes = core.response_actions[verb].wait_seconds / 60
  return minutes % 60 == 0 and ("%dh"):format(minutes / 60) or ("%dm"):format(minutes)
end

--- Declares what all have in common.
---@param command table of argparse
---@param verb string
function M.configure(command, verb)
  command:option("--comment", ("Why; recorded in the service. On a terminal it is asked for, with %q as the default.")
    :format(words_of(verb).comment)):argname "<text>":overwrite(false)
  command:option("--incident", "The incident it belongs to; recorded too, and what release --all-of goes by.")
    :argname "<id>":overwrite(false)
  command:option("--wait", ("Wait until the devices have done it, that long at most, 5m say; --wait alone is "
    .. "--wait %s. A device called 5m goes before it."):format(M.wait(verb))):argname "<time>":convert(duration.parse)
    :overwrite(false)
  command:option("--key", "For one device: a key of your own, 8 to 64 of A-Za-z0-9._-, an alert's id say. A repeat "
    .. "with it tells of the first action."):argname "<key>":overwrite(false)
  command:flag("--no-look", "Send without reading the device's history first. For when it cannot be read.")
  command:option("--decided-at", "When it was decided: 20m ago, or 2026-02-03T10:11:12Z. What somebody decided "
    .. "otherwise since then supersedes it. Without it: now."):argname "<time>":convert(decided_at):overwrite(false)
  command:flag("--dry-run", "Say what would be done, without doing it.")
  command:flag("--exit-code", "With --dry-run: exit with status 6 if something would be sent.")
  command:flag("--yes", "Do not ask. Required where nobody can be asked.")
  command:flag("-q --quiet", "Show no progress, and say nothing but errors, warnings, questions and results.")
  log.configure(command)
  audit.configure(command)
end

-- ---- what is asked

---@class mde.cli.ChangeRequest
---@field verb string
---@field options mde.ChangeOptions
---@field entries? mde.cli.Result[] the devices, if the arguments name them
---@field find? fun(client: mde.Client): mde.cli.Result[] finds them, if they do not; an empty list may have the exit
--- `status`
---@field is_list boolean there may be any number of them
---@field log? mde.cli.Log
---@field is_part? boolean it is one of several parts, whose devices have a `verb`

-- Whether somebody is there to be asked.
local function can_ask(arguments)
  if list.is_on_standard_input(arguments) then return terminal.ask_beside_input() end
  return terminal.is_interactive()
end

local function check_dry_run(arguments)
  if not arguments.dry_run and arguments.exit_code then
    errors.invalid("option_without_effect", "--exit-code belongs to --dry-run", "Leave it out, or add --dry-run.")
  elseif arguments.dry_run and arguments.wait then
    errors.invalid("contradictory_options", "a dry run has nothing to wait for", "Leave out --wait, or --dry-run.")
  end
end

local function check_unattended(arguments)
  if can_ask(arguments) or arguments.dry_run then return end
  if not arguments.yes then
    errors.invalid("no_terminal", "there is no terminal to ask on", "Give --yes if you are sure.")
  elseif not arguments.comment then
    errors.invalid("comment_missing", "a comment is required", "Say in a few words why: --comment TEXT.")
  end
end

-- A key stands for one change of one device.
local function check_key(arguments, entries)
  if arguments.key and (not entries or #entries ~= 1) then
    errors.invalid("contradictory_options", ("--key belongs to one device, not to %s"):format(
      entries and ("%d"):format(#entries) or "all that an incident holds"), "Name one, or leave out --key.")
  end
end

--- What the arguments ask. Raises where it would be refused, or where nobody is there who would have to be asked:
--- nothing is looked up for the sake of that.
---@param arguments table as argparse leaves them
---@param verb string
---@param options mde.ChangeOptions beside the incident and --no-look
---@param find? fun(client: mde.Client): mde.cli.Result[] the devices, if they are not named by the arguments
---@return mde.cli.ChangeRequest
function M.request(arguments, verb, options, find)
  options.incident, options.key = arguments.incident, arguments.key
  if arguments.no_look then options.look = false end
  if arguments.dry_run then options.dry_run = true end
  local decided = arguments.decided_at
  options.decided_at = type(decided) == "table" and mde.ago(decided.ago) or decided
  check_dry_run(arguments)
  if not find then list.check(arguments) end
  check_unattended(arguments)
  local ok, err = mde.check(verb, arguments.comment or words_of(verb).comment, options)
  if not ok then error(err, 0) end
  local entries = not find and list.entries(arguments) or nil
  local is_list = not entries or entries[2] ~= nil or arguments.list ~= nil or list.is_on_standard_input(arguments)
  -- A list may run more than once, and meanwhile a colleague may have released some of it.
  local is_renewed = core.response_actions[verb].holds and is_list and options.look ~= false
  if is_renewed and not arguments.again then options.again = false end
  check_key(arguments, entries)
  return { verb = verb, options = options, find = find, entries = entries, is_list = is_list,
    log = log.open(arguments.log) }
end

-- ---- telling

--- Writes results in the format that was asked for.
local function teller(context, count)
  local verb, waits = context.request.verb, context.arguments.wait
  local brief = count > 1 and terminal.shows_results()
  local seen, cap_refusals = {}, 0
  if context.format == "text" then
    return {
      show = function(entry)
        if entry.told then return end
        entry.told = true
        if entry.err and errors.is(entry.err) and entry.err.rule == "cap" then
          cap_refusals = cap_refusals + 1
          if cap_refusals > MAX_CAP_REFUSALS then return end
        end
        if entry.err then return batch.complain(entry) end
        result.note_name(entry, seen)
        output.write(result.sentence(entry, verb, brief) .. "\n")
        output.flush()
      end,
      finish = function()
        if cap_refusals <= MAX_CAP_REFUSALS then return end
        terminal.say(("and %d more: rule cap"):format(cap_refusals - MAX_CAP_REFUSALS))
      end,
    }
  end
  local subject = plans.subject(context.request)
  local columns = context.request.is_part and result.columns_of_parts or result.columns
  local writer = rows.new(context, columns, function(entry)
    local record = result.record(entry)
    for name, value in pairs(subject) do record[name] = value end
    return record
  end)
  return {
    -- A row can be written once, so it waits for the end of the action where that is waited for.
    show = not waits and writer.add or nil,
    finish = function(entries)
      for _, entry in ipairs(entries) do
        if waits or not entry.done then writer.add(entry) end
      end
      writer.finish()
      output.flush()
    end,
  }
end

-- How one ended that was waited for in vain, for the counts. What was accepted stays so where its end cannot be read.
local endings = { failed = "failed", cancelled = "cancelled", pending = "still pending" }

-- Tells of each as it ends, so that what is known is told however the waiting ends.
local function wait_for(context, entries)
  local waiting, entry_of = {}, {}
  for _, entry in ipairs(entries) do
    if entry.action then
      waiting[#waiting + 1] = entry.action
      entry_of[entry.action] = entry
    end
  end
  if #waiting == 0 or batch.is_cut_short() then return end
  if terminal.is_interactive() then
    terminal.remark(("Waiting for %s. Ctrl-C ends the waiting, not the action%s."):format(
      phrase.counted(#waiting, "device"), #waiting == 1 and "" or "s"))
  end
  local in_text = context.format == "text"
  local shown = progress.new("Waiting", #waiting, not in_text)
  local function tell(ended)
    local entry = entry_of[ended.item]
    entry.waited, entry.err = ended.value, ended.err
    if errors.is(entry.err) then entry.ending = endings[entry.err.kind] or "accepted (end not read)" end
    shown.step(ended.err ~= nil)
    if in_text and entry.err then
      batch.complain(entry)
    elseif in_text then
      terminal.above_status(function()
        output.write(("%s: %s\n"):format(result.name(entry), errors.show(entry.waited)))
        output.flush()
      end)
    end
  end
  interrupt.during(context.client, 1, function()
    context.client:wait(waiting, { timeout = context.arguments.wait,
      on_progress = function(_, _, ended) tell(ended) end })
  end)
  shown.finish()
end

local function outcome_of(entry)
  if entry.waited then return core.text.lower(entry.waited) end
  if entry.action.outcome == "would_send" then return "would be sent" end
  return entry.action.outcome == "already_active" and "already active" or "accepted"
end

-- ---- the whole

-- What is to be known of so many devices before they are begun with.
local function remark_of(context, count)
  local client, request = context.client, context.request
  return pace.remark(count, words_of(request.verb).doing, plans.is_capped(request) and plans.cap(context).limit or nil,
    function(sent) return client:peek(request.verb, sent).seconds end, request.verb)
end

-- Leaves one as it is, without a call for it.
local function leave(context, entry, comment, err)
  left.tell(context, entry, comment, err)
  return nil, errors.derive(err, { asked = ("%s %s"):format(context.request.verb, errors.quote(entry.device)) })
end

-- Does it to one. Once the cap is used up nothing more is asked for the sake of those that would be refused for it.
local function act(context, entry, comment)
  local client, request = context.client, context.request
  if entry.problem then return leave(context, entry, comment, entry.problem) end
  local full = plans.is_capped(request) and not entry.machine and plans.cap(context).refusal
  if full then return leave(context, entry, comment, full) end
  return client[request.verb](client, entry.machine or entry.identity or entry.device, comment, request.options)
end

-- The devices that are meant; nil and the status if that cannot be established any more.
local function find(context)
  local finished, entries = interrupt.during(context.client, 1, function()
    return context.request.find(context.client)
  end)
  if finished then return entries end
  terminal.say "Interrupted; nothing was done."
  return nil, exit.interrupted
end

local is_final = { not_found = true, ambiguous = true, invalid = true }

-- Finds many at once. What could not be asked for is asked for again, by itself.
local function find_many(context, entries)
  if not entries[2] or context.request.find then return true end
  local complete = lookup.run(context, entries)
  for _, entry in ipairs(entries) do
    if entry.err and entry.err.kind ~= "invalid" then
      entry.problem = is_final[entry.err.kind] and entry.err or nil
      entry.err = nil
    end
    entry.done = entry.err ~= nil
    entry.started = entry.done
  end
  return complete
end

local function end_interrupted()
  terminal.say "Interrupted; nothing was done."
  return nil, exit.interrupted
end

-- Shows what would be done and asks, or only says what is to be known, and has a comment. The entries to go on with and
-- the comment; nil, the status to end with, and whether that is since there was nothing to ask about.
local function prepare(context, entries)
  local arguments, words = context.arguments, words_of(context.request.verb)
  if not arguments.yes then return consult.ask(context, entries, words) end
  local text = remark_of(context, #entries)
  if text then terminal.remark(text) end
  if not find_many(context, entries) then return end_interrupted() end
  local comment = arguments.comment or can_ask(arguments) and consult.comment(context.request.verb, words.comment)
  -- What comes next is for the same reason.
  arguments.comment = comment
  if comment then return entries, comment end
  if not interrupt.asked() then return nil, exit.refused end
  return end_interrupted()
end

-- How long ago it was decided is meant as of the beginning, not as of each device, nor of the second of two parts.
local function fix_decision(context)
  local arguments = context.arguments
  local decided = arguments.decided_at
  if type(decided) == "table" then arguments.decided_at = context.client:now() - decided.ago end
  context.request.options.decided_at = arguments.decided_at
end

-- The status of a dry run: what is refused counts, and what would be sent, where that is asked for.
local function status_of_dry_run(context, plan)
  local status = batch.status(plan.entries, true)
  if plan.now < #plan.send then
    status = math.max(status, plan.refusal and exit.of(plan.refusal) or exit.refused)
  end
  return context.arguments.exit_code and plan.now > 0 and math.max(status, exit.would_send) or status
end

-- Tells a plan in a line for each device, for who reads them with a program or later.
local function tell_each(context, plan, words, comment)
  if not terminal.is_quiet() then plans.say_frame(context, comment) end
  local tell = teller(context, #plan.entries)
  for _, entry in ipairs(plan.entries) do
    if tell.show then tell.show(entry) end
  end
  tell.finish(plan.entries)
  plans.say_twins(plan)
  plans.say_limits(context, plan, words.doing)
end

-- Says what would be done: of a list on a screen, the plan as it is shown before the question.
local function rehearse(context, entries)
  local words = words_of(context.request.verb)
  local comment = context.arguments.comment or words.comment
  local plan = plans.make(context, entries, comment)
  if not plan then
    batch.say_end(entries, false, { noun = "device", outcome = outcome_of })
    return exit.interrupted, false
  end
  local is_on_screen = entries[2] and context.format == "text" and terminal.shows_results() and not terminal.is_quiet()
  if is_on_screen then
    consult.show(context, plan, words, comment)
  else
    tell_each(context, plan, words, comment)
  end
  if context.format == "json" then plans.write(context, plan, comment) end
  batch.say_end(plan.entries, true, { noun = "device", outcome = outcome_of })
  return status_of_dry_run(context, plan), true
end

--- Does what is asked.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@return integer status
---@return boolean? goes_on nothing speaks against doing what comes next
function M.run(context)
  local request = context.request
  local entries, comment, settled = request.entries, nil, false
  fix_decision(context)
  if not entries then
    entries, comment = find(context)
    if entries and not entries[1] then return entries.status or exit.done, true end
  end
  if entries and request.options.dry_run then return rehearse(context, entries) end
  if entries then entries, comment, settled = prepare(context, entries) end
  if not entries then return comment, settled end
  left.tell_done(context, entries, comment)

  local tell = log.beside(teller(context, #entries), context)
  local complete, stop = batch.run(context, entries, function(entry)
    local err
    entry.action, err = act(context, entry, comment)
    return entry.action, err
  end, { label = words_of(request.verb).label, patience = 2, show = tell.show,
    remark = pace.left(context.client, request.verb) })
  if context.arguments.wait then
    wait_for(context, entries)
    verify.run(context, entries)
  end
  tell.finish(entries)
  batch.say_end(entries, complete, { noun = "device", outcome = outcome_of, ask = "mde state", stop = stop,
    continues = true })
  return math.max(batch.status(entries, complete), log.status(request.log)), true
end

return M
