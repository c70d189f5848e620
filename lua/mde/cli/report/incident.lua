--- incident: the report of incidents: which devices they restricted or isolated, when, by whom, and which are so now.

local absent_incidents = require "mde.cli.ui.absent_incidents"
local core = require "mde.core"
local csv = require "mde.cli.ui.csv"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local phrase = require "mde.cli.ui.phrase"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

-- On 80 columns times and states are seen whole, and the beginning of a name is.
local NAME_LEAST, TIME_LEAST, STATE_LEAST, VERB_LEAST = 20, 11, 11, 8

local M = {}

-- ---- what is shown

---@class mde.cli.ReportEntry a restriction of a device, and what ended it; or a release alone
---@field device mde.ReportedDevice
---@field restriction? mde.ReportedAction
---@field release? mde.ReportedAction

local function name_of(entry)
  local name = entry.device.computerDnsName
  return name ~= nil and name ~= "" and name or entry.device.id
end

-- A time to the minute; the year is in the data.
local function minute(time)
  local seconds = core.timestamp.read(time)
  return seconds and phrase.minute(seconds)
end

-- When an action succeeded, or what it came to instead.
local function ending(action)
  if not action or core.history.status(action.status) ~= "succeeded" then return action and action.status end
  return minute(action.lastUpdateDateTimeUtc) or minute(action.creationDateTimeUtc) or action.status
end

-- Who asked for an action, or has cancelled it; and for which incident, where that is another one.
local function actor(action, own)
  if not action then return nil end
  local who = action.requestor
  if core.history.status(action.status) == "cancelled" then who = action.cancellationRequestor end
  if who == nil or not action.incident or core.text.lower(action.incident) == own then return who end
  return ("%s (%s)"):format(csv.text(who), action.incident)
end

-- How a reported device calls what was done by its verb.
local lists = { restrict = "restrictions", isolate = "isolations" }

-- Whether a device is now what its verb does to it; nil if its actions do not tell.
local function is_so(device)
  return device[core.response_actions[device.of].state]
end

-- What a device is now, in a word.
local function now(device)
  if is_so(device) == nil then return "unclear" end
  if is_so(device) then
    return device.state == "releasing" and "releasing" or core.response_actions[device.of].state
  end
  return device.state or "unclear"
end

local function holders(entry)
  return entry.device.holders[1] and table.concat(entry.device.holders, ", ") or nil
end

local function of(part, field)
  return function(entry) return entry[part] and entry[part][field] end
end

-- Whether a device is now what this verb does to it, of those of that verb: a program that takes the restricted ones
-- is given no others.
local function is_now(verb)
  return function(entry)
    if entry.device.of == verb then return is_so(entry.device) end
  end
end

-- A column for programs.
local function data(name, part, field)
  return { name = name, title = name, value = of(part, field), only_data = true }
end

-- One for people.
local function shown(title, value, least)
  return { name = title, title = title, value = value, least = least, only_shown = true }
end

-- The same where there is room for it.
local function shown_if_wide(title, value)
  local column = shown(title, value)
  column.optional = true
  return column
end

local function incident_of(entry)
  return (entry.restriction or entry.release).incident
end

local function ending_of(part)
  return function(entry) return ending(entry[part]) end
end

local function actor_of(part)
  return function(entry) return actor(entry[part], core.text.lower(incident_of(entry) or "")) end
end

-- A column whose heading is another one where isolations stand beside restrictions.
local function titled(title, of_both, value)
  local column = shown(title, value, TIME_LEAST)
  column.of_both = of_both
  return column
end

---@type mde.cli.RowColumn[]
local columns = {
  { name = "computerDnsName", title = "NAME", value = of("device", "computerDnsName"), shown = name_of,
    least = NAME_LEAST },
  data("machineId", "device", "id"),
  { name = "incident", title = "INCIDENT", value = incident_of, only_data = true },
  titled("RESTRICTED", "CUT OFF", ending_of "restriction"),
  data("restrictAction", "restriction", "id"),
  data("restrictStatus", "restriction", "status"),
  data("restrictCreated", "restriction", "creationDateTimeUtc"),
  data("restrictUpdated", "restriction", "lastUpdateDateTimeUtc"),
  shown("BY", actor_of "restriction"),
  data("restrictRequestor", "restriction", "requestor"),
  data("restrictCancelledBy", "restriction", "cancellationRequestor"),
  data("restrictComment", "restriction", "comment"),
  titled("RELEASED", "LET GO", ending_of "release"),
  shown("BY", actor_of "release"),
  data("releaseAction", "release", "id"),
  data("releaseStatus", "release", "status"),
  data("releaseCreated", "release", "creationDateTimeUtc"),
  data("releaseUpdated", "release", "lastUpdateDateTimeUtc"),
  data("releaseRequestor", "release", "requestor"),
  data("releaseCancelledBy", "release", "cancellationRequestor"),
  data("releaseIncident", "release", "incident"),
  data("releaseComment", "release", "comment"),
  shown("NOW", function(entry) return now(entry.device) end, STATE_LEAST),
  data("state", "device", "state"),
  { name = "restricted", title = "restricted", value = is_now "restrict", only_data = true },
  { name = "restrictUntil", title = "UNTIL", value = function(entry)
    return phrase.second(entry.restriction and entry.restriction.expires_at)
  end, only_data = true },
  shown_if_wide("COMMENT", of("restriction", "comment")),
  { name = "holders", title = "HELD TOO BY", value = holders, optional = true },
  shown_if_wide("INCIDENT", incident_of),
  data("verb", "device", "of"),
  { name = "isolated", title = "isolated", value = is_now "isolate", only_data = true },
}

