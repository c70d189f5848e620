-- token_share: who asks for a token where processes share a store, and what the others make of what is told.

local posix = require "mde.posix"
local token_shares = require "mde.auth.token_share"

describe("a token that is shared", function()
  local stored, seconds_of, leased, store, clock

  before_each(function()
    stored, seconds_of, leased, clock = {}, {}, false, 1000
    store = {
      read = function(_, name) return stored[name] end,
      write = function(_, name, value, seconds) stored[name], seconds_of[name] = value, seconds end,
      delete = function(_, name) stored[name] = nil end,
      lease = function()
        if leased then return nil end
        leased = true
        return { release = function() leased = false end }
      end,
    }
  end)

  local function share(credential)
    return token_shares.new(store, function() return credential or "1" end)
  end

  -- Learns within so many seconds; `meanwhile` is called when it sleeps.
  local function learn(one, seconds, meanwhile)
    return one:learn(function() return clock end, function(pause)
      clock = clock + pause
      if meanwhile then meanwhile() end
    end, clock + (seconds or 10), 30)
  end

  local function fetch(one, value, usable)
    one:fetched(value, { expires_in = usable }, posix.clock.time(), 77, usable)
  end

  it("is asked for by one, and had by the others as soon as it is there", function()
    local first, second = share(), share()
    local what, lease = learn(first)
    assert.equal("ask", what)
    local found
    what, found = learn(second, 10, function()
      if not found and clock > 1001 then
        fetch(first, "a made-up token", 3600)
        lease:release()
      end
    end)
    assert.equal("token", what)
    assert.equal("a made-up token", found.value)
    assert.equal(77, found.sent)
    assert.is_true(clock < 1002)
  end)

  it("is not learnt twice, and not from oneself", function()
    local first, second = share(), share()
    fetch(first, "one", 3600)
    assert.equal("ask", (learn(first)))
    leased = false
    assert.equal("token", (learn(second)))
    assert.equal("ask", (learn(second)))
  end)

  it("is looked for once more by who has the lease", function()
    local first, second = share(), share()
    local lease = store.lease
    store.lease = function(...)
      fetch(first, "just now", 3600)
      return lease(...)
    end
    local what, found = learn(second)
    assert.equal("token", what)
    assert.equal("just now", found.value)
    assert.is_false(leased)
  end)

  it("that nobody could get is a failure for all with the same credential, once", function()
    local first, second, other = share "1", share "1", share "2"
    first:failed({ kind = "auth", message = "no", action = {} }, 401, 7)
    local what, found = learn(second)
    assert.equal("failure", what)
    assert.same({ kind = "auth", message = "no" }, found.err)
    assert.equal(401, found.status)
    assert.equal(7, found.retry_after)
    assert.equal("ask", (learn(second)))
    leased = false
    assert.equal("ask", (learn(other)))
    leased = false
    assert.equal("ask", (learn(first)))
  end)

  it("ends what was told of a failure", function()
    local first = share()
    first:failed({ kind = "auth" }, 401)
    fetch(first, "one", 3600)
    local what, found = learn(share())
    assert.equal("token", what)
    assert.equal("one", found.value)
    assert.is_nil(stored["token failure"])
  end)

  it("stands in the store no longer than it can be handed out", function()
    for usable, stands in pairs { [3570] = 3570, [10] = 10, [0.5] = 1 } do
      fetch(share(), "one", usable)
      assert.equal(stands, seconds_of["token and age"])
    end
  end)

  it("from a clock that was set back since, or from nowhere, is not believed", function()
    for _, at in ipairs { posix.clock.time() + 60, "now", false } do
      stored["token and age"] = { value = "x", at = at }
      assert.equal("ask", (learn(share())))
      leased = false
    end
  end)

  it("is asked for where the store cannot be used", function()
    store.lease = function() return nil, "it is broken" end
    assert.same({ "ask" }, { learn(share()) })
  end)

  it("is given up when the time is", function()
    leased = true
    assert.same({}, { learn(share(), 2) })
    assert.equal(1002, clock)
  end)

  it("is forgotten when the service rejects it, and no other is", function()
    local one = share()
    fetch(one, "new", 3600)
    one:invalidate "old"
    assert.truthy(stored["token and age"])
    one:invalidate "new"
    assert.is_nil(stored["token and age"])
    one:invalidate "new"
  end)
end)
