-- How many changes were sent, accepted and carried out by when.
local timeline = require "mde.run.timeline"

describe("a timeline", function()
  local BEGAN = 1795921080

  -- A device for each time, in waves of ten; accepted a second later, carried out ten seconds later.
  local function account(count, distance)
    local devices = {}
    for i = 1, count do
      local at = BEGAN + (i - 1) * distance
      devices[i] = { changes = { { verb = "restrict", wave = math.ceil(i / 10), outcome = "accepted", sent_at = at,
        answered_at = at + 1, done_at = at + 10 } } }
    end
    return { devices = devices, sessions = { { n = 1, began_at = BEGAN - 5, ended_at = BEGAN + count * distance } } }
  end

  it("counts up to all of them", function()
    local told = timeline.of(account(30, 2))
    assert.equal(BEGAN - 5, told.began)
    assert.equal(BEGAN + 68, told.ended)
    assert.same({ at = told.ended, sent = 30, accepted = 30, succeeded = 30 }, told.points[#told.points])
    assert.same({ at = told.began, sent = 0, accepted = 0, succeeded = 0 }, told.points[1])
    local last = told.rows[#told.rows]
    assert.same({ 30, 30, 30 }, { last.sent, last.accepted, last.succeeded })
    for i = 2, #told.rows do
      for _, name in ipairs { "at", "sent", "accepted", "succeeded" } do
        assert.is_true(told.rows[i][name] >= told.rows[i - 1][name])
      end
    end
  end)

  it("has so few lines that they can be read, whatever the time, and none twice", function()
    for _, distance in ipairs { 0.001, 0.1, 1, 60, 3600, 1e6 } do
      local told = timeline.of(account(100, distance))
      assert.is_true(#told.rows >= 1 and #told.rows <= 18, ("%d rows"):format(#told.rows))
      assert.equal(100, told.rows[#told.rows].succeeded)
      for i = 2, #told.rows do
        local a, b = told.rows[i - 1], told.rows[i]
        assert.is_false(a.sent == b.sent and a.accepted == b.accepted and a.succeeded == b.succeeded)
      end
    end
  end)

  it("says when each wave was sent, and where sessions began and ended", function()
    local told = timeline.of(account(30, 2))
    local waves = {}
    for i, wave in ipairs(told.waves) do waves[i] = { wave.verb, wave.wave, wave.from, wave.to } end
    assert.same({ { "restrict", 1, BEGAN, BEGAN + 18 }, { "restrict", 2, BEGAN + 20, BEGAN + 38 },
      { "restrict", 3, BEGAN + 40, BEGAN + 58 } }, waves)
    assert.same({ { at = BEGAN - 5, text = "session 1" }, { at = BEGAN + 60, text = "end of session 1" } },
      told.marks)
  end)

  it("has waves of verbs that it does not know behind the others", function()
    local changes = {}
    for i, verb in ipairs { "thaw", "restrict", "freeze", "thaw" } do
      changes[i] = { verb = verb, wave = i == 4 and 1 or 2 }
    end
    local waves = {}
    for i, wave in ipairs(timeline.waves({ { changes = changes } }, function() return true end, function() end)) do
      waves[i] = ("%s %d"):format(wave.verb, wave.wave)
    end
    assert.same({ "restrict 2", "freeze 2", "thaw 1", "thaw 2" }, waves)
  end)

  it("is not there where nothing was sent", function()
    assert.is_nil(timeline.of { devices = { { changes = { { verb = "restrict" } } } }, sessions = {} })
  end)

  it("takes one send at one moment", function()
    local told = timeline.of { sessions = {}, devices = { { changes = { { verb = "restrict", sent_at = BEGAN } } } } }
    assert.equal(1, told.rows[#told.rows].sent)
    assert.equal(0, told.rows[#told.rows].succeeded)
  end)

  it("uses no time that cannot be one", function()
    for _, odd in ipairs { -1, 1e300, math.huge, 0 / 0, "5" } do assert.is_nil(timeline.usable(odd)) end
    assert.is_nil(timeline.usable(nil))
    assert.equal(BEGAN, timeline.usable(BEGAN))
  end)
end)