-- Those for restrictions, or for both.
local function columns_of(report)
  if not report.has_isolations then return columns end
  local own = {}
  for _, column in ipairs(columns) do
    local copy = {}
    for name, value in pairs(column) do copy[name] = value end
    copy.title = column.of_both or column.title
    if column.of_both == "CUT OFF" then own[#own + 1] = shown("VERB", of("device", "of"), VERB_LEAST) end
    own[#own + 1] = copy
  end
  return own
end

-- A device has a line for each restriction; one that the incidents have only released, for each release.
local function entries_of(device)
  local entries = {}
  for i, restriction in ipairs(device[lists[device.of]]) do
    entries[i] = { device = device, restriction = restriction, release = restriction.release }
  end
  if not entries[1] then
    for i, release in ipairs(device.releases) do entries[i] = { device = device, release = release } end
  end
  return entries
end

local function write(context, report)
  local writer = rows.new(context, columns_of(report))
  for _, device in ipairs(report) do
    if context.format == "json" then
      writer.add(device)
    else
      for _, entry in ipairs(entries_of(device)) do writer.add(entry) end
    end
  end
  writer.finish()
  output.flush()
end

-- ---- what is said

-- What is said of devices that are not restricted, in this order.
local others = { { "released", "released" }, { "restricting", "restricting" }, { "isolating", "isolating" },
  { "releasing", "releasing" }, { "none", "never restricted" }, { "unclear", "unclear" } }

local function of_verb(report, verb)
  local list = {}
  for _, device in ipairs(report) do
    if device.of == verb then list[#list + 1] = device end
  end
  return list
end

-- How many of these devices are what now: "24 restricted now, 6 released".
local function summary(devices, verb)
  local counts, restricted, shared, releasing, overdue = {}, 0, 0, 0, 0
  for _, device in ipairs(devices) do
    local word = now(device)
    if is_so(device) then
      restricted = restricted + 1
      if device.holders[1] then shared = shared + 1 end
      if device.overdue then overdue = overdue + 1 end
      if word == "releasing" then releasing = releasing + 1 end
    else
      counts[word] = (counts[word] or 0) + 1
    end
  end
  local remarks = {}
  if shared > 0 then remarks[1] = ("%d held by others too"):format(shared) end
  if releasing > 0 then remarks[#remarks + 1] = ("%d releasing"):format(releasing) end
  if overdue > 0 then remarks[#remarks + 1] = ("%d meant to be free by now"):format(overdue) end
  local words = { ("%d %s now%s"):format(restricted, core.response_actions[verb].state,
    remarks[1] and (" (%s)"):format(table.concat(remarks, ", ")) or "") }
  counts.released = counts.released or 0
  for _, other in ipairs(others) do
    if counts[other[1]] then words[#words + 1] = ("%d %s"):format(counts[other[1]], other[2]) end
  end
  return ("%s; %s"):format(phrase.counted(#devices, "device"), table.concat(words, ", ")), overdue > 0
end

local function say(context, report)
  local names = table.concat(context.request.incidents, ", ")
  for _, action in ipairs(report.unattributed) do
    terminal.say(("Left out: action %s (%s, %s), which does not say of which device it is."):format(
      errors.show(action.id), errors.show(action.type), errors.show(action.status)))
  end
  for _, verb in ipairs { "restrict", "isolate" } do
    local devices = of_verb(report, verb)
    if devices[1] then
      local text, is_overdue = summary(devices, verb)
      terminal.say(("%s: %s"):format(names, text))
      if is_overdue then terminal.say("To release what was meant to end by now:", "mde release --expired") end
    end
  end
  if report.absent[1] then
    absent_incidents.say(report, context.client:now(), context.arguments.since and " since then")
  end
end

-- What is absent in both.
local function absent_in_both(a, b)
  local list, names = {}, {}
  for _, incident in ipairs(b.absent) do names[core.text.lower(incident)] = true end
  for _, incident in ipairs(a.absent) do
    if names[core.text.lower(incident)] then list[#list + 1] = incident end
  end
  return list
end

-- What the incidents restricted, and behind it what they isolated: by two lists.
local function read(client, incidents, since)
  local report, err = client:report { incident = incidents, since = since }
  if not report then return nil, err end
  local isolations
  isolations, err = client:report { incident = incidents, since = since, of = "isolate" }
  if not isolations then return nil, err end
  report.has_isolations = isolations[1] ~= nil
  report.absent = absent_in_both(report, isolations)
  if not report.recent[1] then report.recent = isolations.recent end
  for _, action in ipairs(isolations.unattributed) do table.insert(report.unattributed, action) end
  for _, device in ipairs(isolations) do report[#report + 1] = device end
  return report
end

--- Reads what the incidents did, and tells it.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local client, since = context.client, context.arguments.since
  local finished, report, err = interrupt.during(client, 1, function()
    return read(client, context.request.incidents, since and mde.ago(since))
  end)
  if not finished then
    terminal.say "Interrupted; nothing was read to the end."
    return exit.interrupted
  end
  if not report then error(err, 0) end
  write(context, report)
  say(context, report)
  return report.absent[1] and exit.refused or exit.done
end

return M
