-- Containing a device that is not onboarded, and isolating one that is: which record is meant, and what is refused.
local rehearsal = require "tests.spec.support.rehearsal"

local ROLES = { "Machine.Read.All", "Machine.Isolate", "Machine.RestrictExecution" }

local function id(i) return ("%040x"):format(i) end

local function unmanaged(i, name)
  return { id = id(i), computerDnsName = name, osPlatform = "Windows10", onboardingStatus = "CanBeOnboarded" }
end

describe("a device that is not onboarded", function()
  local r

  before_each(function()
    r = rehearsal.new { roles = ROLES, limits = false, machines = {
      unmanaged(1, "printer.corp.example"), unmanaged(2, "twice.corp.example"), unmanaged(3, "twice.corp.example"),
      { id = id(4), computerDnsName = "laptop.corp.example", osPlatform = "Windows11" },
    } }
  end)

  it("is contained by its name or its id, and talked to again", function()
    local action = assert(r.client:contain("printer", "rogue device", { incident = "INC-1" }))
    assert.equal("accepted", action.outcome)
    assert.equal(id(1), action.machineId)
    assert.equal("Succeeded", action:wait())
    assert.equal("contained", (r.client:state(id(1), { of = "contain" })))
    assert.equal("already_active", r.client:contain(id(1), "again", { incident = "INC-1" }).outcome)
    assert.equal("Succeeded", assert(r.client:uncontain("printer.corp.example", "found out")):wait())
    assert.equal("released", (r.client:state(id(1), { of = "contain" })))
    assert.same({ "isolate", "unisolate" }, r:posts())
  end)

  it("is not guessed where several have the name", function()
    local action, err = r.client:contain("twice", "why")
    assert.is_nil(action)
    assert.equal("not_onboarded", err.code)
    assert.equal(2, #err.candidates)
    assert.same({}, r:posts())
  end)

  it("is not isolated by its name, and the error says what is for it", function()
    local action, err = r.client:isolate("printer", "why")
    assert.is_nil(action)
    assert.matches("mde.contain", err.hint)
    assert.same({}, r:posts())
  end)

  it("is guarded, and counted by a cap of its own", function()
    r.tenant:put_machine { id = id(1), osPlatform = rehearsal.null }
    local _, err = r.client:contain("printer", "why")
    assert.equal("servers", err.rule)
    assert.matches("To contain it all the same", err.hint)
    assert.equal(25, r.client:cap("contain").remaining or 25)
  end)
end)

describe("an onboarded device", function()
  it("is not contained: it is told to isolate it", function()
    local r = rehearsal.new { roles = ROLES, limits = false }
    local action, err = r.client:contain("laptop-17", "why")
    assert.is_nil(action)
    assert.equal("onboarded", err.code)
    assert.matches("mde.isolate", err.hint)
    assert.same({}, r:posts())
  end)
end)
