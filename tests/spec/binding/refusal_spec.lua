-- mde.core.refusal through the binding; the tables are in tests/core/test_refusal.c.
-- Labels: sanitized-each-lua
local refusal = require("mde.core").refusal

describe("mde.core.refusal", function()
  it("knows a tenant that has not been set up", function()
    assert.is_true(refusal.is_not_provisioned "Account mode is inactive")
    assert.is_false(refusal.is_not_provisioned "No.")
  end)

  it("finds the roles, if they are there", function()
    assert.same({ "A,B", "" }, { refusal.roles "API required roles: A,B, application roles: ." })
    assert.same({}, { refusal.roles "No." })
  end)

  it("takes nothing but a text", function()
    assert.error(function() refusal.roles(nil) end)
    assert.error(function() refusal.is_not_provisioned {} end)
  end)
end)
