-- Fields of a row that are not of the type that they are meant to be.
-- Labels: sanitized-each-lua
local row_fields = require "mde.base.row_fields"

describe("row_fields", function()
  it("drops what is no text", function()
    local row = { a = "text", b = 7, c = {}, d = true, other = 9 }
    row_fields.keep_texts(row, { "a", "b", "c", "d", "e" })
    assert.same({ a = "text", other = 9 }, row)
  end)

  it("writes numbers as texts, and drops what is neither", function()
    local row = { a = "text", b = 7, c = {}, d = true, e = 0.5, other = 9 }
    row_fields.make_texts(row, { "a", "b", "c", "d", "e", "f" })
    assert.same({ a = "text", b = "7", e = "0.5", other = 9 }, row)
  end)

  for what, case in pairs {
    ["a list of texts"] = { { "vip", "tier0" }, { "vip", "tier0" } },
    ["an empty list"] = { {}, {} },
    ["one text"] = { "tier0", { "tier0" } },
    ["a number"] = { 7, { "7" } },
    ["a list with numbers in it"] = { { "vip", 7, true }, { "vip", "7" } },
    ["an object"] = { { b = "vip", a = { "tier0", { 3 } } }, { "tier0", "3", "vip" } },
    ["neither"] = { true, {} },
  } do
    it("makes a list of texts of " .. what, function()
      local row = { tags = case[1] }
      row_fields.make_list(row, "tags")
      assert.same({ tags = case[2] }, row)
    end)
  end

  it("leaves out what is not there", function()
    local row = {}
    row_fields.make_list(row, "tags")
    row_fields.make_texts(row, { "tags" })
    row_fields.keep_texts(row, { "tags" })
    assert.same({}, row)
  end)
end)
