--- run: a playbook contains many devices: it is planned, carried out, and continued where it was stopped.
--
--     local runs = require "mde.run"
--     local plan = assert(runs.plan(client, { playbook = "contain.lua" }))
--     local report = assert(runs.start(client, plan))
--
-- For scripts and the command. A run is bound to what its plan showed, keeps a record (mde.journal) of each change
-- before it leaves and after it has ended, and can be continued after it died at any instruction.

local accounts = require "mde.run.account"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local directories = require "mde.run.directory"
local endings = require "mde.run.ending"
local errors = require "mde.base.error"
local kepts = require "mde.run.kept"
local libraries = require "mde.run.library"
local places = require "mde.run.place"
local plannings = require "mde.run.planning"
local plans = require "mde.run.plan"
local playbooks = require "mde.run.playbook"
local readings = require "mde.run.reading"
local recalls = require "mde.run.recall"
local records = require "mde.run.record"
local responses = require "mde.action.response"
local rules = require "mde.run.rules"
local sessions = require "mde.run.session"
local stops = require "mde.run.stop"
local undos = require "mde.run.undo"
local verifications = require "mde.run.verification"
local waves = require "mde.run.waves"

-- A run that was begun may be continued for a day.
local RESUME_SECONDS = 86400
local SETTLE_SECONDS = 60

local M = {}

---@class mde.PlanOptions
---@field playbook string|mde.Playbook the path of a file of Lua, or what mde.run.playbook has read
---@field arguments? string[] what it gets as `arg` and `...`
---@field waves? string "5,45,rest" | false
---@field gate? string "succeeded=60%,wait=2m"
---@field package undone? string of an undo, what the run had done that it takes back

-- The caps of the verbs that have another than a restrict; nil: there are none.
local function caps_of(client, usual)
  local own = {}
  for _, verb in ipairs(responses.verbs) do
    local cap = client.caps:of(verb)
    local limit = cap and core.number.write(cap.limit)
    if limit and limit ~= usual then own[verb] = limit end
  end
  return next(own) and own or nil
end

-- What the run is bound to beside the playbook.
local function bound_of(client, options)
  local cap = core.number.write(client.caps:of("restrict").limit)
  local bound = { protect = client.guard:describe(), cap = cap, caps = caps_of(client, cap),
    waves = options.waves, gate = options.gate, undone = options.undone }
  if options.waves == false then bound.waves = "rest" end
  rules.sizes(bound.waves, 1)
  rules.gate(bound.gate)
  return bound
end

-- The pass of a playbook that plans.
local function pass(client, playbook, planning, seed)
  client:attach(planning)
  local ok, ended, err, modules = pcall(playbooks.run, playbook, libraries.new(client, planning), seed, true)
  client:attach(nil)
  if not ok then error(ended, 0) end
  return ended, err, modules
end

-- What the playbook itself says of its plan.
local function ask_playbook(planning, plan)
  if not planning.on_plan then return true end
  local counts = plans.counts(plan)
  local ok, said, why = pcall(planning.on_plan, counts, plan.devices)
  if ok and said ~= false then return true end
  return nil, errors.new { kind = "protected", code = "playbook_refuses", rule = "on_plan",
    message = "the playbook refuses this plan: " .. errors.show(ok and (why or "on_plan returned false") or said),
    hint = "Nothing was sent." }
end

--- Plans a playbook: runs it, and changes nothing.
---@param client mde.Client
---@param options mde.PlanOptions
---@return mde.RunPlan? plan
---@return mde.Error? err
function M.plan(client, options)
  local playbook, err = options.playbook, nil
  if type(playbook) == "string" then playbook, err = playbooks.read(playbook, options.arguments or {}) end
  if not playbook then return nil, err end
  local bound = bound_of(client, options)
  err = select(2, client.exchange:settle_clock(client:context(SETTLE_SECONDS)))
  if err then return nil, err end
  local planning = plannings.new(client:now())
  local ended, why, modules = pass(client, playbook, planning, math.floor(planning.made))
  if not ended then return nil, why end
  local plan
  plan, err = plans.of(client, planning, { playbook = playbook, modules = modules, bound = bound })
  if not plan then return nil, err end
  local agreed
  agreed, err = ask_playbook(planning, plan)
  if not agreed then return nil, err end
  return plan
