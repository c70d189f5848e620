-- resty.gate: what several wait for until it is opened.

local clock = require("mde.posix").clock
local fake_nginx = require "tests.spec.support.fake_nginx"

describe("a gate in nginx", function()
  local nginx, gates

  before_each(function()
    nginx = fake_nginx.start()
    gates = nginx.load "gate"
  end)

  after_each(fake_nginx.stop)

  -- Waits where Lua can.
  local function wait(gate, seconds)
    local results
    coroutine.wrap(function() results = { pcall(gate.wait, gate, seconds) } end)()
    return results[2], results[1]
  end

  it("that is open lets everybody through, in any phase", function()
    local gate = gates.new()
    gate:open()
    gate:open()
    nginx.phase = "log"
    assert.is_true((wait(gate)))
    assert.is_true((wait(gate, 0)))
  end)

  it("that is shut is not waited at where nothing can wait", function()
    nginx.phase = "log"
    local err, ok = wait(gates.new())
    assert.is_false(ok)
    assert.matches("cannot wait in log_by_lua", err, 1, true)
  end)

  it("is waited at in short pieces, and something is seen to between them", function()
    local seen, gate, pieces = 0, nil, {}
    gate = gates.new(function()
      seen = seen + 1
      if seen == 3 then gate:open() end
    end)
    nginx.wait = function(_, seconds) pieces[#pieces + 1] = seconds end
    assert.is_true((wait(gate)))
    assert.same({ 2, 2, 2 }, pieces)
  end)

  it("is given up after the time, and never waited at for less than nginx can", function()
    local pieces = {}
    nginx.wait = function(_, seconds)
      pieces[#pieces + 1] = seconds
      clock.sleep(seconds)
    end
    local began = clock.now()
    assert.is_false((wait(gates.new(), 0.0105)))
    assert.is_true(clock.now() - began >= 0.0105)
    for _, seconds in ipairs(pieces) do assert.is_true(seconds >= 0.001) end
    assert.is_false((wait(gates.new(), 0)))
    assert.is_false((wait(gates.new(), -1)))
  end)

  it("lets all through who wait when it is opened", function()
    local gate, posted = gates.new(), nil
    nginx.wait = function(semaphore)
      -- As nginx counts who waits.
      semaphore.left = -3
      local post = semaphore.post
      semaphore.post = function(...)
        posted = select(2, ...)
        post(...)
      end
      gate:open()
    end
    assert.is_true((wait(gate)))
    assert.equal(3, posted)
  end)
end)
