-- stop_rule: when one error ends the work at all that are left.

local errors = require "mde.base.error"
local stop_rules = require "mde.base.stop_rule"

describe("the rule that ends the work at many", function()
  local rule

  before_each(function() rule = stop_rules.new() end)

  local function err_of(kind, more)
    local err = { kind = kind, code = "x", message = "x" }
    for name, value in pairs(more or {}) do err[name] = value end
    return errors.new(err)
  end

  local function note(kind, more) return rule:note(kind and err_of(kind, more)) end

  it("ends it where every other would fail alike", function()
    local function reason(kind, more)
      local words, is_theirs = stop_rules.new():note(err_of(kind, more))
      assert.is_false(is_theirs)
      return words
    end
    assert.equal("the sign-in failed", reason "auth")
    assert.equal("the application lacks the permission Machine.RestrictExecution",
      reason("permission", { permission = "Machine.RestrictExecution" }))
    assert.equal("the store that keeps the service's limits failed", reason("unavailable", { code = "limits_unknown" }))
    assert.equal("the proxy refused its user and password", reason("unavailable", { code = "proxy_auth" }))
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

  it("counts a device once that is refused again", function()
    for _ = 1, 5 do assert.is_nil(note("permission", { machine_id = "a" })) end
    assert.is_nil(note("permission", { machine_id = "b" }))
    assert.equal("3 devices in a row were refused (HTTP 403)", (note("permission", { machine_id = "c" })))
  end)

  it("keeps the first reason", function()
    note "auth"
    for _, kind in ipairs { "permission", "not_found", false } do
      assert.equal("the sign-in failed", (note(kind or nil)))
    end
  end)

  it("goes on after what is of one item alone", function()
    for _, kind in ipairs { "not_found", "protected", "unknown", "superseded", "throttled", "unavailable" } do
      for _ = 1, 25 do assert.is_nil(note(kind)) end
    end
    for _ = 1, 25 do assert.is_nil(rule:note "raised") end
  end)
end)
