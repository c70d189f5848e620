-- mde.watch.decision: what a change that follows from an alert says of it.
local core = require "mde.core"
local decisions = require "mde.watch.decision"

local CREATED = "2026-02-03T10:00:00.25Z"

local function key_of(id)
  return decisions.options({ id = id, createdDateTime = CREATED }).key
end

describe("what follows from an alert", function()
  it("was decided when that was created", function()
    assert.equal(1770112800.25, decisions.options({ id = "12345678", createdDateTime = CREATED }).decided_at)
    assert.equal(1770112800.25, decisions.options({ id = "12345678", lastUpdateDateTime = CREATED }).decided_at)
    assert.is_nil(decisions.options({ id = "12345678" }).decided_at)
  end)

  it("has its id for a key", function()
    for _, id in ipairs { "da637551227677560813_-961444813", "fa0d6c3e-0b43-4a51-8d5e-0a1c5b1f0d11", "12345678" } do
      assert.equal(id, key_of(id))
    end
  end)

  it("has a key of its own also where the id cannot be one", function()
    local keys = {}
    for _, id in ipairs { "a", "a b c d e", "a+b/c=defgh", "a_b+c", "0.until.17", "a.b", ("x"):rep(65) } do
      local key = key_of(id)
      assert.is_true(core.comment.key_valid(key), id)
      assert.is_nil(keys[key])
      keys[key] = true
    end
  end)

  it("is of the alert's incident", function()
    assert.equal("28282", decisions.options({ id = "12345678", incidentId = "28282" }).incident)
    assert.is_nil(decisions.options({ id = "12345678" }).incident)
  end)

  it("gives a new table each time", function()
    local alert = { id = "12345678", createdDateTime = CREATED }
    assert.not_equal(decisions.options(alert), decisions.options(alert))
  end)
end)
