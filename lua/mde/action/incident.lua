--- incident: which machines does an incident hold?
--
-- By the service's own history, without a file: the comment of each restriction or isolation says whose it is, and the
-- core decides which of them hold a machine (mde_claim_holders). What an incident holds alone may be released for
-- it. What somebody else holds too, another incident or a colleague by hand, is named and left: it stays restricted
-- until all that hold it are released together.

local core = require "mde.core"
local errors = require "mde.base.error"
local times = require "mde.query.times"

local PAGE_SECONDS = 300
-- Who else holds a machine, where an action does not say which it is.
local UNIDENTIFIED = "an action that cannot be identified"
-- A number below is no time of an incident but a span, taken for one.
local EARLIEST_SINCE = 1e9

---@class mde.RestrictedOptions
---@field incident string|integer|(string|integer)[] whose machines; of several, what they hold together
---@field since? mde.Time only restrictions created then or later; an older one, of the same incident too, is somebody
--- else's, so a machine that has both is among the shared ones
---@field ended? string|integer|(string|integer)[] incidents that hold no longer, although nobody has released what they
--- restricted: their restrictions are nobody's
---@field timeout? number

---@class mde.Restricted : mde.Machine a machine as far as its actions tell; it can be given to mde.release
---@field id string
---@field computerDnsName? string
---@field action mde.Action the newest restriction by which the incidents hold it
---@field expires_at? number Unix seconds: when the last of these restrictions is meant to end; nil: one has no end
---@field releasing? mde.Action a release that is under way: they hold it until that has succeeded
---@field incidents? string[] of the shared ones: who else holds it, in words
---@field others? mde.Action[] of the shared ones: by which restrictions

---@class mde.RestrictedList an array of mde.Restricted, by name: what the incidents hold, and nobody else
---@field [integer] mde.Restricted
---@field shared mde.Restricted[] what others hold too
---@field unattributed mde.Action[] restrictions of these incidents that do not say of which machine they are

local M = {}

M.known_options = { incident = "any", since = "any", ended = "any", timeout = "seconds" }

--- An incident as it stands in comments. Raises for what cannot be one.
---@param value any
---@param what string whose incident it is, for the error
---@return string
function M.check(value, what)
  local incident = value
  if type(value) == "number" and value % 1 == 0 and math.abs(value) < 2 ^ 53 then incident = ("%d"):format(value) end
  if type(incident) ~= "string" or not core.comment.incident_valid(incident) then
    errors.invalid("incident_malformed",
      ("%s: the incident %s is not 1 to 64 of A-Z a-z 0-9 . _ # / -"):format(what, errors.got(value)),
      "Give the incident's id alone.")
  end
  return incident
end

-- One incident, or a list of some, as a list.
local function check_list(value, option, what)
  if type(value) ~= "table" then return { M.check(value, what) } end
  local list, entries = {}, 0
  for _ in pairs(value) do entries = entries + 1 end
  for i, incident in ipairs(value) do list[i] = M.check(incident, what) end
  if #list == 0 or #list ~= entries then
    errors.invalid("incident_malformed",
      ("%s: option %q must be an incident or a list of some, without holes"):format(what, option),
      ('Write %s = "INC-4711" or %s = { "INC-4711", "INC-4712" }.'):format(option, option))
  end
  return list
end

--- The option `incident`, one or a list of some, as a list of incidents as they stand in comments. Raises for what
--- cannot be one.
---@param value any
---@param what string whose option it is, for the error
---@return string[]
function M.check_asked(value, what)
  if value == nil then
    errors.invalid("incident_missing", what .. " needs an incident",
      ('Write %s { incident = "INC-4711" }.'):format(what))
  end
  return check_list(value, "incident", what)
end

--- The same incidents in lower case, as keys.
---@param list string[]
---@return table<string, true>
function M.names(list)
  local names = {}
  for _, incident in ipairs(list) do names[core.text.lower(incident)] = true end
  return names
end

-- Those that hold no longer. None of them may be one whose machines are asked for.
local function check_ended(value, names, what)
  if value == nil then return nil end
  local list = check_list(value, "ended", what)
  for _, incident in ipairs(list) do
    if names[core.text.lower(incident)] then
      errors.invalid("contradictory_options",
        ("%s: %s has ended, and it is asked what it holds"):format(what, incident),
        "Leave it out of ended, or out of incident.")
    end
  end
  return list
end

--- The option `since` by the service's clock as far as that is known. Raises for what is no time of an incident.
---@param center mde.ActionCenter
---@param value any
---@param what string whose option it is, for the error
---@return number? seconds Unix seconds
---@return string? shown the same for a person
function M.check_since(center, value, what)
  if value == nil then return nil end
  local text, seconds = times.read(value, center.exchange.clock:time(), what .. ': option "since"')
  if seconds < EARLIEST_SINCE then
    errors.invalid("time_out_of_range",
      ('%s: option "since" is %s, a time long before any incident'):format(what, text),
      'Give a time, not a span: since = mde.ago "14h".')
  end
  return seconds, text
end

local function created(action)
  return core.timestamp.read(action.creationDateTimeUtc) or -math.huge
end

local function newest(list)
  local found = list[1]
  for _, action in ipairs(list) do
    if created(action) > created(found) then found = action end
  end
  return found
end

-- Who else holds a machine by this restriction, in words.
local function holder(action, claim)
  local requestor = errors.show(action.requestor or "somebody")
  if not action.id or not action.type then return UNIDENTIFIED end
  if action.expires_at and (claim.now or claim.operations) then
    return ("%s until %s"):format(action.incident or requestor, core.timestamp.whole(action.expires_at))
  end
  if action.incident and claim.names[core.text.lower(action.incident)] then
    return ("%s before %s"):format(action.incident, claim.since_text)
  elseif action.incident then
    return action.incident
  end
  return (action.operation_id and "no incident (%s)" or "by hand (%s)"):format(requestor)
