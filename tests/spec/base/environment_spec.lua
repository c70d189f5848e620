-- variable: what the environment says; what is set to nothing is not set.

local environment = require "tests.spec.support.environment"
local variables = require "mde.base.environment"

describe("a variable of the environment", function()
  after_each(environment.restore)

  it("is not set if it is empty", function()
    environment.set { EMPTY = "", BLANK = " ", FALSE = "0" }
    assert.is_nil(variables.get "EMPTY")
    assert.is_nil(variables.get "MISSING")
    assert.equal(" ", variables.get "BLANK")
    assert.equal("0", variables.get "FALSE")
  end)

  it("is looked up each time", function()
    local set = {}
    environment.set(set)
    assert.is_nil(variables.get "LATER")
    set.LATER = "now"
    assert.equal("now", variables.get "LATER")
  end)
end)
