-- The tenant's clock.
-- Labels: not-lua5.3
local clock = require "mde.sim.model.clock"

describe("a clock", function()
  it("that is made up stands still until it is put forward", function()
    local made_up = clock.new(nil, 1000)
    assert.is_true(made_up.made_up)
    assert.equal(1000, made_up.now())
    made_up.advance(60.5)
    assert.equal(1060.5, made_up.now())
    assert.is_true(math.abs(clock.new("made-up").now() - os.time()) < 60)
  end)

  it("that is real goes on by itself, and can be put forward all the same", function()
    local real = clock.new "real"
    assert.is_false(real.made_up)
    assert.is_true(math.abs(real.now() - os.time()) < 60)
    real.advance(3600)
    assert.is_true(math.abs(real.now() - os.time() - 3600) < 60)
  end)

  it("may be a function, and nothing else", function()
    local now = 5
    local own = clock.new(function() return now end)
    own.advance(1)
    now = 9
    assert.equal(10, own.now())
    for _, wish in ipairs { "stopped", 5, true } do assert.has_error(function() clock.new(wish) end) end
  end)
end)
