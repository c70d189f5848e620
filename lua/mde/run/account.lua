--- account: what a run was to do, and what came of each device, from what its record says.
--
-- Every device has one word for what came of it, and stands in one place of the order, the worst first. All forms of a
-- report are made of this table. A record may come from elsewhere: whatever is odd in it costs that one thing.

local audits = require "mde.run.audit"
local came_to = require "mde.run.came_to"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local digests = require "mde.run.digest"
local endings = require "mde.run.ending"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local json_line = require "mde.base.json_line"
local others_of = require "mde.run.other"
local steps_of = require "mde.run.steps"
local timelines = require "mde.run.timeline"

local M = {}

--- Every word, the worst first.
M.words = came_to.words

---@class mde.AccountChange one verb of one device: what was planned, and what came of it. Times are Unix seconds
---@field verb string
---@field scope? string of the verb: "Full", "Selective", "Quick"
---@field sha1? string of the file of a quarantine
---@field word mde.AccountWord
---@field incident? string
---@field decision? string what the plan says; nil: the plan does not show it
---@field if_needed? boolean the plan shows it as what the playbook may come to
---@field wave? integer in which it was to be sent, if it cuts the device off
---@field rule? string
---@field why? string in words, of the plan
---@field reason? string
---@field holder? string who had restricted it already
---@field also_held? string[] who else holds it
---@field sent_at? number
---@field answered_at? number
---@field status? string of the action, as it was seen last
---@field status_at? number when it was seen to be final
---@field done_at? number the same where it succeeded
---@field expires_at? number until when it holds
---@field attempts? integer
---@field action_id? string
---@field operation_id? string
---@field requestor? string who asked for the action in the service's own words
---@field cancelled_by? string
---@field comment? string without our suffix
---@field said? string what the service, or a rule, said to it
---@field session? integer that sent it first
---@field not_reached? boolean the last session did not come by
---@field outcome? string of what is recorded, as mde.journal has it
---@field n? integer which step of the record it is; nil: nothing is recorded of it

---@class mde.AccountDevice
---@field id string
---@field name? string
---@field platform? string
---@field tags string[]
---@field device_value? string
---@field last_seen? string
---@field is_server? boolean
---@field is_offline? boolean it was not seen for an hour when the plan was made
---@field wave? integer the first in which it is cut off
---@field in_plan boolean
---@field groups mde.DeviceGroup[] what came of each response with its opposite
---@field word mde.AccountWord
---@field part "needs"|"open"|"done"|"left"
---@field changes mde.AccountChange[]

---@class mde.AccountSession
---@field n integer
---@field host string
---@field who? string
---@field pid integer
---@field mde string
---@field began_at number
---@field ended_at? number
---@field is_changed boolean it ran another text of the playbook than the first

---@class mde.AccountRun
---@field id string
---@field name string how it is called in a command
---@field path string
---@field verb "plan"|"run"|"undo"
---@field undoes? string the run that it takes back
---@field state "planned"|"running"|"paused"|"stopped"|"broken"|"complete"
---@field life? "live"|"killed"
---@field why? string
---@field undone_by? string the undo that takes it back, as it is called in a command; its report says how far it came
---@field made_at number
---@field tenant_id? string
---@field client_id? string
---@field base_url string
---@field playbook string
---@field playbook_text string
---@field playbook_digest string
---@field plan_digest? string
---@field arguments string[]
---@field settings table<string, string> what it was bound to, as texts
---@field modules { name: string, path: string, digest: string }[]
---@field incidents string[] as they are spelled first

