-- details: one record, a line for each field.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local details = require "mde.cli.ui.details"

describe("the details of a record", function()
  it("are the fields that there are, below one another, and none that acts", function()
    local told = console.capture(function()
      details.write({ id = "x", requestorComment = "a\27[2J", count = 2.5, other = 1 },
        { "id", "status", "requestorComment", "count" })
    end)
    assert.equal("id                x\nrequestorComment  a\\x1b[2J\ncount             2.5\n", told.out)
  end)
end)
