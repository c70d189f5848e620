--- report: what incidents did: which devices they restricted, who released them, and which are restricted now; or, with
--- `of`, which they isolated or contained.
--
-- By the service's own history, without a file: the comment of each action says whose it is. So it is told for as long
-- as the service keeps its actions, on any machine. One list of all restricts and releases is read, since who else
-- holds a device, and whether it is restricted, is in the actions of others.

local core = require "mde.core"
local errors = require "mde.base.error"
local incidents = require "mde.action.incident"
local responses = require "mde.action.response"

local PAGE_SECONDS = 300
-- How many of the incidents that there are stand in `recent`.
local MAX_RECENT = 10

---@class mde.ReportOptions
---@field incident string|integer|(string|integer)[] whose devices
---@field since? mde.Time only the incidents' actions that were created then or later, or do not say when
---@field of? "restrict"|"isolate"|"contain" of what; default restrict. The names in the report follow: of "isolate" a
--- device has `isolations` and `isolated`, of "contain" `containments` and `contained`
---@field timeout? number

---@class mde.ReportedAction : mde.Action
---@field comment string the user's text, without our suffix
---@field release? mde.ReportedAction of a restriction, an isolation or a containment: the first release after it that
--- succeeded; where none has, the newest that was asked for after it, however far that is

---@class mde.ReportedDevice a device as far as its actions tell; it can be given to mde.release
---@field id string
---@field computerDnsName? string
---@field of string the verb that is reported
---@field state? mde.StateName nil if its actions do not tell
---@field restricted? boolean of "restrict": whether it is so now: what is pending has not been carried out; nil if its
--- actions do not tell
---@field isolated? boolean of "isolate": the same
---@field contained? boolean of "contain": the same
---@field overdue boolean whether all that holds it was meant to end by now (`release_after`)
---@field restrictions? mde.ReportedAction[] of "restrict": the incidents' own, the oldest first
---@field isolations? mde.ReportedAction[] of "isolate": the same
---@field containments? mde.ReportedAction[] of "contain": the same
---@field releases mde.ReportedAction[] what takes those back: the incidents' own, and every other at or after the first
---@field holders string[] who else holds it so, in words

---@class mde.ReportedIncident
---@field incident string as its newest action spells it
---@field devices integer
---@field actions integer
---@field last? string when the newest was created, as the service writes times

---@class mde.IncidentReport an array of mde.ReportedDevice, by name: every device that the incidents acted on
---@field [integer] mde.ReportedDevice
---@field unattributed mde.ReportedAction[] actions of the incidents that do not say of which machine they are
---@field absent string[] those of the incidents asked for that no action names
---@field recent mde.ReportedIncident[] the incidents that acted last, whether asked for or not; ten at the most

local M = {}

M.known_options = { incident = "any", since = "any", of = "text", timeout = "seconds" }

-- What a device calls the actions of a verb; whether it is so now is called as its state is.
local lists = { restrict = "restrictions", isolate = "isolations", contain = "containments" }

local device_metatable = { __name = "mde.reported_device", __tostring = function(device)
  return errors.show(device.computerDnsName or device.id)
end }

---@class mde.report.Claim whose actions are reported, and what else is known while that is done
---@field center mde.ActionCenter
---@field verb string that is reported
---@field group mde.ResponseGroup of it
---@field state string of a device where it is in force
---@field names table<string, true> the incidents, in lower case
---@field list string[] the same as they were asked for
---@field since? number Unix seconds
---@field latest number Unix seconds, after which no time of an action is usable
---@field found table<string, true> of which there is an action, in lower case

-- ---- times

-- A time of an action; nil if it has none that is usable.
local function time_of(row, name, claim)
  local seconds = core.timestamp.read(row[name])
  return seconds and seconds <= claim.latest and seconds or nil
end

local function created(row, claim)
  return time_of(row, "creationDateTimeUtc", claim)
