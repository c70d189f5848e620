-- stop_rule: when one error ends the work at all that are left.

local errors = require "mde.base.error"
local stop_rules = require "mde.base.stop_rule"

describe("the rule that ends the work at many", function()
  local rule

  before_each(function() rule = stop_rules.new() end)

  local function note(kind, permission)
    return rule:note(kind and errors.new { kind = kind, code = "x", message = "x", permission = permission })
  end

  it("ends it where every other would fail alike", function()
    assert.equal("the sign-in failed", note "auth")
    assert.equal("the application lacks the permission Machine.RestrictExecution",
      note("permission", "Machine.RestrictExecution"))
    assert.equal("the store that keeps the service's limits failed", rule:note(errors.new { kind = "unavailable",
      code = "limits_unknown", message = "x" }))
    assert.equal("the proxy refused its user and password", rule:note(errors.new { kind = "unavailable",
      code = "proxy_auth", message = "x" }))
  end)

  it("ends it after three refusals in a row, without a success between", function()
    assert.is_nil(note "permission")
    assert.is_nil(note "not_found")
    assert.is_nil(note "permission")
    assert.is_nil(note())
    assert.is_nil(note "permission")
    assert.is_nil(note "permission")
    local reason, is_theirs = note "permission"
    assert.equal("3 devices in a row were refused (HTTP 403)", reason)
    assert.is_true(is_theirs)
  end)

  it("goes on after what is of one item alone", function()
    for _, kind in ipairs { "not_found", "protected", "unknown", "throttled", "unavailable" } do
      for _ = 1, 5 do assert.is_nil(note(kind)) end
    end
    assert.is_nil(rule:note "raised")
  end)
end)
