-- The model: machines, actions and how they go on, the clock, the history.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
local machine_record = require "mde.sim.model.machine_record"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local offline = "1f00000000000000000000000000000000000018"
local failing = "1f00000000000000000000000000000000000019"
local restrict, release = "RestrictCodeExecution", "UnrestrictCodeExecution"

describe("a tenant", function()
  local tenant

  before_each(function()
    tenant = sim.new { start = 1770113472 }
  end)

  local function start(id, kind)
    return tenant:create_action(tenant:find_machine(id), kind or restrict, "a comment", "mde")
  end

  it("takes an action from Pending over InProgress to Succeeded", function()
    local action = start(laptop)
    assert.equal("Pending", action.status)
    tenant:advance(0.4)
    assert.equal("Pending", action.status)
    tenant:advance(0.1)
    assert.equal("InProgress", action.status)
    assert.equal("2026-02-03T10:11:12.5Z", action.lastUpdateDateTimeUtc)
    tenant:advance(100)
    assert.equal("Succeeded", action.status)
    assert.equal("2026-02-03T10:11:12Z", action.creationDateTimeUtc)
    assert.equal("2026-02-03T10:11:13.5Z", action.lastUpdateDateTimeUtc)
    assert.equal(0, action.errorHResult)
  end)

  it("leaves actions of a machine pending that has no sensor", function()
    for _, status in ipairs { "CanBeOnboarded", "Unsupported", "InsufficientInfo", json.null } do
      local machine = tenant:put_machine { onboardingStatus = status }
      local action = start(machine.id)
      tenant:advance(1e6)
      assert.equal("Pending", action.status)
      tenant:put_machine { id = machine.id, onboardingStatus = "Onboarded" }
      tenant:advance(2)
      assert.equal("Succeeded", action.status)
    end
  end)

  it("writes the times of others as the service does", function()
    local machine = tenant:put_machine { lastSeen = "2026-01-01", firstSeen = "2025-12-31T23:00:00.500000000-01:00" }
    assert.same({ "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z" }, { machine.lastSeen, machine.firstSeen })
    machine = tenant:put_machine { lastSeen = "2026-01-01T00:00:00.1000000Z", firstSeen = "0001-01-01T00:00:00Z" }
    assert.same({ "2026-01-01T00:00:00.1000000Z", "0001-01-01T00:00:00Z" }, { machine.lastSeen, machine.firstSeen })
  end)

  it("refuses roles that do not exist, and what an application does not have", function()
    local ok, message = pcall(tenant.put_application, tenant, { client_id = "x", client_secret = "y",
      roles = { "Machine.Read.All", "Machine.RestrictExecutions" } })
    assert.is_false(ok)
    assert.truthy(message:find("Did you mean 'Machine.RestrictExecution'?", 1, true), message)
    for _, more in ipairs { { rolls = {} }, { name = 5 }, { name = json.null }, { roles = "Machine.Read.All" },
        { roles = { a = "Machine.Read.All" } } } do
      more.client_id, more.client_secret = "x", "y"
      assert.has_error(function() tenant:put_application(more) end)
    end
  end)

  it("has delays that can be told", function()
    tenant:set { delays = { pending = 10 } }
    local action = start(laptop)
    tenant:advance(10.9)
    assert.equal("InProgress", action.status)
    tenant:advance(0.1)
    assert.equal("Succeeded", action.status)
  end)

  it("leaves actions of a machine that is offline pending until it is back", function()
    local action = start(offline)
    tenant:advance(1e6)
    assert.equal("Pending", action.status)
    tenant:put_machine { id = offline, offline = false }
    tenant:advance(0.4)
    assert.equal("Pending", action.status)
    tenant:advance(1.1)
    assert.equal("Succeeded", action.status)
  end)

  it("does not take up anything on merged and inactive records", function()
    local merged = start "2f00000000000000000000000000000000000002"
    local inactive = start "2f00000000000000000000000000000000000003"
    tenant:advance(1e6)
    assert.same({ "Pending", "Pending" }, { merged.status, inactive.status })
  end)

  it("lets the actions of a failing machine fail", function()
    local action = start(failing)
    tenant:advance(2)
    assert.equal("Failed", action.status)
    assert.are_not.equal(0, action.errorHResult)
    assert.is_string(action.troubleshootInfo)
  end)

  it("carries the actions of a machine out one after the other, in order", function()
    local first, second = start(laptop), start(laptop, release)
    local other = start "3f00000000000000000000000000000000000001"
    tenant:advance(1.5)
    assert.same({ "Succeeded", "Pending", "Succeeded" }, { first.status, second.status, other.status })
    tenant:advance(1.5)
    assert.equal("Succeeded", second.status)
    assert.equal("2026-02-03T10:11:15Z", second.lastUpdateDateTimeUtc)
  end)

  it("says what happened when, however late it is asked", function()
    local action = start(laptop)
    tenant:advance(60)
    local told = {}
    for i, entry in ipairs(tenant.history) do
      assert.equal(action.id, entry.action)
      told[i] = { entry.event, entry.at - 1770113472, entry.to }
    end
    assert.same({ { "action_created", 0 }, { "action_changed", 0.5, "InProgress" },
      { "action_changed", 1.5, "Succeeded" } }, told)
    assert.equal("a comment", tenant.history[1].comment)
    assert.equal(laptop, tenant.history[1].machine)
    assert.equal(restrict, tenant.history[1].type)
  end)

  it("cancels what is not final, and goes on with the next", function()
    local first, second = start(laptop), start(laptop, release)
    assert.is_true(tenant:cancel_action(first, "not needed", "mde"))
    assert.equal("Cancelled", first.status)
    assert.equal("not needed", first.cancellationComment)
    assert.equal("mde", first.cancellationRequestor)
    assert.equal("2026-02-03T10:11:12Z", first.cancellationDateTimeUtc)
    tenant:advance(1.5)
    assert.equal("Succeeded", second.status)
    assert.equal("Cancelled", first.status)
    assert.is_false(tenant:cancel_action(first, "again", "mde"))
    assert.is_false(tenant:cancel_action(second, "too late", "mde"))
    assert.equal("Succeeded", second.status)
  end)

  it("knows the open action of a kind", function()
    local action = start(laptop)
    local machine = tenant:find_machine(laptop)
    assert.equal(action, tenant:open_action(machine, restrict))
    assert.is_nil(tenant:open_action(machine, release))
    tenant:advance(2)
    assert.is_nil(tenant:open_action(machine, restrict))
  end)

  it("takes actions of somebody else's", function()
    start(laptop)
    local inserted = tenant:insert_action { type = restrict, machineId = laptop, status = "Succeeded",
      creationDateTimeUtc = "2026-02-01T00:00:00Z", requestorComment = "by hand" }
    assert.equal(inserted, tenant.actions[1])
    assert.equal("laptop-17.corp.example", inserted.computerDnsName)
    assert.equal("2026-02-01T00:00:00Z", inserted.lastUpdateDateTimeUtc)
    local nameless = tenant:insert_action { type = "Offboard", machineId = json.null }
    assert.is_nil(nameless.machineId)
    tenant:advance(1e6)
    assert.equal("Pending", nameless.status)
    assert.has_error(function() tenant:insert_action { machineId = laptop } end, "an action needs a type")
    assert.has_error(function() tenant:insert_action { type = 5 } end)
    assert.has_error(function() tenant:insert_action { type = restrict, creationDateTimeUtc = "soon" } end)
  end)

  it("carries inserted actions out, unless they are frozen", function()
    local frozen = tenant:insert_action { type = restrict, machineId = laptop, frozen = true }
    local free = tenant:insert_action { type = release, machineId = laptop }
    tenant:advance(60)
    assert.same({ "Pending", "Succeeded" }, { frozen.status, free.status })
    assert.equal(frozen, tenant:open_action(tenant:find_machine(laptop), restrict))
  end)

  it("carries out what waits for a machine once that appears", function()
    local id = ("e"):rep(40)
    local early = tenant:insert_action { type = restrict, machineId = id:upper() }
    tenant:advance(60)
    assert.equal("Pending", early.status)
    tenant:adopt_machine(machine_record.new(id, tenant.clock.now()))
    tenant:advance(60)
    assert.equal("Succeeded", early.status)
  end)

  it("adds and changes machines", function()
    local machine = tenant:put_machine { computerDnsName = "new.corp.example", machineTags = { "x" } }
    assert.truthy(machine.id:find("^" .. ("%x"):rep(40) .. "$"))
    assert.equal("Windows11", machine.osPlatform)
    assert.equal(machine, tenant:find_machine(machine.id:upper()))
    assert.equal(machine, tenant:find_machine("NEW.corp.example", true))
    assert.is_nil(tenant:find_machine "new.corp.example")
    tenant:put_machine { id = machine.id, osPlatform = json.null, riskScore = "High" }
    assert.is_nil(machine.osPlatform)
    assert.equal("High", machine.riskScore)
    assert.has_error(function() tenant:put_machine { nickname = "x" } end)
    assert.has_error(function() tenant:put_machine { riskScore = 5 } end)
    assert.has_error(function() tenant:put_machine { id = "5" } end)
    assert.has_error(function() tenant:put_machine { offline = "yes" } end)
  end)

  it("finds, of several machines of one name, the one seen last", function()
    assert.equal("2f00000000000000000000000000000000000001", tenant:find_machine("front-desk.corp.example", true).id)
  end)

  it("is born again by a reset", function()
    start(laptop)
    tenant:put_machine { id = laptop, offline = true }
    tenant:set { duplicates = "new", delays = { running = 50 } }
    tenant:reset()
    assert.same({}, tenant.history)
    assert.same({}, tenant.actions)
    assert.is_nil(tenant:find_machine(laptop).offline)
    assert.equal("active_request", tenant.duplicates)
    assert.equal(1, tenant.delays.running)
  end)

  it("raises for settings that do not exist", function()
    assert.has_error(function() tenant:set { patience = 5 } end)
  end)

  it("takes its clock and its randomness from outside", function()
    local now, count = 5, 0
    local other = sim.new {
      clock = function() return now end,
      random = function(length)
        count = count + 1
        return ("\1"):rep(length)
      end,
    }
    assert.equal("01010101-0101-4101-8101-010101010101", other:guid())
    assert.equal(5, other.clock.now())
    now = 9
    other:advance(1)
    assert.equal(10, other.clock.now())
    assert.is_true(count > 0)
  end)
end)
