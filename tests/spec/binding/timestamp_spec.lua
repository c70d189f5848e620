-- mde.core.timestamp through the binding; the tables are in tests/core/test_timestamp.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"

describe("core.timestamp", function()
  it("writes what is read back", function()
    for _, case in ipairs { { 0, "1970-01-01T00:00:00Z" }, { 1770113472, "2026-02-03T10:11:12Z" },
      { 1770113472.25, "2026-02-03T10:11:12.25Z" }, { -0.5, "1969-12-31T23:59:59.5Z" } } do
      assert.equal(case[2], core.timestamp.write(case[1]))
      assert.equal(case[1], core.timestamp.read(case[2]))
    end
  end)

  it("reads nothing from what is no time", function()
    for _, text in ipairs { "", "never", "0001-01-01T00:00:00Z", "2026-02-03T10:11:12Z\0", 1770113472, {}, true } do
      assert.is_nil(core.timestamp.read(text))
    end
    assert.is_nil(core.timestamp.read(nil))
  end)

  it("writes the second that a time lies in", function()
    assert.equal("2026-02-03T10:11:12Z", core.timestamp.whole(1770113472.9999998))
    assert.equal("2026-02-03T10:11:13Z", core.timestamp.write(1770113472.9999998))
  end)

  it("has no text for what no year has", function()
    for _, seconds in ipairs { 0 / 0, math.huge, -math.huge, 253402300800, -62167219201 } do
      assert.is_nil(core.timestamp.write(seconds))
      assert.is_nil(core.timestamp.whole(seconds))
    end
  end)

  it("takes nothing but a number", function()
    assert.error(function() core.timestamp.write(nil) end)
    assert.error(function() core.timestamp.whole {} end)
  end)
end)
