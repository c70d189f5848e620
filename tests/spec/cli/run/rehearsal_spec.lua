-- What a rehearsal does to a run, and whether it would see that the run was wrong.
-- Labels: not-lua5.3
local json = require "mde.base.json"
local playbooks = require "mde.run.playbook"
local rehearsal = require "mde.cli.run.rehearsal"
local runs = require "mde.run"
local sim = require "mde.sim"
local shell = require "tests.spec.support.process.shell"
local fleets = require "tests.spec.support.playbooks"

describe("a rehearsal", function()
  local directory
  before_each(function() directory = shell.new_directory_in_memory() end)
  after_each(function() shell.remove(directory) end)

  local function night_of(name)
    for _, night in ipairs(rehearsal.nights) do
      if night.name == name then return night end
    end
  end

  local function rehearse(night, count, more, cap)
    return rehearsal.run(night, { fleet = { machines = fleets.fleet(count) }, path = directory .. "/night.db",
      client = { protect = { servers = false }, cap = cap or false },
      plan = { playbook = assert(playbooks.of_text("contain.lua", fleets.restrict(count, more), {})), waves = false } })
  end

  local function assert_verified(result)
    assert.same({ twice = {}, missing = {}, unrecorded = {} }, result.verdict)
  end

  it("in a quiet night restricts each once, and verifies that", function()
    local result = rehearse(night_of "quiet", 12)
    assert.is_nil(result.err)
    assert.same({ "complete", 1, 12 }, { result.report.state, result.sessions, result.sent })
    assert_verified(result)
  end)

  it("in a busy night sends what was throttled again", function()
    local result = rehearse(night_of "busy", 80)
    assert.equal("complete", result.report.state, result.report.why)
    assert.is_true(result.sent > 80)
    assert_verified(result)
  end)

  it("in a night of lost answers goes on in a second session, and does nothing twice", function()
    local result = rehearse(night_of "lost", 60)
    assert.equal("complete", result.report.state, result.report.why)
    assert.is_true(result.sessions >= 2)
    assert_verified(result)
  end)

  it("in a crossed night leaves what a colleague released, and says so", function()
    local result = rehearse(night_of "crossed", 130)
    local superseded = 0
    for _, entry in ipairs(result.report.entries) do
      if entry.err and entry.err.kind == "superseded" then superseded = superseded + 1 end
    end
    assert.is_true(superseded >= 1)
    assert_verified(result)
  end)

  -- A playbook that isolates is put to the same tests.
  for name, check in pairs {
    busy = function(result) assert.is_true(result.report.state == "complete" and result.sent > 130) end,
    lost = function(result) assert.is_true(result.report.state == "complete" and result.sessions >= 2) end,
    crossed = function(result)
      local kinds = {}
      for _, entry in ipairs(result.report.entries) do if entry.err then kinds[entry.err.kind] = true end end
      assert.is_true(kinds.superseded)
    end,
  } do
    it(("isolates in a %s night, too"):format(name), function()
      local text = fleets.restrict(130):gsub("mde%.restrict", "mde.isolate")
      local result = rehearsal.run(night_of(name), { fleet = { machines = fleets.fleet(130) },
        path = directory .. "/night.db", client = { protect = { servers = false }, cap = false },
        plan = { playbook = assert(playbooks.of_text("contain.lua", text, {})), waves = false } })
      assert.is_nil(result.err)
      check(result)
      assert_verified(result)
    end)
  end

  it("gives its application the roles of a fixture that names some", function()
    local path = directory .. "/fixture.lua"
    shell.write_file(path, ("return { roles = { 'Machine.Read.All' }, machines = { { id = '%s', "
      .. "computerDnsName = 'pc-1.corp.example' } } }\n"):format(fleets.id(1)))
    local result = rehearsal.run(night_of "quiet", { fleet = rehearsal.fleet(path), path = directory .. "/night.db",
      client = { protect = { servers = false } },
      plan = { playbook = assert(playbooks.of_text("contain.lua", fleets.restrict(1), {})) } })
    assert.equal("permission", result.report.entries[1].err.kind)
  end)

  it("records the times of its own clock, those of the audit events too", function()
    local result = rehearse(night_of "lost", 60)
    local account = assert(runs.account(result.path))
    local first, last = account.sessions[1], account.sessions[#account.sessions]
    assert.is_true(#account.sessions >= 2)
    -- From the plan to the end the same time passes in the record as on that clock.
    assert.is_true(math.abs(last.ended_at - account.run.made_at - result.seconds) < 30,
      ("%s and %s"):format(last.ended_at - account.run.made_at, result.seconds))
    assert.is_true(last.began_at - first.ended_at >= 60)
    assert.is_true(account.timeline.ended - account.timeline.began >= 60)
    local latest = 0
    for _, line in ipairs(assert(runs.audit_lines(result.path))) do
      local event = assert(json.decode(line))
      local own = event.unmapped.mde
      latest = math.max(latest, event.time / 1000)
      assert.is_true(event.time / 1000 >= first.began_at)
      assert.is_true(not own.sent_at or own.sent_at >= first.began_at and own.sent_at <= last.ended_at)
    end
    assert.is_true(latest >= last.began_at)
  end)

  it("waits in the record, too, for the hour of a full cap", function()
    local result = rehearse(night_of "quiet", 3, nil, 2)
    local sessions = assert(runs.account(result.path)).sessions
    assert.equal(2, #sessions)
    assert.is_true(sessions[2].began_at - sessions[1].began_at >= 3600)
  end)

  it("tells of a playbook that raises, and of one that cannot be planned", function()
    local result = rehearse(night_of "quiet", 2, "if results[1].value.outcome ~= 'planned' then error 'later' end")
    assert.equal("broken", result.report.state)
    result = rehearse(night_of "quiet", 2, "error 'at once'")
    assert.matches("at once", tostring(result.err))
    assert.is_nil(result.report)
  end)

  -- A record that lies, and a tenant that acted twice: what the verification is for.
  for what, spoil in pairs {
    missing = function(steps) steps[1].operation = "operation-of-nobody" end,
    unrecorded = function(steps) table.remove(steps, 1) end,
    twice = function(_, tenant)
      local first = tenant.actions[1]
      tenant:insert_action { machineId = first.machineId, type = first.type, status = "Succeeded",
        requestorComment = first.requestorComment }
    end,
  } do
    it("sees that something is " .. what, function()
      local steps_of, new, tenant = runs.steps_of, sim.new, nil
      finally(function() runs.steps_of, sim.new = steps_of, new end)
      function sim.new(options)
        tenant = new(options)
        return tenant
      end
      function runs.steps_of(path)
        local steps = steps_of(path)
        spoil(steps, tenant)
        return steps
      end
      local result = rehearse(night_of "quiet", 3)
      assert.equal(1, #result.verdict[what])
    end)
  end

  it("takes the machines of a file that mde machines has written, and leaves out what it does not know", function()
    local path = directory .. "/fleet.json"
    shell.write_file(path, ('{"id":"%s","computerDnsName":"a.corp.example","osBuild":"x","novelty":1}\n'):format(
      fleets.id(1)))
    assert.same({ machines = { { id = fleets.id(1), computerDnsName = "a.corp.example" } } }, rehearsal.fleet(path))
    local fixture = directory .. "/fixture.lua"
    shell.write_file(fixture, "return { machines = {} }\n")
    assert.same({ fixture = fixture }, rehearsal.fleet(fixture))
    local ok, err = pcall(rehearsal.fleet, directory .. "/nothing.json")
    assert.is_false(ok)
    assert.equal("fleet_unusable", err.code)
  end)

  it("takes what goes wrong from a file, and refuses one that says nothing", function()
    local path = directory .. "/storm.lua"
    shell.write_file(path,
      "return { faults = { { match = { method = 'POST', path = 'machines' }, fault = 'throttled' } } }\n")
    local night = rehearsal.night_of_file(path)
    assert.equal("storm", night.name)
    local result = rehearse(night, 4)
    assert.equal(5, result.sent)
    shell.write_file(path, "return { faulty = 1 }\n")
    local ok, err = pcall(rehearsal.night_of_file, path)
    assert.is_false(ok)
    assert.equal("faults_unusable", err.code)
  end)
end)
