-- mde.core.name through the binding; the tables are in tests/core/test_name.c.
-- Labels: sanitized-each-lua
local name = require("mde.core").name

describe("core.name", function()
  it("has one form for a name, however long", function()
    assert.equal("laptop-17.corp.example", name.normal " LAPTOP-17.Corp.example. ")
    assert.equal("", name.normal "")
    assert.equal(("x\0"):rep(3000), name.normal(" " .. ("X\0"):rep(3000) .. "."))
  end)

  it("has one form for several", function()
    assert.equal("laptop-17\nb", name.normal { " Laptop-17.", "B" })
    assert.equal(("x"):rep(3000) .. "\ny\n", name.normal { ("X"):rep(3000), "Y.", "" })
    assert.equal("a", name.normal { "A" })
    assert.equal("", name.normal {})
  end)

  it("says what is looked for", function()
    assert.same({ "Desk-5", "Desk-5. ", " Desk-5", " Desk-5. " }, { name.asked(" Desk-5. ", "eq"),
      name.asked(" Desk-5. ", "startswith"), name.asked(" Desk-5. ", "endswith"), name.asked(" Desk-5. ", "contains") })
  end)

  it("compares", function()
    assert.is_true(name.matches("Desk-5.corp", "eq", "dESK-5.corp."))
    assert.is_true(name.matches("Desk-5.corp.", "endswith", ".CORP"))
    assert.is_true(name.matches("Desk-5.corp", "startswith", "desk-5."))
    assert.is_true(name.matches("Desk-5.corp", "contains", "K-5.C"))
    assert.is_false(name.matches("Desk-5.corp", "eq", "desk-5"))
    assert.is_false(name.matches("Desk-5.corp", "startswith", "desk-55"))
  end)

  it("spells a text in three ways, each once", function()
    assert.same({ "Ab-\195\188", "ab-\195\188", "AB-\195\188" }, name.spellings "Ab-\195\188")
    assert.same({ "ab", "AB" }, name.spellings "ab")
    assert.same({ "AB", "ab" }, name.spellings "AB")
    assert.same({ "17" }, name.spellings "17")
    assert.same({ ("aB"):rep(600), ("ab"):rep(600), ("AB"):rep(600) }, name.spellings(("aB"):rep(600)))
  end)

  it("raises for what is no text, and for a relation that there is not", function()
    for _, wrong in ipairs {
      function() name.normal(nil) end, function() name.normal { "a", 1 } end, function() name.spellings {} end,
      function() name.asked("x", "ne") end, function() name.matches("x", "is", "x") end,
      function() name.matches("x", "eq") end,
    } do
      assert.has_error(wrong)
    end
  end)
end)
