--- mde report: tells what incidents did: which devices, when, by whom, and which are restricted now.

local columns_of = require "mde.cli.ui.columns"
local core = require "mde.core"
local csv = require "mde.cli.ui.csv"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local incident_names = require "mde.cli.ui.incidents"
local interrupt = require "mde.cli.ui.interrupt"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

-- A time of a report is read whole, and so is the beginning of a name.
local NAME_LEAST, TIME_LEAST, STATE_LEAST = 20, 16, 10

local M = {
  name = "report",
  summary = "Tell what an incident did: which devices, when, by whom, and what is restricted now.",
  explained = [[
It comes from the service's own history, in a few requests, so it can be asked for later and on
another machine. There is a line for each restriction of a device: it was restricted several times
where its name stands there several times. The release beside it is the first after it that
succeeded or, where none has, the newest that was asked for. A restriction or release that did not
succeed has its status in the place of a time. Times are UTC. --csv has the ids, all times and the
comments; --json has one object a device, with all of its restrictions and releases.
An incident that no action names is exit status 2; those that acted last are shown then.]],
  examples = {
    { "mde report INC-4711", "a table" },
    { "mde report INC-4711 --since 30d --csv >INC-4711.csv", "for the ticket: the last 30 days, as CSV" },
    { "mde report INC-4711 INC-4712 --json", "of two together, one JSON object a device" },
  },
}

-- ---- what is shown

---@class mde.cli.ReportEntry a restriction of a device, and what ended it; or a release alone
---@field device mde.ReportedDevice
---@field restriction? mde.ReportedAction
---@field release? mde.ReportedAction

local function name_of(entry)
  local name = entry.device.computerDnsName
  return name ~= nil and name ~= "" and name or entry.device.id
end

-- A time of the service's to the minute.
local function minute(time)
  local seconds = core.history.time(time)
  return seconds and os.date("!%Y-%m-%d %H:%M", math.floor(seconds)) or nil
end

-- When an action succeeded; or what it came to instead, and by whom if it was cancelled.
local function ending(action)
  if not action then return nil end
  local status = core.history.status(action.status)
  if status == "succeeded" then
    return minute(action.lastUpdateDateTimeUtc) or minute(action.creationDateTimeUtc) or action.status
  elseif status == "cancelled" and action.cancellationRequestor ~= nil then
    return ("%s by %s"):format(action.status, csv.text(action.cancellationRequestor))
  end
  return action.status
end

-- Who released it, and for whom where that is another incident.
local function releaser(entry)
  local release = entry.release
  if not release or release.requestor == nil then return nil end
  local own = (entry.restriction or release).incident
  local requestor = csv.text(release.requestor)
  if release.incident and core.text.lower(release.incident) ~= core.text.lower(own or "") then
    return ("%s (%s)"):format(requestor, release.incident)
  end
  return requestor
end

-- What a device is now, in a word.
local function now(device)
  if device.restricted == nil then return "unclear" end
  if device.restricted then return device.state == "releasing" and "releasing" or "restricted" end
  if device.state == "none" then return "not restricted" end
  return device.state or "not restricted"
end

local function holders(entry)
  return entry.device.holders[1] and table.concat(entry.device.holders, ", ") or nil
end

local function of(part, field)
  return function(entry) return entry[part] and entry[part][field] end
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

local function ending_of(part)
  return function(entry) return ending(entry[part]) end
end

local function incident_of(entry)
  return (entry.restriction or entry.release).incident
end

