-- sieve: which actions are meant by their comment.
-- Labels: not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"
local sieve = require "mde.cli.listing.sieve"

describe("a sieve of actions", function()
  local function passes(arguments, action)
    return sieve.read(arguments)(action)
  end

  it("is not there where nothing is asked", function()
    assert.is_nil(sieve.read {})
  end)

  it("goes by the incident that the library found", function()
    local action = { incident = "INC-1", requestorComment = "x [mde:INC-1:operation]" }
    assert.is_true(passes({ incident = "inc-1" }, action))
    assert.is_false(passes({ incident = "INC-10" }, action))
    assert.is_false(passes({ incident = "INC-1" }, { requestorComment = "[mde:INC-1:operation] x" }))
  end)

  it("goes by a part of the comment, literally", function()
    assert.is_true(passes({ comment = "A.B%" }, { requestorComment = "xa.b%" }))
    assert.is_false(passes({ comment = "a.b" }, { requestorComment = "a-b" }))
    assert.is_false(passes({ comment = "a" }, {}))
    assert.is_true(passes({ comment = "\195\164" }, { requestorComment = "M\195\164rz" }))
  end)

  it("lets through what both mean", function()
    local both = { incident = "INC-1", comment = "beacon" }
    assert.is_true(passes(both, { incident = "INC-1", requestorComment = "Beacon" }))
    assert.is_false(passes(both, { incident = "INC-1", requestorComment = "scan" }))
    assert.is_false(passes(both, { incident = "INC-2", requestorComment = "beacon" }))
  end)

  it("is refused for what can be neither", function()
    rehearsal.refused(sieve.read, { incident = "" })
    rehearsal.refused(sieve.read, { comment = "" })
  end)
end)
