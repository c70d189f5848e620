--- plan: what would be done with each device, found out before anybody is asked, and told on one screen.
--
-- Each device is looked up and rehearsed (dry_run), so nothing is changed for it. What would be sent goes on; the
-- others are left as they are, by name and reason.

local batch = require "mde.cli.batch.batch"
local columns = require "mde.cli.ui.columns"
local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json_line"
local lookup = require "mde.cli.batch.lookup"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local phrase = require "mde.cli.ui.phrase"
local problem = require "mde.cli.ui.problem"
local result = require "mde.cli.batch.result"
local terminal = require "mde.cli.ui.terminal"
local words = require "mde.cli.batch.words"

-- So few are told in whole sentences, with what to do.
local FEW = 5
local MAX_NAMED = 40
local MAX_CANDIDATES = 3

local M = {}

---@class mde.cli.PlanGroup devices that are left for one reason
---@field reason string
---@field entries mde.cli.Result[]

---@class mde.cli.Plan
---@field entries mde.cli.Result[] each machine once, in the order of the list
---@field send mde.cli.Result[] what would be sent
---@field groups mde.cli.PlanGroup[] the others
---@field twins mde.cli.Result[] what names a machine that is named before
---@field now integer how many of `send` the cap lets through now
---@field refusal? mde.Error what the first gets that the cap does not let through
---@field seconds number how long those take at the least that may go now
---@field made_at number when the devices were looked at, by the service's clock

-- ---- finding out

