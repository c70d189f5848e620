-- What the record of a run says, compared with what the service says.
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local verifications = require "mde.run.verification"

describe("a run that is verified", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(3), limits = false } end)

  after_each(function() stage.remove() end)

  local function ran(more)
    local _, _, path = assert(stage.start(assert(stage.plan(playbooks.restrict(3, more)))))
    return path
  end

  local WAIT = "local list = {} for i, r in ipairs(results) do list[i] = r.value end mde.wait(list)"

  local function kinds_of(verification)
    local list = {}
    for i, one in ipairs(verification.differences) do list[i] = one.kind end
    return list
  end

  it("is as the service says, by one list", function()
    local account = assert(runs.account(ran(WAIT)))
    local before = #stage.rehearsal:requests()
    local told = assert(runs.verify(stage.client, account))
    assert.same({}, told.differences)
    assert.equal(3, told.compared)
    assert.equal(3, told.actions)
    assert.equal(before + 1, #stage.rehearsal:requests())
    assert.is_true(math.abs(told.verified_at - stage.client:now()) < 60)
  end)

  it("reads a list for each response that the run used, and sees who took back an isolation", function()
    stage.tenant:put_application { client_id = stage.tenant.client_id, client_secret = stage.tenant.client_secret,
      roles = { "Machine.ReadWrite.All", "Machine.RestrictExecution", "Machine.Isolate", "Machine.Scan" } }
    local account = assert(runs.account(ran [[
      local mde = require "mde"
      for i = 1, 2 do
        local pc = ("pc-%d.corp.example"):format(i)
        assert(mde.isolate(pc, "beacon"))
        assert(mde.scan(pc, "beacon"))
      end]]))
    stage.client.exchange.sleep(24 * 3600)
    stage.tenant:insert_action { machineId = playbooks.id(1), type = "Unisolate", status = "Succeeded",
      requestor = "a.colleague@corp.example", requestorComment = "fine" }
    stage.client.exchange.sleep(60)
    local before = #stage.rehearsal:requests()
    local told = assert(runs.verify(stage.client, account))
    assert.is_true(#stage.rehearsal:requests() - before >= 3)
    local reversed = {}
    for _, one in ipairs(told.differences) do
      if one.kind == "reversed" then reversed[#reversed + 1] = one.verb .. ": " .. one.words end
    end
    assert.same({ "isolate: unisolated since by a.colleague@corp.example" }, reversed)
    assert.equal(7, told.compared)
  end)

  it("has gone on since", function()
    local account = assert(runs.account(ran()))
    stage.client.exchange.sleep(3600)
    local told = assert(runs.verify(stage.client, account))
    assert.same({ "status", "status", "status" }, kinds_of(told))
    assert.matches("the record says Pending, and the service says Succeeded", told.differences[1].words)
    assert.equal("pc-1.corp.example", told.differences[1].name)
  end)

  it("was in the tenant of the client", function()
    local account = assert(runs.account(ran()))
    account.run.tenant_id = "7e000000-0000-4000-8000-00000000ffff"
    local told, err = runs.verify(stage.client, account)
    assert.is_nil(told)
    assert.equal("plan_of_another", err.code)
  end)

  it("is not verified where the service does not answer", function()
    local account = assert(runs.account(ran()))
    stage.rehearsal:answer({ method = "GET", path = "machineactions" }, 503, "{}", { count = false })
    local told, err = runs.verify(stage.client, account)
    assert.is_nil(told)
    assert.equal("unavailable", err.kind)
    assert.matches("verify the run", tostring(err))
  end)

  it("tells of a device that somebody has released since", function()
    local account = assert(runs.account(ran(WAIT)))
    stage.client.exchange.sleep(3600)
    local action = assert(stage.client:release(playbooks.id(2), "cleared by hand"))
    local told = assert(runs.verify(stage.client, account))
    assert.same({ "reversed" }, kinds_of(told))
    assert.equal(playbooks.id(2), told.differences[1].machine_id)
    assert.equal(action.id, told.differences[1].action_id)
    assert.matches("^released since by .*, which the device has not done yet$", told.differences[1].words)
    assert(action:wait())
    told = assert(runs.verify(stage.client, account))
    assert.same({ "reversed" }, kinds_of(told))
    assert.matches("^released since by [^,]*$", told.differences[1].words)
  end)

  -- A run of which two devices are restricted and one is still pending, and its undo.
  local function undone()
    local path = ran()
    stage.tenant:put_machine { id = playbooks.id(3), offline = true }
    stage.client.exchange.sleep(3600)
    assert(stage.client:state(playbooks.id(1)))
    local plan = assert(runs.plan_undo(stage.client, path, "false alarm"))
    local by = stage.path()
    assert.equal("complete", assert(runs.start(stage.client, plan, { record = by })).state)
    stage.client.exchange.sleep(3600)
    return path, by
  end

  it("does not differ by what its undo has taken back, and tells that", function()
    local path, by = undone()
    local told = assert(runs.verify(stage.client, assert(runs.account(path))))
    local account = assert(runs.account(path))
    for _, one in ipairs(told.differences) do assert.not_equal("reversed", one.kind) end
    assert.same({ by = by, taken_back = 3, is_readable = true }, told.undone)
    assert.equal(by, account.run.undone_by)
    -- What somebody else has done since is no work of the undo.
    stage.rehearsal:past(playbooks.id(1), "restrict", "Succeeded", 600)
    stage.rehearsal:past(playbooks.id(1), "release", "Succeeded", 300, { requestor = "carol" })
    told = assert(runs.verify(stage.client, account))
    assert.equal(2, told.undone.taken_back)
    assert.matches("released since by carol", told.differences[#told.differences].words, 1, true)
  end)

  it("says that the record of its undo is not here, or is of something else", function()
    local path, by = undone()
    for _, spoil in ipairs { "rm -f %s", "mkfifo %s", "rm -f %s; cp " .. path .. " %s" } do
      os.execute((spoil:gsub("%%s", by)))
      local told = assert(runs.verify(stage.client, assert(runs.account(path))))
      assert.same({ by = by, taken_back = 0, is_readable = false }, told.undone)
      assert.is_true(#told.differences >= 3)
    end
  end)

  -- ---- one change against one list

  local MACHINE, OTHER = playbooks.id(1), playbooks.id(2)

  local function account_of(change)
    local own = { n = 1, verb = "restrict", attempts = 1, outcome = "accepted", status = "Succeeded",
      operation_id = "operation-1", action_id = "action-1" }
    for name, value in pairs(change or {}) do own[name] = value end
    return { run = {}, devices = { { id = MACHINE, name = "pc-1", changes = { own } },
      { id = OTHER, name = "pc-2", changes = {} } } }
  end

  local function row(fields)
    local own = { id = "action-1", machineId = MACHINE, type = "RestrictCodeExecution", status = "Succeeded",
      requestorComment = "beacon [mde:INC-1:operation-1]" }
    for name, value in pairs(fields or {}) do own[name] = value end
    return own
  end

  for name, case in pairs {
    ["as it is recorded"] = { rows = { row() } },
    ["with its id in other case"] = { rows = { row { id = "ACTION-1", machineId = MACHINE:upper() } } },
    ["with a comment that the service has cut"] = { rows = { row { requestorComment = "beacon [mde:INC" } } },
    ["without a comment"] = { rows = { { id = "action-1", machineId = MACHINE, type = "RestrictCodeExecution",
      status = "Succeeded" } } },
    ["beside those of others"] = { rows = { row(), row { id = "action-2",
      requestorComment = "theirs [mde:INC-1:operation-2]" } } },
    ["not in the service's list"] = { rows = {}, kinds = { "missing" } },
    ["with a row that is none"] = { rows = { row { machineId = 5, id = {}, type = false } },
      kinds = { "missing", "unrecorded" } },
    ["with another status"] = { rows = { row { status = "Failed" } }, kinds = { "status" } },
    ["under another operation id"] = { rows = { row { requestorComment = "beacon [mde:INC-1:operation-9]" } },
      kinds = { "other" } },
    ["twice in the service"] = { rows = { row(), row { id = "action-2" } }, kinds = { "unrecorded" } },
    ["as another action"] = { rows = { row { id = "action-7" } }, kinds = { "unrecorded" } },
    ["on another device"] = { rows = { row(), row { id = "action-2", machineId = OTHER } },
      kinds = { "unrecorded" } },
    ["as the opposite"] = { rows = { row(), row { id = "action-2", type = "UnrestrictCodeExecution" } },
      kinds = { "unrecorded" } },
    ["of which no answer is recorded, in the list"] = { change = { outcome = false, status = false,
      action_id = false }, rows = { row() }, kinds = { "found" } },
    ["of which no answer is recorded, not in the list"] = { change = { outcome = "unknown", status = false,
      action_id = false }, rows = {} },
    ["that was refused, in the list"] = { change = { outcome = "refused", status = false, action_id = false },
      rows = { row() }, kinds = { "found" } },
    ["that somebody has released since"] = { rows = { row { lastUpdateDateTimeUtc = "2026-11-29T02:58:04Z" },
      row { id = "action-2", type = "UnrestrictCodeExecution", requestorComment = "cleared [mde:INC-9:operation-9]",
        requestor = "carol", lastUpdateDateTimeUtc = "2026-11-29T02:59:04Z" } }, kinds = { "reversed" },
      words = "released since by carol (INC-9)" },
    ["that is being released"] = { rows = { row(), row { id = "action-2", type = "UnrestrictCodeExecution",
      requestorComment = "cleared", requestor = "carol", status = "Pending" } }, kinds = { "reversed" },
      words = "released since by carol, which the device has not done yet" },
    ["that somebody had released before"] = { rows = { row { lastUpdateDateTimeUtc = "2026-11-29T02:58:04Z" },
      row { id = "action-2", type = "UnrestrictCodeExecution", requestorComment = "cleared",
        lastUpdateDateTimeUtc = "2026-11-29T02:57:04Z" } } },
    ["whose release failed"] = { rows = { row(), row { id = "action-2", type = "UnrestrictCodeExecution",
      requestorComment = "cleared", status = "Failed" } } },
    ["beside a release of which the times do not tell"] = { rows = { row(), row { id = "action-2",
      type = "UnrestrictCodeExecution", requestorComment = "cleared" } }, kinds = { "reversed" },
      words = "somebody has done the opposite, and the times do not tell whether before or since" },
    ["that was so already, and that somebody has released since"] = { change = { attempts = 0,
      outcome = "already_active", status = false }, rows = { row { id = "action-2", type = "UnrestrictCodeExecution",
      requestorComment = "cleared", requestor = "carol" } }, compared = 0, kinds = { "reversed" },
      words = "released since by carol" },
    ["a release, of a device that somebody has restricted since"] = { change = { verb = "release" }, rows = {
      row { type = "UnrestrictCodeExecution", lastUpdateDateTimeUtc = "2026-11-29T02:58:04Z" },
      row { id = "action-2", requestorComment = "again", requestor = "carol\27",
        lastUpdateDateTimeUtc = "2026-11-29T02:59:04Z" } }, kinds = { "reversed" },
      words = "restricted since by carol\\x1b" },
    ["that was not sent"] = { change = { attempts = 0, outcome = "already_active" }, rows = {}, compared = 0 },
  } do
    it("has a change " .. name, function()
      local change = {}
      for field, value in pairs(case.change or {}) do change[field] = value end
      local account = account_of(change)
      for field, value in pairs(change) do
        if value == false then account.devices[1].changes[1][field] = nil end
      end
      local told = verifications.compare(account, case.rows, 1796000000)
      assert.same(case.kinds or {}, kinds_of(told))
      assert.equal(case.compared or 1, told.compared)
      for _, one in ipairs(told.differences) do assert.equal("string", type(one.words)) end
      if case.words then assert.equal(case.words, told.differences[1].words) end
    end)
  end

  it("shows what others have chosen written out", function()
    local told = verifications.compare(account_of(), { row { status = "\27[2J\226\128\174" } }, 1796000000)
    assert.truthy(told.differences[1].words:find("\\x1b[2J\\xe2\\x80\\xae", 1, true))
  end)
end)
