-- Which source of alerts a command asks, and an alert as JSON.
-- Labels: not-lua5.3
local alert = require "mde.cli.ui.alert"

describe("an alert of the command", function()
  it("is read from the source that is named", function()
    assert.same({ source = "graph" }, alert.read { source = "graph" })
    assert.same({}, alert.read {})
    assert.same({ "defender", "graph" }, alert.sources)
  end)

  it("is written without the service's own row, and stays as it is", function()
    local one = { id = "da1_2", row = { id = "da1_2" } }
    assert.same({ id = "da1_2" }, alert.as_json(one))
    assert.is_table(one.row)
  end)
end)
