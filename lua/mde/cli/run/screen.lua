--- screen: a plan on one screen: how many, what the limits make of it, who is left and why, and who comes when.

local columns = require "mde.cli.ui.columns"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local guests = require "mde.cli.ui.guests"
local limits = require "mde.cli.run.limits"
local others = require "mde.cli.ui.others"
local phrase = require "mde.cli.ui.phrase"
local runs = require "mde.run"
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"

-- So many names are told for one reason, and so many devices of one wave.
local MAX_NAMED, MAX_SHOWN, FEW_SHOWN = 40, 40, 5

local M = {}

local function name_of(device)
  return device.name or device.id
end

-- ---- how many

local function capitalized(words)
  return core.text.upper(words:sub(1, 1)) .. words:sub(2)
end

-- The verbs in the order in which they are done to a device: an undo lets it onto the network first.
local function verbs_of(plan)
  if not plan.undoes then return deeds.verbs end
  local verbs = {}
  for _, verb in ipairs(deeds.verbs) do
    if verb ~= "release" then verbs[#verbs + 1] = verb end
  end
  verbs[#verbs + 1] = "release"
  return verbs
end

-- "restrict 5 devices", "isolate 2": how many of each verb.
local function verbs_in_words(plan, counts)
  local words = {}
  for _, verb in ipairs(verbs_of(plan)) do
    local count = counts[verb] or 0
    if count > 0 then
      local devices = words[1] and ("%d"):format(count) or phrase.counted(count, "device")
      words[#words + 1] = deeds.of(verb).asks:format(devices)
    end
  end
  return words
end

local function numbers_in_words(plan, counts)
  local cut_off, rest = {}, {}
  for _, verb in ipairs(deeds.verbs) do (deeds.cuts_off(verb) and cut_off or rest)[verb] = counts[verb] end
  local words = verbs_in_words(plan, cut_off)
  if counts.servers > 0 then words[#words + 1] = ("%d of them servers"):format(counts.servers) end
  for _, one in ipairs(verbs_in_words(plan, rest)) do
    words[#words + 1] = words[1] and one:gsub(" devices?$", "") or one
  end
  if not words[1] then words[1] = plan.undoes and "release 0 devices" or "restrict 0 devices" end
  return words
end

-- What the playbook may come to.
local function possible_in_words(plan)
  local counts = {}
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.if_needed and change.decision == change.verb then
        counts[change.verb] = (counts[change.verb] or 0) + 1
      end
    end
  end
  return verbs_in_words(plan, counts)
end

local function say_numbers(plan, counts)
  terminal.say(("Plan %s of %s, made %s UTC"):format(runs.shown(plan.digest), errors.quote(plan.playbook.name),
    phrase.minute(plan.made, true)))
  terminal.say(("Tenant %s, application %s, at %s"):format(errors.show(plan.tenant_id or "of the identity"),
    errors.show(plan.client_id or "of the identity"), errors.show(plan.base_url)))
  local words = numbers_in_words(plan, counts)
  if counts.offline > 0 then
    words[#words + 1] = ("%d not seen for an hour, which may stay pending"):format(counts.offline)
  end
  terminal.say(capitalized(table.concat(words, ", ")) .. ".")
  if counts.if_needed > 0 then
    terminal.say(("If the playbook comes to it, and only then: %s."):format(
      table.concat(possible_in_words(plan), ", ")))
  end
end

-- Until when those are meant to hold that are to be restricted, where one of them has an end.
local function say_ends(plan)
  local counts, spans, unlimited = {}, {}, 0
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      local seconds = change.release_after
      if change.decision ~= "restrict" then
        seconds = nil
      elseif not seconds then
        unlimited = unlimited + 1
      elseif not counts[seconds] then
        spans[#spans + 1] = seconds
      end
      if seconds then counts[seconds] = (counts[seconds] or 0) + 1 end
    end
  end
  if not spans[1] then return end
  table.sort(spans)
  local words = {}
  for i, seconds in ipairs(spans) do words[i] = ("%d for %s"):format(counts[seconds], duration.text(seconds)) end
  if unlimited > 0 then words[#words + 1] = ("%d until released"):format(unlimited) end
  terminal.say(("Meant to hold: %s."):format(table.concat(words, ", ")))
end

-- ---- who is left

local words_of = { protected = "protected", conflict = "with the opposite, or another scope, under way",
  superseded = "decided otherwise",
  held = "that others hold too", not_held = "that nothing of it holds",
  not_looked_at = "that could not be looked at", recorded = "done by an earlier session" }

-- What is so already. Of a scan, say, it is one that is under way. What the playbook leaves is told by its reason.
local function already(change)
  if change.decision == "left" then return ("left by the playbook (%s)"):format(errors.show(change.why)) end
  local holder = deeds.cuts_off(change.verb) or change.verb == "release"
  if change.verb == "restrict" or change.verb == "release" then return "restricted or released already" end
  return holder and deeds.done(change.verb) .. " already" or ("with the same %s under way, or done"):format(
    deeds.of(change.verb).noun)
end

-- By the error's code, or else by its kind.
local unresolvable = { device_merged = "merged into another machine", not_onboarded = "known, but not onboarded",
  not_found = "not found", ambiguous = "that several machines answer to" }

local function left_of(plan)
  local groups, order, seen = {}, {}, {}
  -- A device stands once for all that is left of it for one reason.
  local function add(words, text, id)
    if not groups[words] then
      groups[words] = {}
      order[#order + 1] = words
    end
    local key = ("%s\0%s\0%s"):format(words, id or "", text)
    if not seen[key] then table.insert(groups[words], text) end
    seen[key] = true
  end
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision ~= change.verb then
        local words = words_of[change.decision] or already(change)
        if change.rule then words = ("%s by the rule %s"):format(words, errors.show(change.rule)) end
        local more = change.holder or change.decision == "not_looked_at" and change.why
        add(words, errors.show(name_of(device)) .. (more and (" (%s)"):format(errors.show(more)) or ""), device.id)
      end
    end
  end
  for _, name in ipairs(plan.unresolvable) do
    add(unresolvable[name.code] or unresolvable[name.kind] or "that could not be looked up", errors.show(name.asked))
  end
  return groups, order
end

-- Whom others hold already: it is sent all the same, to record the incident.
local function say_held_by(plan, verb)
  local names = {}
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision == verb and change.also_held then
        names[#names + 1] = ("%s (%s)"):format(errors.show(name_of(device)),
          errors.show(table.concat(change.also_held, ", ")))
      end
    end
  end
  if not names[1] then return end
  local count = #names
  for i = count, MAX_NAMED + 1, -1 do names[i] = nil end
  if count > MAX_NAMED then names[#names + 1] = ("and %d more"):format(count - MAX_NAMED) end
  terminal.say(("%s already for others, and sent again to record the incident: %d: %s"):format(
    capitalized(deeds.done(verb)), count, table.concat(names, ", ")))
end

local function say_held(plan)
  for _, verb in ipairs(deeds.verbs) do
    if deeds.cuts_off(verb) then say_held_by(plan, verb) end
  end
end

local function say_left(plan)
  local groups, order = left_of(plan)
  if order[1] then terminal.say "Left as they are:" end
  for _, words in ipairs(order) do
    local list = groups[words]
    local shown = {}
    for i = 1, math.min(#list, MAX_NAMED) do shown[i] = list[i] end
    if #list > MAX_NAMED then shown[#shown + 1] = ("and %d more"):format(#list - MAX_NAMED) end
    terminal.say(("  %d %s: %s"):format(#list, words, table.concat(shown, ", ")))
  end
  for _, line in ipairs(others.lines(plan.others)) do terminal.say("Also: " .. line) end
end

-- ---- who comes when

-- The reason is what somebody approves: it is cut, and tags are left away before it.
local shown_columns = {
  { title = "NAME", least = 28, kept = true }, { title = "PLATFORM" }, { title = "LAST SEEN" },
  { title = "TAGS", optional = true }, { title = "REASON", least = 12 },
}

-- Of a wave those first that are to be looked at: high value, and servers.
local function by_weight(devices)
  local places = {}
  for i, entry in ipairs(devices) do places[entry] = i end
  local function weight(entry)
    return (entry.device.value == "High" and 0 or 2) + (entry.device.is_server and 0 or 1)
  end
  table.sort(devices, function(a, b)
    if weight(a) ~= weight(b) then return weight(a) < weight(b) end
    return places[a] < places[b]
  end)
  return devices
end

local function say_wave(title, list, now)
  terminal.say(("%s: %s"):format(title, phrase.counted(#list, "device")))
  local shown = tables.new(shown_columns, terminal.columns() - 2, function(line) terminal.show("  " .. line) end)
  local count = #list > MAX_SHOWN and FEW_SHOWN or #list
  for i, entry in ipairs(by_weight(list)) do
    if i > count then break end
    local device, change = entry.device, entry.change
    local marks = (device.value == "High" and " (high value)" or "") .. (device.is_server and " (server)" or "")
    shown.add { name_of(device), (device.platform or "") .. marks, columns.ago(device.last_seen, now) or "never",
      table.concat(device.tags, ", "), change.reason or "" }
  end
  shown.finish()
  if #list > count then terminal.say(("  and %d more; --json lists them all"):format(#list - count)) end
end

-- What is shown together: what is done in one wave, with one scope or file.
local function groups_of(plan, verb)
  local groups, by_key, waves = {}, {}, 1
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision == verb then
        local key = table.concat({ change.wave or 0, change.subject or "", change.if_needed and "?" or "" }, "\0")
        local group = by_key[key]
        if not group then
          group = { wave = change.wave or 0, subject = change.subject, if_needed = change.if_needed, entries = {},
            place = #groups }
          by_key[key], groups[#groups + 1] = group, group
          waves = math.max(waves, group.wave)
        end
        table.insert(group.entries, { device = device, change = change })
      end
    end
  end
  table.sort(groups, function(a, b)
    if a.wave ~= b.wave then return a.wave < b.wave end
    return a.place < b.place
  end)
  return groups, waves
end

local function title_of(verb, group, waves)
  local title = deeds.of(verb).title
  if waves > 1 then title = ("Wave %d%s"):format(group.wave, verb == "restrict" and "" or " of " .. verb) end
  if group.subject then title = ("%s (%s)"):format(title, errors.show(group.subject)) end
  return group.if_needed and title .. " if the playbook comes to it" or title
end

local function say_waves(plan, now)
  for _, verb in ipairs(verbs_of(plan)) do
    local groups, waves = groups_of(plan, verb)
    for _, group in ipairs(groups) do say_wave(title_of(verb, group, waves), group.entries, now) end
  end
end

-- ---- the question

-- Whether a verb only lets go again those that the plan cuts off: the question is about the latter.
local function is_minor(plan, verb)
  local opposite = core.response_actions[verb].opposite
  if not opposite or not deeds.cuts_off(opposite) then return false end
  for _, device in ipairs(plan.devices) do
    local does = {}
    for _, change in ipairs(device.changes) do
      if change.decision == change.verb and not change.if_needed then does[change.verb] = true end
    end
    if does[verb] and not does[opposite] then return false end
  end
  return true
end

--- What is asked before a plan is carried out.
---@param plan mde.RunPlan
---@return string question
---@return integer count of what is asked for, what the playbook may come to included
function M.question(plan)
  local counts, asked, sum = runs.counts(plan), {}, 0
  for _, verb in ipairs(verbs_of(plan)) do
    if counts[verb] > 0 and not is_minor(plan, verb) then
      asked[#asked + 1] = verb
      sum = sum + counts[verb]
    end
  end
  local words = {}
  for i, verb in ipairs(asked) do
    local count = counts[verb]
    words[i] = deeds.of(verb).asks:format(asked[2] and ("%d"):format(count) or count == 1 and "it"
      or ("these %d"):format(count))
  end
  if not words[1] then return "Let the playbook do that, if it comes to it?", counts.if_needed end
  if counts.if_needed > 0 then
    words[#words + 1] = "and if the playbook comes to it " .. table.concat(possible_in_words(plan), ", ")
  end
  return capitalized(table.concat(words, ", ")) .. "?", sum + counts.if_needed
end

--- Shows a plan.
---@param plan mde.RunPlan
---@param found? mde.PlanLimits nil: it is not known what the limits made of it
---@param now number Unix seconds: from when it is seen
---@param client? mde.Client by whose guard it is cautioned; nil: of a plan that was kept
---@param is_kept? boolean it is kept, or will be, and its caps with it
function M.show(plan, found, now, client, is_kept)
  local counts = runs.counts(plan)
  say_left(plan)
  say_held(plan)
  say_waves(plan, now)
  say_numbers(plan, counts)
  say_ends(plan)
  if found then limits.say(found, is_kept) end
  if client and counts.isolate > 0 then guests.caution(client) end
  if not plan.undoes then terminal.note "the playbook was run with every wait taken to succeed" end
end

--- The plan as an object for JSON, with what the limits and the caps make of it.
---@param plan mde.RunPlan
---@param found? mde.PlanLimits
---@return table
function M.object(plan, found)
  local object = runs.object(plan)
  for name, value in pairs(found and limits.members(found) or {}) do object[name] = value end
  return object
end

return M
