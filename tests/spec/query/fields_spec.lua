-- The fields of machines and of actions, and what is said of others.
-- Labels: not-lua5.3

local fields = require "mde.query.fields"
local odata = require "tests.spec.support.odata"

local case = odata.tests_refusal

describe("a field is refused:", function()
  case("a list", { "High" }, "1 is not a field's name")
  case("a misspelt field", { riskscore = "High" }, 'no field "riskscore"', 'Did you mean "riskScore"?')
  case("a part of a field's name", { name = "a" }, 'no field "name"', 'Did you mean "computerDnsName"?')
  case("a field like no other", { colour = "red" }, 'no field "colour"', "There are aadDeviceId, computerDnsName, ")
  case("a field full of escape codes", { ["\27[2J"] = 1 }, "\\x1b[2J")
  case("a field of actions", { status = "Pending" }, 'no field "status"')
  case("a misspelt field of actions", { machine = "a" }, 'no field "machine"', 'Did you mean "machineId"?', "actions")
  for _, name in ipairs { "firstSeen", "rbacGroupName", "osBuild", "mergedIntoMachineId", "ipAddresses" } do
    case(name, { [name] = "x" }, "the service cannot filter by " .. name, "test it in Lua")
  end
  case("the comment of an action", { requestorComment = "x" }, "cannot filter by requestorComment", "in Lua", "actions")
  case("a table for a key", { [{}] = 1 }, "a table is not a field's name")
end)

describe("a word", function()
  it("is found as a field, or as the value of one, whatever its case", function()
    assert.equal("{ riskScore = ... }", fields.in_a_table("RISKSCORE", fields.machines))
    assert.equal('{ healthStatus = "Active" }', fields.in_a_table("active", fields.machines))
    assert.equal('{ status = "Pending" }', fields.in_a_table("Pending", fields.actions))
    assert.is_nil(fields.in_a_table("laptop-17", fields.machines))
  end)
end)
