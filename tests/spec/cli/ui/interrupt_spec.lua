-- interrupt: Ctrl-C.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local interrupt = require "mde.cli.ui.interrupt"
local rehearsal = require "tests.spec.support.rehearsal"

describe("Ctrl-C", function()
  -- Runs ten seconds of work; Ctrl-C is pressed after those seconds.
  local function during(patience, ...)
    local r, presses = rehearsal.new { machines = {} }, { ... }
    local driver = r.driver
    local began, firsts = driver.now(), 0
    local told = console.capture(function()
      return interrupt.during(r.client, patience, function()
        driver.sleep(10)
        return "the result"
      end, function() firsts = firsts + 1 end)
    end, { interruptions = function()
      local count = 0
      for _, seconds in ipairs(presses) do
        if driver.now() - began >= seconds then count = count + 1 end
      end
      return count
    end })
    return told.value, told.more, firsts, driver.now() - began
  end

  it("is looked for every now and then, which others may use", function()
    local r, looks = rehearsal.new { machines = {} }, 0
    console.capture(function()
      interrupt.during(r.client, 1, function() r.driver.sleep(10) end, nil, function() looks = looks + 1 end)
    end)
    assert(looks > 50, looks)
  end)

  it("is not needed", function()
    local finished, result, firsts = during(1)
    assert.same({ true, "the result", 0 }, { finished, result, firsts })
  end)

  it("once ends what changes nothing", function()
    local finished, result, firsts, seconds = during(1, 3)
    assert.same({ false, nil, 0, n = 4 }, { finished, result, firsts, n = 4 })
    assert.is_true(seconds < 3.2)
  end)

  it("once lets what is in flight finish, and is noticed once", function()
    local finished, result, firsts = during(2, 3)
    assert.same({ true, "the result", 1 }, { finished, result, firsts })
  end)

  it("twice ends that, too", function()
    local finished, result, firsts, seconds = during(2, 3, 5)
    assert.same({ false, nil, 1, n = 4 }, { finished, result, firsts, n = 4 })
    assert.is_true(seconds >= 5 and seconds < 5.2)
  end)

  it("was asked for or not", function()
    for count = 0, 2 do
      local told = console.capture(interrupt.asked, { interruptions = function() return count end })
      assert.equal(count > 0, told.value)
    end
  end)
end)
