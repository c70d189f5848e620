-- Records of runs as a test wants them: what the plan said of each device, and what came of it.
--
--   recorded.write(path, { devices = { { name = "pc-1", outcome = "accepted", status = "Succeeded" } } })

local core = require "mde.core"
local journal = require "mde.journal"
local json = require "mde.base.json"
local journals = require "tests.spec.support.journals"

local recorded = {}

-- 2026-11-29 02:58:04 UTC.
recorded.BEGAN = 1795921084

recorded.id = journals.device_id

-- What a device's plan says; one that a run only came by has none.
local function facts_of(n, device)
  if device.unplanned then return nil end
  local verb = device.verb or "restrict"
  return json.encode { order = n, tags = device.tags or {}, value = device.value, last_seen = device.last_seen,
    is_server = device.is_server or false, is_offline = device.is_offline or false, wave = device.wave,
    changes = { { verb = verb, incident = device.incident or "inc-4711", decision = device.decision or verb,
      rule = device.rule, why = device.why, reason = device.reason or "beacon", holder = device.holder } } }
end

-- What is recorded of a device's change: sent, and answered if it has an outcome.
local function write_step(file, n, device)
  local at, id = recorded.BEGAN + n, recorded.id(n)
  local verb, operation = device.verb or "restrict", device.operation or ("operation-%d"):format(n)
  local incident = device.incident or "INC-4711"
  local action = device.action or ("%08x-0000-4000-8000-000000000000"):format(n)
  local row = { id = action, status = device.first_status or "Pending", requestor = device.requestor or "mde",
    incident = device.holder, cancellationRequestor = device.cancelled_by }
  local step
  if device.outcome == "already_active" then
    step = assert(file:settled { session = 1, device = id, verb = verb, incident = core.text.lower(incident),
      arguments = "{}",
      answered = at + 1, outcome = "already_active", action = action, row = json.encode(row) })
  else
    step = assert(file:sending { session = 1, device = id, verb = verb, incident = core.text.lower(incident), at = at,
      operation = operation, comment = ("%s [mde:%s:%s]"):format(device.comment or "beacon", incident, operation),
      arguments = "{}", sent_service = at, expires = device.expires })
    if device.outcome ~= "lost" then
      assert(file:result { step = step, outcome = device.outcome, answered = at + 1,
        action = device.outcome == "accepted" and action or nil,
        row = device.outcome == "accepted" and json.encode(row) or nil,
        error = device.said and json.encode { kind = device.outcome, message = device.said } or nil })
    end
  end
  if device.status then assert(file:status(step, device.status, at + 10)) end
end

--- Writes a record. `devices`: for each its name and, if it got so far, its `outcome` ("lost": sent, no answer),
--- `status` and more; `run`, `session`: fields; `state`, `why`, `events`; `open`: no session has ended.
---@param path string
---@param told table
function recorded.write(path, told)
  local file = assert(journal.create(path, journals.run(told.run)))
  assert(file:begin())
  for n, device in ipairs(told.devices) do
    assert(file:device { id = recorded.id(n), name = device.name, platform = device.platform or "Windows11",
      facts = facts_of(n, device), wave = device.wave, decision = device.decision or "restrict", rule = device.rule,
      why = device.why })
  end
  assert(file:set_plan(journals.DIGEST))
  if told.state ~= "planned" then
    assert(file:take(recorded.BEGAN))
    local session = { began = recorded.BEGAN, host = "soc1", pid = 4711, who = "alice", mde = "0.1.0",
      digest = journals.DIGEST }
    for name, value in pairs(told.session or {}) do session[name] = value end
    assert(file:begin_session(session))
    for n, device in ipairs(told.devices) do
      if device.outcome then write_step(file, n, device) end
    end
    for i, event in ipairs(told.events or {}) do
      assert(file:event { at = recorded.BEGAN + i, kind = event[1], detail = event[2] })
    end
    if not told.open then assert(file:end_session(1, recorded.BEGAN + 100 + #told.devices)) end
    assert(file:set_state(told.state or "complete", told.why))
  end
  assert(file:commit())
  if told.open then file:close() else assert(file:finish()) end
end

--- One device for each thing that can come of one.
recorded.bad_night = {
  { name = "done.corp.example", outcome = "accepted", status = "Succeeded", wave = 1 },
  { name = "pending.corp.example", outcome = "accepted", wave = 1, is_offline = true },
  { name = "failed.corp.example", outcome = "accepted", status = "Failed", wave = 1 },
  { name = "lost.corp.example", outcome = "lost", wave = 1 },
  { name = "unknown.corp.example", outcome = "unknown", wave = 1 },
  { name = "refused.corp.example", outcome = "refused", said = "the service said no: HTTP 400", wave = 2 },
  { name = "taken-back.corp.example", outcome = "superseded", said = "bob released it", wave = 2 },
  { name = "cancelled.corp.example", outcome = "accepted", status = "Cancelled", cancelled_by = "carol", wave = 2 },
  { name = "never.corp.example", wave = 2 },
  { name = "faster.corp.example", outcome = "already_active", holder = "INC-1", wave = 2 },
  { name = "dc-1.corp.example", decision = "protected", rule = "servers", why = "it is a server",
    is_server = true },
  { name = "held.corp.example", decision = "already_active", holder = "INC-1" },
  { name = "opposite.corp.example", decision = "conflict", why = "a release is pending" },
  { name = "unread.corp.example", decision = "not_looked_at", why = "HTTP 503" },
}

return recorded