end

local function updated(row, claim)
  return time_of(row, "lastUpdateDateTimeUtc", claim) or created(row, claim)
end

-- Sorted by creation; what does not say when comes first.
local function in_order(rows, claim)
  table.sort(rows, function(a, b)
    local x, y = created(a, claim) or -math.huge, created(b, claim) or -math.huge
    if x ~= y then return x < y end
    return core.text.before(core.text.lower(a.id or ""), core.text.lower(b.id or ""))
  end)
  return rows
end

-- Whether a release was asked for, or came to its end, at or after a restriction; so it is where that cannot be told.
local function follows(release, restriction, claim)
  return (updated(release, claim) or math.huge) >= (created(restriction, claim) or -math.huge)
end

-- ---- whose it is

-- Whether an action is one of the incidents' own.
local function is_own(row, claim)
  local _, incident = core.comment.parse(row.requestorComment)
  local name = incident and core.text.lower(incident)
  if not name or not claim.names[name] or not claim.group:has(row) then return false end
  local at = created(row, claim)
  if claim.since and at and at < claim.since then return false end
  claim.found[name] = true
  return true
end

local function adopt(row, claim)
  return claim.center:adopt(row, { comment = (core.comment.parse(row.requestorComment)) })
end

-- ---- one device

-- Whether a release came after a restriction: the core tells of two that succeeded which was the later.
local function is_after(release, restriction, machine_id, claim)
  if core.history.status(release.status) == "succeeded" and core.history.status(restriction.status) == "succeeded" then
    return core.history.state({ restriction, release }, machine_id, claim.latest, claim.verb) ~= claim.state
  end
  return follows(release, restriction, claim)
end

local function release_of(restriction, releases, machine_id, claim)
  local first, newest
  for _, release in ipairs(releases) do
    if is_after(release, restriction, machine_id, claim) then
      newest = release
      if core.history.status(release.status) == "succeeded"
          and (not first or (updated(release, claim) or math.huge) < (updated(first, claim) or math.huge)) then
        first = release
      end
    end
  end
  return first or newest
end

