-- mde.core.show: texts made safe, and their columns; which code points that concerns show the tests of the core.
-- Labels: sanitized-each-lua
local show = require("mde.core").show

describe("core.show", function()
  it("writes out what would act, as a line and as JSON", function()
    assert.equal("a\\x1b\\xe3\\x85\\xa4\"\\", show.line "a\27\227\133\164\"\\")
    assert.equal("a\\u001b\\u3164\\\"\\\\", show.json "a\27\227\133\164\"\\")
    assert.equal("\\xff", show.line "\255")
    assert.equal("\\ufffd", show.json "\255")
  end)

  it("leaves everything else", function()
    for _, text in ipairs { "", "laptop-17", "B\195\188ro \230\151\165", ("x"):rep(10000) } do
      assert.equal(text, show.line(text))
      assert.equal(text, show.json(text))
    end
    assert.equal("17", show.line(17))
  end)

  it("has room for a text of any length", function()
    for _, length in ipairs { 127, 128, 129, 511, 512, 513, 70000 } do
      assert.equal(("\\x00"):rep(length), show.line(("\0"):rep(length)))
      assert.equal(("\\u0000"):rep(length), show.json(("\0"):rep(length)))
    end
  end)

  it("measures columns", function()
    assert.equal(4, show.columns "e\204\129\230\151\165x")
    assert.same({ "e\204\129", 1 }, { show.beginning("e\204\129\230\151\165x", 2) })
    assert.same({ "", 0 }, { show.beginning("abc", 0) })
    assert.same({ "", 0 }, { show.beginning("abc", -3) })
    assert.same({ "abc", 3 }, { show.beginning("abc", 1000) })
  end)

  it("wants texts", function()
    for _, name in ipairs { "line", "json", "columns", "beginning" } do
      assert.error_matches(function() show[name]({}) end, "bad argument #1")
    end
    assert.error_matches(function() show.beginning("a", "x") end, "bad argument #2")
  end)
end)
