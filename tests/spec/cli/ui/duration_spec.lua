-- Labels: not-lua5.3
local duration = require "mde.cli.ui.duration"

describe("a duration", function()
  it("is told in hours and minutes", function()
    assert.equal("1 min", duration.text(60))
    assert.equal("2 min", duration.text(61))
    assert.equal("2 h", duration.text(7200))
    assert.equal("3 h 4 min", duration.text(11040))
    for seconds, text in pairs { [9.7] = "9 s", [60] = "1 min", [155.5] = "2 min 35 s", [3600] = "1 h",
      [11040] = "3 h 4 min" } do
      assert.equal(text, duration.countdown(seconds))
    end
  end)

  for text, seconds in pairs {
    ["90s"] = 90, ["10m"] = 600, ["14h"] = 50400, ["2d"] = 172800, ["1h30m"] = 5400, ["001s"] = 1,
  } do
    it(text .. " is understood", function() assert.equal(seconds, duration.parse(text)) end)
  end

  for _, text in ipairs { "", "10", "m", "-1m", "1.5h", "10 m", "10m ", "0s", "1w", "1m2", "9999999999d", "laptop" } do
    it(("%q is refused"):format(text), function()
      local seconds, message = duration.parse(text)
      assert.is_nil(seconds)
      assert.truthy(message:find("write 90s, 10m, 14h or 2d", 1, true))
    end)
  end

  for seconds, text in pairs {
    [0] = "0s ago", [59.9] = "59s ago", [60] = "1m ago", [3599] = "59m ago", [7200] = "2h ago", [90000] = "1d ago",
    [-5] = "in the future",
  } do
    it(("of %g seconds is shown as %s"):format(seconds, text), function()
      assert.equal(text, duration.ago(seconds))
    end)
  end
end)
