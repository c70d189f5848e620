-- Walks the table of response actions: every row that makes an action goes through every case here, or stands in
-- `cannot` with the reason. A row that is added gets all of them. The tenant has a table of its own, so what the two do
-- not agree on shows.
-- Labels: sanitized

local core = require "mde.core"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"
local responses = require "mde.action.response"

local rows = core.response_actions

-- Why a row has no such case.
local no_taking_back = "nothing takes it back"
local no_subject = "two of its actions differ in nothing"
local others_do_it = "other devices carry it out, whatever this one runs"
local no_isolation = "it is no isolation"
local cannot = {
  opposite = { scan = no_taking_back, quarantine = no_taking_back, collect = no_taking_back },
  pending_opposite = { scan = no_taking_back, quarantine = no_taking_back, collect = no_taking_back },
  defaults = { quarantine = "a file is always named" },
  another_subject = { restrict = no_subject, release = no_subject, unisolate = no_subject, contain = no_subject,
    uncontain = no_subject, collect = no_subject },
  platform = { contain = others_do_it, uncontain = others_do_it },
  onboarding = { restrict = no_isolation, release = no_isolation, scan = no_isolation, quarantine = no_isolation,
    collect = no_isolation, unisolate = "on a device that is not onboarded it is an uncontain",
    uncontain = "on a device that is onboarded it is an unisolate" },
  repeated_isolation = { restrict = no_isolation, release = no_isolation, unisolate = no_isolation,
    uncontain = no_isolation, scan = no_isolation, quarantine = no_isolation, collect = no_isolation },
}

-- ---- what a row is tried with

local LAPTOPS = { ("a"):rep(40), ("b"):rep(40), ("c"):rep(40) }
local PRINTERS = { ("1"):rep(40), ("2"):rep(40), ("3"):rep(40) }

-- In upper case: what is sent and compared is in lower.
local FILES = { ("3395856CE81F2B7382DEE72602F798B642F14140"), ("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709") }

local all_roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate", "Machine.Scan",
  "Machine.StopAndQuarantine", "Machine.CollectForensics" }

-- The nth device that a row is for.
local function device(row, n)
  return (row.is_unmanaged and PRINTERS or LAPTOPS)[n or 1]
end

-- The options that name the nth subject, beside others.
local function options(row, n, more)
  local all = { incident = "INC-1" }
  for _, field in ipairs(row.fields) do
    if field.option then all[field.option] = field.kind == "sha1" and FILES[n or 1] or field.words[n or 1] end
  end
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

-- The nth subject as actions name it.
local function subject(row, n)
  for _, field in ipairs(row.fields) do
    if field.option then
      return field.kind == "sha1" and core.text.lower(FILES[n or 1]) or field.words[n or 1]
    end
  end
end

local function ends_itself(row) return not row.holds and not responses.releases(row.name) end

local r, bodies

