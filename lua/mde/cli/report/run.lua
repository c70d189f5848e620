--- run: the report of a run as a table, as CSV, and as objects of JSON.

local errors = require "mde.base.error"
local others = require "mde.cli.ui.others"
local output = require "mde.cli.ui.output"
local phrase = require "mde.cli.ui.phrase"
local rows = require "mde.cli.ui.rows"
local runs = require "mde.run"
local sentence = require "mde.cli.report.sentence"
local shell_word = require "mde.base.shell_word"
local terminal = require "mde.cli.ui.terminal"

-- On 80 columns the word and the times are seen whole, and the beginning of a name is.
local NAME_LEAST, WORD_LEAST, TIME_LEAST = 20, 14, 11

local M = {}

-- ---- as a table

---@class mde.cli.RunEntry a device and one of its changes
---@field device mde.AccountDevice
---@field change mde.AccountChange

local function of_device(name)
  return function(entry) return entry.device[name] end
end

local function of_change(name)
  return function(entry) return entry.change[name] end
end

local function time_of(name)
  return function(entry) return phrase.second(entry.change[name]) end
end

local function name_of(entry) return entry.device.name or entry.device.id end
local function word_of(entry) return sentence.words[entry.device.word].shown end
local function held(entry) return entry.change.also_held and table.concat(entry.change.also_held, ", ") end
local function tags(entry) return entry.device.tags[1] and table.concat(entry.device.tags, ", ") end

-- The year is in the data.
local function minute_of(name)
  return function(entry) return entry.change[name] and phrase.minute(entry.change[name]) end
end

local function data(name, value)
  return { name = name, title = name, value = value, only_data = true }
end

local function shown(title, value, least, is_optional)
  return { name = title, title = title, value = value, least = least, only_shown = true, optional = is_optional }
end