end

-- Whether the record is of the tenant and application of this client.
local function check_tenant(client, plan)
  local exchange = client.exchange
  for name, words in pairs { tenant_id = "tenant", client_id = "application", base_url = "host" } do
    if core.text.lower(plan[name] or "") ~= core.text.lower(exchange[name] or "") then
      return nil, errors.new { kind = "invalid", code = "plan_of_another",
        message = ("it was made for the %s %s, and this client is of %s"):format(words,
          errors.show(plan[name] or "of the identity"), errors.show(exchange[name] or "of the identity")),
        hint = "Use the profile or environment that it was made with." }
    end
  end
  return true
end

--- Plans to take back what a run has restricted, isolated or contained, and nobody else holds.
---@param client mde.Client
---@param run string its id, or the path of its record
---@param comment string why; recorded in the service
---@return mde.RunPlan? plan with `undone`, what the record says (mde.Undone)
---@return mde.Error? err
function M.plan_undo(client, run, comment)
  local undone, err = undos.read(run, comment, function(plan) return check_tenant(client, plan) end)
  if not undone then return nil, err end
  local plan
  plan, err = M.plan(client, { playbook = undone.playbook, waves = false, undone = undone.progress })
  if not plan then return nil, err end
  plan.undoes, plan.undone = undone.run, undone
  return plan
end

-- ---- carrying out

---@class mde.RunOptions
---@field record? string path of the record; default in the directory of all runs
---@field until_time? number Unix seconds: nothing new is begun then
---@field waves? string other waves than the plan's, for a run that is continued
---@field gate? string another gate than the plan's, for a run that is continued
---@field ask_gate? fun(counts: mde.GateCounts, why: string): boolean whether a gate that stays closed is opened
---@field is_listed? boolean a record that lies elsewhere is found by the run's id from now on, and mde runs lists it
---@field on_event? fun(event: mde.RunEvent)
---@field on_session? fun(session: mde.Session) before anything is sent: what can halt it

---@class mde.RunReport
---@field run string how it is called in a command
---@field path string of the record
---@field state "complete"|"paused"|"stopped"|"broken"
---@field why? string
---@field err? mde.Error what the playbook raised
---@field stop? mde.RunStop
---@field entries table[] how each call ended
---@field open mde.Step[] sent, and not known what came of it
---@field pending mde.Step[] accepted, and not finished as far as the run has seen
---@field not_reached mde.Step[] recorded, and the playbook did not come by
---@field not_called mde.NotCalled[] planned, and the playbook did not ask for it; only of a run that is complete
---@field not_come_to mde.NotCalled[] planned, and the playbook did not come so far; only of one that is not complete
---@field differing mde.DifferingCall[] the recorded result held
---@field others mde.OtherResult[] the changes that are no response actions, those that were not done; and `err`
---@field unwritten table[] what the record does not have: results, and rows of events

---@class mde.DifferingCall a call that asked otherwise than the step of an earlier session that it is
---@field machine_id string
---@field verb string
---@field name? string of the device
---@field words string in what it differs

-- From now on nobody goes on with the run that is undone.
local function mark_undone(client, record, plan)
  if not plan.undoes then return true end
  local marked, err = undos.mark(plan.undoes, places.name_of(record.path, record.id), client.exchange.time(),
    plan.settings.undone)
  if marked then return true end
  records.give_up(record)
  return nil, err
end

-- The waves of each verb that cuts devices off.
local function waves_of(client, plan, options, recall, tell)
  local by_verb = {}
  for _, verb in ipairs(responses.holding) do
    by_verb[verb] = waves.new { client = client, verb = verb, ask = options.ask_gate, on_event = tell,
      sent = recall:sent(verb), sizes = rules.sizes(options.waves or plan.settings.waves, plans.count_of(plan, verb)),
      gate = rules.gate(options.gate or plan.settings.gate) }
  end
  return by_verb
end

