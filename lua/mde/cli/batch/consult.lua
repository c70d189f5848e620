--- consult: shows what would be restricted or released and what would not, and asks whether that is meant.

local columns = require "mde.cli.ui.columns"
local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local guests = require "mde.cli.ui.guests"
local interrupt = require "mde.cli.ui.interrupt"
local left = require "mde.cli.batch.left"
local mde = require "mde"
local meanwhile = require "mde.cli.batch.meanwhile"
local plans = require "mde.cli.batch.plan"
local result = require "mde.cli.batch.result"
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"
local words_of = require "mde.cli.batch.words".of

-- The whole plan is to be seen on one screen, so of more machines a few are shown.
local MAX_SHOWN, FEW_SHOWN = 40, 5
-- So that an id of 40 digits fits beside it on a terminal of 80 columns.
local SHARED_NAME_COLUMNS = 26
-- More are confirmed by their number.
local MAX_BY_YES = 25
local MAX_CAUTIONS = 10
-- Of so many devices it is asked which machine is meant where that is not clear; a longer list is planned at once.
local MAX_SETTLED, MAX_CANDIDATES = 5, 9

local M = {}

--- Asks why, until the answer can be recorded; nil without an answer.
---@param verb string
---@param default string
---@return string?
function M.comment(verb, default)
  while true do
    local answer = terminal.ask(("Comment [%s]: "):format(default))
    if not answer then return nil end
    if answer == "" then answer = default end
    local ok, problem = mde.check(verb, answer)
    if ok then return answer end
    terminal.say(tostring(problem))
  end
end

-- What stands for a machine in the first column.
local function name_cell(entry)
  local name = result.dns_name(entry)
  if not name then return entry.machine.id end
  if not entry.shares_name then return name end
  name = errors.escape(name)
  name = terminal.fit(name, math.min(terminal.width(name), SHARED_NAME_COLUMNS))
  return ("%s %s"):format(name, entry.machine.id)
end