---@type mde.cli.RowColumn[]
local columns = {
  { name = "computerDnsName", title = "NAME", value = of("device", "computerDnsName"), shown = name_of,
    least = NAME_LEAST },
  data("machineId", "device", "id"),
  { name = "incident", title = "INCIDENT", value = incident_of, only_data = true },
  shown("RESTRICTED", ending_of "restriction", TIME_LEAST),
  data("restrictAction", "restriction", "id"),
  data("restrictStatus", "restriction", "status"),
  data("restrictCreated", "restriction", "creationDateTimeUtc"),
  data("restrictUpdated", "restriction", "lastUpdateDateTimeUtc"),
  { name = "restrictRequestor", title = "BY", value = of("restriction", "requestor") },
  data("restrictCancelledBy", "restriction", "cancellationRequestor"),
  data("restrictComment", "restriction", "comment"),
  shown("RELEASED", ending_of "release", TIME_LEAST),
  shown_if_wide("BY", releaser),
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
  data("restricted", "device", "restricted"),
  { name = "holders", title = "HELD TOO BY", value = holders, optional = true },
  shown_if_wide("COMMENT", of("restriction", "comment")),
  shown_if_wide("INCIDENT", incident_of),
}

-- A device has a line for each restriction; one that the incidents have only released, for each release.
local function entries_of(device)
  local entries = {}
  for i, restriction in ipairs(device.restrictions) do
    entries[i] = { device = device, restriction = restriction, release = restriction.release }
  end
  if not entries[1] then
    for i, release in ipairs(device.releases) do entries[i] = { device = device, release = release } end
  end
  return entries
end

local function write(context, report)
  local writer = rows.new(context, columns)
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

local function counted(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

-- How many devices are what now: "24 restricted now, 6 released".
local function summary(report)
  local counts, shared, releasing, words = { released = 0 }, 0, 0, {}
  local restricted = 0
  for _, device in ipairs(report) do
    local word = now(device)
    if device.restricted then
      restricted = restricted + 1
      if word == "releasing" then releasing = releasing + 1 end
      if device.holders[1] then shared = shared + 1 end
    else
      counts[word] = (counts[word] or 0) + 1
    end
  end
  local remarks = {}
  if shared > 0 then remarks[1] = ("%d held by others too"):format(shared) end
  if releasing > 0 then remarks[#remarks + 1] = ("%d releasing"):format(releasing) end
  words[1] = ("%d restricted now%s"):format(restricted, remarks[1] and (" (%s)"):format(table.concat(remarks, ", "))
    or "")
  for _, word in ipairs { "released", "restricting", "releasing", "not restricted", "unclear" } do
    if counts[word] then words[#words + 1] = ("%d %s"):format(counts[word], word) end
  end
  return ("%s; %s"):format(counted(#report, "device"), table.concat(words, ", "))
end

local function say_absent(context, report)
  local since = context.arguments.since and " since then" or ""
  for _, incident in ipairs(report.absent) do
    terminal.say(("%s: no restriction or release names it%s."):format(errors.show(incident), since))
  end
  if not report.recent[1] then
    return terminal.say "No restriction or release names any incident."
  end
  terminal.say "The incidents that acted last:"
  local time = context.client:now()
  for _, one in ipairs(report.recent) do
    local ago = columns_of.ago(one.last, time)
    terminal.say(("  %s: %s, %s%s"):format(one.incident, counted(one.devices, "device"),
      counted(one.actions, "action"), ago and ", the last " .. ago or ""))
  end
end

local function say(context, report)
  local names = table.concat(context.request, ", ")
  for _, action in ipairs(report.unattributed) do
    terminal.say(("Left out: action %s (%s, %s), which does not say of which device it is."):format(
      errors.show(action.id), errors.show(action.type), errors.show(action.status)))
  end
  if report[1] then terminal.say(("%s: %s"):format(names, summary(report))) end
  if report.absent[1] then say_absent(context, report) end
end

-- ---- the subcommand

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("incidents", "Whose devices; of several, those of all of them."):args "+":argname "<incident>"
  command:option("--since", "What the incident did that long ago or later: 30d, 14h."):argname "<time>"
    :convert(duration.parse):overwrite(false)
  rows.configure(command)
end

--- The incidents; raises for what cannot be one.
---@param arguments table as argparse leaves them
---@return string[]
function M.request(arguments)
  return incident_names.check("mde report", arguments.incidents)
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local client, since = context.client, context.arguments.since
  local finished, report, err = interrupt.during(client, 1, function()
    return client:report { incident = context.request, since = since and mde.ago(since) }
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