-- Those that say something of at least one device; what a program reads is always the same.
local function of_use(list, account)
  local used = {}
  for _, column in ipairs(list) do
    local says = not column.only_shown
    for _, device in ipairs(says and {} or account.devices) do
      says = says or column.value { device = device, change = sentence.deciding(device) or {} } ~= nil
    end
    if says then used[#used + 1] = column end
  end
  return used
end

---@param account mde.RunAccount
---@return mde.cli.RowColumn[]
local function columns_of(account)
  return of_use({
    { name = "computerDnsName", title = "NAME", value = of_device "name", shown = name_of, least = NAME_LEAST },
    data("machineId", of_device "id"),
    shown("CAME TO", word_of, WORD_LEAST),
    data("device_came_to", of_device "word"),
    data("came_to", of_change "word"),
    data("verb", of_change "verb"),
    data("incident", of_change "incident"),
    data("wave", of_device "wave"),
    shown("SENT", minute_of "sent_at", TIME_LEAST), data("sent", time_of "sent_at"),
    data("answered", time_of "answered_at"),
    shown("DONE", minute_of "done_at", TIME_LEAST), data("done", time_of "done_at"),
    data("expires", time_of "expires_at"),
    shown("UNTIL", minute_of "expires_at", TIME_LEAST),
    shown("NOTE", function(entry) return sentence.note(entry.change) end, nil, true),
    shown("HELD TOO BY", held, nil, true), data("held_too_by", held),
    { name = "osPlatform", title = "PLATFORM", value = of_device "platform", optional = true },
    data("machineTags", tags), data("deviceValue", of_device "device_value"), data("lastSeen", of_device "last_seen"),
    data("status", of_change "status"), data("attempts", of_change "attempts"),
    data("requestor", of_change "requestor"), data("cancelled_by", of_change "cancelled_by"),
    data("comment", of_change "comment"), data("said", of_change "said"), data("holder", of_change "holder"),
    data("action", of_change "action_id"), data("operation", of_change "operation_id"),
    data("decision", of_change "decision"), data("rule", of_change "rule"), data("why", of_change "why"),
    data("reason", of_change "reason"), data("scope", of_change "scope"), data("sha1", of_change "sha1"),
    shown("WAVE", of_device "wave", nil, true),
    shown("INCIDENT", of_change "incident", nil, true),
  }, account)
end

-- ---- as JSON

-- Times as they are written, and what is not said by the names alone left away.
local function as_json(value)
  local own = {}
  for name, member in pairs(value) do
    if type(member) == "table" then
      own[name] = as_json(member)
    elseif type(member) == "number" and type(name) == "string" and name:find "_at$" then
      own[name] = phrase.second(member)
    else
      own[name] = member
    end
  end
  return own
end

local hidden_of_change = { n = true, outcome = true }

local function device_object(device)
  local object = as_json(device)
  object.type, object.order, object.n, object.groups = "device", nil, nil, nil
  for _, change in ipairs(object.changes) do
    for name in pairs(hidden_of_change) do change[name] = nil end
  end
  return object
end

local function run_object(account, verification)
  local object = as_json(account.run)
  object.type, object.playbook_text = "run", nil
  for _, name in ipairs { "sessions", "counts", "numbers", "rules", "waves", "unresolvable", "others", "beyond",
    "others_sent", "not_reached", "events" } do
    local value = account[name]
    object[name] = type(value) == "table" and as_json(value) or value
  end
  for _, name in ipairs { "events", "others_sent" } do
    for _, one in ipairs(object[name]) do one.at = phrase.second(one.at) end
  end
  object.verification = verification and as_json(verification)
  return object
end

-- ---- writing

--- Writes the report: on a terminal a line for each device; in CSV one for each of its changes.
---@param context mde.cli.Context
---@param account mde.RunAccount
---@param verification? mde.RunVerification
function M.write(context, account, verification)
  local is_shown = context.format == "text" and terminal.shows_results()
  local writer = rows.new(context, columns_of(account))
  if context.format == "json" then writer.add(run_object(account, verification)) end
  for _, device in ipairs(account.devices) do
    if context.format == "json" then
      writer.add(device_object(device))
    elseif is_shown or not device.changes[1] then
      writer.add { device = device, change = sentence.deciding(device) or {} }
    else
      for _, change in ipairs(device.changes) do writer.add { device = device, change = change } end
    end
  end
  writer.finish()
  output.flush()
end

-- How one difference is told.
local function in_words(difference)
  local name = errors.show(difference.name or difference.machine_id)
  return ("  %s %s: %s"):format(difference.verb, name, difference.words)
end

--- Says what the service's own list has made of the record.
---@param verification mde.RunVerification
function M.say_verified(verification)
  local at, undone = phrase.second(verification.verified_at), sentence.undone(verification)
  if undone then terminal.say(undone) end
  if not verification.differences[1] then
    return terminal.say(("Verified against the service at %s: %s, and nothing differs."):format(at,
      phrase.counted(verification.compared, "change")))
  end
  terminal.say(("Compared with the service at %s: %s, and %s from the record:"):format(at,
    phrase.counted(verification.compared, "change"),
    #verification.differences == 1 and "one thing differs" or ("%d things differ"):format(#verification.differences)))
  for _, difference in ipairs(verification.differences) do terminal.say(in_words(difference)) end
end

--- Says what the run came to, and what has to be done now.
---@param account mde.RunAccount
function M.say(account)
  local run = account.run
  for _, one in ipairs(runs.account_words) do
    local count = account.counts[one.word]
    local words, command = sentence.advice(one.word, account)
    if count and words then
      terminal.say(("%d %s: %s. %s"):format(count, sentence.words[one.word].shown, one.means, words), command)
    end
  end
  local pending, look = sentence.pending(account)
  if pending then terminal.say(pending, look) end
  for _, one in ipairs(account.unresolvable) do
    terminal.say(("Not resolved: %s: %s"):format(errors.show(one.asked), errors.show(one.why)))
  end
  for _, one in ipairs(account.beyond) do
    terminal.say(("Left, as the plan does not have it: %s %s%s"):format(errors.show(one.verb),
      errors.show(one.name or one.machine_id), one.said and ": " .. errors.show(one.said) or ""))
  end
  for _, line in ipairs(others.lines(account.others)) do terminal.say("Also: " .. line) end
  for _, line in ipairs(others.not_done(account.others_sent)) do terminal.say(line) end
  if account.not_reached > 0 then
    terminal.say(("%d recorded, and not reached by the playbook in its last session."):format(account.not_reached))
  end
  terminal.say(sentence.about(account))
  terminal.say(sentence.headline(account) .. ".")
  if sentence.is_open(run) then terminal.say("To go on:", ("mde resume %s"):format(shell_word.of(run.name))) end
end

return M
