-- Labels: not-lua5.3
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"

local statuses = {
  invalid = 1, auth = 1, permission = 2, not_found = 2, ambiguous = 2, protected = 2, conflict = 2, superseded = 2,
  refused = 2, cancelled = 2, throttled = 3, unavailable = 3, protocol = 3, failed = 4, pending = 4, unknown = 5,
}

describe("the exit status", function()
  for kind, status in pairs(statuses) do
    it(("of %s is %d"):format(kind, status), function()
      assert.equal(status, exit.of(errors.new { kind = kind, code = "Made up", message = "x" }))
    end)
  end

  it("of what was not foreseen is that of an unknown fate", function()
    assert.equal(5, exit.of "attempt to index a nil value")
    assert.equal(5, exit.of(nil))
  end)

  it("is explained, each of them", function()
    for _, status in pairs(statuses) do assert.truthy(exit.explained:find("\n   " .. status .. " ", 1, true)) end
    assert.truthy(exit.explained:find("\n   130 ", 1, true))
  end)
end)
