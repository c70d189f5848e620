--- rehearsal: a playbook is planned, carried out, continued and verified in a simulated tenant, on a made-up clock.
--
-- Each night is a tenant of its own with the same machines and another trouble. What the record of the run says is
-- compared with what the tenant really did: it keeps a history of each action that it has made.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local digests = require "mde.run.digest"
local errors = require "mde.base.error"
local fixtures = require "mde.sim.model.fixture"
local json = require "mde.sim.base.json"
local mde = require "mde"
local posix = require "mde.posix"
local runs = require "mde.run"
local schema = require "mde.sim.odata.schema"
local sim = require "mde.sim"
local variables = require "mde.base.environment"

-- A run that cannot be brought to its end in so many sessions is told as it is then.
local MAX_SESSIONS = 30
local LATENCY_SECONDS = 0.2
-- When a person goes on: who sees that the cap is full waits for the hour to end.
local PAUSE_SECONDS, CAP_PAUSE_SECONDS = 60, 3600

local M = {}

---@class mde.cli.Night
---@field name string
---@field about string what is wrong, for a person
---@field options? table of the tenant (mde.sim)
---@field halt_at? number the first session is cut off when this part of the devices is done, 0 to 1
---@field colleague? boolean somebody else cuts some of the devices off meanwhile, and lets some go
---@field poor? boolean some devices are off, and on some the action fails

-- Of what is posted to a machine: all that a playbook does goes wrong, and not its restrictions alone.
local function posts(rule)
  rule.match.method = "POST"
  rule.match.path = "/machines/"
  return rule
end

---@type mde.cli.Night[]
M.nights = {
  { name = "quiet", about = "nothing goes wrong" },
  { name = "busy", about = "the service throttles, fails and answers late",
    options = { faults = {
      posts { match = { nth = 4 }, fault = "throttled", seconds = 20, count = 3 },
      { match = { method = "GET", path = "machineactions", nth = 2 }, fault = "answer", status = 503, count = 2 },
      posts { match = { nth = 30 }, fault = "answer", status = 500, count = 4 },
      posts { match = { nth = 60 }, fault = "throttled", seconds = 45, form = "date", count = 8 },
    } } },
  { name = "lost", about = "answers are lost after the service acted, and the run is cut off in its midst",
    options = { faults = {
      posts { match = { nth = 3 }, fault = "gone", count = 2 },
      posts { match = { nth = 40 }, fault = "gone", count = 5 },
      posts { match = { nth = 90 }, fault = "cut", at = "head", count = 5 },
    } }, halt_at = 0.4 },
  { name = "crossed", about = "colleagues act meanwhile, some devices are off, some actions fail",
    colleague = true, poor = true },
}

-- ---- the machines

local function unusable(path, why)
  errors.invalid("fleet_unusable", ("the fleet %s cannot be used: %s"):format(errors.quote(path), errors.show(why)),
    "Make it by mde machines --json all >fleet.json, or write a fixture (sim.md).")
end

-- A machine as the service told it: what the tenant knows no property of is left out.
local function machine_of(row)
  local machine = {}
  for name, value in pairs(row) do
    local property = schema.machine.properties[name]
    if property and property.name == name and not schema.problem(schema.machine, name, value, {}) then
      machine[name] = value
    end
  end
  return machine
end

