-- mde.core.header through the binding; every form of every value is in tests/core/test_header.c.
-- Labels: sanitized-each-lua
local header = require("mde.core").header

describe("core.header", function()
  local NEW_YEAR = 1767225600 -- 2026-01-01T00:00:00Z
  local IN_30_SECONDS = "Thu, 01 Jan 2026 00:00:30 GMT"

  describe("retry_after", function()
    it("is nothing but nil when no header says so", function()
      assert.are.equal(1, select("#", header.retry_after({}, NEW_YEAR)))
      assert.is_nil(header.retry_after({ date = IN_30_SECONDS }, NEW_YEAR))
    end)

    it("reads seconds, milliseconds and dates", function()
      assert.are.equal(8, header.retry_after({ ["retry-after"] = "8" }, NEW_YEAR))
      assert.are.equal("8", tostring(header.retry_after({ ["retry-after"] = "8" }, NEW_YEAR)))
      assert.are.equal(1.5, header.retry_after({ ["retry-after"] = "1.5" }, NEW_YEAR))
      assert.are.equal(0.25, header.retry_after({ ["retry-after-ms"] = "250", ["retry-after"] = "8" }, NEW_YEAR))
      assert.are.equal(2, header.retry_after({ ["x-ms-retry-after-ms"] = "2000" }, NEW_YEAR))
      assert.are.equal(30, header.retry_after({ ["retry-after"] = IN_30_SECONDS }, NEW_YEAR))
      assert.are.equal(20, header.retry_after({ ["retry-after"] = IN_30_SECONDS }, NEW_YEAR + 10.75))
      assert.are.equal(0, header.retry_after({ ["retry-after"] = IN_30_SECONDS }, NEW_YEAR + 60))
    end)

    it("takes a date relative to the response's own", function()
      local headers = { ["retry-after"] = IN_30_SECONDS, date = "Thu, 01 Jan 2026 00:00:00 GMT" }
      assert.are.equal(30, header.retry_after(headers, 0))
    end)

    it("takes the longest of several", function()
      assert.are.equal(30, header.retry_after({ ["retry-after"] = "5, " .. IN_30_SECONDS }, NEW_YEAR))
    end)

    it("says so when it cannot be understood", function()
      for _, text in ipairs { "", "-1", "soon", "5, soon", "1e3" } do
        assert.are.same({ nil, "invalid" }, { header.retry_after({ ["retry-after"] = text }, NEW_YEAR) })
      end
      assert.are.same({ nil, "invalid" }, { header.retry_after({ ["retry-after"] = {} }, NEW_YEAR) })
    end)

    it("cuts what overflows", function()
      assert.are.equal(2147483647, header.retry_after({ ["retry-after"] = ("9"):rep(400) }, NEW_YEAR))
      assert.are.equal(2147483647, header.retry_after({ ["retry-after"] = IN_30_SECONDS }, -math.huge))
    end)

    it("raises for wrong arguments", function()
      assert.has_error(function() header.retry_after("8", NEW_YEAR) end)
      assert.has_error(function() header.retry_after({}) end)
    end)
  end)

  describe("date", function()
    it("reads the three forms", function()
      for _, text in ipairs {
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
      } do
        assert.are.equal(784111777, header.date(text, NEW_YEAR))
      end
    end)

    it("is an integer", function()
      assert.are.equal("784111777", tostring(header.date("Sun, 06 Nov 1994 08:49:37 GMT", NEW_YEAR)))
    end)

    it("chooses the century by the wall time", function()
      assert.are.equal(315532800, header.date("Tuesday, 01-Jan-80 00:00:00 GMT", NEW_YEAR))
      assert.are.equal(3471292800, header.date("Tuesday, 01-Jan-80 00:00:00 GMT", NEW_YEAR + 5 * 366 * 86400))
    end)

    it("is nil for anything else", function()
      assert.is_nil(header.date("Sun, 06 Nov 1994 08:49:37", NEW_YEAR))
      assert.is_nil(header.date("2026-01-01T00:00:00Z", NEW_YEAR))
    end)

    it("raises without a wall time, since the core knows none", function()
      assert.has_error(function() header.date("Sun, 06 Nov 1994 08:49:37 GMT") end)
      assert.has_error(function() header.date("", 0 / 0) end)
    end)
  end)

  it("waits as the message of a 429 says, where no header does", function()
    local message = "You can send requests again in 8 seconds."
    assert.equal(8, header.retry_after({}, 0, 429, message))
    assert.equal(3, header.retry_after({ ["retry-after"] = "3" }, 0, 429, message))
    assert.same({ nil, "invalid" }, { header.retry_after({ ["retry-after"] = "x" }, 0, 429, message) })
    for _, arguments in ipairs { { 503, message }, { 429.5, message }, { 0 / 0, message }, { 429, 8 }, { 429 } } do
      assert.is_nil(header.retry_after({}, 0, arguments[1], arguments[2]))
    end
  end)

  describe("challenges", function()
    it("reads several, with parameters and blobs", function()
      assert.are.same({
        { scheme = "bearer", parameters = { realm = "", error = "insufficient_claims", claims = "e30=" } },
        { scheme = "negotiate", token68 = "abc==", parameters = {} },
        { scheme = "newauth", parameters = { title = 'Log in to "apps"', type = "1" } },
        { scheme = "basic", parameters = {} },
      }, header.challenges('Bearer realm="", Error="insufficient_claims", claims="e30=", Negotiate abc==, '
        .. 'Newauth title="Log in to \\"apps\\"", type=1, Basic'))
    end)

    it("is an empty list for an empty text", function()
      assert.are.same({}, header.challenges "")
    end)

    it("is nil for what is malformed", function()
      for _, text in ipairs { 'Bearer realm="', "Bearer a=b c", "Bearer a=b, A=c", '"x"', "Bearer a=\1" } do
        assert.is_nil(header.challenges(text))
        assert.are.equal(1, select("#", header.challenges(text)))
      end
    end)

    it("reads many", function()
      local many = {}
      for i = 1, 500 do many[i] = "Scheme" .. i .. " a=b" end
      local list = header.challenges(table.concat(many, ", "))
      assert.are.equal(500, #list)
      assert.are.same({ scheme = "scheme500", parameters = { a = "b" } }, list[500])
    end)
  end)

  it("knows a token", function()
    assert.is_true(header.is_token "X-Own")
    for _, text in ipairs { "", "a b", "a\0", "a:" } do assert.is_false(header.is_token(text)) end
  end)
end)
