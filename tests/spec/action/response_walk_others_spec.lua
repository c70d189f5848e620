-- Walks the rows of the table of response actions that make no action: what is recorded at once, and what follows an
-- action. Every row goes through every case of its kind, or stands in `cannot` with the reason.
-- Labels: sanitized

local core = require "mde.core"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"

local rows = core.response_actions

local MACHINE, UNKNOWN = ("a"):rep(40), ("f"):rep(40)
local NO_ACTION = "5c1f9a52-0000-4000-8000-000000000001"

local no_taking_back = "nothing takes it back"
local cannot = {
  opposite = { set_device_value = no_taking_back },
  lost_after_execution = { package_link = "it changes nothing" },
}

-- ---- what a row is tried with

-- For each of those that follow an action, of which one.
local followed = {
  cancel = function(r)
    return r:past(MACHINE, "restrict", "Pending", 60)
  end,
  package_link = function(r)
    return r:past(MACHINE, "restrict", "Succeeded", 60, { type = "CollectInvestigationPackage" })
  end,
}

local all_roles = { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution",
  "Machine.CollectForensics" }

local r, bodies, action

local function start(roles)
  r, bodies = rehearsal.new { unguarded = true, limits = false, roles = roles or all_roles,
    machines = { { id = MACHINE, computerDnsName = "a.corp.example", machineTags = { "old" } } } }, {}
  local handle = r.tenant.handle
  function r.tenant.handle(tenant, request, fault)
    if request.method == "POST" and request.url:find("/api/", 1, true) then
      bodies[#bodies + 1] = json.decode(request.body)
    end
    return handle(tenant, request, fault)
  end
end

-- The value of its option: what it changes, so that the first time it changes something.
local function value_of(row)
  for _, field in ipairs(row.fields) do
    if field.option then return field.words[3] or (field.value or row.name == "untag") and "old" or "new" end
  end
end

-- Does it, to another subject than its own if one is given.
local function act(row, subject)
  if row.kind == "records" then return r.client[row.name](r.client, subject or MACHINE, value_of(row)) end
  action = action or followed[row.name](r)
  return r.client[row.name](r.client, subject or action.id, row.has_comment and "why" or nil)
end

local function fresh(row, roles)
  start(roles)
  action = row.kind == "follows" and followed[row.name](r) or nil
end

-- Whether it is so, by the tenant's own record.
local function is_so(row)
  local machine = r.tenant:find_machine(MACHINE)
  if row.name == "cancel" then return r.tenant:find_action(action.id).status == "Cancelled" end
  if row.name == "set_device_value" then return machine.deviceValue == value_of(row) end
  local has = false
  for _, tag in ipairs(machine.machineTags) do has = has or tag == value_of(row) end
  return has == (row.name == "tag")
end

-- How often something was really changed.
local function changes()
  return r:count "machine_tagged" + r:count "machine_valued" + r:count "action_cancelled"
end

local function path_of(row)
  return row.kind == "records" and "/api/machines/" .. MACHINE .. "/" .. row.path
    or "/api/machineactions/" .. action.id .. "/" .. row.path
end

-- How often it was asked for.
local function asked(row)
  local count = 0
  for _, request in ipairs(r:requests()) do
    if request:match "^%u+ (.*)$" == path_of(row) then count = count + 1 end
  end
  return count
end

-- ---- the cases

local cases = {}

function cases.success(row)
  fresh(row)
  assert(act(row))
  assert.equal(1, asked(row))
  if #row.fields == 0 and not row.has_comment then
    assert.same({}, bodies)
    return
  end
  local body = { Comment = row.has_comment and "why" or nil }
  for _, field in ipairs(row.fields) do body[field.name] = field.option and value_of(row) or field.value end
  assert.same({ body }, bodies)
  assert.is_true(is_so(row))
  assert.equal(1, changes())
end

function cases.opposite(row)
  if row.kind == "follows" then return end
  fresh(row)
  assert.is_false(is_so(row))
  assert(act(row))
  local opposite = rows[row.opposite]
  assert(r.client[opposite.name](r.client, MACHINE, value_of(row)))
  assert.is_false(is_so(row))
  assert.equal(2, changes())
end

-- The same again: nothing is changed twice.
function cases.duplicate(row)
  fresh(row)
  for _ = 1, 2 do assert(act(row)) end
  if row.name ~= "package_link" then
    assert.is_true(is_so(row))
    assert.equal(row.name == "set_device_value" and 2 or 1, changes())
  end
end

function cases.lost_after_execution(row)
  fresh(row)
  r:fault { match = { method = "POST", path = "/" .. row.path }, fault = "gone" }
  assert(act(row))
  assert.is_true(is_so(row))
  assert.equal(1, changes())
  assert.equal(1, asked(row))
end

function cases.lost_before_execution(row)
  fresh(row)
  r:fault { match = { path = "/" .. row.path }, fault = "gone", processed = false }
  local done, err = act(row)
  if row.name == "cancel" then
    -- It is not sent again: the caller reads the action first.
    assert.equal("unknown", err.kind)
    assert.is_false(is_so(row))
    assert(act(row))
  else
    assert.truthy(done)
  end
  assert.equal(2, asked(row))
  if row.name ~= "package_link" then assert.equal(1, changes()) end
end

-- The one that the row names is enough, and without it nothing is done.
function cases.permission(row)
  local needed = row.name == "cancel" and "Machine.RestrictExecution" or row.permission:match "[^ ]+$"
  fresh(row, { "Machine.RestrictExecution" == needed and "Machine.Read.All" or "Machine.RestrictExecution" })
  if row.kind == "records" then fresh(row, { "Machine.Read.All" }) end
  local done, err = act(row)
  assert.is_nil(done)
  assert.equal("permission", err.kind, tostring(err))
  assert.truthy(err.hint:find(needed, 1, true), err.hint)
  assert.equal(0, changes())
  fresh(row, row.kind == "follows" and { needed } or { "Machine.Read.All", needed })
  assert(act(row))
end

function cases.wrong_argument(row)
  fresh(row)
  local client = r.client
  local subject = row.kind == "records" and MACHINE or action.id
  rehearsal.refused(client[row.name], client, row.kind == "records" and "" or "no id", value_of(row) or "why")
  if row.kind == "records" or row.has_comment then
    rehearsal.refused(client[row.name], client, subject, nil)
    rehearsal.refused(client[row.name], client, subject, "")
    rehearsal.refused(client[row.name], client, subject, 17)
  end
  for _, field in ipairs(row.fields) do
    if field.words[1] then
      rehearsal.refused(client[row.name], client, subject, core.text.lower(field.words[1]))
      rehearsal.refused(client[row.name], client, subject, field.words[1] .. " ")
    end
  end
  assert.equal(0, #r:requests())
end

function cases.unknown_subject(row)
  fresh(row)
  local done, err = act(row, row.kind == "records" and UNKNOWN or NO_ACTION)
  assert.is_nil(done)
  assert.equal("not_found", err.kind, tostring(err))
  assert.equal(0, changes())
end

-- ---- the walk

describe("every response that makes no action", function()
  local names, others = {}, {}
  for name in pairs(cases) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(rows) do
    if rows[name].kind ~= "acts" then others[#others + 1] = name end
  end

  for _, other in ipairs(others) do
    for _, name in ipairs(names) do
      if not (cannot[name] and cannot[name][other]) then
        it(other .. ": " .. name, function() cases[name](rows[other]) end)
      end
    end
  end

  it("goes through each case, or says why it cannot", function()
    for name, reasons in pairs(cannot) do
      assert.truthy(cases[name], name)
      for other in pairs(reasons) do assert.truthy(rows[other] and rows[other].kind ~= "acts", other) end
    end
    for _, other in ipairs(others) do
      local is_recorded = rows[other].kind == "records"
      assert.equal(is_recorded and rows[other].opposite == nil, cannot.opposite[other] ~= nil, other)
      assert.truthy(is_recorded or followed[other], other)
    end
  end)
end)