-- The lines of mde machines --json; nil if the file is something else.
local function read_lines(path)
  local file, why = io.open(path, "rb")
  if not file then return unusable(path, why) end
  local list = {}
  for line in file:lines() do
    local row = line:find "%S" and json.decode(line)
    if line:find "%S" and not (type(row) == "table" and type(row.id) == "string") then
      file:close()
      return nil
    end
    if row then list[#list + 1] = machine_of(row) end
  end
  file:close()
  return list[1] and list or nil
end

--- The machines of a rehearsal, as options of a tenant. Raises for a file that has none.
---@param path? string what mde machines --json wrote, or a fixture; default the simulated tenant's own
---@return table options
function M.fleet(path)
  if not path then return {} end
  local machines = read_lines(path)
  return machines and { machines = machines } or { fixture = path }
end

--- A night of the user's own: a fixture that says what goes wrong.
---@param path string
---@return mde.cli.Night
function M.night_of_file(path)
  local ok, options = pcall(fixtures.read, path)
  if not ok then
    errors.invalid("faults_unusable", ("the faults %s cannot be used: %s"):format(errors.quote(path),
      errors.show(options)), "Write a fixture (sim.md): { faults = { ... } }.")
  end
  local name = path:match "([^/]+)$":gsub("%.[A-Za-z0-9]+$", "")
  return { name = name, about = "what " .. path .. " says", options = options }
end

--- A new directory for records that are not to be kept. Raises if it cannot be made.
---@return string path
function M.new_directory()
  local bytes, problem = posix.entropy.bytes(8)
  if not bytes then error(errors.new { kind = "unavailable", code = "no_entropy", message = problem }, 0) end
  -- In memory, if the system has a place for that: a run waits for the disk twice for each device.
  local path = ("%s/mde-rehearsal-%s"):format(variables.get "XDG_RUNTIME_DIR" or variables.get "TMPDIR" or "/tmp",
    digests.hex(bytes))
  local made, err = runs.make_directory(path)
  if not made then error(err, 0) end
  return path
end

--- Removes it, with the records of these nights.
---@param path string
---@param nights mde.cli.Night[]
function M.remove_directory(path, nights)
  for _, night in ipairs(nights) do
    local record = ("%s/%s"):format(path, night.name)
    for _, ending in ipairs { ".db", ".db-journal", ".lock", ".stop" } do os.remove(record .. ending) end
  end
  os.remove(path)
end

-- ---- the tenant and its client

-- A store of this process in the place of the one that MDE_STORE names: a rehearsal must not count there.
local function new_store(now)
  local values = {}
  local function live(key)
    local one = values[key]
    if one and one.ends and one.ends <= now() then values[key] = nil end
    return values[key]
  end
  local place = {}
  function place.get(_, key) return live(key) and values[key].text end
  function place.safe_set(_, key, text, seconds)
    values[key] = { text = text, ends = seconds and seconds > 0 and now() + seconds or nil }
    return true
  end
  function place.safe_add(_, key, text, seconds)
    if live(key) then return false, "exists" end
    return place:safe_set(key, text, seconds)
  end
  function place.delete(_, key) values[key] = nil end
  return place
end

---@class mde.cli.RehearsalStage
---@field tenant table
---@field options mde.ClientOptions
---@field store? table

-- What a playbook may do is asked of the real tenant, by mde doctor: the application of a rehearsal may do everything.
local function every_role()
  local roles, known = { "Machine.Read.All", "Machine.ReadWrite.All" }, {}
  for _, verb in ipairs(deeds.verbs) do
    local role = core.response_actions[verb].permission
    if not known[role] then roles[#roles + 1] = role end
    known[role] = true
  end
  return roles
end

-- The roles that a file names. One that cannot be read is told when the tenant is made.
local function roles_of_file(path)
  local ok, told = pcall(fixtures.read, path)
  return ok and told.roles or nil
end

local function new_stage(night, fleet, client_options)
  local options = {}
  for name, value in pairs(night.options or {}) do options[name] = value end
  for name, value in pairs(fleet) do options[name] = value end
  options.roles = options.roles or fleet.fixture and roles_of_file(fleet.fixture) or every_role()
  local ok, tenant = pcall(sim.new, options)
  if not ok then return unusable(fleet.fixture or night.name, tenant) end
  local own = { tenant_id = tenant.tenant_id, client_id = tenant.client_id, credential = tenant.client_secret,
    cloud = "commercial", authority = "https://login.microsoftonline.com",
    base_url = "https://api.security.microsoft.com", scope = "https://api.securitycenter.microsoft.com/.default" }
  for name, value in pairs(client_options) do own[name] = value end
  if tenant.options.limits == false then own.limits = false end
  if variables.get "MDE_STORE" then own.store = new_store(tenant.clock.now) end
  return { tenant = tenant, options = own }
end

-- A client of a process of its own, as a session that goes on after a crash has one.
local function new_client(stage)
  local own = { driver = stage.tenant:driver { latency = LATENCY_SECONDS } }
  -- What is recorded and told has the times of the night.
  own.driver.time = stage.tenant.clock.now
  for name, value in pairs(stage.options) do own[name] = value end
  local client, err = mde.client(own)
  if not client then error(err, 0) end
  return client
end

-- ---- what goes wrong meanwhile

-- Every eleventh device is off, and on every thirteenth the action fails.
local function impair(tenant, plan)
  for i, device in ipairs(plan.devices) do
    if i % 11 == 0 then tenant:put_machine { id = device.id, offline = true } end
    if i % 13 == 0 then tenant:put_machine { id = device.id, failing = true } end
  end
end

local function by_hand(tenant, id, row)
  local now = core.timestamp.write(tenant.clock.now())
  tenant:insert_action { machineId = id, type = row.type, scope = row.subject == "scope" and row.fields[1].value or nil,
    status = "Succeeded", requestor = "colleague@corp.example",
    requestorComment = "by hand", creationDateTimeUtc = now, lastUpdateDateTimeUtc = now }
end

-- What cuts a device off of what is planned for it, and what takes that back; nil where nothing does.
local function pair_of(device)
  for _, change in ipairs(device.changes) do
    local row = core.response_actions[change.verb]
    local opposite = row.opposite and core.response_actions[row.opposite]
    if opposite then return row.holds and row or opposite, row.holds and opposite or row end
  end
end

-- Somebody else restricts, say, one of the devices whose turn is still to come, and releases the one after it, which
-- was planned before: that supersedes the plan.
local function meddle(tenant, plan, done)
  local first, second = plan.devices[done + 10], plan.devices[done + 11]
  if done % 20 ~= 10 or not second then return end
  local cuts_off = pair_of(first)
  local _, takes_back = pair_of(second)
  if cuts_off then by_hand(tenant, first.id, cuts_off) end
  if takes_back then by_hand(tenant, second.id, takes_back) end
end

-- ---- verifying

-- What the tenant made of each device, by operation id.
local function made_by(tenant)
  tenant:settle()
  local made = {}
  for _, action in ipairs(tenant.actions) do
    local _, _, operation = core.comment.parse(action.requestorComment)
    if operation then
      local key = core.text.lower(action.machineId or "") .. " " .. operation
      made[key] = (made[key] or 0) + 1
    end
  end
  return made
end

---@class mde.cli.Verdict what a rehearsal found where the record and the tenant differ
---@field twice string[] devices for which one step became two actions
---@field missing string[] devices of which the record says "accepted" and the tenant has nothing
---@field unrecorded string[] devices to which the tenant did what the record does not have

local function verify(tenant, path)
  local steps, err = runs.steps_of(path)
  if not steps then error(err, 0) end
  local made, verdict = made_by(tenant), { twice = {}, missing = {}, unrecorded = {} }
  for _, step in ipairs(steps) do
    local key = step.device .. " " .. tostring(step.operation)
    local count = made[key] or 0
    made[key] = nil
    if count > 1 then table.insert(verdict.twice, step.device) end
    if count == 0 and step.outcome == "accepted" then table.insert(verdict.missing, step.device) end
  end
  for key in pairs(made) do table.insert(verdict.unrecorded, key:match "^%S*") end
  return verdict
end

-- ---- a night

---@class mde.cli.NightReport
---@field night mde.cli.Night
---@field plan? mde.RunPlan
---@field report? mde.RunReport of the last session
---@field sessions integer
---@field seconds number on the made-up clock, from the plan to the end
---@field sent integer response actions that the tenant received
---@field reads integer
---@field path string of the record
---@field verdict? mde.cli.Verdict
---@field err? mde.Error why it could not be planned or carried out

-- Whether a request tells a machine to do something.
local function is_response(path)
  local last = path:match "/machines/[^/]+/([^/]+)$"
  for _, verb in ipairs(last and deeds.verbs or {}) do
    if last == core.response_actions[verb].path then return true end
  end
  return false
end

local function count_requests(tenant)
  local sent, reads = 0, 0
  for _, entry in ipairs(tenant.history) do
    if entry.event == "request" and entry.method == "POST" and is_response(entry.path) then
      sent = sent + 1
    elseif entry.event == "request" and entry.method == "GET" then
      reads = reads + 1
    end
  end
  return sent, reads
end

-- What happens while a session works.
local function watch(night, stage, plan, sessions)
  local done, session = 0, nil
  local halt_at = night.halt_at and sessions == 1 and math.floor(#plan.devices * night.halt_at)
  return function(one) session = one end, function(event)
    if event.event ~= "ended" then return end
    done = done + 1
    if night.colleague then meddle(stage.tenant, plan, done) end
    if halt_at and done == halt_at then
      session:halt { rule = "rehearsal", state = "stopped", message = "the rehearsal has cut the session off" }
    end
  end
end

local function session_options(night, stage, plan, sessions)
  local on_session, on_event = watch(night, stage, plan, sessions)
  -- Nobody is there to be asked; what waits behind a gate is let through, and the report says so.
  return { on_session = on_session, on_event = on_event, ask_gate = function() return true end }
end

local function resume(stage, night, plan, path, sessions)
  local client = new_client(stage)
  local opened, err = runs.open(client, path)
  if not opened then return nil, err end
  local found
  found, err = runs.replan(client, opened, { stale = true })
  if not found then
    runs.close(opened)
    return nil, err
  end
  return runs.resume(client, opened, session_options(night, stage, plan, sessions))
end

local function may_go_on(report, sessions)
  return report.state ~= "complete" and sessions < MAX_SESSIONS and not (report.stop and report.stop.rule == "auth")
end

local function carry_out(result, stage, night, client)
  local plan = result.plan
  local report, err = runs.start(client, plan, (function()
    local options = session_options(night, stage, plan, 1)
    options.record = result.path
    return options
  end)())
  result.sessions = 1
  while report and may_go_on(report, result.sessions) do
    client.driver.sleep(report.stop and report.stop.rule == "cap" and CAP_PAUSE_SECONDS or PAUSE_SECONDS)
    result.sessions = result.sessions + 1
    report, err = resume(stage, night, plan, result.path, result.sessions)
  end
  result.report, result.err = report, err
end

--- Rehearses a playbook in one night.
---@param night mde.cli.Night
---@param options { fleet: table, client: mde.ClientOptions, plan: mde.PlanOptions, path: string }
---@return mde.cli.NightReport
function M.run(night, options)
  local stage = new_stage(night, options.fleet, options.client)
  local client = new_client(stage)
  local result = { night = night, sessions = 0, path = options.path }
  local began = client:now()
  result.plan, result.err = runs.plan(client, options.plan)
  if result.plan then
    if night.poor then impair(stage.tenant, result.plan) end
    local counts = runs.counts(result.plan)
    if counts.to_send > 0 then carry_out(result, stage, night, client) end
    if result.report then result.verdict = verify(stage.tenant, result.path) end
  end
  result.seconds = client:now() - began
  result.sent, result.reads = count_requests(stage.tenant)
  return result
end

return M
