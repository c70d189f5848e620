--- screen: a plan on one screen: how many, how long, what stops it, who is left and why, and who comes when.

local columns = require "mde.cli.ui.columns"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
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

-- ---- how many, how long, what stops it

local function say_numbers(plan, counts)
  terminal.say(("Plan %s of %s, made %s UTC"):format(runs.shown(plan.digest), errors.quote(plan.playbook.name),
    phrase.minute(plan.made, true)))
  terminal.say(("Tenant %s, application %s, at %s"):format(errors.show(plan.tenant_id or "of the identity"),
    errors.show(plan.client_id or "of the identity"), errors.show(plan.base_url)))
  local words = {}
  if counts.restrict > 0 or counts.release == 0 and not plan.undoes then
    words[1] = ("Restrict %s"):format(phrase.counted(counts.restrict, "device"))
  end
  if counts.servers > 0 then words[#words + 1] = ("%d of them servers"):format(counts.servers) end
  if counts.release > 0 or plan.undoes then
    words[#words + 1] = words[1] and ("release %d"):format(counts.release)
      or ("Release %s"):format(phrase.counted(counts.release, "device"))
  end
  if counts.offline > 0 then
    words[#words + 1] = ("%d not seen for an hour, which may stay pending"):format(counts.offline)
  end
  terminal.say(table.concat(words, ", ") .. ".")
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

--- How long the plan takes at the least, under the service's limits: seconds, and how many go at once.
---@param client mde.Client
---@param plan mde.RunPlan
---@return number seconds
---@return integer at_once
function M.duration(client, plan)
  local counts = runs.counts(plan)
  local count = counts.restrict + counts.release
  if count == 0 then return 0, 0 end
  local peek = client:peek(counts.restrict > 0 and "restrict" or "release", count)
  return peek.seconds, math.min(count, peek.now or count)
end

-- What the cap lets through now, if that is less than the plan restricts: how many, and the cap that would do.
local function over_cap(client, counts)
  local cap = runs.cap(client)
  if not cap or counts.restrict <= cap.remaining then return nil end
  return cap, cap.limit - cap.remaining + counts.restrict
end

local function say_limits(client, plan, counts)
  local seconds, at_once = M.duration(client, plan)
  if seconds > 1 then
    terminal.say(("It takes at least %s under the service's limits; %d go at once."):format(duration.countdown(seconds),
      at_once))
  end
  local cap, enough = over_cap(client, counts)
  if cap then
    terminal.say(("The cap of %s restricts an hour lets %d of these %d through now%s; for all of them give --cap %s.")
      :format(core.number.whole(cap.limit), cap.remaining, counts.restrict,
        cap.is_counted and "" or " at most, as those of the last hour could not be counted", core.number.whole(enough)))
  end
end

-- ---- who is left

local words_of = { protected = "protected", conflict = "with the opposite under way", superseded = "decided otherwise",
  held = "that others hold too", not_held = "that nothing of it holds",
  not_looked_at = "that could not be looked at", already_active = "restricted or released already",
  recorded = "done by an earlier session" }

-- By the error's code, or else by its kind.
local unresolvable = { device_merged = "merged into another machine", not_onboarded = "known, but not onboarded",
  not_found = "not found", ambiguous = "that several machines answer to" }

local function group(plan)
  local groups, order = {}, {}
  local function add(words, text)
    if not groups[words] then
      groups[words] = {}
      order[#order + 1] = words
    end
    table.insert(groups[words], text)
  end
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision ~= change.verb then
        local words = words_of[change.decision]
        if change.rule then words = ("%s by the rule %s"):format(words, errors.show(change.rule)) end
        local more = change.holder or change.decision == "not_looked_at" and change.why
        add(words, errors.show(name_of(device)) .. (more and (" (%s)"):format(errors.show(more)) or ""))
      end
    end
  end
  for _, name in ipairs(plan.unresolvable) do
    add(unresolvable[name.code] or unresolvable[name.kind] or "that could not be looked up", errors.show(name.asked))
  end
  return groups, order
end

-- Whom others hold already: it is sent all the same, to record the incident.
local function say_held(plan)
  local names = {}
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision == change.verb and change.also_held then
        names[#names + 1] = ("%s (%s)"):format(errors.show(name_of(device)),
          errors.show(table.concat(change.also_held, ", ")))
      end
    end
  end
  if not names[1] then return end
  local count = #names
  for i = count, MAX_NAMED + 1, -1 do names[i] = nil end
  if count > MAX_NAMED then names[#names + 1] = ("and %d more"):format(count - MAX_NAMED) end
  terminal.say(("Restricted already for others, and sent again to record the incident: %d: %s"):format(count,
    table.concat(names, ", ")))
end

local function say_left(plan)
  local groups, order = group(plan)
  if order[1] then terminal.say "Left as they are:" end
  for _, words in ipairs(order) do
    local list = groups[words]
    local shown = {}
    for i = 1, math.min(#list, MAX_NAMED) do shown[i] = list[i] end
    if #list > MAX_NAMED then shown[#shown + 1] = ("and %d more"):format(#list - MAX_NAMED) end
    terminal.say(("  %d %s: %s"):format(#list, words, table.concat(shown, ", ")))
  end
  for i = 1, math.min(#plan.others, MAX_NAMED) do terminal.say("Also: " .. errors.show(plan.others[i])) end
  if #plan.others > MAX_NAMED then terminal.say(("and %d more"):format(#plan.others - MAX_NAMED)) end
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

local function say_waves(plan, now)
  local waves, count, releases = {}, 0, {}
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision == "restrict" then
        waves[device.wave] = waves[device.wave] or {}
        table.insert(waves[device.wave], { device = device, change = change })
        count = math.max(count, device.wave)
      elseif change.decision == "release" then
        table.insert(releases, { device = device, change = change })
      end
    end
  end
  for n = 1, count do
    if waves[n] then say_wave(count == 1 and "To be restricted" or ("Wave %d"):format(n), waves[n], now) end
  end
  if releases[1] then say_wave("To be released", releases, now) end
end

--- Shows a plan.
---@param client mde.Client
---@param plan mde.RunPlan
function M.show(client, plan)
  local counts = runs.counts(plan)
  say_left(plan)
  say_held(plan)
  say_waves(plan, client:now())
  say_numbers(plan, counts)
  say_ends(plan)
  say_limits(client, plan, counts)
  if not plan.undoes then terminal.note "the playbook was run with every wait taken to succeed" end
end

--- The plan as an object for JSON, with what the limits and the cap make of it.
---@param client mde.Client
---@param plan mde.RunPlan
---@return table
function M.object(client, plan)
  local object = runs.object(plan)
  object.seconds, object.at_once = M.duration(client, plan)
  local cap = over_cap(client, object.counts)
  object.cap, object.cap_lets_through = cap and cap.limit, cap and cap.remaining
  return object
end

return M
