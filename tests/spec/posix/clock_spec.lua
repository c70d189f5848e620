-- mde.posix.clock: two clocks and a sleep.
-- Labels: sanitized-each-lua
local clock = require("mde.posix").clock

describe("the clock", function()
  it("only goes forward, and as far as a sleep is long", function()
    local before = clock.now()
    clock.sleep(0.02)
    local passed = clock.now() - before
    assert.is_true(passed >= 0.02 and passed < 20)
  end)

  it("tells the time as the machine does", function()
    assert.is_true(math.abs(clock.time() - os.time()) < 20)
  end)

  it("sleeps for no time where none is left", function()
    local before = clock.now()
    for _, seconds in ipairs { 0, -1, -math.huge, 0 / 0 } do clock.sleep(seconds) end
    assert.is_true(clock.now() - before < 20)
    assert.has_error(function() clock.sleep "soon" end)
  end)
end)