---@class mde.RunAccount
---@field run mde.AccountRun
---@field sessions mde.AccountSession[]
---@field devices mde.AccountDevice[] the worst first
---@field counts table<mde.AccountWord, integer> of devices
---@field numbers { planned: integer, sent: integer, accepted: integer, succeeded: integer, failed: integer }
---@field rules { rule: string, count: integer }[] devices that rules of the guard left
---@field waves { verb: string, wave: integer, planned: integer, sent: integer, succeeded: integer, verdict?: string }[]
---@field unresolvable { asked: string, code?: string, why: string }[] names that meant no machine, or several
---@field others string[] what else was to be changed
---@field others_sent mde.OtherResult[] what else was sent, and what came of it
---@field beyond { machine_id?: string, name?: string, verb: string, said?: string }[] what was asked for and not done,
--- of devices that the plan does not have, and of names that meant no machine, or several, when the run came to them
---@field not_reached integer changes that are recorded and that the last session did not come by
---@field events { at: number, kind: string, detail?: string }[] of the run; those of a device are not among them
---@field timeline? mde.RunTimeline nil if nothing was sent

-- ---- what may be anything

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function object(value)
  local decoded = type(value) == "string" and json.decode(value)
  return type(decoded) == "table" and decoded or {}
end

-- The texts of a list.
local function texts(value)
  local list = {}
  for _, one in ipairs(type(value) == "table" and value or {}) do list[#list + 1] = text(one) end
  return list
end

local function objects(value)
  local list = {}
  for _, one in ipairs(type(value) == "table" and value or {}) do
    if type(one) == "table" then list[#list + 1] = one end
  end
  return list
end

-- A whole number that can be counted to.
local function count_of(value)
  return type(value) == "number" and value >= 0 and value <= 2 ^ 31 and math.floor(value) or nil
end

local time = timelines.usable

-- ---- one change

local function put_subject(change, subject)
  local name = deeds.subject_name(change.verb)
  if name then change[name] = text(subject) end
  return change
end

local function change_of_plan(planned, is_to_come, call, is_complete)
  local held = texts(planned.also_held)
  return put_subject({ verb = planned.verb, incident = steps_of.spelled(planned), decision = planned.decision,
    if_needed = planned.if_needed == true or nil,
    word = came_to.of_plan(planned, is_to_come, call, is_complete),
    rule = text(call and call.rule) or text(planned.rule),
    why = text(planned.why), reason = text(planned.reason), holder = text(planned.holder),
    also_held = held[1] and held or nil, said = call and text(call.message) or nil }, planned.subject)
end

-- A step, beside what the plan says of it if it does.
local function change_of_step(step, planned, context)
  local row, err = object(step.row), object(step.error)
  local change = put_subject(planned and change_of_plan(planned, false) or { verb = step.verb },
    object(step.arguments).subject)
  local comment, incident = core.comment.parse(step.comment)
  local is_accepted = step.outcome == "accepted"
  -- What was so already has no comment of ours; the plan has the spelling.
  local is_of_plan = change.incident and core.text.lower(change.incident) == step.incident
  change.incident = incident or not is_of_plan and text(step.incident) or change.incident
  change.word = came_to.of_step(step, text(row.status), context.live_session, err.code)
  change.sent_at, change.answered_at, change.expires_at = time(step.sent), time(step.answered), time(step.expires)
  change.status = step.status or is_accepted and text(row.status) or nil
  change.status_at = time(step.status_at)
  if is_accepted and core.history.status(change.status) == "succeeded" then
    change.done_at = change.status_at or change.answered_at
  end
  change.attempts, change.session = count_of(step.attempts), count_of(step.session)
  change.action_id, change.operation_id, change.comment = text(step.action), text(step.operation), text(comment)
  change.requestor, change.cancelled_by = text(row.requestor), text(row.cancellationRequestor)
  local held = texts(row.also_held)
  if held[1] then change.also_held = held end
  change.said = text(err.message)
  if step.outcome == "already_active" then
    change.holder = change.holder or text(row.incident) or change.requestor
  end
  change.outcome, change.n = step.outcome, step.n
  change.not_reached = context.last_session and step.reached ~= context.last_session or nil
  return change
end

-- ---- one device

-- What tells the changes of a device apart.
local function key_of(machine_id, verb, incident)
  return ("%s\0%s\0%s"):format(machine_id, verb, core.text.lower(incident))
end

-- The changes of a device: the steps in their order, each beside what the plan says of it, then what is planned alone.
-- The plan says it of the first step; a further one is beside the plan.
local function changes_of(id, planned, steps, context)
  local by_name, used, changes = {}, {}, {}
  -- The file is part of what is planned; a scope that is not the plan's is still beside it.
  local function name_of(verb, incident, subject)
    return ("%s\0%s\0%s"):format(verb, incident, deeds.subject_name(verb) == "sha1" and text(subject) or "")
  end
  for _, one in ipairs(planned) do
    local name = name_of(one.verb, one.incident, one.subject)
    by_name[name] = by_name[name] or one
  end
  for i, step in ipairs(steps) do
    local own = by_name[name_of(step.verb, step.incident, object(step.arguments).subject)]
    changes[i] = change_of_step(step, own and not used[own] and own or nil, context)
    if own then used[own] = true end
  end
  for _, one in ipairs(planned) do
    if not used[one] then
      local call = context.calls[key_of(id, one.verb, one.incident)]
      changes[#changes + 1] = change_of_plan(one, context.is_to_come, call, context.is_complete)
    end
  end
  return changes
end

local function planned_of(facts)
  local list = {}
  for _, one in ipairs(objects(facts.changes)) do
    if type(one.verb) == "string" and type(one.decision) == "string" then
      one.incident = type(one.incident) == "string" and one.incident or ""
      list[#list + 1] = one
    end
  end
  return list
end

-- The wave of each change that cuts the device off: that of its verb in the plan.
local function put_waves(changes, planned)
  local waves = {}
  for _, one in ipairs(planned) do waves[one.verb] = waves[one.verb] or count_of(one.wave) end
  for _, change in ipairs(changes) do change.wave = waves[change.verb] end
end

local function device_of(row, steps, context)
  local facts = object(row.facts)
  local planned = planned_of(facts)
  deeds.mend_waves(planned, row.wave)
  local device = { id = row.id, name = text(row.name), platform = text(row.platform), tags = texts(facts.tags),
    device_value = text(facts.value), last_seen = text(facts.last_seen), is_server = facts.is_server == true,
    is_offline = facts.is_offline == true, wave = count_of(row.wave),
    in_plan = planned[1] ~= nil and facts.is_unplanned ~= true,
    changes = changes_of(row.id, planned, steps, context), n = row.n,
    order = type(facts.order) == "number" and facts.order or math.huge }
  put_waves(device.changes, planned)
  device.word, device.groups = came_to.of_device(device.changes)
  device.part = came_to.part_of[device.word]
  return device
end

local rank = came_to.rank

local function by_rank(a, b)
  if rank[a.word] ~= rank[b.word] then return rank[a.word] < rank[b.word] end
  if a.order ~= b.order then return a.order < b.order end
  return a.n < b.n
end

local function devices_of(reading, context)
  local steps, devices = {}, {}
  for _, step in ipairs(reading.steps) do
    steps[step.device] = steps[step.device] or {}
    table.insert(steps[step.device], step)
  end
  for i, row in ipairs(reading.devices) do devices[i] = device_of(row, steps[row.id] or {}, context) end
  table.sort(devices, by_rank)
  return devices
end

-- ---- calls that came to no send

-- What an event says of a call for which nothing was sent, or of one that the playbook did not make.
local function call_of(row)
  if row.step then return nil end
  if row.kind == audits.KIND then return object(row.detail) end
  if row.kind ~= endings.NOT_ASKED_FOR then return nil end
  local call = object(row.detail)
  call.outcome = endings.NOT_ASKED_FOR
  return call
end

-- How the calls ended for which nothing was sent: the last of each machine, verb and incident, and all in their order.
-- A name that meant no machine, or several, stands for one.
local function calls_of(events)
  local calls, list = {}, {}
  for _, row in ipairs(events) do
    local call = call_of(row)
    local called = call and (text(call.machine_id) or text(call.asked))
    if called and text(call.verb) and text(call.outcome) then
      local key = key_of(core.text.lower(called), call.verb, text(call.incident) or "")
      if not calls[key] then list[#list + 1] = key end
      calls[key] = call
    end
  end
  return calls, list
end

-- Those of devices that the record does not have, and of names that are not told as ones that mean no machine.
local function beyond_of(calls, list, devices, unresolvable)
  local known, beyond = {}, {}
  for _, device in ipairs(devices) do
    known[device.id] = true
    if device.name then known[core.text.lower(device.name)] = true end
  end
  for _, one in ipairs(unresolvable) do known[core.text.lower(one.asked)] = true end
  for _, key in ipairs(list) do
    local call = calls[key]
    local id, asked = text(call.machine_id), text(call.asked)
    local is_known
    if id then
      is_known = known[core.text.lower(id)]
    else
      is_known = known[core.text.lower(asked)] or known[core.text.lower(errors.quote(asked))]
    end
    if not is_known then
      beyond[#beyond + 1] = { machine_id = id, name = text(call.computerDnsName) or not id and asked or nil,
        verb = call.verb, said = text(call.message) }
    end
  end
  return beyond
end

-- ---- all of them

local function each_change(devices, fn)
  for _, device in ipairs(devices) do
    for _, change in ipairs(device.changes) do fn(device, change) end
  end
end

local function numbers_of(devices)
  local numbers = { planned = 0, sent = 0, accepted = 0, succeeded = 0, failed = 0 }
  local function count(name, is_so) if is_so then numbers[name] = numbers[name] + 1 end end
  each_change(devices, function(_, change)
    local status = change.outcome == "accepted" and core.history.status(change.status)
    count("planned", change.decision == change.verb and not change.if_needed)
    count("sent", change.sent_at ~= nil)
    count("accepted", change.outcome == "accepted")
    count("succeeded", status == "succeeded")
    count("failed", status == "failed")
  end)
  return numbers
end

local function rules_of(devices)
  local counts, list = {}, {}
  each_change(devices, function(_, change)
    local rule = change.word == "protected" and (change.rule or "?") or change.word == "withheld" and change.rule
    if not rule then return end
    if not counts[rule] then list[#list + 1] = rule end
    counts[rule] = (counts[rule] or 0) + 1
  end)
  table.sort(list, core.text.before)
  for i, rule in ipairs(list) do list[i] = { rule = rule, count = counts[rule] } end
  return list
end

-- What tells a wave from others: each verb has its own.
local function wave_key(verb, wave)
  return ("%s %d"):format(verb, wave)
end

-- What the gate behind each wave said last. A wave that does not say its verb is of restricts.
local function verdicts_of(events)
  local verdicts = {}
  for _, event in ipairs(events) do
    local wave, of, words = (event.detail or ""):match "^wave (%d+)([ a-z]*): (.*)$"
    if event.kind == "gate" and wave then
      verdicts[wave_key(of:match "^ of ([a-z]+)$" or "restrict", core.number.read(wave))] = words
    end
  end
  return verdicts
end

local function waves_of(devices, events)
  local waves, verdicts = timelines.waves(devices, function(change)
    return change.decision == change.verb or change.sent_at ~= nil
  end, function(wave, change)
    local function count(name, is_so) wave[name] = (wave[name] or 0) + (is_so and 1 or 0) end
    count("planned", change.decision == change.verb)
    count("sent", change.sent_at)
    count("succeeded", change.done_at)
  end), verdicts_of(events)
  for _, wave in ipairs(waves) do wave.verdict = verdicts[wave_key(wave.verb, wave.wave)] end
  return waves
end

-- The incidents that it acted for, as they are spelled first; the plan of an older version has them in lower case.
local function incidents_of(devices)
  local seen, list, spelled = {}, {}, {}
  each_change(devices, function(_, change)
    local key = change.incident and core.text.lower(change.incident)
    if not key then return end
    if not seen[key] then list[#list + 1] = key end
    seen[key] = true
    if (change.n or change.incident ~= key) and not spelled[key] then spelled[key] = change.incident end
  end)
  table.sort(list, core.text.before)
  for i, key in ipairs(list) do list[i] = spelled[key] or key end
  return list
end

local function sessions_of(reading)
  local list = {}
  for i, row in ipairs(reading.sessions) do
    list[i] = { n = row.n, host = row.host, who = text(row.who), pid = count_of(row.pid) or 0, mde = row.mde,
      began_at = time(row.began), ended_at = time(row.ended), is_changed = row.digest ~= reading.run.digest }
  end
  return list
end

local function events_of(reading)
  local list = {}
  for _, row in ipairs(reading.events) do
    if not row.step and not call_of(row) then
      list[#list + 1] = { at = time(row.at), kind = row.kind, detail = text(row.detail) }
    end
  end
  return list
end

-- Options as texts, the same ones of the same record: what is a table is written as JSON.
local function settings_of(settings)
  local list = {}
  for name, value in pairs(type(settings.bound) == "table" and settings.bound or {}) do
    if type(name) == "string" then
      list[name] = type(value) == "table" and json_line.encode(value, "{}") or tostring(value)
    end
  end
  return list
end

-- The undo that was begun last.
local function undone_by(events)
  local by
  for _, row in ipairs(events) do
    if row.kind == "undone" and not row.step then by = text(row.detail) or "?" end
  end
  return by
end

local function run_of(reading)
  local row, modules = reading.run, {}
  for i, module in ipairs(reading.modules) do
    modules[i] = { name = module.name, path = module.path, digest = "sha256:" .. digests.hex(module.digest) }
  end
  return { id = row.id, name = reading.name, path = reading.path, verb = row.verb, undoes = text(row.undoes),
    state = row.state, life = reading.life, why = text(row.why), undone_by = undone_by(reading.events),
    made_at = time(row.made), tenant_id = text(row.tenant), client_id = text(row.client), base_url = row.base_url,
    playbook = row.playbook, playbook_text = row.text,
    playbook_digest = "sha256:" .. digests.hex(row.digest),
    plan_digest = row.plan and "sha256:" .. digests.hex(row.plan) or nil, arguments = texts(object(row.arguments)),
    settings = settings_of(object(row.settings)), modules = modules }
end

local function unresolvable_of(settings)
  local list = {}
  for i, one in ipairs(objects(settings.unresolvable)) do
    list[i] = { asked = text(one.asked) or "?", code = text(one.code), why = text(one.why) or "" }
  end
  return list
end

--- What a run did, of what stands in its record.
---@param reading mde.RunReading
---@return mde.RunAccount
function M.of(reading)
  local run, settings = run_of(reading), object(reading.run.settings)
  local last = reading.sessions[#reading.sessions]
  local is_live = run.life == "live"
  local context = { is_to_come = is_live or run.state == "planned", is_complete = run.state == "complete",
    live_session = is_live and last and last.n or nil,
    -- A first session has come by all that it has recorded; one that was killed did not say by what it came.
    last_session = (run.state == "paused" or run.state == "complete") and last and last.n > 1 and last.ended and last.n
      or nil }
  local calls, list = calls_of(reading.events)
  context.calls = calls
  local account = { run = run, sessions = sessions_of(reading), devices = devices_of(reading, context), counts = {},
    unresolvable = unresolvable_of(settings), others = texts(settings.others),
    others_sent = others_of.of_events(reading.events, is_live), events = events_of(reading),
    not_reached = 0 }
  for _, device in ipairs(account.devices) do
    account.counts[device.word] = (account.counts[device.word] or 0) + 1
  end
  each_change(account.devices, function(_, change)
    if change.not_reached then account.not_reached = account.not_reached + 1 end
  end)
  run.incidents = incidents_of(account.devices)
  account.beyond = beyond_of(calls, list, account.devices, account.unresolvable)
  account.numbers, account.rules = numbers_of(account.devices), rules_of(account.devices)
  account.waves = waves_of(account.devices, account.events)
  account.timeline = timelines.of(account)
  return account
end

return M
