-- What a program can do with an action.

local actions = require "mde.action"
local rehearsal = require "tests.spec.support.rehearsal"

local offline = "1f00000000000000000000000000000000000018"

describe("an action", function()
  it("is shown by what it is, of which machine, and how far it is, on one line", function()
    local metatable = actions.metatable {}
    local function shown(fields) return tostring(setmetatable(fields, metatable)) end
    local fields = { type = "RestrictCodeExecution", computerDnsName = "desk", machineId = ("a"):rep(40),
      status = "Pending" }
    assert.equal("RestrictCodeExecution of desk: Pending", shown(fields))
    fields.computerDnsName = nil
    assert.equal("RestrictCodeExecution of " .. ("a"):rep(40) .. ": Pending", shown(fields))
    fields.machineId = nil
    assert.equal("RestrictCodeExecution of a machine: Pending", shown(fields))
    assert.is_true(rehearsal.is_one_line(shown { type = "\27", status = "\n", computerDnsName = "\127" }))
    assert.equal("nil of a machine: nil", shown {})
  end)

  it("is cancelled by its client, with all that it is called with", function()
    local call
    local action = setmetatable({ id = "x" }, actions.metatable { cancel = function(...)
      call = { select(2, ...) }
      return "first", "second"
    end })
    local options = { timeout = 5 }
    assert.same({ "first", "second" }, { action:cancel("why", options) })
    assert.same({ action, "why", options }, call)
    assert.equal(action, call[1])
  end)

  describe("is waited for", function()
    local r, action

    local function waited(options)
      local before = r.tenant.clock.now()
      local status, err = action:wait(options)
      assert.is_nil(status)
      assert.equal("pending", err.kind)
      return r.tenant.clock.now() - before
    end

    before_each(function()
      r = rehearsal.new { unguarded = true, client = { timeout = 20 } }
      action = assert(r.client:restrict(offline, "why"))
    end)

    it("for as long as it is told, or ten minutes, whatever the client's timeout is", function()
      local took = waited { timeout = 90 }
      assert.is_true(took > 85 and took <= 90)
      took = waited()
      assert.is_true(took > 590 and took <= 600)
    end)

    it("with no option but that", function()
      for _, options in ipairs { { timout = 5 }, { timeout = 0 }, { timeout = "5" }, "5", 5 } do
        local err = rehearsal.refused(action.wait, action, options)
        assert.matches("^action:wait", err.message)
      end
    end)
  end)
end)