-- By what has ended; nil if that cannot be told.
local function is_restricted(rows, machine_id, claim)
  if core.history.is_incomplete(rows, machine_id, claim.verb) then return nil end
  local ended = {}
  for _, row in ipairs(rows) do
    if core.history.status(row.status) ~= "pending" then ended[#ended + 1] = row end
  end
  local state = core.history.state(ended, machine_id, claim.latest, claim.verb)
  if state == "unclear" then return nil end
  return state == claim.state
end

-- The restrictions and the releases of a device that belong to the report.
local function actions_of(rows, claim)
  local restrictions, releases, others = {}, {}, {}
  for _, row in ipairs(rows) do
    local is_restrict = responses.is_of(row, claim.verb)
    if is_own(row, claim) then
      table.insert(is_restrict and restrictions or releases, row)
    elseif claim.group:has(row) and not is_restrict then
      others[#others + 1] = row
    end
  end
  in_order(restrictions, claim)
  for _, release in ipairs(others) do
    if restrictions[1] and follows(release, restrictions[1], claim) then releases[#releases + 1] = release end
  end
  return restrictions, in_order(releases, claim)
end

-- Whether all that holds a device was meant to end by now (expiry.lua).
local function is_overdue(rows, machine_id, claim)
  local clock = claim.center.exchange.clock
  local ended, others = core.history.holders(rows, machine_id, { now = clock:time() }, claim.latest, claim.verb)
  return ended[1] ~= nil and others[1] == nil
end

-- What is reported of a device; nil if the incidents did nothing with it.
local function reported(machine_id, rows, claim)
  local restrictions, releases = actions_of(rows, claim)
  if not restrictions[1] and not releases[1] then return nil end
  local state = core.history.state(rows, machine_id, claim.latest, claim.verb)
  for _, list in ipairs { restrictions, releases } do
    for _, row in ipairs(list) do adopt(row, claim) end
  end
  for _, restriction in ipairs(restrictions) do
    restriction.release = release_of(restriction, releases, machine_id, claim)
  end
  local device = { id = machine_id, of = claim.verb, computerDnsName = incidents.name_of(rows), releases = releases,
    state = state ~= "unclear" and state or nil, overdue = is_overdue(rows, machine_id, claim),
    holders = incidents.other_holders(rows, machine_id, claim.list, claim.latest, claim.verb) }
  device[lists[claim.verb]], device[claim.state] = restrictions, is_restricted(rows, machine_id, claim)
  return setmetatable(device, device_metatable)
end

-- ---- all of them

-- Counts an action, for its incident if it has one.
local function count(row, machine_id, known, claim)
  local _, incident = core.comment.parse(row.requestorComment)
  if not incident then return end
  local name, at = core.text.lower(incident), created(row, claim) or -math.huge
  local entry = known[name] or { actions = 0, devices = 0, at = -math.huge }
  known[name] = entry
  entry.actions = entry.actions + 1
  -- The actions of a machine come together.
  if machine_id ~= "" and entry.machine_id ~= machine_id then
    entry.machine_id, entry.devices = machine_id, entry.devices + 1
  end
  if at > entry.at or not entry.incident then
    entry.at, entry.incident, entry.last = at, incident, at > -math.huge and row.creationDateTimeUtc or nil
  end
end

-- The incidents that acted last.
local function recent(machines, claim)
  local known, list, shown = {}, {}, {}
  for machine_id, rows in pairs(machines) do
    for _, row in ipairs(rows) do count(row, machine_id, known, claim) end
  end
  for name in pairs(known) do list[#list + 1] = name end
  table.sort(list, function(a, b)
    if known[a].at ~= known[b].at then return known[a].at > known[b].at end
    return core.text.before(a, b)
  end)
  for i = 1, math.min(#list, MAX_RECENT) do
    local entry = known[list[i]]
    shown[i] = { incident = entry.incident, devices = entry.devices, actions = entry.actions, last = entry.last }
  end
  return shown
end

local function absent(claim)
  local list, seen = {}, {}
  for _, incident in ipairs(claim.list) do
    local name = core.text.lower(incident)
    if not claim.found[name] and not seen[name] then list[#list + 1] = incident end
    seen[name] = true
  end
  return list
end

--- What incidents did with which devices, and what has been undone since.
---@param center mde.ActionCenter
---@param options mde.ReportOptions
---@param context mde.Context
---@return mde.IncidentReport? report
---@return mde.Error? err
function M.read(center, options, context)
  local list = incidents.check_asked(options.incident, "mde.report")
  incidents.check_since(center, options.since, "mde.report")
  local verb = responses.check_holding(options.of, "mde.report")
  local machines, err = center:histories(verb, context:within(PAGE_SECONDS))
  if not machines then return nil, errors.about(err, "report of " .. errors.quote(table.concat(list, ", "))) end
  ---@type mde.report.Claim
  local claim = { center = center, verb = verb, group = responses.group(verb),
    state = core.response_actions[verb].state, list = list, names = incidents.names(list), found = {},
    -- The answer has told what time it is, from which mde.ago counts.
    since = incidents.check_since(center, options.since, "mde.report"), latest = center.exchange.clock:latest() }
  local report = { unattributed = {}, recent = recent(machines, claim) }
  for machine_id, rows in pairs(machines) do
    if machine_id == "" then
      for _, row in ipairs(rows) do
        if is_own(row, claim) then table.insert(report.unattributed, adopt(row, claim)) end
      end
    else
      report[#report + 1] = reported(machine_id, rows, claim)
    end
  end
  table.sort(report, incidents.by_name)
  in_order(report.unattributed, claim)
  report.absent = absent(claim)
  return report
end

return M
