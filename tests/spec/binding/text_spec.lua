-- mde.core.text: letters and order by bytes. That no locale changes them shows the suite's locale/ tests.
-- Labels: sanitized-each-lua
local text = require("mde.core").text

local every = {}
for byte = 0, 255 do every[byte + 1] = string.char(byte) end
every = table.concat(every)

describe("core.text", function()
  it("maps the letters A to Z, and leaves all other bytes", function()
    assert.are.equal("vip-id i\204\135 \196\176\221\253", text.lower "VIP-ID I\204\135 \196\176\221\253")
    assert.are.equal("VIP-ID I\204\135 \196\177\253", text.upper "vip-id i\204\135 \196\177\253")
    for byte = 0, 255 do
      local c = string.char(byte)
      local is_upper, is_lower = byte >= 65 and byte <= 90, byte >= 97 and byte <= 122
      assert.are.equal(is_upper and byte + 32 or byte, text.lower(c):byte())
      assert.are.equal(is_lower and byte - 32 or byte, text.upper(c):byte())
    end
  end)

  it("maps texts of any length", function()
    assert.are.equal("", text.lower "")
    assert.are.equal(text.lower(every):rep(500), text.lower(every:rep(500)))
    assert.are.equal(#every * 500, #text.upper(every:rep(500)))
  end)

  it("puts texts in the order of their bytes", function()
    local list = { "b", "\195\164", "a", "", "B", "a\0b", "a\0", "_", "ab", "\255", "-b" }
    table.sort(list, text.before)
    assert.are.same({ "", "-b", "B", "_", "a", "a\0", "a\0b", "ab", "b", "\195\164", "\255" }, list)
    assert.is_false(text.before("a", "a"))
    assert.is_false(text.before("", ""))
  end)

  it("wants text", function()
    for _, name in ipairs { "lower", "upper", "before" } do
      assert.has_error(function() text[name](nil, "a") end)
      assert.has_error(function() text[name]({}, "a") end)
    end
  end)

  it("leaves white space around a text away, and no part of a letter", function()
    assert.are.equal("a b", text.trim "\194\160 a b\t\n")
    assert.are.equal("", text.trim " \t ")
    assert.are.equal("voil\195\160", text.trim " voil\195\160 ")
    assert.are.equal("\0", text.trim " \0 ")
  end)

  it("finds a control character", function()
    for byte = 0, 127 do
      assert.are.equal(byte < 32 or byte == 127, text.has_control("a" .. string.char(byte)))
    end
    assert.is_true(text.has_control "\194\133")
    assert.is_false(text.has_control "\195\133\133")
  end)
end)
