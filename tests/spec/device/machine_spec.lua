-- A device's record, as the service tells it.
-- Labels: sanitized, caseless

local machines = require "mde.device.machine"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(number)
end

describe("a machine", function()
  it("is merged into nothing, and onboarded for all that is known, where the service writes an empty text", function()
    for _, device in ipairs { "desk", id(1) } do
      local client = rehearsal.new { unguarded = true, machines = {
        { id = id(1), computerDnsName = "desk", mergedIntoMachineId = "", onboardingStatus = "" } } }.client
      local machine = assert(client:machine(device))
      assert.is_nil(machine.mergedIntoMachineId)
      assert.equal("accepted", assert(client:restrict(machine, "why", { look = false })).outcome)
    end
  end)

  it("has a tag as the guard has it, whatever the case and the blanks around, and no part of one", function()
    local machine = { machineTags = { "x", 17, " Tier0\t", "Gesch\195\164ftsf\195\188hrung", "I\204\135T" } }
    for _, tag in ipairs { "tier0", "TIER0", "X", "tier0 ", "GESCH\195\132FTSFU\204\136HRUNG", "it" } do
      assert.is_true(machines.has_tag(machine, tag), tag)
    end
    for _, tag in ipairs { "tier", "tier01", "", "17", "Geschaeftsfuehrung" } do
      assert.is_false(machines.has_tag(machine, tag), tag)
    end
    assert.is_false(machines.has_tag({}, "x"))
  end)

  it("is not asked for a tag that is none", function()
    for _, tag in ipairs { false, 17, true, {} } do
      rehearsal.refused(machines.has_tag, { machineTags = { "17" } }, tag or nil)
    end
  end)

  it("keeps of a row what the service says, and nothing in our names", function()
    local row = { id = id(1), ["@odata.context"] = "x", has_tag = "theirs", action = {}, others = false,
      mergedIntoMachineId = "", onboardingStatus = "", computerDnsName = "", machineTags = {} }
    machines.clean(row)
    assert.same({ id = id(1), computerDnsName = "", machineTags = {} }, row)
    row = { id = id(1), mergedIntoMachineId = id(2), onboardingStatus = "Onboarded" }
    machines.clean(row)
    assert.same({ id = id(1), mergedIntoMachineId = id(2), onboardingStatus = "Onboarded" }, row)
  end)

  it("may lack whatever it is judged by", function()
    local row = { id = id(1) }
    machines.mend(row)
    assert.same({ id = id(1) }, row)
  end)

  it("has texts where there are to be texts, or nothing", function()
    for _, name in ipairs { "computerDnsName", "osPlatform", "healthStatus", "onboardingStatus", "riskScore",
      "deviceValue", "lastSeen", "aadDeviceId" } do
      for value, wanted in pairs { [""] = "", [17] = false, [true] = false, [{}] = false } do
        local row = { [name] = value }
        machines.mend(row)
        assert.same({ [name] = wanted or nil }, row)
      end
    end
  end)

  it("was merged, whatever says so", function()
    for wanted, odd in pairs { ["17"] = 17, unknown = {}, ["x"] = "x" } do
      local row = { mergedIntoMachineId = odd }
      machines.clean(row)
      assert.same({ mergedIntoMachineId = wanted }, row)
    end
    local client = rehearsal.new { unguarded = true, machines = { { id = id(1) } } }.client
    for _, odd in ipairs { 17, {}, true, false } do
      assert.equal("device_merged", select(2, client:restrict({ id = id(1), mergedIntoMachineId = odd }, "why")).code)
    end
  end)

  it("has every text of its tags as a tag, whatever they are in", function()
    for wanted, tags in pairs { tier0 = "tier0", ["17"] = 17, vip = { a = { "vip" } } } do
      local row = { machineTags = tags }
      machines.mend(row)
      assert.same({ machineTags = { wanted } }, row)
    end
  end)

  it("was last seen when it says so, as it is written, or never", function()
    for _, time in ipairs { "2026-02-03T10:11:12Z", "2026-02-03T10:11:12.1234567Z" } do
      assert.equal(time, machines.last_seen { lastSeen = time })
    end
    for _, time in ipairs { false, "", "never", "0001-01-01T00:00:00Z" } do
      assert.is_nil(machines.last_seen { lastSeen = time or nil })
    end
  end)
end)
