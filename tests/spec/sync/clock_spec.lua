-- clock: a driver's time, or the machine's where the driver has none.

local clocks = require "mde.sync.clock"
local posix = require "mde.posix"

describe("a driver's clock", function()
  local now, sleep

  before_each(function() now, sleep = posix.clock.now, posix.clock.sleep end)
  after_each(function() posix.clock.now, posix.clock.sleep = now, sleep end)

  it("is its own", function()
    local driver = { now = function() return 7 end, time = function() return 1.7e9 end, sleep = function() end }
    local clock = clocks.of_driver(driver)
    assert.equal(driver.now, clock.now)
    assert.equal(driver.time, clock.time)
    assert.equal(driver.sleep, clock.sleep)
  end)

  it("is the machine's where it has none, or half of one", function()
    local own = function() return 7 end
    assert.equal(own, clocks.of_driver({ now = own }).now)
    assert.is_function(clocks.of_driver({ now = own }).sleep)
    assert.equal(posix.clock.now, clocks.of_driver({}).now)
    assert.is_true(math.abs(clocks.of_driver({ now = own }).time() - os.time()) <= 2)
  end)

  it("of the machine sleeps for the whole time, however often a signal ends its sleep", function()
    local time, slept = 100, {}
    posix.clock.now = function() return time end
    posix.clock.sleep = function(seconds)
      slept[#slept + 1] = seconds
      time = time + seconds / 2
    end
    clocks.of_driver({}).sleep(8)
    assert.is_true(time >= 107.99, time)
    assert.same({ 8, 4, 2, 1 }, { slept[1], slept[2], slept[3], slept[4] })
  end)

  it("of the machine does not sleep for no time", function()
    posix.clock.sleep = function() error "it slept" end
    clocks.of_driver({}).sleep(0)
    clocks.of_driver({}).sleep(-1)
  end)
end)
