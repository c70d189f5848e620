-- mde.core.number through the binding; the tables are in tests/core/test_number.c, and other locales in
-- tests/spec/locale_spec.lua.
-- Labels: sanitized-each-lua
local number = require("mde.core").number

describe("core.number", function()
  it("writes what reads back", function()
    for _, case in ipairs { { 0.5, "0.5" }, { 3, "3" }, { -2, "-2" }, { 2 ^ 53, "9007199254740992" },
      { 1e300, "1e+300" }, { 1700000000.25, "1700000000.25" } } do
      assert.equal(case[2], number.write(case[1]))
      assert.equal(case[1], number.read(case[2]))
    end
    assert.equal("-inf", number.write(-math.huge))
    -- The point of the locale, in which lua-cjson writes.
    assert.equal((("%.1f"):format(0.5):sub(2, 2)), number.point())
  end)

  it("writes the whole number next to one", function()
    for _, case in ipairs { { 0.5, "1" }, { 0.49, "0" }, { -0.6, "-1" }, { 90, "90" }, { 1700000000.75, "1700000001" },
      { math.huge, "inf" } } do
      assert.equal(case[2], number.whole(case[1]))
    end
  end)

  it("reads an integer as one", function()
    local kind = rawget(math, "type") or type
    assert.equal(kind(443), kind(number.read "443"))
    assert.equal("443", tostring(number.read "4.43e2"))
    assert.equal(kind(0.5), kind(number.read "0.5"))
    assert.equal(kind(1e300), kind(number.read "1e300"))
  end)

  it("keeps all digits of an integer", function()
    local largest = rawget(math, "maxinteger")
    if largest then
      assert.equal("9223372036854775807", number.write(largest))
    else
      assert.equal("9007199254740991", number.write(9007199254740991))
    end
  end)

  it("reads nothing else", function()
    for _, text in ipairs { "", "1,5", " 1", "0x10", "inf", "1\0" } do assert.is_nil(number.read(text)) end
  end)

  it("wants a number to write, and a text to read", function()
    assert.has_error(function() number.write "x" end)
    assert.has_error(function() number.write(nil) end)
    assert.has_error(function() number.read(nil) end)
  end)
end)
