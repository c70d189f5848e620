-- mde.core.alert through the binding; the tables are in tests/core/test_evidence.c and test_alert_key.c.
-- Labels: sanitized-each-lua
local alert = require("mde.core").alert

local A, B = ("a1"):rep(20), ("b2"):rep(20)

describe("core.alert", function()
  it("tells the devices of an alert, and which may be acted on", function()
    assert.same({
      { pieces = { 1, 3 }, is_contextual = false, is_target = true },
      { pieces = { 2 }, is_contextual = true, is_target = false },
      { pieces = { 4 }, problem = "no_id", is_contextual = false, is_target = false },
      { pieces = { 5 }, problem = "malformed_id", is_contextual = false, is_target = false },
    }, alert.devices {
      { id = A, onboardingStatus = "onboarded", roles = {} },
      { id = B, roles = { "contextual", "source" } },
      { id = A:upper(), roles = { "compromised" } },
      { aadDeviceId = "b7f0c2a4-6d1e-4f38-9a55-20c8e1d7b346", roles = { "compromised" } },
      { id = "a1" },
    })
    assert.equal("not_onboarded", alert.devices({ { id = A, onboardingStatus = "unsupported" } })[1].problem)
    assert.same({}, alert.devices {})
  end)

  it("takes fields of another type for absent, and a role that is no text for one that is not known", function()
    assert.same({ { pieces = { 1 }, is_contextual = true, is_target = false } },
      alert.devices { { id = A, onboardingStatus = 17, computerDnsName = {}, roles = { false, {} } } })
    assert.same({ { pieces = { 1 }, is_contextual = false, is_target = true } },
      alert.devices { { id = A, roles = "contextual" } })
    assert.equal("no_id", alert.devices({ { id = 17 } })[1].problem)
    assert.has_error(function() alert.devices { 17 } end)
    assert.has_error(function() alert.devices(A) end)
  end)

  it("makes a key of any id", function()
    assert.equal("da637472900382838869_1364969609", alert.key "da637472900382838869_1364969609")
    assert.equal("4a7e8f2359fc7ecc94fccd95f59612e464d6cd8c", alert.key "id with blank")
    assert.equal(40, #alert.key(("x"):rep(100000)))
    assert.has_error(function() alert.key() end)
  end)
end)
