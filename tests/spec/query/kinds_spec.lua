-- The values of a field: how each kind is written in OData, and what does not fit.
-- Labels: not-lua5.3

local errors = require "mde.base.error"
local mde = require "mde"
local odata = require "tests.spec.support.odata"
local rehearsal = require "tests.spec.support.rehearsal"

local GUID = "17171717-0000-4000-8000-000000000017"
local case = odata.tests_refusal

describe("a value becomes OData:", function()
  odata.tests {
    { { aadDeviceId = GUID:upper() }, "aadDeviceId eq " .. GUID },
    { { rbacGroupId = 140 }, "rbacGroupId eq 140" },
    { { id = GUID }, "id eq " .. GUID, "actions" },
  }

  it("a machine's id in capitals", function()
    local id = ("AB"):rep(20)
    assert.equal("id eq '" .. id:lower() .. "'", odata.of { id = id })
    assert.equal("machineId eq '" .. id:lower() .. "'", odata.of({ machineId = id }, "actions"))
  end)
end)

describe("a value is refused:", function()
  case("a value in another case", { riskScore = "high" }, 'not "high"', 'Did you mean "High"?')
  case("a value nearly right", { healthStatus = "Actve" }, 'not "Actve"', 'Did you mean "Active"?')
  case("a value of another field", { deviceValue = "Critical" }, "one of Low, Normal, High")
  case("a status of actions", { status = "Canceled" }, 'not "Canceled"', 'Did you mean "Cancelled"?', "actions")
  case("one such value in a list", { onboardingStatus = { "Onboarded", "onboarded" } }, 'not "onboarded"')
  case("false", { riskScore = false }, "not false")
  case("a time for a text", { computerDnsName = mde.ago "2h" }, "is a text, not mde.ago(7200)", "Only times")
  case("a number for a text", { version = 1709 }, "is a text, not 1709", 'Write "1709".')
  case("a text for a number", { rbacGroupId = "140" }, 'a whole number, not "140"', "Write 140 without quotes.")
  case("half a number", { rbacGroupId = 1.5 }, "a whole number")
  case("a number too large", { rbacGroupId = 2 ^ 31 }, "a whole number")
  case("a name for a GUID", { aadDeviceId = "laptop-17" }, 'a GUID, not "laptop-17"')
  case("no device's GUID", { aadDeviceId = ("0"):rep(8) .. "-0000-0000-0000-" .. ("0"):rep(12) }, "a GUID")
  case("equality with a list", { computerDnsName = mde.eq { "a", "b" } }, "not a table", "mde.any_of")
  case("false in a list", { riskScore = { "High", false } }, "not false")
  case("an operator in an operator", { riskScore = mde.eq(mde.ne "High") }, "not mde.ne", "An operator stands alone")
  case("a word for a number", { rbacGroupId = "laptops" }, 'a whole number, not "laptops"', "140 say")
  case("a function for a value", { computerDnsName = print }, "not a function")
  case("a misspelt type", { type = "RestrictCodeExecutions" }, 'not "RestrictCodeExecutions"',
    'Did you mean "RestrictCodeExecution"? One that the service has added since is asked for in a text: "type eq',
    "actions")
  case("a type in another case", { type = mde.ne "isolate" }, 'not "isolate"', 'Did you mean "Isolate"?', "actions")
  case("a type like no other", { type = { "Isolate", "Contain" } }, "type is one of RestrictCodeExecution, ",
    "One that the service has added since", "actions")
  case("a name for an action's id", { id = "laptop-17" }, 'a GUID, not "laptop-17"', "8-4-4-4-12 hex digits", "actions")
  case("an action's id too short", { id = { GUID, GUID:sub(1, 35) } }, "a GUID, not ", "dashes between: write 8-4",
    "actions")
  case("a machine's id for an action's", { id = ("a"):rep(40) }, "a GUID, not ", "8-4-4-4-12", "actions")
  case("a name for a machine's id", { machineId = mde.ne "laptop-17" }, 'the id of a machine, not "laptop-17"',
    "40 hex digits; mde.machine(name).id has it", "actions")
  case("an id too short", { machineId = { ("a"):rep(39) } }, "the id of a machine", "39 hex digits", "actions")
  case("a GUID for a machine's id", { machineId = GUID }, "the id of a machine", "40 hex digits", "actions")
  case("a number for a machine's id", { machineId = 7 }, "not 7", "40 hex digits", "actions")
  case("a name for a machine's own id", { id = "laptop-17" }, "the id of a machine", "computerDnsName")
  case("a number for a requestor", { requestor = 7 }, "a text, not 7", 'Write "7".', "actions")

  local not_utf8 = { "caf\233", "\192\175", "\237\160\128", "a\195" }
  for _, text in ipairs(not_utf8) do
    for _, query in ipairs { { computerDnsName = text }, { computerDnsName = { "a", text } },
      { version = mde.startswith(text) }, { osPlatform = mde.ne(text) }, { lastIpAddress = mde.contains(text) },
      { machineTags = mde.has(text) }, { machineTags = mde.none_of { mde.has(text) } }, { id = mde.endswith(text) } } do
      case(("text that is not UTF-8 for %s: %s"):format(next(query), errors.escape(text)), query, "is not valid UTF-8",
        "Convert it to UTF-8 first.")
    end
    case("a requestor that is not UTF-8: " .. errors.escape(text), { requestor = text }, "is not valid UTF-8", nil,
      "actions")
  end
end)

describe("a platform in another case than the service's", function()
  for _, one in ipairs { { "windows11", 'Did you mean "Windows11"?' }, { mde.ne "LINUX", 'Did you mean "Linux"?' },
    { { "Windows10", "MacOS" }, 'Did you mean "macOS"?' }, { mde.startswith "windowsServer", '"WindowsServer2012R2"' },
    { mde.contains "SERVER", '"WindowsServer2012R2"' }, { mde.endswith "LINUX", '"Linux"' },
    { mde.none_of { "windows10" }, '"Windows10"' } } do
    it("is refused: " .. tostring(one[2]), function()
      local r = rehearsal.new()
      local err = rehearsal.refused(r.client.machines, r.client, { osPlatform = one[1] })
      assert.truthy(err.hint:find(one[2], 1, true), tostring(err))
      assert.same({}, r.tenant.history)
    end)
  end

  it("is taken where it is the service's, or none that is known", function()
    local r = rehearsal.new()
    for _, value in ipairs { "Windows11", "macOS", "BeOS", "windows12", mde.startswith "Windows", mde.startswith "W",
      mde.contains "Server", mde.contains "xyz", mde.endswith "2022" } do
      assert.is_function(r.client:machines { osPlatform = value })
    end
  end)
end)