end

--- What a machine is called in its actions: by the newest that names it.
---@param rows table[] at least one
---@return string?
function M.name_of(rows)
  local named = newest(rows).computerDnsName
  for _, row in ipairs(rows) do
    if type(named) == "string" then break end
    named = row.computerDnsName
  end
  return type(named) == "string" and named or nil
end

-- Until when the last of these restrictions is meant to hold; nil if one has no end.
local function last_expiry(rows)
  local last = 0
  for _, row in ipairs(rows) do
    local _, _, operation = core.comment.parse(row.requestorComment)
    local expires_at = core.comment.expiry(operation)
    if not expires_at then return nil end
    last = math.max(last, expires_at)
  end
  return last
end

-- What the claim has in a machine; nil if nothing.
local function held(center, inventory, machine_id, rows, claim)
  local ours, others = core.history.holders(rows, machine_id, claim, claim.latest, claim.verb)
  if not ours[1] then return nil end
  local state, rests_on = core.history.state(rows, machine_id, claim.latest, claim.verb)
  for _, row in ipairs(rows) do center:adopt(row) end
  local machine = inventory:outline { id = machine_id, computerDnsName = M.name_of(rows), action = newest(ours),
    expires_at = last_expiry(ours), releasing = state == "releasing" and rests_on or nil }
  if others[1] then
    local seen = {}
    machine.incidents, machine.others = {}, others
    for _, action in ipairs(others) do
      local who = holder(action, claim)
      if not seen[core.text.lower(who)] then
        seen[core.text.lower(who)] = true
        table.insert(machine.incidents, who)
      end
    end
    table.sort(machine.incidents, function(a, b) return core.text.before(core.text.lower(a), core.text.lower(b)) end)
  end
  return machine
end

--- Whether a machine stands before another: by name, then by id.
---@param a { id: string, computerDnsName?: string }
---@param b { id: string, computerDnsName?: string }
---@return boolean
function M.by_name(a, b)
  local x, y = core.text.lower(a.computerDnsName or ""), core.text.lower(b.computerDnsName or "")
  if x ~= y then return core.text.before(x, y) end
  return core.text.before(a.id, b.id)
end

--- Who else than an incident, or some, holds a machine restricted, in words: other incidents, and who did it without
--- one. Where no incident is asked for, the incidents that do.
---@param rows table[] the machine's actions
---@param machine_id string
---@param incident? string|string[]
---@param latest number Unix seconds, after which no time of an action is usable
---@param verb? string by which response, default restrict
---@return string[]
function M.other_holders(rows, machine_id, incident, latest, verb)
  local own = type(incident) == "table" and incident or { incident }
  local _, others = core.history.holders(rows, machine_id, { incidents = own }, latest, verb)
  local holders, seen = {}, {}
  for _, row in ipairs(others) do
    local _, named = core.comment.parse(row.requestorComment)
    local who = (not row.id or not row.type) and UNIDENTIFIED or named
      or incident and ("%s (no incident)"):format(errors.show(row.requestor or "somebody"))
    if who and not seen[core.text.lower(who)] then
      seen[core.text.lower(who)] = true
      holders[#holders + 1] = who
    end
  end
  table.sort(holders, function(a, b) return core.text.before(core.text.lower(a), core.text.lower(b)) end)
  return holders
end

--- The machines that a response holds for these incidents since it was last taken back, and for nobody else; and in
--- `shared` those that others hold too. One list of all actions is read.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param verb string one that holds: "restrict"
---@param options mde.RestrictedOptions
---@param what string who is called, for errors
---@param context mde.Context
---@return mde.RestrictedList? machines
---@return mde.Error? err
function M.held_by(center, inventory, verb, options, what, context)
  local claim = { verb = verb, incidents = M.check_asked(options.incident, what) }
  claim.since, claim.since_text = M.check_since(center, options.since, what)
  claim.names = M.names(claim.incidents)
  claim.ended = check_ended(options.ended, claim.names, what)

  local machines, err = center:histories(verb, context:within(PAGE_SECONDS))
  if not machines then
    return nil, errors.about(err, ("%s by %s"):format(core.response_actions[verb].state,
      errors.quote(table.concat(claim.incidents, ", "))))
  end
  -- The answer has told what time it is, from which mde.ago counts.
  claim.since, claim.since_text = M.check_since(center, options.since, what)
  return M.collect(center, inventory, machines, claim)
end

--- What a claim holds alone, and what others hold too.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param machines table<string, table[]> the actions of each machine
---@param claim table of mde.core.history.holders, with `names`, the incidents in lower case, and `since_text`; `verb`:
--- by which response, default restrict
---@return mde.RestrictedList
function M.collect(center, inventory, machines, claim)
  claim.latest = center.exchange.clock:latest()
  local list = { shared = {}, unattributed = {} }
  for machine_id, rows in pairs(machines) do
    if machine_id == "" then
      -- Each by itself: a release among them may be of another machine.
      for _, row in ipairs(rows) do
        local ours = core.history.holders({ row }, machine_id, claim, claim.latest, claim.verb)
        if ours[1] then table.insert(list.unattributed, center:adopt(row)) end
      end
    else
      local machine = held(center, inventory, machine_id, rows, claim)
      if machine then table.insert(machine.others and list.shared or list, machine) end
    end
  end
  table.sort(list, M.by_name)
  table.sort(list.shared, M.by_name)
  return list
end

return M
