--- batch: the same for many entries, some at a time, told in their order as soon as that is possible.
--
-- Ctrl-C, a reader who has gone, or an error that every other would have (stop_rule.lua): nothing new is begun, what is
-- in flight is finished, and what was not begun is said.

local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local output = require "mde.cli.ui.output"
local phrase = require "mde.cli.ui.phrase"
local progress = require "mde.cli.ui.progress"
local result = require "mde.cli.batch.result"
local stop_rules = require "mde.base.stop_rule"
local terminal = require "mde.cli.ui.terminal"

local M = {}

--- Whether somebody wants no more to be begun, or nobody is there any more to be told.
---@return boolean
function M.is_cut_short()
  return interrupt.asked() or output.is_broken() or terminal.is_gone()
end

-- Whether nobody is there any more. A disk that is full is something else, with a status that the command adds.
local function was_left()
  return terminal.is_gone() or output.is_broken() and not output.failure()
end

--- The exit status of all: the highest.
---@param entries mde.cli.Result[]
---@param complete boolean
---@return integer
function M.status(entries, complete)
  return result.status(entries, interrupt.asked() or not complete and was_left())
end

--- Says why it did not happen.
---@param entry mde.cli.Result
function M.complain(entry)
  terminal.complain("mde: " .. result.complaint(entry))
end

-- The entries that are left to do, until there is a reason to begin no more.
local function remaining(entries, run)
  local position = 0
  return function()
    if M.is_cut_short() or run.stop then return nil end
    repeat position = position + 1 until not (entries[position] and entries[position].done)
    return entries[position]
  end
end

---@class mde.cli.BatchStop what stopped it, unless it was a person
---@field reason string in words
---@field err? any the error, if one was it
---@field before? string what comes before the same command is of use again, in words

local MENDED = "When that is mended"

-- What stopped it.
local function stop_of(run)
  if run.stop or interrupt.asked() or not output.is_broken() then return run.stop end
  if not output.failure() then return { reason = "nobody reads the results any more" } end
  return { reason = "the results cannot be written any more", before = MENDED }
end

local function count_left(entries)
  local count = 0
  for _, entry in ipairs(entries) do
    if not entry.done then count = count + 1 end
  end
  return count
end

local function do_one(entry, act, run)
  entry.started = true
  local ok, value, err = pcall(act, entry)
  if not ok then
    entry.err = value or "nothing was raised"
    run.stop = { reason = "an argument is wrong for each", err = entry.err, before = MENDED }
  elseif not value then
    entry.err = err or "nothing was returned"
  end
  entry.done = true
  local reason, is_theirs = run.rule:note(entry.err)
  if not reason or run.stop then return end
  run.stop = { reason = reason, err = entry.err, before = MENDED .. (is_theirs and ", or without those devices" or "") }
end

---@class mde.cli.BatchOptions
---@field label string what the progress is called
---@field patience integer interruptions after which it is given up: 1 where nothing changes, else 2
---@field show? fun(entry: mde.cli.Result) tells of one that is done
---@field remark? fun(left: integer): string? what the progress says beside, when so many are left

--- Does every entry that is not done yet.
---@param context mde.cli.Context
---@param entries mde.cli.Result[]
---@param act fun(entry: mde.cli.Result): any, any truthy, or nil and an error
---@param options mde.cli.BatchOptions
---@return boolean complete false if some were not begun or not finished
---@return mde.cli.BatchStop? stop why, unless a person has stopped it; or why, had there been more
function M.run(context, entries, act, options)
  local client, run, told = context.client, { rule = stop_rules.new() }, 0
  local shown = progress.new(options.label, count_left(entries), false, options.remark)

  local function tell()
    if not options.show then return end
    while entries[told + 1] and entries[told + 1].done do
      told = told + 1
      terminal.above_status(options.show, entries[told])
    end
    output.flush()
  end

  local function work(entry)
    do_one(entry, act, run)
    shown.step(entry.err ~= nil)
    tell()
  end

  local finished = interrupt.during(client, options.patience, function()
    local next_entry = remaining(entries, run)
    -- One alone needs no listing for all.
    if #entries > 1 then
      client:each(next_entry, work)
    else
      local only = next_entry()
      if only then work(only) end
    end
  end, function()
    terminal.say "Finishing what is in flight, nothing new is begun. Ctrl-C again stops at once."
  end, shown.refresh)
  shown.finish()

  local complete = finished
  for i, entry in ipairs(entries) do
    if i > told and entry.done and options.show then options.show(entry) end
    complete = complete and entry.done
  end
  output.flush()
  if complete then return true, run.stop end
  return false, stop_of(run)
