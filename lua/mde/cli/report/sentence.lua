--- sentence: what a run came to, in sentences for people: how many, when, by whom, and what somebody has to do now.

local deeds = require "mde.run.deed"
local errors = require "mde.base.error"
local phrase = require "mde.cli.ui.phrase"
local runs = require "mde.run"
local shell_word = require "mde.base.shell_word"

local M = {}

---@class mde.cli.ReportWord
---@field shown string the word for people
---@field sign string the same in one character, beside the word
---@field part "needs"|"open"|"done"|"left"
---@field means string

---@type table<mde.AccountWord, mde.cli.ReportWord>
M.words = {}

local CROSS, TICK, DOTS, DASH = "\195\151", "\226\156\147", "\226\128\166", "\226\128\147"

local signs = { unknown = "?", failed = CROSS, refused = CROSS, cancelled = CROSS, pending = DOTS, not_sent = DASH,
  withheld = DASH, lapsed = DASH, not_asked_for = DASH, superseded = "!", not_looked_at = "?", sending = DOTS,
  planned = DOTS }

for _, one in ipairs(runs.account_words) do
  M.words[one.word] = { shown = (one.word:gsub("_", " ")), part = one.part, means = one.means,
    sign = signs[one.word] or one.part == "done" and TICK or "=" }
end

-- ---- how many

