-- mde.core.odata through the binding; the table of devices is in tests/core/test_odata.c.
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

  it("tells the kinds of devices", function()
    local id = "0123456789abcdef0123456789ABCDEF01234567"
    for _, case in ipairs {
      { id, "machine_id", id:lower() },
      { "01234567-89AB-cdef-0123-456789abcdef", "guid", "01234567-89ab-cdef-0123-456789abcdef" },
      { "LapTop.corp.example", "full_name", "LapTop.corp.example" },
      { "x' or healthStatus eq 'Active", "bare_name", "x' or healthStatus eq 'Active" },
      { "M\195\188ller 100% & #1+", "bare_name", "M\195\188ller 100% & #1+" },
      { "10.1.2.3", "ip_address", "10.1.2.3" },
      { "[FE80::ffff:1.2.3.4%eth0]", "ip_address", "fe80::ffff:1.2.3.4" },
    } do
      assert.are.same({ case[2], case[3] }, { odata.kind(case[1]) })
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

  it("says why a text can mean no device", function()
    for _, case in ipairs {
      { "", "is empty" },
      { " ", "is only white space" },
      { "a\27", "has a control character (byte 0x1b)" },
      { "a\0b", "has a control character (byte 0x00)" },
      { "a\255", "is not valid UTF-8" },
      { ("x"):rep(300), "is 300 bytes long; a name has at most 255" },
      { "a/b", 'contains "/", which no device name has' },
      { ("a"):rep(39), "looks like a machine id, but has 39 hex digits instead of 40" },
      { "00000000-0000-0000-0000-000000000000", "is the all-zero GUID, which no device has" },
    } do
      assert.are.same({ nil, case[2] }, { odata.kind(case[1]) })
    end
  end)
end)
