-- The words in which a value from outside is refused.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
local validation = require "mde.sim.base.validation"

describe("a value that does not fit", function()
  for value, shown in pairs { [5] = "5", x = "'x'", ["a\27b\n"] = "'a?b?'", [json.null] = "null",
    [("x"):rep(99)] = "'" .. ("x"):rep(60) .. "'", [true] = "true" } do
    it("is shown: " .. shown, function()
      assert.equal("lag must be a number, not " .. shown, validation.mismatch("lag", "a number", value))
    end)
  end

  it("is called a table if it is one", function()
    assert.equal("lag must be a number, not a table", validation.mismatch("lag", "a number", { 1 }))
  end)
end)

describe("a name that does not exist", function()
  it("is told with the nearest one", function()
    assert.equal("there is no setting 'lifetme'. Did you mean 'lifetime'?",
      validation.unknown("setting ", "lifetme", { lifetime = true, limits = true }))
    assert.equal("there is no 'xyzzy'", validation.unknown("", "xyzzy", { lifetime = true }))
  end)
end)

describe("a list", function()
  it("is of tables or of texts", function()
    validation.check_list("x", {}, "table")
    validation.check_list("x", { {}, {} }, "table")
    for _, case in ipairs { { 5, "x must be a list of tables" }, { { a = 1 }, "x must be a list of tables" },
      { { {}, "a" }, "x[2] must be a table" } } do
      assert.has_error(function() validation.check_list("x", case[1], "table") end, case[2])
    end
    assert.has_error(function() validation.check_list("x", { 5 }, "string") end, "x[1] must be a text")
  end)

  it("says of which element something was raised", function()
    assert.has_error(function()
      validation.for_each("x", { { 1 }, { 2 } }, function(element, i)
        if i == 2 then error(element[1] .. "!", 0) end
      end)
    end, "x[2]: 2!")
  end)
end)
