-- What a program can do with an alert.
-- Labels: only-lua5.4
local alert_metatables = require "mde.alert"
local alerts = require "mde.alert.alert"
local rehearsal = require "tests.spec.support.rehearsal"

describe("an alert", function()
  local calls

  -- An alert of a client that only notes what it is called with.
  local function of_client(fields)
    calls = {}
    local client = setmetatable({}, { __index = function(_, name)
      return function(...)
        calls[#calls + 1] = { name, select(2, ...) }
        return "first", "second"
      end
    end })
    local row = fields or { id = "da637_12", title = "beacon", severity = "high", status = "new", incidentId = "7" }
    return setmetatable(alerts.of_row(row, "graph"), alert_metatables.metatable(client))
  end

  it("is given to its client when it is changed", function()
    local alert, changes, options = of_client(), { status = "resolved" }, { timeout = 5 }
    assert.same({ "first", "second" }, { alert:update(changes, options) })
    assert.same({ "update_alert", alert, changes, options }, calls[1])
    assert.equal(alert, calls[1][2])
  end)

  it("has the options of a change, and the devices that may be acted on", function()
    local alert = of_client()
    assert.same({ key = "da637_12", incident = "7" }, alert:options())
    assert.same({ key = "da637_12", incident = "INC-1" }, alert:options { incident = "INC-1" })
    assert.same({}, alert:targets())
    assert.equal("called_with_dot", rehearsal.refused(function() alert.options() end).code)
  end)

  it("is shown by its title, or else its id, on one line", function()
    assert.equal("beacon (high, new)", tostring(of_client()))
    assert.equal("da637_12 (no severity, no status)", tostring(of_client { id = "da637_12" }))
    assert.is_true(rehearsal.is_one_line(tostring(of_client { id = "x", title = "\27[2J\nbeacon" })))
  end)
end)