-- What is counted of a device: what came of it, or, where several things were done to it, what came of each.
local function parts_of(device)
  local groups, wanted, last = device.groups or {}, nil, nil
  if not groups[2] then
    for _, change in ipairs(device.changes) do
      if change.decision == change.verb and not change.if_needed then wanted = change.verb end
      last = change
    end
    return { { wanted = wanted, word = device.word, last = last } }
  end
  local parts = {}
  for _, group in ipairs(groups) do
    if group.word ~= "not_needed" and group.word ~= "may_come" then parts[#parts + 1] = group end
  end
  return parts
end

local function has_sent(account)
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do
      if change.sent_at then return true end
    end
  end
  return false
end

local function count(counts, name)
  counts[name] = (counts[name] or 0) + 1
end

-- By verb how many were wanted and done; by word how many were done beside the plan, or as it shows that they may be,
-- and how many came to something else.
local function tally(account)
  local counts = { wanted = {}, done = {}, beyond = {}, needed = {}, others = {} }
  for _, device in ipairs(account.devices) do
    local is_done = {}
    for _, part in ipairs(parts_of(device)) do
      local wanted = part.wanted and deeds.of(part.wanted) and part.wanted
      local is_as_wanted = wanted and part.word == deeds.of(wanted).done
      -- A device of which several files are wanted is done when all are.
      if wanted then is_done[wanted] = is_done[wanted] ~= false and is_as_wanted end
      if not is_as_wanted and M.words[part.word].part == "done" then
        count(part.last and part.last.if_needed and counts.needed or counts.beyond, part.word)
      elseif not is_as_wanted and not part.is_surpassed then
        count(counts.others, part.word)
      end
    end
    for verb, is in pairs(is_done) do
      count(counts.wanted, verb)
      if is then count(counts.done, verb) end
    end
  end
  return counts
end

local function others_of(counts)
  local words, left = {}, 0
  for _, one in ipairs(runs.account_words) do
    local number = counts[one.word]
    if number and one.part == "left" then
      left = left + number
    elseif number then
      words[#words + 1] = ("%d %s"):format(number, M.words[one.word].shown)
    end
  end
  if left > 0 then words[#words + 1] = ("%d left as they were"):format(left) end
  return words
end

--- How many devices are what: "497 of 500 devices restricted, 2 pending, 1 unknown". Each device is in one group; where
--- several things were done to it, in one for each.
---@param account mde.RunAccount
---@return string
function M.headline(account)
  local counts, words = tally(account), {}
  for _, verb in ipairs(deeds.verbs) do
    local wanted = counts.wanted[verb]
    if wanted then
      words[#words + 1] = deeds.of(verb).count:format(counts.done[verb] or 0, phrase.counted(wanted, "device"))
    end
  end
  if not words[1] and not has_sent(account) then words[1] = "No device was to be changed" end
  for _, one in ipairs(runs.account_words) do
    local needed, beyond = counts.needed[one.word], counts.beyond[one.word]
    if needed then words[#words + 1] = ("%d %s as it was needed"):format(needed, M.words[one.word].shown) end
    if beyond then words[#words + 1] = ("%d %s beyond the plan"):format(beyond, M.words[one.word].shown) end
  end
  for _, other in ipairs(others_of(counts.others)) do words[#words + 1] = other end
  local names = #account.unresolvable
  if names > 0 then words[#words + 1] = phrase.counted(names, "name") .. " not resolved" end
  local headline = table.concat(words, ", ")
  local by = account.run.undone_by
  return by and ("Undone by %s; before that: %s"):format(errors.show(by), headline) or headline
end

-- ---- which run, when, by whom

--- What kind of run it is, and of what.
---@param account mde.RunAccount
---@return string
function M.subject(account)
  local run = account.run
  local words = run.verb == "undo" and ("undo of run %s"):format(errors.show(run.undoes or "?"))
    or ("playbook %s"):format(errors.quote(run.playbook))
  if run.incidents[1] then words = ("%s, %s"):format(words, errors.show(table.concat(run.incidents, ", "))) end
  return words
end

local states = { planned = "a plan, of which nothing was sent", paused = "paused", stopped = "stopped",
  broken = "broken off", complete = "complete" }

--- How far it is.
---@param run mde.AccountRun
---@return string
function M.state(run)
  if run.undone_by then return "undone" end
  if run.state ~= "running" then return states[run.state] or errors.show(run.state) end
  if run.life == "live" then return "under way" end
  return run.life == "killed" and "killed before it ended" or
    "under way when this record was copied, or killed since; which, cannot be told here"
end

--- Whether a person has to go on with it.
---@param run mde.AccountRun
---@return boolean
function M.is_open(run)
  return run.state ~= "complete" and run.state ~= "planned" and run.life ~= "live"
end

--- When it ran: "2026-11-29 02:58 to 03:06 UTC"; nil if it did not.
---@param account mde.RunAccount
---@return string?
function M.when(account)
  local first, last = account.sessions[1], account.sessions[#account.sessions]
  local from = first and first.began_at
  if not from then return nil end
  local to = last.ended_at or account.timeline and account.timeline.ended or from
  local a, b = phrase.minute(from, true), phrase.minute(math.max(from, to), true)
  if a == b then return a .. " UTC" end
  return ("%s to %s UTC"):format(a, a:sub(1, 10) == b:sub(1, 10) and b:sub(12) or b)
end

--- Who ran it: "alice on soc1".
---@param account mde.RunAccount
---@return string? nil if it did not run
function M.who(account)
  local list, seen = {}, {}
  for _, session in ipairs(account.sessions) do
    local who = errors.show(session.who and ("%s on %s"):format(session.who, session.host) or session.host)
    if not seen[who] then list[#list + 1] = who end
    seen[who] = true
  end
  return list[1] and table.concat(list, ", ")
end

--- Which run, how far, when and by whom, in one sentence.
---@param account mde.RunAccount
---@return string
function M.about(account)
  local run = account.run
  local when, who = M.when(account), M.who(account)
  return ("Run %s, %s: %s%s%s%s."):format(errors.show(run.id), M.subject(account), M.state(run),
    run.why and (" (%s)"):format(errors.show(run.why)) or "", when and ", " .. when or "",
    who and ", by " .. who or "")
end

--- What an undo of the run has made of what was verified, in one sentence; nil if the run was not undone.
---@param verification mde.RunVerification
---@return string? escaped
function M.undone(verification)
  local undone = verification.undone
  if not undone then return nil end
  local by = errors.show(undone.by)
  if not undone.is_readable then
    return ("It was undone by %s, whose record is not here; what that took back counts as differing."):format(by)
  end
  return ("It was undone by %s, which took it back on %s; that does not count as differing."):format(by,
    phrase.counted(undone.taken_back, "device"))
end

-- ---- what to do now

-- So many devices are named in a command.
local MAX_NAMED = 5

local function resume(run)
  return ("mde resume %s"):format(shell_word.of(run.name))
end

--- Devices that came to this.
---@param account mde.RunAccount
---@param word mde.AccountWord
---@return mde.AccountDevice[]
function M.of_word(account, word)
  local list = {}
  for _, device in ipairs(account.devices) do
    if device.word == word then list[#list + 1] = device end
  end
  return list
end

-- What shows how it is now; by their ids, since names are chosen by those who have the devices.
local function look(account, word)
  local list = M.of_word(account, word)
  if #list > MAX_NAMED then return ("mde report %s --verify"):format(shell_word.of(account.run.name)) end
  local ids = {}
  for i, device in ipairs(list) do ids[i] = shell_word.of(device.id) end
  return "mde state " .. table.concat(ids, " ")
end

local advice = {}

function advice.unknown(account)
  if M.is_open(account.run) then
    return "The next session finds out, before it sends anything.", resume(account.run)
  end
  return "See what holds of it now.", look(account, "unknown")
end

function advice.failed(account)
  return "See on the device, or in its timeline in the portal, why it could not; then try again.",
    look(account, "failed")
end

function advice.refused(account)
  return "The service's words stand beside it. When they no longer hold, try again.", look(account, "refused")
end

function advice.cancelled(account)
  return "Ask who cancelled it whether that was meant; otherwise try again.", look(account, "cancelled")
end

function advice.not_sent(account)
  if M.is_open(account.run) then return "The next session goes on with it.", resume(account.run) end
  for _, device in ipairs(M.of_word(account, "not_sent")) do
    local change = M.deciding(device)
    if change and change.said then
      return "What stood against it when its turn came stands beside it, where the record says it. A new plan shows it."
    end
  end
  return "Something stood against it when its turn came, which the record does not say. A new plan shows it."
end

function advice.withheld(account)
  return "What stood against it stands beside it. See how it is now; if it is still meant, make a new plan.",
    look(account, "withheld")
end

function advice.lapsed(account)
  return "Nothing more was sent. See how it is now; if it is still meant, make a new plan.", look(account, "lapsed")
end

function advice.not_asked_for(account)
  return "Its queries or its data said otherwise by then. See how it is now; if it is still meant, make a new plan.",
    look(account, "not_asked_for")
end

function advice.superseded()
  return "Ask who has decided that whether it was meant. A new plan shows how it is now."
end

function advice.not_looked_at()
  return "Make a new plan when the service answers again."
end

--- What is not finished yet, which needs nobody, and how to look again; nil: nothing is, or the run goes on.
---@param account mde.RunAccount
---@return string? sentence
---@return string? command
function M.pending(account)
  local number, run = account.counts.pending, account.run
  if not number or run.life == "live" then return nil end
  return ("%s had not finished yet when this was recorded. Nobody has to do anything: what is switched off does it "
    .. "when it is back. To look again:"):format(phrase.counted(number, "device")),
    ("mde report %s --verify"):format(shell_word.of(run.name))
end

--- What to do about the devices of one word.
---@param word mde.AccountWord
---@param account mde.RunAccount
---@return string? sentence nil: nothing
---@return string? command
function M.advice(word, account)
  if not advice[word] then return nil end
  return advice[word](account)
end

--- What is to be known of a change beside its word.
---@param change mde.AccountChange
---@return string? escaped
function M.note(change)
  local words = {}
  local function add(format, value) if value then words[#words + 1] = format:format(errors.show(value)) end end
  -- In the word alone a restriction is not told from its end, nor from a scan.
  local deed = change.verb and change.verb ~= "restrict" and deeds.of(change.verb)
  local has_noun = change.word == "pending" or deed and M.words[change.word].part == "needs"
  if deed and has_noun then words[1] = "of the " .. deed.noun end
  add("cancelled by %s", change.word == "cancelled" and change.cancelled_by)
  add("%s", change.said)
  if change.word == "protected" or change.word == "withheld" then add("rule %s", change.rule) end
  if change.word == "already_active" then add("by %s", change.holder) end
  if not change.n then add("%s", change.why) end
  if change.not_reached then words[#words + 1] = "not reached by the last session" end
  if change.attempts and change.attempts > 1 then words[#words + 1] = ("sent %d times"):format(change.attempts) end
  return words[1] and table.concat(words, "; ")
end

--- The change by which a device has its word.
---@param device mde.AccountDevice
---@return mde.AccountChange? change nil if it has none
function M.deciding(device)
  for i = #device.changes, 1, -1 do
    if device.changes[i].word == device.word then return device.changes[i] end
  end
  return device.changes[#device.changes]
end

return M
