-- mde.core.token through the binding: what Lua sees of the cache. Its rules are tested in
-- tests/core/test_token.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"

local HOUR = { expires_in = 3600 }

-- A cache that holds `value`, got at `sent_at`.
local function cache_with(value, sent_at, lifetime)
  local cache = core.token.new()
  local what, lease = cache:ask(sent_at, 35)
  assert(what == "fetch")
  local generation = assert(cache:fetched(lease, sent_at, value, lifetime or HOUR, 1e9, 0))
  return cache, generation
end

describe("mde.core.token", function()
  it("lets one fetch and the others wait, and then gives all the token", function()
    local cache = core.token.new()
    local what, lease = cache:ask(100, 35)
    assert.equal("fetch", what)
    assert.same({ "wait", 135 }, { cache:ask(101, 35) })
    local generation = cache:fetched(lease, 100, "a made-up token", HOUR, 1e9, 0)
    assert.is_number(generation)
    assert.same({ "use", "a made-up token", generation }, { cache:ask(102, 35) })
    assert.same({ "use", "a made-up token", generation }, { cache:ask(102, 35, generation + 1) })
    assert.same({ "use", nil, generation }, { cache:ask(102, 35, generation) })
    assert.has_error(function() cache:ask(102, 35, -1) end)
    assert.equal(3700, cache:expiry())
  end)

  it("says when the token of a reply was asked for", function()
    assert.equal(1e9, core.token.sent(1e9 + 60, { expires_in = 60 }))
    assert.equal(1e9, core.token.sent(1e9 + 60, { expires_in = "60" }))
    for _, expires_at in ipairs { "1000000060", {}, true, 0 / 0 } do
      assert.is_nil(core.token.sent(expires_at, { expires_in = 60 }))
    end
    assert.is_nil(core.token.sent(nil, { expires_in = 60 }))
    assert.is_nil(core.token.sent(1e9, {}))
    assert.is_nil(core.token.sent(1e9, { expires_in = {} }))
    assert.has_error(function() core.token.sent(1e9) end)
  end)

  it("says until when the token is handed out", function()
    local cache = cache_with("a made-up token", 100)
    local last = cache:usable_until()
    assert.equal(3670, last)
    assert.not_equal("fetch", (cache:ask(last - 0.001, 35)))
    cache = cache_with("a made-up token", 100)
    assert.equal("fetch", (cache:ask(last, 35)))
    local generation
    cache, generation = cache_with("a made-up token", 100)
    cache:rejected(generation)
    assert.is_nil(cache:usable_until())
    assert.is_nil(core.token.new():usable_until())
  end)

  it("gives every call the very error that was told, and its age", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    local told = setmetatable({ kind = "auth" }, { __tostring = function() return "no" end })
    assert.is_true(cache:failed(lease, 1, 401, nil, told))
    local what, err, age = cache:ask(3.5, 35)
    assert.equal("failed", what)
    assert.is_true(rawequal(told, err))
    assert.equal(2.5, age)
    assert.equal("failed", (cache:ask(60, 35)))
    assert.equal("fetch", (cache:ask(61, 35)))
  end)

  it("keeps the error alive as long as it is remembered, and no longer", function()
    local cache = core.token.new()
    local seen = setmetatable({}, { __mode = "v" })
    local _, lease = cache:ask(0, 35)
    seen[1] = { kind = "throttled" }
    cache:failed(lease, 1, 429, 20, seen[1])
    collectgarbage() collectgarbage()
    assert.equal("throttled", select(2, cache:ask(2, 35)).kind)
    assert.equal("fetch", (cache:ask(21, 35)))
    collectgarbage() collectgarbage()
    assert.is_nil(seen[1])
  end)

  it("obeys Retry-After, and takes false and strings as errors", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    assert.is_true(cache:failed(lease, 0, 503, 17, false))
    assert.same({ "failed", false, 16 }, { cache:ask(16, 35) })
    local what, again = cache:ask(17, 35)
    assert.equal("fetch", what)
    assert.is_true(cache:failed(again, 17, nil, nil, "no such host"))
    assert.same({ "failed", "no such host", 4 }, { cache:ask(21, 35) })
    assert.equal("fetch", (cache:ask(22, 35)))
  end)

  it("gives the old token at once while one refreshes it", function()
    local cache, generation = cache_with("old", 0)
    local what, value, of, lease = cache:ask(3300, 35)
    assert.same({ "refresh", "old", generation }, { what, value, of })
    assert.same({ "use", "old", generation }, { cache:ask(3301, 35) })
    local newer = cache:fetched(lease, 3300, "new", HOUR, 1e9, 0)
    assert.is_true(newer > generation)
    assert.same({ "use", "new", newer }, { cache:ask(3302, 35) })
  end)

  it("hides the errors of a refresh while the old token is usable", function()
    local cache = cache_with("old", 0)
    local _, _, _, lease = cache:ask(3560, 35)
    assert.is_false(cache:failed(lease, 3561, 429, 60, "later"))
    assert.equal("use", (cache:ask(3562, 35)))
    assert.same({ "failed", "later", 9 }, { cache:ask(3570, 35) })
  end)

  it("ignores the failure of a lease that has lapsed, and takes its success", function()
    local cache = core.token.new()
    local _, first = cache:ask(0, 35)
    local what, second = cache:ask(35, 35)
    assert.equal("fetch", what)
    assert.is_true(second > first)
    assert.is_false(cache:failed(first, 36, 401, nil, "late"))
    assert.same({ "wait", 70 }, { cache:ask(36, 35) })
    assert.is_number(cache:fetched(first, 0, "late", HOUR, 1e9, 0))
    assert.is_number(cache:fetched(second, 35, "newer", HOUR, 1e9, 0))
    assert.same({ nil, "older" }, { cache:fetched(first, 0, "late again", HOUR, 1e9, 0) })
    assert.equal("newer", select(2, cache:ask(37, 35)))
  end)

  it("lets the next one take over at once when the one who fetches gives up", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    cache:abandon(lease)
    local what, another = cache:ask(0, 35)
    assert.equal("fetch", what)
    cache:abandon(lease)
    assert.equal("wait", (cache:ask(1, 35)))
    cache:abandon(another)
    assert.equal("fetch", (cache:ask(1, 35)))
  end)

  it("drops the token that was rejected, and no other", function()
    local cache, generation = cache_with("old", 0)
    assert.is_true(cache:rejected(generation))
    assert.is_nil(cache:expiry())
    assert.is_false(cache:rejected(generation))
    local what, lease = cache:ask(1, 35)
    assert.equal("fetch", what)
    local newer = cache:fetched(lease, 1, "new", HOUR, 1e9, 0)
    assert.is_false(cache:rejected(generation))
    assert.same({ "use", "new", newer }, { cache:ask(2, 35) })
  end)

  it("forgets a failure when told that the credential has changed", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    cache:failed(lease, 1, 400, nil, "no")
    cache:forget_failure()
    assert.equal("fetch", (cache:ask(2, 35)))
  end)

  it("reads every form of a lifetime", function()
    local noon = 1770120000 -- 2026-02-03 12:00:00 UTC
    local cases = {
      { "number", { expires_in = 3599 }, 3599 },
      { "text", { expires_in = "3599" }, 3599 },
      { "epoch", { expires_on = noon + 3000 }, 3000 },
      { "epoch as text", { expires_on = "1770123000" }, 3000 },
      { "date", { expires_on = "02/03/2026 12:50:00" }, 3000 },
      { "nothing", {}, 600 },
      { "malformed", { expires_in = {}, expires_on = true, refresh_in = "x" }, 600 },
      { "too long", { expires_in = "86400000" }, 28 * 3600 },
    }
    for _, case in ipairs(cases) do
      local cache = core.token.new()
      local _, lease = cache:ask(0, 35)
      assert.is_number(cache:fetched(lease, 0, "made up", case[2], noon, 0), case[1])
      assert.equal(case[3], cache:expiry(), case[1])
    end
    local cache = cache_with("made up", 0, { expires_in = 86400, refresh_in = "1000" })
    assert.equal("use", (cache:ask(999, 35)))
    assert.equal("refresh", (cache:ask(1000, 35)))
  end)

  it("makes a refresh earlier by the random part", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    cache:fetched(lease, 0, "made up", { expires_in = 3600 }, 1e9, 0.5)
    assert.equal("use", (cache:ask(3149, 35)))
    assert.equal("refresh", (cache:ask(3150, 35)))
  end)

  it("does not keep a token whose life is over, and says so", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    assert.same({ nil, "not_kept" }, { cache:fetched(lease, 0, "made up", { expires_in = 0 }, 1e9, 0) })
    assert.equal("fetch", (cache:ask(0, 35)))
  end)

  it("does not keep a token that is too long", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    local long = ("x"):rep(65537)
    assert.same({ nil, "too_long" }, { cache:fetched(lease, 0, long, HOUR, 1e9, 0) })
    assert.equal("fetch", (cache:ask(0, 35)))
  end)

  it("keeps a token of any bytes", function()
    local cache = cache_with("a\0b\255", 0)
    assert.equal("a\0b\255", select(2, cache:ask(1, 35)))
  end)

  it("shows nothing of the token", function()
    local cache = cache_with("made-up-token", 0)
    assert.is_nil(tostring(cache):find("made-up", 1, true))
    assert.is_false(getmetatable(cache))
  end)

  it("raises on what only a programmer can get wrong", function()
    local cache = core.token.new()
    local _, lease = cache:ask(0, 35)
    for name, call in pairs {
      ["no self"] = function() cache.ask(nil, 0, 35) end,
      ["self of another type"] = function() cache.ask(io.stdout, 0, 35) end,
      ["no time"] = function() cache:ask() end,
      ["a time that is no number"] = function() cache:ask(0 / 0, 35) end,
      ["a lease of no length"] = function() cache:ask(0, 0) end,
      ["an endless lease"] = function() cache:ask(0, math.huge) end,
      ["an empty token"] = function() cache:fetched(lease, 0, "", HOUR, 1e9, 0) end,
      ["no lifetime"] = function() cache:fetched(lease, 0, "x", nil, 1e9, 0) end,
      ["a random number of 1"] = function() cache:fetched(lease, 0, "x", HOUR, 1e9, 1) end,
      ["a random number below 0"] = function() cache:fetched(lease, 0, "x", HOUR, 1e9, -0.1) end,
      ["no error"] = function() cache:failed(lease, 0, 401, nil, nil) end,
      ["a lease below 0"] = function() cache:abandon(-1) end,
    } do
      assert.is_false(pcall(call), name)
    end
    assert.equal("wait", (cache:ask(1, 35)))
  end)
end)