-- Two names of one machine are one entry.
local function without_twins(entries)
  local first, rest, twins = {}, {}, {}
  for _, entry in ipairs(entries) do
    local id = entry.machine and core.text.lower(entry.machine.id)
    if id and first[id] then
      entry.twin = first[id]
      twins[#twins + 1] = entry
    else
      rest[#rest + 1] = entry
      if id then first[id] = entry end
    end
  end
  return rest, twins
end

local function copy(list)
  local own = {}
  for name, value in pairs(list or {}) do own[name] = value end
  return own
end

-- The options of a rehearsal. How many may be sent, the plan says for all of them.
local function rehearsal(request, is_capped)
  local options = copy(request.options)
  options.dry_run = true
  if is_capped then
    options.allow = copy(options.allow)
    table.insert(options.allow, "cap")
  end
  return options
end

-- Where an error ends it that every other would have, they have it, too.
local function rehearse(context, entries, comment)
  local client, verb = context.client, context.request.verb
  local options = rehearsal(context.request, M.is_capped(context.request))
  for _, entry in ipairs(entries) do
    entry.done = entry.err ~= nil
    entry.started = entry.done
  end
  local complete, stop = batch.run(context, entries, function(entry)
    local err
    entry.action, err = client[verb](client, entry.machine or entry.identity or entry.device, comment, options)
    return entry.action, err
  end, { label = "Looking", patience = 1 })
  if complete or not stop or not stop.err then return complete end
  for _, entry in ipairs(entries) do
    if not entry.done then
      entry.started, entry.done, entry.err = true, true, stop.err
      if errors.is(stop.err) then
        entry.err = errors.derive(stop.err, { asked = ("%s %s"):format(verb, errors.quote(entry.device)) })
      end
    end
  end
  return true
end

-- How many the cap lets through now, and what it says to the others.
local function look_at_cap(context, plan, comment)
  local client, request = context.client, context.request
  plan.now = #plan.send
  if not plan.send[1] or not M.is_capped(request) then return end
  local options = copy(request.options)
  options.dry_run = true
  local first = plan.send[1]
  local device = first.machine or first.identity or first.device
  -- In there the history that was read for all will do.
  local err = client:each({ device }, function()
    return client[request.verb](client, device, comment, options)
  end)[1].err
  if err and errors.is(err) and err.rule == "cap" then
    plan.now, plan.refusal = 0, err
    return
  end
  plan.now = math.min(plan.now, M.cap(context).remaining or plan.now)
end

local function group_of(plan, reason)
  for _, group in ipairs(plan.groups) do
    if group.reason == reason then return group end
  end
  local group = { reason = reason, entries = {} }
  plan.groups[#plan.groups + 1] = group
  return group
end

-- By the error's code, or else by its kind.
local reasons = {
  not_onboarded = "known, but not onboarded", device_merged = "merged into another machine", not_found = "not found",
  ambiguous = "several machines answer to it", invalid = "cannot be a device",
  list_line_malformed = "not like the other lines", list_malformed = "not to be understood",
  list_line_doubtful = "could be lines of a note",
  another_scope = "the same with another scope is under way",
  conflict = "the opposite is under way", superseded = "decided otherwise since",
}

local function reason_of(entry, verb)
  local err = entry.err
  if not err then
    local own, is_pending = words.of(verb), core.history.status(entry.action.status) == "pending"
    return ("%s%s%s already"):format(own.thing, is_pending and "being " or "", own.past)
  elseif not errors.is(err) then
    return "not looked at"
  elseif err.kind == "protected" then
    return ("protected by the rule %s"):format(errors.show(err.rule or "?"))
  elseif err.code == "withdrawn" then
    local own = words.of(verb)
    local undone = own.opposite_past and own.opposite_past .. " or " or ""
    return ("%scancelled since it was %s%s for this"):format(undone, own.thing, own.past)
  end
  return reasons[err.code] or reasons[err.kind] or ("could not be looked at (%s)"):format(err.kind)
end

--- Whether the cap of the guard counts what is asked.
---@param request mde.cli.ChangeRequest
---@return boolean
function M.is_capped(request)
  if not core.response_actions[request.verb].is_capped then return false end
  for _, rule in ipairs(request.options.allow or {}) do
    if rule == "cap" then return false end
  end
  return true
end

--- What is left of the cap that counts what is asked.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@return mde.CapState
function M.cap(context)
  local request = context.request
  return context.client:cap(request.verb, request.options.sha1)
end

-- Nobody has decided to leave these.
local could_not_look = { auth = true, permission = true, throttled = true, unavailable = true, protocol = true }

--- Finds out what would be done with each.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param entries mde.cli.Result[]
---@param comment string
---@param settle? fun(entries: mde.cli.Result[]) settles which machines are meant where that is not clear
---@return mde.cli.Plan? plan nil if it was interrupted; every entry has its `action` or `err`
function M.make(context, entries, comment, settle)
  if not lookup.run(context, entries) then return nil end
  if settle then settle(entries) end
  local plan = { send = {}, groups = {} }
  plan.entries, plan.twins = without_twins(entries)
  plan.made_at = context.client:now()
  if not rehearse(context, plan.entries, comment) then return nil end
  for _, entry in ipairs(plan.entries) do
    if not entry.err and entry.action.outcome == "would_send" then
      plan.send[#plan.send + 1] = entry
    else
      if not could_not_look[errors.is(entry.err) and entry.err.kind] then entry.ending = "left" end
      table.insert(group_of(plan, reason_of(entry, context.request.verb)).entries, entry)
    end
  end
  look_at_cap(context, plan, comment)
  plan.seconds = plan.now > 0 and context.client:peek(context.request.verb, plan.now).seconds or 0
  return plan
end

-- ---- telling

-- Which machines answer to one name, as far as they are few.
local function candidates(list, now)
  local parts = {}
  for i = 1, math.min(#list, MAX_CANDIDATES) do
    local one = list[i]
    parts[i] = ("%s, %s, last seen %s"):format(errors.show(one.id), errors.show(one.osPlatform or "unknown platform"),
      errors.show(columns.last_seen(one, now) or "never"))
  end
  if #list > MAX_CANDIDATES then parts[#parts + 1] = ("and %d more"):format(#list - MAX_CANDIDATES) end
  return ("%d of them: %s"):format(#list, table.concat(parts, "; "))
end

-- What is said of a device beside its name.
local function detail(entry, now)
  local err, action = entry.err, entry.action
  if not err then
    return errors.show(action.incident or action.requestor or "by somebody")
      .. (action.recorded == false and ", your incident is recorded nowhere" or "")
  elseif not errors.is(err) then
    return nil
  elseif err.code == "not_onboarded" then
    return nil
  elseif err.candidates and err.candidates[1] then
    local first = err.candidates[1]
    if err.code == "device_merged" then return "now " .. errors.show(first.id) end
    return err.kind == "ambiguous" and candidates(err.candidates, now)
      or first.computerDnsName and errors.show(first.computerDnsName) .. "?"
  elseif err.action then
    return "by " .. errors.show(err.action.cancellationRequestor or err.action.requestor or "somebody")
  elseif err.kind == "invalid" then
    return errors.show(err.message:match "line %d+" or "")
  end
end

local function named(entry, now)
  local more = detail(entry, now)
  return result.name(entry) .. (more and more ~= "" and (" (%s)"):format(more) or "")
end

local function say_names(reason, entries, now)
  local names = {}
  for i = 1, math.min(#entries, MAX_NAMED) do names[i] = named(entries[i], now) end
  if #entries > MAX_NAMED then names[#names + 1] = ("and %d more"):format(#entries - MAX_NAMED) end
  terminal.say(("  %d %s: %s"):format(#entries, reason, table.concat(names, ", ")))
end

local function count_left(plan)
  local count = 0
  for _, group in ipairs(plan.groups) do count = count + #group.entries end
  return count
end

local function say_each(plan, verb)
  for _, group in ipairs(plan.groups) do
    for _, entry in ipairs(group.entries) do
      if entry.err then batch.complain(entry) else terminal.say(result.sentence(entry, verb)) end
    end
  end
end

--- Says what names a machine that is named before.
---@param plan mde.cli.Plan
function M.say_twins(plan)
  for i = 1, math.min(#plan.twins, FEW) do
    terminal.note(("%s and %s are the same machine; it counts once"):format(errors.quote(plan.twins[i].twin.device),
      errors.quote(plan.twins[i].device)))
  end
  if #plan.twins > FEW then terminal.note(("%d more name a machine that is named before"):format(#plan.twins - FEW)) end
end

--- Says which devices are left as they are, and why.
---@param context mde.cli.Context
---@param plan mde.cli.Plan
function M.say_left(context, plan)
  M.say_twins(plan)
  local left = count_left(plan)
  if left <= FEW then return say_each(plan, context.request.verb) end
  terminal.say(("Left as they are: %d of %d"):format(left, #plan.entries))
  for _, group in ipairs(plan.groups) do say_names(group.reason, group.entries, context.client:now()) end
end

local function say_cap(context, plan)
  local over = #plan.send - plan.now
  if over == 0 then return end
  local cap, refusal = M.cap(context), plan.refusal
  if refusal and refusal.code ~= "cap_full" then
    terminal.say(("The cap lets none through: %s."):format(errors.show(refusal.message)))
    return
  end
  local retry = refusal and refusal.retry_at
  local at = retry and phrase.minute(math.ceil(retry), true) .. " UTC"
  local which = #plan.send == 1 and "does not let it" or ("lets %s of these %d"):format(
    plan.now == 0 and "none" or plan.now, #plan.send)
  terminal.say(("The cap of %s %s%s an hour %s through now; %s. --cap N raises it."):format(
    core.number.write(cap.limit), context.request.verb, cap.limit == 1 and "" or "s", which,
    at and "the next may go at " .. at or ("the other %d are refused, until an hour has passed"):format(over)))
end

--- Says what the cap and the service's limits make of those that would be sent.
---@param context mde.cli.Context
---@param plan mde.cli.Plan
---@param doing string what is done with all of them: "restricting %s"
function M.say_limits(context, plan, doing)
  say_cap(context, plan)
  local text = pace.remark(plan.now, doing, nil, function() return plan.seconds end)
  if text then terminal.say(text) end
end

--- The scope or the file that is asked for, by the names of the options: { sha1 = "3395..." }.
---@param request mde.cli.ChangeRequest
---@return table<string, string> subject
---@return string[] names in the order of the row
function M.subject(request)
  local subject, names = {}, {}
  for _, field in ipairs(core.response_actions[request.verb].fields) do
    local value = field.option and (request.options[field.option] or field.value)
    if value then
      subject[field.option] = value
      names[#names + 1] = field.option
    end
  end
  return subject, names
end

-- The same, as it is given to the command.
local function say_subject(request)
  local subject, names = M.subject(request)
  local given = {}
  for i, name in ipairs(names) do given[i] = ("--%s %s"):format((name:gsub("_", "-")), errors.show(subject[name])) end
  if given[1] then terminal.say("With " .. table.concat(given, " ")) end
end

--- Says for whom it would be done, with which scope or file, and what is recorded.
---@param context mde.cli.Context
---@param comment string
function M.say_frame(context, comment)
  local exchange, incident = context.client.exchange, context.request.options.incident
  local profile = context.profile and ("Profile %s: "):format(errors.show(context.profile)) or ""
  terminal.say(("%sTenant %s, application %s, at %s"):format(profile,
    errors.show(exchange.tenant_id or "of the identity"), errors.show(exchange.client_id or "of the identity"),
    errors.show(exchange.host)))
  say_subject(context.request)
  terminal.say(("%s, comment: %s"):format(incident and "Incident " .. errors.show(incident) or "No incident",
    errors.quote(comment)))
end

-- Those of a group of which it is not clear which machine is meant, with the machines that may be.
local function undecided(group)
  local devices
  for _, entry in ipairs(group.entries) do
    local found = errors.is(entry.err) and problem.candidates(entry.err)
    if found and found[1] then
      devices = devices or {}
      devices[#devices + 1] = { device = entry.device, candidates = found }
    end
  end
  return devices
end

--- Writes the plan itself as one JSON object, behind those of the devices.
---@param context mde.cli.Context
---@param plan mde.cli.Plan
---@param comment string
function M.write(context, plan, comment)
  local exchange, left = context.client.exchange, {}
  for i, group in ipairs(plan.groups) do
    left[i] = { reason = group.reason, count = #group.entries, devices = undecided(group) }
  end
  local cap = M.is_capped(context.request) and M.cap(context).limit or nil
  local told = {
    verb = plan.entries[1] and plan.entries[1].verb,
    tenant_id = exchange.tenant_id, client_id = exchange.client_id, host = exchange.host,
    incident = context.request.options.incident, comment = comment, devices = #plan.entries,
    would_send = #plan.send, may_go_now = plan.now, cap = cap ~= math.huge and cap or nil, seconds = plan.seconds,
    named_again = #plan.twins + (context.request.entries and context.request.entries.named_again or 0), left = left,
  }
  for name, value in pairs(M.subject(context.request)) do told[name] = value end
  output.write(json.encode { plan = told } .. "\n")
end

return M
