-- The parameters of a hunting query.
-- Labels: not-lua5.3
local parameters = require "mde.hunting.parameters"

local function refused(query, given)
  local ok, err = pcall(parameters.bind, query, given)
  assert.is_false(ok)
  return err.code, tostring(err)
end

describe("the parameters of a query", function()
  it("stand before it, in its first line, in the order of their names", function()
    local text, before = parameters.bind("T\n| where A == name and B in (list)",
      { name = "\195\164", list = { 1 } })
    assert.are.equal('let list = dynamic([1]); let name = "\195\164"; T\n| where A == name and B in (list)', text)
    assert.are.equal(#'let list = dynamic([1]); let name = "a"; ', before)
  end)

  it("may be none", function()
    assert.are.same({ "T", 0 }, { parameters.bind("T", nil) })
    assert.are.same({ "T", 0 }, { parameters.bind("T", {}) })
  end)

  for name, case in pairs {
    ["no table"] = { "T", "x", "wrong_type", "must be a table" },
    ["a list"] = { "T", { "x" }, "parameter_malformed", "need names" },
    ["what cannot be a name"] = { "T", { ["a = 1; b"] = 1 }, "parameter_malformed", "is no name of a parameter" },
    ["a name like a column"] = { "T | where DeviceName == DeviceName", { DeviceName = "x" }, "parameter_malformed",
      "does not begin with a small letter" },
    ["a word of the language"] = { "T | where A == where", { where = "x" }, "parameter_malformed", "a word of" },
    ["two that differ by case"] = { "T | where A == host or A == hOst", { host = "x", hOst = "y" },
      "parameter_malformed", "by their case alone" },
    ["a name that the query defines"] = { "T | extend host = A | where B == host", { host = "x" },
      "parameter_malformed", "gives host a meaning itself" },
    ["a name that let defines"] = { "let host = 'y'; T | where B == host", { host = "x" }, "parameter_malformed",
      "gives host a meaning itself" },
    ["a function's name"] = { "T | where A > ago(1d)", { ago = 1 }, "parameter_malformed", "calls ago() itself" },
    ["one that is not used"] = { "T | where A == hsot", { host = "x" }, "parameter_unused", 'Did you mean "hsot"' },
    ["one in quotes"] = { "T | where DeviceName == 'host'", { host = "x" }, "parameter_unused", "without quotes" },
    ["one in a comment"] = { "T // host", { host = "x" }, "parameter_unused", "does not use" },
    ["what cannot be a value"] = { "T | where A == host", { host = print }, "parameter_malformed", "parameter host" },
  } do
    it("are refused: " .. name, function()
      local code, text = refused(case[1], case[2])
      assert.are.equal(case[3], code)
      assert.is_truthy(text:find(case[4], 1, true), text)
    end)
  end
end)
