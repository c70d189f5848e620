-- The operators of a query, and what they refuse to be given.
-- Labels: not-lua5.3

local mde = require "mde"
local operators = require "mde.query.operators"
local odata = require "tests.spec.support.odata"
local rehearsal = require "tests.spec.support.rehearsal"

local case = odata.tests_refusal

describe("an operator", function()
  it("prints its name", function()
    assert.equal("mde.between", tostring(mde.between(1, 2)))
    assert.equal("mde.ago(7200)", tostring(mde.ago "2h"))
  end)

  it("is known from other values", function()
    assert.is_true(operators.is(mde.eq(1)))
    for _, value in ipairs { mde.ago "2h", {}, "mde.eq", print } do assert.is_false(operators.is(value)) end
    assert.is_true(operators.is_ago(mde.ago "2h"))
    assert.is_false(operators.is_ago(mde.eq(1)))
  end)

  it("is what a value, a list and a time stand for", function()
    local one = mde.ge(1)
    assert.equal(one, operators.of(one, "f"))
    assert.same(mde.eq "a", operators.of("a", "f"))
    assert.same(mde.any_of { "a", "b" }, operators.of({ "a", "b" }, "f"))
    assert.equal("eq", operators.of(mde.ago "2h", "f").name)
    assert.equal("eq", operators.of({ year = 2026, month = 1, day = 31 }, "f").name)
  end)
end)

describe("an operator is refused:", function()
  for _, name in ipairs(operators.names) do
    it("mde." .. name .. " of nil", function()
      assert.truthy(rehearsal.refused(mde[name], nil).message:find("nil", 1, true))
    end)
  end
  for _, name in ipairs { "startswith", "endswith", "contains", "eq", "ne", "has" } do
    it("mde." .. name .. " of an empty text", function() rehearsal.refused(mde[name], "") end)
  end
  it("half a span", function()
    rehearsal.refused(mde.between, 1, nil)
    rehearsal.refused(mde.between, nil, 1)
  end)
  it("a span of time that is not one", function()
    for _, span in ipairs { "2", "h", "2 hours", "-2h", "2H", "1d12h", -1, 0 / 0, true } do
      rehearsal.refused(mde.ago, span)
    end
  end)
  it("an operator for a list", function()
    assert.equal("mde.any_of needs a list, not mde.eq", rehearsal.refused(mde.any_of, mde.eq "a").message)
  end)
end)

describe("a list is refused:", function()
  case("an empty list", { riskScore = {} }, "an empty list")
  case("a list with a gap", { riskScore = { nil, "High" } }, "a list without gaps")
  case("a table that is no list", { riskScore = { a = "High" } }, "a list without gaps")
  case("an empty value", { computerDnsName = "" }, "an empty text")
  case("an empty value in a list", { computerDnsName = { "a", "" } }, "an empty text")
  case("a gap in a list in a list", { riskScore = { "High", mde.any_of { "Low", { "None", nil, "Medium" } } } },
    "a list without gaps", "Leave out")
  case("an empty list in a list", { riskScore = { "High", {} } }, "an empty list")
  case("an empty text in an operator's list", { riskScore = { "High", { "Low", "" } } }, "an empty text")
  case("a machine for its id", { machineId = { id = ("a"):rep(40), computerDnsName = "a" } }, "not a table",
    "write its id", "actions")
end)
