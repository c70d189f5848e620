-- Percent-encoding, forms, base64 and UTF-8, as strict as the service.
-- Labels: not-lua5.3
local encoding = require "mde.sim.base.encoding"

describe("percent-encoding", function()
  it("is undone, with a plus sign as a space only in a form", function()
    assert.equal("a b/c+", encoding.unescape "a%20b%2Fc+")
    assert.equal("a b c", encoding.unescape("a%20b+c", true))
  end)

  it("is refused where a percent sign has not two digits behind it", function()
    for _, text in ipairs { "%", "a%2", "%zz", "%%41" } do assert.is_nil(encoding.unescape(text), text) end
    assert.truthy(encoding.problem(nil):find("percent sign", 1, true))
  end)

  it("must be of UTF-8 without NUL", function()
    assert.is_nil(encoding.problem "caf\195\169")
    assert.truthy(encoding.problem "caf\233")
    assert.truthy(encoding.problem "a\0b")
  end)
end)

describe("a form", function()
  it("is read field by field", function()
    assert.same({ a = "1 2", b = "", c = "=" }, encoding.form "a=1+2&b=&c==")
    assert.same({}, encoding.form "")
  end)

  it("is refused where a name occurs twice, or an encoding is damaged", function()
    for _, text in ipairs { "a=1&a=2", "a=1&%61=2", "a=%z", "%=1" } do
      local fields, message = encoding.form(text)
      assert.is_nil(fields, text)
      assert.is_string(message)
    end
  end)
end)

describe("base64", function()
  for text, encoded in pairs { [""] = "", f = "Zg", fo = "Zm8", foo = "Zm9v", ["\251\255\191"] = "-_-_" } do
    it(("of %d bytes comes back: %s"):format(#text, encoded), function()
      assert.equal(encoded, encoding.base64url(text))
      local plain = encoded:gsub("-", "+"):gsub("_", "/")
      assert.equal(text, encoding.unbase64(plain))
      assert.equal(text, encoding.unbase64(plain .. ("="):rep(-#plain % 4)))
    end)
  end

  it("is refused with other characters, and with one left over", function()
    for _, text in ipairs { "Zg==x", "Z", "Zm9v\n", "Zm-v" } do assert.is_nil(encoding.unbase64(text), text) end
  end)
end)

describe("characters", function()
  it("are counted, and only those of UTF-8", function()
    assert.equal(4, encoding.characters "a\195\169\226\130\172\240\159\152\128")
    for _, text in ipairs { "\192\175", "\237\160\128", "\195", "\244\144\128\128", "\128" } do
      assert.is_nil(encoding.characters(text))
    end
  end)

  it("are never cut in two", function()
    assert.equal("a\195\169", encoding.first_characters("a\195\169b", 2))
    assert.equal("ab", encoding.first_characters("ab", 5))
  end)
end)

describe("bytes", function()
  it("are written in hexadecimal digits", function() assert.equal("00ff41", encoding.hex "\0\255A") end)
end)
