-- mde.watch.handover: one alert is handed to the user's function, and how that ended.
local errors = require "mde.base.error"
local handovers = require "mde.watch.handover"

local alert = { id = "12345678", createdDateTime = "2026-02-03T10:00:00Z" }

local function make(handler)
  return handovers.make(handler, alert, 2)
end

local function err_of(fields)
  fields.code, fields.message = fields.code or "x", "why"
  return errors.new(fields)
end

describe("a handover", function()
  it("gives the function the alert, the options and the attempt", function()
    local given
    assert.same({ how = "succeeded" }, make(function(...) given = { ... } end))
    assert.equal(alert, given[1])
    assert.same({ key = "12345678", decided_at = 1770112800 }, given[2])
    assert.equal(2, given[3])
  end)

  it("has succeeded whatever else is returned", function()
    for _, value in ipairs { true, 17, "text", {} } do
      assert.same({ how = "succeeded" }, make(function() return value end))
      assert.same({ how = "succeeded" }, make(function() return value, "more" end))
    end
    assert.same({ how = "succeeded" }, make(function() return nil end))
    assert.same({ how = "succeeded" }, make(function() return false end))
  end)

  it("has failed by what is returned, or raised", function()
    assert.same({ how = "failed", err = "why" }, make(function() return nil, "why" end))
    assert.same({ how = "failed", err = "why" }, make(function() return false, "why" end))
    assert.same({ how = "failed", err = "why" }, make(function() error("why", 0) end))
    local err = err_of { kind = "ambiguous" }
    assert.same({ how = "failed", err = err }, make(function() return nil, err end))
    assert.same({ how = "failed", err = err }, make(function() error(err) end))
    for _, kind in ipairs { "unknown", "superseded", "protected", "permission", "invalid", "protocol" } do
      assert.equal("failed", make(function() return nil, err_of { kind = kind } end).how)
    end
  end)

  it("is put off where it is not the alert's fault", function()
    local err = err_of { kind = "throttled", retry_at = 17 }
    assert.same({ how = "put_off", err = err, not_before = 17 }, make(function() return nil, err end))
    err = err_of { kind = "unavailable" }
    assert.same({ how = "put_off", err = err }, make(function() error(err) end))
    err = err_of { kind = "protected", code = "cap_full", retry_at = 17 }
    assert.same({ how = "put_off", err = err, not_before = 17 }, make(function() return nil, err end))
  end)

  it("ends the watch where no other would fare better", function()
    local err = err_of { kind = "auth" }
    assert.same({ how = "put_off", err = err, ends_watch = true }, make(function() return nil, err end))
    err = err_of { kind = "permission", permission = "Machine.RestrictExecution" }
    assert.is_true(make(function() return nil, err end).ends_watch)
  end)
end)