local function not_done(others)
  local list = {}
  for _, one in ipairs(others) do
    if one.word ~= "done" then list[#list + 1] = one end
  end
  return list
end

local function carry_out(client, record, plan, options)
  local journal = record.journal
  local function tell(event)
    if options.on_event then options.on_event(event) end
  end
  local recall = recalls.new(journal, client.action_center)
  local session = sessions.new { client = client, journal = journal, number = record.session, path = record.path,
    id = record.id, plan = plan, until_time = options.until_time, on_event = tell, recall = recall,
    rules = rules.new() }
  local entry, unshared = stops.enter(client, record.id, record.host, function(stop) session:halt(stop) end)
  if unshared then session:note("store", unshared.message) end
  session.is_shared = entry:is_shared()
  if options.is_listed then
    local listed, unlisted = records.list(record)
    if not listed then session:note("unlisted", unlisted.message) end
  end
  if options.on_session then options.on_session(session) end
  client:attach(session)
  local ok, ended, err = pcall(function()
    records.find_out(client, session)
    session.waves = waves_of(client, plan, options, recall, tell)
    return playbooks.run(plan.playbook, libraries.new(client, session), math.floor(plan.made))
  end)
  client:attach(nil)
  entry:leave()
  session:write_late()
  if not ok then
    records.close(record, { state = "paused", why = errors.show(ended), not_called = {} }, session)
    session:halt { rule = "raised", state = "paused", message = errors.show(ended) }
    for _, told in ipairs(session.unwritten) do tell { event = "unwritten", unwritten = told } end
    error(ended, 0)
  end
  local ending = endings.of(session, plan, err)
  local state, why = ending.state, ending.why
  local closed, problem = records.close(record, ending, session)
  if not closed and state == "complete" then
    state, why = "paused", "that it came to its end could not be written into its record: " .. errors.show(problem)
  end
  return { run = places.name_of(record.path, record.id), path = record.path, state = state, why = why, err = err,
    stop = session.stop, entries = session.entries, open = ending.open, pending = ending.pending,
    not_reached = ending.not_reached, not_called = ending.not_called, not_come_to = ending.not_come_to,
    differing = session.differing, others = not_done(session.others), unwritten = session.unwritten }
end

--- Carries out a plan: from now on its record says what was sent.
---@param client mde.Client
---@param plan mde.RunPlan
---@param options? mde.RunOptions
---@return mde.RunReport? report
---@return mde.Error? err nothing was sent
function M.start(client, plan, options)
  options = options or {}
  local record, err = records.create(client, plan, options.record)
  if not record then return nil, err end
  local taken
  taken, err = mark_undone(client, record, plan)
  if taken then taken, err = records.begin_session(record, client.exchange.time(), client:now()) end
  if not taken then return nil, err end
  return carry_out(client, record, plan, options)
end

--- Keeps a plan in a file, to be shown to somebody and carried out later.
---@param client mde.Client
---@param plan mde.RunPlan
---@param path string
---@param limits? table what limits and caps made of it, which is shown with it: texts, numbers, flags
---@return true?
---@return mde.Error? err
function M.save(client, plan, path, limits)
  plan.limits = limits
  local record, err = records.create(client, plan, path)
  if not record then return nil, err end
  return records.finish(record)
end

-- Whether this client guards as that which made the plan.
local function check_settings(client, plan)
  local own = bound_of(client, {})
  for name, words in pairs { protect = "protects other devices", cap = "has another cap", caps = "has other caps" } do
    if not plans.is_same(own[name], plan.settings[name]) then
      return nil, errors.new { kind = "invalid", code = "plan_of_other_settings",
        message = ("this client %s than the one that made the plan"):format(words),
        hint = "Use the same profile and --cap, or make a new plan." }
    end
  end
  return true
end

---@class mde.OpenedRun
---@field record table
---@field plan mde.RunPlan
---@field state string "planned", "running", "paused", "stopped", "broken", "complete"

--- Opens a plan that was kept, or a run.
---@param client mde.Client
---@param run string the id or path
---@return mde.OpenedRun?
---@return mde.Error? err
function M.open(client, run)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local record
  record, err = records.open(path)
  if not record then return nil, err end
  local plan, why = plans.read(record.journal)
  if not plan then
    records.abandon(record)
    return nil, errors.new { kind = "invalid", code = "plan_damaged",
      message = ("%s cannot be used: %s"):format(errors.quote(run), why), hint = "Make a new plan." }
  end
  local same
  same, err = check_tenant(client, plan)
  if not same then
    records.abandon(record)
    return nil, err
  end
  return { record = record, plan = plan, state = record.journal:run().state }
end

--- Lets the id of a run find its record again where that was moved.
---@param opened mde.OpenedRun
function M.find_again(opened)
  local _, err = places.record_of(opened.record.id)
  if err and err.code == "run_moved" then records.list(opened.record) end
end

--- Closes what M.open has opened, without a change.
---@param opened mde.OpenedRun
function M.close(opened)
  records.abandon(opened.record)
end

--- Whether a plan that was kept can still be carried out, which is possible once, in one copy of its file.
---@param opened mde.OpenedRun
---@return true?
---@return mde.Error? err plan_taken
function M.check_unused(opened)
  return records.check_unused(opened.record)
end

local function too_old(age, what, hint)
  return errors.new { kind = "invalid", code = "plan_old",
    message = ("the %s is %d minutes old; what it shows may not be so any more"):format(what, math.floor(age / 60)),
    hint = hint }
end

--- Carries out a plan that was kept. It can be carried out once, within an hour.
---@param client mde.Client
---@param opened mde.OpenedRun
---@param options? mde.RunOptions|{ stale?: boolean }
---@return mde.RunReport? report
---@return mde.Error? err nothing was sent
function M.start_opened(client, opened, options)
  options = options or {}
  local same, err = M.check_unused(opened)
  if same then same, err = check_settings(client, opened.plan) end
  local age = client:now() - opened.plan.made
  if not same then
    records.abandon(opened.record)
    return nil, err
  end
  if age > kepts.PLAN_SECONDS and not options.stale then
    records.abandon(opened.record)
    return nil, too_old(age, "plan", "Make a new one, or give --stale.")
  end
  local taken
  taken, err = mark_undone(client, opened.record, opened.plan)
  if taken then taken, err = records.begin_session(opened.record, client.exchange.time(), client:now()) end
  if not taken then return nil, err end
  return carry_out(client, opened.record, opened.plan, options)
end

---@class mde.ResumePlan what a continued run would do
---@field recorded integer steps that have a result
---@field to_send integer changes that would be sent
---@field open integer steps that were sent and not answered
---@field not_reached integer
---@field not_planned mde.PlannedChange[] what the playbook would do now, and the plan has to list and does not
---@field not_called mde.NotCalled[] planned, and neither done nor asked for any more
---@field is_changed boolean the file is not what it was
---@field raised? mde.Error what the playbook raised
---@field planning mde.Planning

-- What the plan shows and the playbook does not ask for any more, by a pass over the record.
local function not_called(planning, recall, plan)
  local entries, left = {}, {}
  for _, change in ipairs(planning.changes) do
    if not change.if_needed then entries[#entries + 1] = change end
  end
  for _, one in ipairs(planning.unresolvable) do entries[#entries + 1] = { name = one.asked, verb = one.verb } end
  for _, one in ipairs(planning.left) do
    if one.machine_id then left[one.machine_id] = one.reason end
  end
  return endings.not_called({ entries = entries, recall = recall, left = left }, plan)
end

--- What a run that is continued would do: the playbook runs over the record, and nothing is changed.
---@param client mde.Client
---@param opened mde.OpenedRun
---@param options? { stale?: boolean, modules_changed?: boolean }
---@return mde.ResumePlan?
---@return mde.Error? err
function M.replan(client, opened, options)
  options = options or {}
  local plan, journal = opened.plan, opened.record.journal
  local settled, err = client.exchange:settle_clock(client:context(SETTLE_SECONDS))
  if not settled then return nil, err end
  if opened.state == "planned" then
    return nil, errors.new { kind = "invalid", code = "run_not_begun",
      message = "this is a plan that was not carried out", hint = "Carry it out: mde run FILE." }
  end
  local age = client:now() - plan.made
  if age > RESUME_SECONDS and not options.stale then
    return nil, too_old(age, "run", "Make a new plan, or give --stale.")
  end
  local recall = recalls.new(journal, client.action_center)
  local planning = plannings.new(plan.made, recall)
  -- A playbook that raises has come so far; what is recorded and open is told all the same.
  local _, raised, modules = pass(client, plan.playbook, planning, math.floor(plan.made))
  local changed = not options.modules_changed and records.changed_module(plan, modules)
  if changed then
    return nil, errors.new { kind = "invalid", code = "module_changed",
      message = ("the module %s, which the playbook loads, is not what it was when the plan was made"):format(
        errors.quote(changed)),
      hint = "Put it back, or give --modules-changed." }
  end
  local planned = {}
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision == change.verb then planned[deeds.key(device.id, change.verb, change.subject)] = true end
    end
  end
  local found = { recorded = 0, to_send = 0, open = 0, not_reached = 0, not_planned = {}, raised = raised,
    planning = planning, not_called = not_called(planning, recall, plan),
    is_changed = records.is_changed(plan.playbook) }
  for _, change in ipairs(planning.changes) do
    if change.decision == change.verb and not change.if_needed then
      local is_planned = not deeds.is_bound(change.verb)
        or planned[deeds.key(change.machine_id, change.verb, change.subject)]
      if is_planned then
        found.to_send = found.to_send + 1
      else
        table.insert(found.not_planned, change)
      end
    end
  end
  for _, step in ipairs(recall.steps.all) do
    if not step.outcome or step.outcome == "unknown" then
      found.open = found.open + 1
    elseif step.reached then
      found.recorded = found.recorded + 1
    else
      found.not_reached = found.not_reached + 1
    end
  end
  return found
end

--- Continues a run. What was sent and not answered is found out first.
---@param client mde.Client
---@param opened mde.OpenedRun
---@param options? mde.RunOptions
---@return mde.RunReport? report
---@return mde.Error? err nothing was sent
function M.resume(client, opened, options)
  local begun, err = records.begin_session(opened.record, client.exchange.time())
  if not begun then return nil, err end
  return carry_out(client, opened.record, opened.plan, options or {})
end

--- What was interrupted while it waited is left there: the process is its own again. The client is not to be used any
--- more, for what was left would go on with it.
M.leave = playbooks.leave

--- What the cap of a verb lets through now, counting what was sent in the last hour; nil if there is no cap.
---@param client mde.Client
---@param verb? string default restrict
---@param subject? string of a quarantine: the file's SHA-1
---@return { limit: number, remaining: integer, is_counted: boolean }?
function M.cap(client, verb, subject)
  verb = verb or "restrict"
  local cap = client.caps:of(verb, subject)
  if not cap or cap.limit == math.huge then return nil end
  local _, err = cap:check(cap:slot "plan", client:context(SETTLE_SECONDS))
  local state = cap:state()
  return { limit = state.limit, remaining = state.remaining or state.limit, is_counted = not err or err.rule == "cap" }
end

--- What a run was to do, and what came of each device, from its record alone: one that is under way, has ended, was
--- killed, or was sent by somebody.
---@param run string the id or path
---@return mde.RunAccount?
---@return mde.Error? err
function M.account(run)
  local reading, err = readings.read(run)
  if not reading then return nil, err end
  return accounts.of(reading)
end

M.account_words = accounts.words
M.verify = verifications.verify
M.copy = readings.copy
M.kept = kepts.read
M.audit_lines = readings.audit_lines
M.is_run = readings.is_run
M.cap_of = records.cap_of
M.is_in_use = records.is_in_use
M.is_record = records.is_record
M.make_directory = records.make_directory
M.steps_of = records.steps_of
M.list = directories.list
M.playbook = playbooks.read
M.shown = plans.shown
M.is_expected = plans.is_expected
M.counts = plans.counts
M.count_of = plans.count_of
M.done = deeds.done
M.object = plans.object
M.stop = stops.ask
M.stop_elsewhere = stops.ask_elsewhere
M.STOP_SECONDS = stops.LOOK_SECONDS
M.is_id = places.is_id
M.record_of = places.record_of
M.name_of = places.name_of

return M