end

-- What is left as it is since somebody has decided so, or since nobody can tell which machine is meant.
local is_left = { protected = true, superseded = true, conflict = true, not_found = true, ambiguous = true,
  invalid = true }

-- How one that did not go well ended, in a word.
local function ending_of(entry, words)
  local err = errors.is(entry.err) and entry.err or {}
  if entry.ending then return entry.ending end
  if err.kind == "protected" and err.rule == "cap" then return "over the cap" end
  return words.ask and is_left[err.kind] and "left" or "failed"
end

local function is_unknown(entry)
  return errors.is(entry.err) and entry.err.kind == "unknown"
end

-- How many of them ended how, in words: "10 accepted, 2 failed".
local function count_ends(entries, words)
  local counts, order = {}, {}
  local function count(word)
    if not counts[word] then order[#order + 1] = word end
    counts[word] = (counts[word] or 0) + 1
  end
  for _, entry in ipairs(entries) do
    if entry.done and not entry.err then count(words.outcome(entry)) end
  end
  for _, entry in ipairs(entries) do
    if entry.done and entry.err and not is_unknown(entry) then count(ending_of(entry, words)) end
  end
  for _, entry in ipairs(entries) do
    if entry.done and is_unknown(entry) then count "unknown" end
  end
  for _, entry in ipairs(entries) do
    if not entry.done then
      count(entry.started and (words.ask and "stopped in flight, of unknown fate" or "not finished") or "not begun")
    end
  end
  for i, word in ipairs(order) do order[i] = ("%d %s"):format(counts[word], word) end
  return table.concat(order, ", ")
end

---@class mde.cli.BatchWords how the end is told
---@field noun string what an entry is
---@field outcome fun(entry: mde.cli.Result): string the outcome of one that went well
---@field ask? string the command that tells the outcome of one that was stopped in flight; nil where nothing changes
---@field brief? boolean say nothing where nothing was left
---@field stop? mde.cli.BatchStop why no more were begun
---@field continues? boolean the same command goes on where this one stopped

local may_go_later = { unknown = true, throttled = true, unavailable = true, auth = true, pending = true }

-- Whether some were not begun or may go later, of many.
local function is_worth_repeating(entries)
  for _, entry in ipairs(entries) do
    local err = errors.is(entry.err) and entry.err or {}
    if entries[2] and (not entry.done or may_go_later[err.kind] or err.rule == "cap") then return true end
  end
  return false
end

-- When the cap lets the next go, where nothing else of what is left may go before; nil: something may go at once.
local function waits_for_cap(entries)
  local at
  for _, entry in ipairs(entries) do
    local err = errors.is(entry.err) and entry.err or {}
    if err.rule == "cap" and err.retry_at then
      at = math.min(at or err.retry_at, err.retry_at)
    elseif not entry.done or may_go_later[err.kind] or err.rule == "cap" then
      return nil
    end
  end
  return at
end

local CONTINUES = ": it continues, and does nothing twice."

-- What the same command is good for once more, and when.
local function say_repeat(entries, stop)
  local at = waits_for_cap(entries)
  if at then
    return terminal.remark(("The cap lets the next go at %s. Run the same command again then, or now with a higher "
      .. "--cap%s"):format(phrase.second(math.ceil(at)), CONTINUES))
  end
  local before = stop and stop.before
  terminal.remark((before and before .. ", run" or "Run") .. " the same command again" .. CONTINUES)
end

--- Says the outcome of all in the end, unless it was one alone that went well or the words are brief.
---@param entries mde.cli.Result[]
---@param complete boolean
---@param words mde.cli.BatchWords
function M.say_end(entries, complete, words)
  if interrupt.asked() or not complete or #entries > 1 and not words.brief then
    local say = (interrupt.asked() or not complete) and terminal.say or terminal.remark
    say(("%s%s: %s."):format(interrupt.asked() and "Interrupted. " or "", phrase.counted(#entries, words.noun),
      count_ends(entries, words)))
  end
  if words.stop and not complete then terminal.say(("Stopped: %s."):format(words.stop.reason)) end
  if words.continues and is_worth_repeating(entries) then say_repeat(entries, words.stop) end
  for _, entry in ipairs(entries) do
    if entry.started and not entry.done and words.ask then
      terminal.say(("%s: stopped in flight; %s shows the outcome"):format(errors.quote(entry.device), words.ask))
    end
  end
end

return M
