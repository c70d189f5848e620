-- resty.semaphore: how many may be at something at once, also where one that had a slot is gone without a word.

local clock = require("mde.posix").clock
local fake_nginx = require "tests.spec.support.fake_nginx"

describe("the slots of a semaphore", function()
  local nginx, semaphores

  before_each(function()
    nginx = fake_nginx.start()
    semaphores = nginx.load "semaphore"
  end)

  after_each(fake_nginx.stop)

  local function later() return clock.now() + 60 end

  it("are had by so many, and by the next when one is given back", function()
    local two = semaphores.new(2)
    local first = assert(two:take(later(), later()))
    assert(two:take(later(), later()))
    local waits = 0
    nginx.wait = function()
      waits = waits + 1
      if waits == 3 then two:give(first) end
    end
    assert.truthy(two:take(later(), later()))
    assert.equal(3, waits)
  end)

  it("are not waited for longer than one has patience, nor without any", function()
    local one = semaphores.new(1)
    assert(one:take(later(), later()))
    local longest = 0
    nginx.wait = function(_, seconds)
      longest = math.max(longest, seconds)
      clock.sleep(0.01)
    end
    assert.is_nil(one:take(later(), clock.now() + 0.03))
    assert.is_true(longest <= 0.03 + 0.001)
    nginx.wait = function() error "it waited" end
    assert.is_nil(one:take(later(), clock.now() - 1))
  end)

  it("are looked at again while one waits, at least every second", function()
    local one = semaphores.new(1)
    assert(one:take(later(), later()))
    nginx.wait = function(_, seconds)
      assert.is_true(seconds <= 1)
      error("that is all", 0)
    end
    assert.error_matches(function() one:take(later(), later()) end, "that is all")
  end)

  it("are free again a moment after they were to be given back", function()
    local one = semaphores.new(1)
    local lost = assert(one:take(clock.now() - 2, later()))
    local taken = assert(one:take(later(), clock.now() - 1))
    -- The one that was lost comes back after all, and frees nobody else's.
    one:give(lost)
    assert.is_nil(one:take(later(), clock.now() - 1))
    one:give(taken)
    assert.truthy(one:take(later(), clock.now() - 1))
  end)

  it("are kept for that moment, in which a request may still end", function()
    local one = semaphores.new(1)
    assert(one:take(clock.now(), later()))
    assert.is_nil(one:take(later(), clock.now() - 1))
  end)
end)