-- A rehearsal whose tenant notes the bodies that it receives.
local function start(more)
  local machines = {}
  for _, id in ipairs(LAPTOPS) do
    machines[#machines + 1] = { id = id, computerDnsName = id:sub(1, 4) .. ".corp.example" }
  end
  for _, id in ipairs(PRINTERS) do
    machines[#machines + 1] = { id = id, computerDnsName = id:sub(1, 4) .. ".corp.example", osPlatform = "Linux",
      onboardingStatus = "CanBeOnboarded" }
  end
  local all = { unguarded = true, limits = false, roles = all_roles, machines = machines }
  for name, value in pairs(more or {}) do all[name] = value end
  r, bodies = rehearsal.new(all), {}
  local handle = r.tenant.handle
  function r.tenant.handle(tenant, request, fault)
    if request.method == "POST" and request.url:find("/api/", 1, true) then
      bodies[#bodies + 1] = json.decode(request.body)
    end
    return handle(tenant, request, fault)
  end
end

-- Does it, with the nth subject.
local function act(row, n, more, id)
  return r.client[row.name](r.client, id or device(row), "why", options(row, n, more))
end

local function accepted(row, n, more, id)
  local action = assert(act(row, n, more, id))
  assert.equal("accepted", action.outcome)
  return action
end

local function done(row, n, more, id)
  local action = accepted(row, n, more, id)
  assert.equal("Succeeded", (assert(action:wait())))
  return action
end

local function already_active(row, n, more, id)
  local action = assert(act(row, n, more, id))
  assert.equal("already_active", action.outcome)
  return action
end

local function not_done(kind, code, action, err)
  assert.is_nil(action)
  assert.equal(kind, err.kind, tostring(err))
  assert.equal(code, err.code, tostring(err))
  assert.is_true(rehearsal.is_one_line(tostring(err)))
  return err
end

local function check_named(err, present, wanted)
  assert.truthy(err.message:find(present .. " and not " .. wanted, 1, true), err.message)
end

-- An action that a colleague has made.
local function by_colleague(row, status, n, more)
  local of = subject(row, n)
  local fields = { type = row.type, scope = row.subject == "scope" and of or nil,
    relatedFileInfo = row.subject == "file" and { fileIdentifier = of, fileIdentifierType = "Sha1" } or nil }
  for name, value in pairs(more or {}) do fields[name] = value end
  return r:past(device(row), "restrict", status, 600, fields)
end

local function state_of(row)
  local holder = responses.holder(row.name)
  return holder and (assert(r.client:state(device(row), { of = holder }))) or nil
end

-- What the tenant wrote down of the last action that was created there.
local function last_created()
  local last
  for _, entry in ipairs(r.tenant.history) do
    if entry.event == "action_created" then last = entry end
  end
  return last
end

-- ---- the cases

local cases = {}

function cases.success(row)
  start()
  local action = accepted(row)
  assert.equal(row.type, action.type)
  assert.equal("Pending", action.status)
  assert.equal(device(row), action.machineId)
  assert.equal(26, #action.operation_id)
  assert.equal(1, action.attempts)
  assert.is_true(action.looked)
  local body = { Comment = "why [mde:INC-1:" .. action.operation_id .. "]" }
  for _, field in ipairs(row.fields) do body[field.name] = field.option and subject(row) or field.value end
  assert.same({ body }, bodies)
  local last = r:requests()[#r:requests()]
  assert.equal("POST /api/machines/" .. device(row) .. "/" .. row.path, last)
  local created = last_created()
  assert.equal(row.type, created.type)
  assert.equal(row.subject == "scope" and subject(row) or nil, created.scope)
  assert.equal(row.subject == "file" and subject(row) or nil, created.file)
  local opposite = row.opposite and rows[row.opposite]
  local releases = responses.releases(row.name)
  assert.equal(row.holds and row.changing or releases and "releasing" or nil, state_of(row))
  assert.equal("Succeeded", (assert(action:wait())))
  assert.equal(row.holds and row.state or releases and "released" or nil, state_of(row))
  assert.equal(releases, opposite ~= nil and not row.holds)
end

-- Each option has a default, which is sent.
function cases.defaults(row)
  start()
  assert.equal("accepted", assert(r.client[row.name](r.client, device(row), "why")).outcome)
  for _, field in ipairs(row.fields) do
    assert.truthy(field.value)
    assert.equal(field.value, bodies[1][field.name])
  end
end

function cases.opposite(row)
  start()
  local opposite = rows[row.opposite]
  assert.equal(row.name, opposite.opposite)
  local first = done(row)
  local second = done(opposite)
  assert.equal(opposite.holds and first.id or nil, second.overturned and second.overturned.id)
  assert.equal(opposite.holds and opposite.state or "released", state_of(row))
  assert.equal(second.id, already_active(opposite).id)
  assert.same({ row.path, opposite.path }, r:posts())
end

-- What lets a device go cancels what is pending; what holds it does not.
function cases.pending_opposite(row)
  start()
  local opposite = rows[row.opposite]
  local pending = by_colleague(opposite, "Pending")
  if row.holds then
    local err = not_done("conflict", "opposite_pending", act(row))
    assert.equal(pending.id, err.action.id)
    assert.same({}, r:posts())
    return
  end
  accepted(row)
  assert.same({ "cancel", row.path }, r:posts())
  assert.equal("Cancelled", r.tenant:find_action(pending.id).status)
end

function cases.duplicate_while_pending(row)
  start()
  local first = accepted(row)
  assert.equal(first.id, already_active(row).id)
  assert.same({ row.path }, r:posts())
end

-- What holds, and what lets go, is so already; what ends by itself is done once more.
function cases.duplicate_after_success(row)
  start()
  local first = done(row)
  local second = assert(act(row))
  assert.equal(ends_itself(row) and "accepted" or "already_active", second.outcome)
  assert.equal(not ends_itself(row), first.id == second.id)
  assert.equal(ends_itself(row) and 2 or 1, r:count "action_created")
end

function cases.another_subject(row)
  start { duplicates = "new" }
  local first = accepted(row, 2)
  if row.subject == "file" then
    assert.are_not.equal(first.id, accepted(row, 1).id)
  else
    local err = not_done("conflict", "another_scope", act(row, 1))
    assert.equal(first.id, err.action.id)
    check_named(err, subject(row, 2), subject(row, 1))
    assert.equal("Succeeded", (assert(first:wait())))
    assert.equal(subject(row, 1), done(row, 1).scope)
  end
  assert.equal(2, #r:posts())
  assert.equal(subject(row, 1), last_created().scope or last_created().file)
  if row.holds then assert.equal(row.state, state_of(row)) end
end

-- One key stands for one action, or for one of each file.
function cases.key(row)
  local key = { key = "alert-4711", resend = false }
  start()
  local first = done(row, 1, key)
  assert.equal(first.id, already_active(row, 1, key).id)
  if row.subject == "scope" then not_done("conflict", "another_scope", act(row, 2, key)) end
  assert.same({ row.path }, r:posts())
  if row.subject ~= "file" then return end
  r:fault { match = { method = "POST" }, fault = "gone", processed = false }
  local lost = select(2, act(row, 2, key))
  assert.equal("unknown", lost.kind)
  not_done("not_found", "no_such_action", r.client:find_action(lost))
  local second = accepted(row, 2, key)
  assert.are_not.equal(first.id, second.id)
  assert.equal(second.id, assert(r.client:find_action(lost)).id)
  -- The service folds one into the other, whose comment is the same.
  start { duplicates = "pending" }
  accepted(row, 1, key)
  not_done("conflict", "another_scope", act(row, 2, key))
  assert.equal(1, r:count "action_created")
end

-- What the tenant answers to a second one, which is sent unseen.
function cases.duplicate_unseen(row)
  for _, setting in ipairs { "active_request", "in_progress", "pending", "new" } do
    start { duplicates = setting }
    local pending = by_colleague(row, "Pending")
    local is_made = setting == "new" and row.duplicate ~= "refused"
    local action = assert(act(row, 1, { look = false }))
    assert.equal(is_made and "accepted" or "already_active", action.outcome, setting)
    assert.equal(not is_made, action.id == pending.id, setting)
    assert.equal(is_made and 2 or 1, r:count "action_created", setting)
    assert.same({ row.path }, r:posts())
    if row.subject and not is_made then
      local err = select(2, act(row, 2, { look = false }))
      assert.equal("conflict", err and err.kind, setting)
      if err.code == "another_scope" then
        check_named(err, subject(row, 1), subject(row, 2))
      end
      assert.equal(1, r:count "action_created")
    end
  end
end

-- In some tenants the isolation of a device that is isolated stays pending for ever.
function cases.repeated_isolation(row)
  start { repeated_isolation = "sticks" }
  done(row)
  already_active(row)
  assert.same({ row.path }, r:posts())
  local again = accepted(row, 1, { look = false })
  not_done("pending", "still_pending", again:wait { timeout = 60 })
end

function cases.lost_after_execution(row)
  start()
  r:fault { match = { method = "POST", path = "/" .. row.path }, fault = "gone" }
  local action = accepted(row)
  assert.is_true(action.reconciled)
  assert.equal(1, action.attempts)
  assert.same({ row.path }, r:posts())
  assert.equal(1, r:count "action_created")
end

function cases.lost_before_execution(row)
  local fault = { match = { method = "POST", path = "/" .. row.path }, fault = "gone", processed = false }
  start()
  r:fault(fault)
  local action = accepted(row)
  assert.equal(2, action.attempts)
  assert.same({ row.path, row.path }, r:posts())
  assert.equal(1, r:count "action_created")
  assert.equal("why [mde:INC-1:" .. action.operation_id .. "]", last_created().comment)
  start()
  r:fault(fault)
  local _, err = act(row, 1, { resend = false })
  assert.equal("unknown", err.kind)
  assert.equal(0, r:count "action_created")
end

-- A tenant that grants all roles but the one.
local function start_without(permission)
  local roles = {}
  for _, role in ipairs(all_roles) do
    if role ~= permission then roles[#roles + 1] = role end
  end
  start { roles = roles }
end

-- The right one is enough, and no other is.
function cases.permission(row)
  start_without(row.permission)
  local err = not_done("permission", "Forbidden", act(row))
  assert.equal(row.permission, err.permission)
  assert.truthy(err.hint:find(row.permission, 1, true), err.hint)
  assert.equal(0, r:count "action_created")
  start { roles = { "Machine.Read.All", row.permission } }
  accepted(row)
end

function cases.wrong_argument(row)
  start()
  local function check(code, comment, given)
    local err = rehearsal.refused(r.client[row.name], r.client, device(row), comment, given)
    if code then assert.equal(code, err.code, tostring(err)) end
  end
  check(nil, nil, options(row))
  check(nil, "", options(row))
  local own = {}
  for _, field in ipairs(row.fields) do
    if field.option then
      own[field.option] = true
      local near = subject(row):sub(1, -2)
      for _, value in ipairs { "", near, near .. "!", subject(row) .. " ", "UnManagedDevice" } do
        check("wrong_value", "why", options(row, 1, { [field.option] = value }))
      end
      check(nil, "why", options(row, 1, { [field.option] = 17 }))
      if not field.value then check("sha1_missing", "why", {}) end
    end
  end
  for _, name in ipairs(responses.verbs) do
    for _, field in ipairs(rows[name].fields) do
      if field.option and not own[field.option] then
        check("unknown_option", "why", options(row, 1, { [field.option] = field.words[1] or FILES[1] }))
      end
    end
  end
  assert.same({}, r.tenant.history)
end

function cases.platform(row)
  for code, fields in pairs { OsPlatformNotSupported = { osPlatform = "iOS" },
    ClientVersionNotSupported = { osPlatform = "Windows10", version = "1507" } } do
    start()
    fields.id = device(row)
    r.tenant:put_machine(fields)
    local err = not_done("refused", code, act(row))
    assert.truthy(err.hint:find(row.name .. " is for: " .. row.platforms, 1, true), err.hint)
    assert.equal(0, r:count "action_created")
  end
end

function cases.onboarding(row)
  start()
  local other = (row.is_unmanaged and LAPTOPS or PRINTERS)[1]
  -- What is onboarded is not contained, which is known here; of the rest the service decides.
  not_done("refused", row.is_unmanaged and "onboarded" or "InvalidInput", act(row, 1, nil, other))
  assert.equal(0, r:count "action_created")
end

-- What holds a device is judged, and nothing else.
function cases.guard(row)
  start { unguarded = false }
  r.tenant:put_machine { id = device(row), deviceValue = "High" }
  if row.holds then
    local err = not_done("protected", "machine_protected", act(row))
    assert.equal("device_values", err.rule)
    assert.same({}, r:posts())
  end
  accepted(row, 1, row.holds and { allow = { "device_values" } } or nil)
end

function cases.cap(row)
  start { client = { cap = 0 } }
  if not row.is_capped then
    accepted(row)
    return
  end
  not_done("protected", "cap_zero", act(row))
  start { client = { cap = { [row.name] = 1 } } }
  accepted(row)
  local err = not_done("protected", "cap_full", act(row, 1, nil, device(row, 2)))
  assert.equal("cap", err.rule)
  assert.equal(1, #r:posts())
  assert.equal(0, r.client:cap(row.name, row.subject == "file" and subject(row) or nil).remaining)
  if row.subject == "file" then
    accepted(row, 2, nil, device(row, 2))
  elseif row.subject then
    not_done("protected", "cap_full", act(row, 2, nil, device(row, 2)))
  end
  accepted(row, 1, { allow = { "cap" } }, device(row, 3))
end

function cases.dry_run(row)
  start()
  local action = assert(act(row, 1, { dry_run = true }))
  assert.equal("would_send", action.outcome)
  assert.equal(row.type, action.type)
  assert.equal(row.subject == "scope" and subject(row) or nil, action.scope)
  assert.same({}, r:posts())
end

function cases.cancel(row)
  start()
  local action = accepted(row)
  assert.equal("Cancelled", assert(action:cancel "mistake").status)
  local status, err = action:wait()
  assert.is_nil(status)
  assert.equal("cancelled", err.kind)
  assert.equal(responses.holder(row.name) and "none" or nil, state_of(row))
  accepted(row)
  start_without(row.permission)
  local pending = by_colleague(row, "Pending")
  local denied = not_done("permission", "Forbidden", r.client:cancel(pending.id, "mistake"))
  assert.truthy(denied.hint:find(row.permission, 1, true), denied.hint)
  assert.equal("Pending", r.tenant:find_action(pending.id).status)
end

-- ---- the walk

local names = {}
for name in pairs(cases) do names[#names + 1] = name end
table.sort(names)

describe("every response action", function()
  for _, verb in ipairs(responses.verbs) do
    for _, name in ipairs(names) do
      if not (cannot[name] and cannot[name][verb]) then
        it(verb .. ": " .. name, function() cases[name](rows[verb]) end)
      end
    end
  end

  it("goes through each case, or says why it cannot", function()
    for name, reasons in pairs(cannot) do
      assert.truthy(cases[name], name)
      for verb in pairs(reasons) do assert.is_true(responses.is_verb(verb), verb) end
    end
    for _, verb in ipairs(responses.verbs) do
      local row = rows[verb]
      local function lacks(name) return cannot[name] ~= nil and cannot[name][verb] ~= nil end
      assert.equal(row.opposite == nil, lacks "opposite", verb)
      assert.equal(row.opposite == nil, lacks "pending_opposite", verb)
      assert.equal(row.subject == nil, lacks "another_subject", verb)
      assert.equal(row.is_unmanaged, lacks "platform", verb)
      assert.equal(row.type ~= "Isolate", lacks "onboarding", verb)
      assert.equal(row.type ~= "Isolate", lacks "repeated_isolation", verb)
    end
  end)
end)
