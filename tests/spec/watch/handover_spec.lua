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
    for _, kind in ipairs { "unknown", "protected", "permission", "invalid", "protocol" } do
      assert.equal("failed", make(function() return nil, err_of { kind = kind } end).how)
    end
  end)

  it("has ended where somebody has decided otherwise since", function()
    local err = err_of { kind = "superseded" }
    assert.same({ how = "succeeded", err = err }, make(function() return nil, err end))
    assert.same({ how = "succeeded", err = err }, make(function() error(err) end))
  end)

  it("is as the worst of the results of mde.each", function()
    local late, busy = err_of { kind = "superseded" }, err_of { kind = "throttled", retry_at = 17 }
    local wrong, out = err_of { kind = "ambiguous" }, err_of { kind = "auth" }
    local function of(...)
      local results = { failed = 0 }
      for i, err in ipairs { ... } do
        results[i] = { item = i, err = err or nil, value = not err or nil }
        if err then results.failed = results.failed + 1 end
      end
      return results
    end
    local function told(results) return make(function() return results end) end
    assert.same({ how = "succeeded" }, told(of(false, false)))
    assert.same({ how = "succeeded", err = late }, told(of(false, late, false)))
    assert.same({ how = "put_off", err = busy, not_before = 17 }, told(of(late, busy, false)))
    assert.same({ how = "failed", err = wrong }, told(of(busy, wrong, late)))
    assert.same({ how = "failed", err = "why" }, told(of("why", busy)))
    assert.same({ how = "put_off", err = out, ends_watch = true }, told(of(wrong, out)))
    -- One that was stopped has left some out.
    local results = of(late)
    results.stopped = true
    assert.same({ how = "failed", err = late }, told(results))
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
