-- mde.core.odata through the binding.
-- Labels: sanitized-each-lua
local odata = require("mde.core").odata

describe("core.odata", function()
  it("writes literals", function()
    assert.are.equal("'x'' or healthStatus eq ''Active'", odata.literal "x' or healthStatus eq 'Active")
    assert.are.equal("''", odata.literal "")
    assert.are.equal("'" .. ("''"):rep(3000) .. "'", odata.literal(("'"):rep(3000)))
  end)

  it("encodes and decodes any bytes", function()
    local every = {}
    for byte = 0, 255 do every[byte + 1] = string.char(byte) end
    every = table.concat(every)
    assert.are.equal("a%20b%2B%27%C3%A4-._~", odata.encode "a b+'\195\164-._~")
    assert.are.equal(every, odata.decode(odata.encode(every)))
    assert.are.equal(every, odata.decode(odata.encode(every), true))
    assert.are.equal(every:rep(10), odata.decode(odata.encode(every:rep(10))))
  end)

  it("reads a plus sign as a space in forms alone", function()
    assert.are.equal("a+b", odata.decode "a+b")
    assert.are.equal("a b+", odata.decode("a+b%2b", true))
  end)

  it("refuses a percent sign without two digits", function()
    for _, text in ipairs { "%", "100%", "%4", "%zz", ("x"):rep(600) .. "%4" } do
      assert.is_nil(odata.decode(text))
      assert.is_nil(odata.decode(text, true))
    end
  end)

  it("says why it is no text that a value can be", function()
    for _, text in ipairs { "", " ", "x' or 1 eq 1", "M\195\188ller \231\148\181 \240\159\146\187", "/\\:*?<>|",
      "\194\160", "\239\191\191", "\244\143\191\191", ("x"):rep(70000) } do
      assert.are.same({}, { odata.flaw(text) })
    end
    for _, text in ipairs { "\255", "a\195", "\195(", "\192\175", "\224\128\128", "\237\160\128",
      "\244\144\128\128", "\240\159\146", ("x"):rep(70000) .. "\128" } do
      assert.are.same({ "is not valid UTF-8", "not_utf8" }, { odata.flaw(text) })
    end
    for text, place in pairs { ["a\0b"] = "byte 0x00", ["a\n"] = "byte 0x0a", ["\127"] = "byte 0x7f",
      ["\194\155"] = "U+009B" } do
      assert.are.same({ ("has a control character (%s)"):format(place), "control_character" }, { odata.flaw(text) })
    end
  end)
end)
