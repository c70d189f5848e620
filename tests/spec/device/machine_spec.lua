-- A device's record, as the service tells it.
-- Labels: sanitized, caseless

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
end)
