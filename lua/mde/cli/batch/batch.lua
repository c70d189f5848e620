--- batch: the same for many entries, some at a time, told in their order as soon as that is possible.
--
-- Ctrl-C, a reader who has gone, or a sign-in that failed: nothing new is begun, what is in flight is
-- finished, and what was not begun is said.

local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local output = require "mde.cli.ui.output"
local progress = require "mde.cli.ui.progress"
local result = require "mde.cli.batch.result"
local terminal = require "mde.cli.ui.terminal"

local M = {}

--- Whether somebody wants no more to be begun, or nobody is there any more to be told.
---@return boolean
function M.is_cut_short()
  return interrupt.asked() or output.is_broken() or terminal.is_gone()
end

--- The exit status of all: the highest.
---@param entries mde.cli.Result[]
---@param complete boolean
---@return integer
function M.status(entries, complete)
  return result.status(entries, interrupt.asked() or not complete and M.is_cut_short())
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
    if M.is_cut_short() or run.halted then return nil end
    repeat position = position + 1 until not (entries[position] and entries[position].done)
    return entries[position]
  end
end

local function do_one(entry, act, run)
  entry.started = true
  local ok, value, err = pcall(act, entry)
  if not ok then
    -- A wrong argument is wrong for every other too.
    entry.err, run.halted = value or "nothing was raised", true
  elseif not value then
    entry.err = err or "nothing was returned"
  end
  entry.done = true
  -- So is a credential.
  if errors.is(entry.err) and entry.err.kind == "auth" then run.halted = true end
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
function M.run(context, entries, act, options)
  local client, run, told = context.client, { halted = false }, 0
  local shown = progress.new(options.label, #entries, false, options.remark)

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
  end)
  shown.finish()

  local complete = finished
  for i, entry in ipairs(entries) do
    if i > told and entry.done and options.show then options.show(entry) end
    complete = complete and entry.done
  end
  output.flush()
  return complete or false
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
    if entry.done and entry.err then count "failed" end
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

--- Says the outcome of all in the end, unless it was one alone that went well or the words are brief.
---@param entries mde.cli.Result[]
---@param complete boolean
---@param words mde.cli.BatchWords
function M.say_end(entries, complete, words)
  if interrupt.asked() or not complete or #entries > 1 and not words.brief then
    local say = (interrupt.asked() or not complete) and terminal.say or terminal.remark
    say(("%s%d %s%s: %s."):format(interrupt.asked() and "Interrupted. " or "", #entries, words.noun,
      #entries == 1 and "" or "s", count_ends(entries, words)))
  end
  for _, entry in ipairs(entries) do
    if entry.started and not entry.done and words.ask then
      terminal.say(("%s: stopped in flight; %s shows the outcome"):format(errors.quote(entry.device), words.ask))
    end
  end
end

return M