local function show_machines(found, now)
  local asked = columns.asked
  for _, entry in ipairs(found) do
    if entry.shares_name then asked = columns.asked_by_id end
  end
  local shown = tables.new(asked, terminal.columns() - 2, function(line) terminal.show("  " .. line) end)
  local count = #found > MAX_SHOWN and FEW_SHOWN or #found
  for i = 1, count do
    local row = { name_cell(found[i]) }
    for j = 2, #asked do row[j] = asked[j].value(found[i].machine, now) or "" end
    shown.add(row)
  end
  shown.finish()
  if #found > count then
    terminal.say(("  and %d more; --dry-run --csv lists them all"):format(#found - count))
  end
end

-- Somebody did not say yes.
local function end_without()
  if not interrupt.asked() then
    terminal.say "Nothing was done."
    return nil, exit.refused
  end
  terminal.say "Interrupted; nothing was done."
  return nil, exit.interrupted
end

-- ---- which machine is meant

local function choose(context, entry)
  local candidates, now = entry.err.candidates, context.client:now()
  local count = math.min(#candidates, MAX_CANDIDATES)
  terminal.say(("%s: %s"):format(errors.quote(entry.device), entry.err.kind == "ambiguous"
    and "several machines answer to it." or "no machine has that name. Near to it are:"))
  for i = 1, count do
    local one = candidates[i]
    terminal.say(("  %d  %s, %s, last seen %s, %s"):format(i, one.computerDnsName or "without a name",
      one.osPlatform or "unknown platform", columns.last_seen(one, now) or "never", one.id))
  end
  if #candidates > count then
    terminal.say(("  and %d more; name the one you mean by its id"):format(#candidates - count))
  end
  while true do
    local answer = terminal.ask(("Which one (1 to %d, or nothing to leave it)? "):format(count))
    if not answer or answer == "" then return end
    local number = core.number.read(answer)
    local chosen = number and number <= count and candidates[number]
    if chosen then
      entry.machine, entry.err = context.client:machine(chosen.id)
      return
    end
  end
end

local settled = { several_devices = true, no_such_device = true }

-- Asks which machine is meant where one of few devices leaves it open.
local function settle(context)
  return function(entries)
    local open = {}
    for _, entry in ipairs(entries) do
      local err = errors.is(entry.err) and entry.err or {}
      if settled[err.code] and err.candidates and err.candidates[1] then open[#open + 1] = entry end
    end
    for i = 1, #entries <= MAX_SETTLED and #open or 0 do
      if interrupt.asked() then return end
      choose(context, open[i])
    end
  end
end

-- ---- the whole

-- What is to be known of one before it is done, if anything: that nothing holds what is released, or whose hold a
-- release ends beside the incident's own;
local function caution_of_release(entry, context)
  local holders, incident = entry.action.also_ended, context.request.options.incident
  if entry.action.not_held then
    return ("%s is %s"):format(result.name(entry), result.not_held(context.request.verb))
  end
  -- What was found by incidents is held by them alone.
  if context.request.find or not holders or not holders[1] then return nil end
  return ("%s is held %sby %s; the %s ends that%s"):format(result.name(entry), incident and "too " or "",
    errors.show(table.concat(holders, ", ")), words_of(context.request.verb).noun, incident and " as well" or "")
end

-- who holds restricted already what is restricted for one more incident; or the release that a restriction goes
-- against.
local function caution_of_restrict(entry, context)
  local words = words_of(context.request.verb)
  local older, holders = entry.action.overturned, entry.action.also_held
  if holders and holders[1] then
    -- Of two isolations the later one is in force, however much less it cuts off.
    local scope = context.request.options.isolation_type
    return ("%s is %s already by %s; it is sent again to record %s%s"):format(result.name(entry), words.past,
      errors.show(table.concat(holders, ", ")), errors.show(context.request.options.incident),
      scope and (", and is %s from then on"):format(scope) or "")
  end
  return older and ("%s was %s %s by %s; the %s goes against that"):format(result.name(entry),
    words.opposite_past, columns.ago(older.creationDateTimeUtc, context.client:now()) or "at an unknown time",
    errors.show(older.requestor or "somebody"), words.noun)
end

local function say_cautions(context, send)
  local count = 0
  local words = words_of(context.request.verb)
  local caution_of = words.holder == words.verb and caution_of_restrict or words.holder and caution_of_release
  if not caution_of then return end
  for _, entry in ipairs(send) do
    local text = caution_of(entry, context)
    if text then
      count = count + 1
      if count <= MAX_CAUTIONS then terminal.caution(text) end
    end
  end
  if count > MAX_CAUTIONS then terminal.say(("and %d more"):format(count - MAX_CAUTIONS)) end
end

-- What is to be known of all of them, by the scope that is asked for.
local function say_advice(context)
  local request = context.request
  local advice, options = words_of(request.verb).advice or {}, request.options
  for _, field in ipairs(core.response_actions[request.verb].fields) do
    local text = field.option and advice[options[field.option] or field.value]
    if text then terminal.caution(text) end
  end
  if request.verb == "isolate" then guests.caution(context.client) end
end

local function confirm(words, plan)
  local count = #plan.send
  if plan.now < count then
    return terminal.confirm(("%s %s of these %d now?"):format(words.question, plan.now == 0 and "none" or plan.now,
      count), plan.now > MAX_BY_YES and plan.now or nil)
  end
  return terminal.confirm(("%s %s?"):format(words.question, count == 1 and "it" or ("these %d"):format(count)),
    count > MAX_BY_YES and count or nil)
end

-- What goes on is begun from its beginning; the others are done and told.
local function settle_entries(plan)
  local goes_on = {}
  for _, entry in ipairs(plan.send) do goes_on[entry] = true end
  for _, entry in ipairs(plan.entries) do
    local stays = not goes_on[entry]
    entry.done, entry.started, entry.told = stays, stays, stays
    if not stays then
      entry.machine = entry.machine or { id = entry.action.machineId }
      entry.action = nil
    end
  end
end

-- Nobody is asked about these.
local function tell_left(context, plan, comment)
  for _, entry in ipairs(plan.entries) do
    local is_over_cap = not entry.err and entry.action.outcome == "would_send"
    left.tell(context, entry, comment, is_over_cap and plan.refusal or nil)
  end
end

--- Shows what would be done and what would not.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param plan mde.cli.Plan
---@param words mde.cli.ResponseWords
---@param comment string
function M.show(context, plan, words, comment)
  local names = {}
  for _, entry in ipairs(plan.entries) do result.note_name(entry, names) end
  plans.say_left(context, plan)
  if plan.now > 0 then
    terminal.say(words.means)
    show_machines(plan.send, context.client:now())
    say_cautions(context, plan.send)
    say_advice(context)
  end
  -- Beside the question, where it is seen on any terminal.
  plans.say_frame(context, comment)
  plans.say_limits(context, plan, words.doing)
end

--- Shows what would be done and what would not, and asks.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param entries mde.cli.Result[]
---@param words mde.cli.ResponseWords
---@return mde.cli.Result[]? entries to go on with; those that are left are done and told
---@return string|integer comment or, if there is nothing to go on with, the status to end with
---@return boolean? settled it ends since nothing is to be asked about
function M.ask(context, entries, words)
  local request = context.request
  local comment = context.arguments.comment or M.comment(request.verb, words.comment)
  if not comment then return end_without() end
  -- What comes next is for the same reason.
  context.arguments.comment = comment
  local plan = plans.make(context, entries, comment, settle(context))
  if not plan or interrupt.asked() then return end_without() end
  M.show(context, plan, words, comment)
  if plan.now == 0 then
    tell_left(context, plan, comment)
    local status = result.status(plan.entries, false)
    return nil, plan.refusal and math.max(status, exit.of(plan.refusal)) or status, true
  end
  if interrupt.asked() or not confirm(words, plan) then return end_without() end
  settle_entries(plan)
  if not meanwhile.run(context, plan) then return end_without() end
  return plan.entries, comment
end

return M
