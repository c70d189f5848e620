-- mde.core.cursor through the binding: what Lua sees of the cursor. Its rules are tested in tests/core/test_cursor.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"

local START = 1770112800 -- 2026-02-03T10:00:00Z

local function at(seconds)
  return core.timestamp.write(START + seconds)
end

describe("mde.core.cursor", function()
  it("says what is new, once", function()
    local cursor = core.cursor.new(START)
    assert.equal(START, cursor:read(START + 5))
    assert.equal("hand_over", cursor:tell(START + 5, "a", at(1), at(1), "new"))
    assert.equal(1, cursor:begin "a")
    assert.equal("done", cursor:finish("a", "succeeded", START + 5))
    assert.equal("known", cursor:tell(START + 5, "a", at(2), at(1), "resolved"))
    assert.equal(0, cursor:end_read())
    assert.same({ done = 1, known = 1, waiting = 0, aside = 0 }, cursor:counts())
    assert.is_nil(cursor:begin "a")
    assert.is_nil(cursor:finish("a", "failed", START))
  end)

  it("says so again for another status, if that is asked", function()
    local cursor = core.cursor.new(START, { by_status = true })
    cursor:read(START + 5)
    assert.equal("hand_over", cursor:tell(START + 5, "a", at(1), at(1), "new"))
    cursor:begin "a"
    cursor:finish("a", "succeeded", START + 5)
    assert.equal("known", cursor:tell(START + 5, "a", at(2), at(1), "new"))
    assert.equal("hand_over", cursor:tell(START + 5, "a", at(3), at(1), "resolved"))
  end)

  it("begins a read an overlap before the newest row, in whole seconds", function()
    local cursor = core.cursor.new(START, { overlap = 10, span = 100, sweep_every = 500 })
    cursor:read(START + 300)
    cursor:tell(START + 300, "a", at(200.75), at(200.75))
    cursor:begin "a"
    cursor:finish("a", "succeeded", START + 300)
    cursor:end_read()
    assert.equal(START + 190, cursor:read(START + 301))
    assert.equal(START + 100, cursor:read(START + 801))
    assert.equal(499, cursor:wait(START + 301))
    assert.equal(1, cursor:behind(START + 301))
  end)

  it("tries what has failed again, and then sets it aside", function()
    local cursor = core.cursor.new(START, { delay = 10, tries = 2 })
    cursor:read(START)
    assert.equal("hand_over", cursor:tell(START, "a", at(1), at(1)))
    cursor:begin "a"
    assert.equal("waiting", cursor:finish("a", "failed", START))
    assert.equal("later", cursor:tell(START, "a", at(1), at(1)))
    assert.same({ "a" }, cursor:in_state "waiting")
    assert.equal("hand_over", cursor:tell(START + 10, "a", at(1), at(1)))
    assert.equal(2, cursor:begin "a")
    assert.equal("waiting", cursor:finish("a", "put_off", START + 10, START + 50))
    assert.equal("later", cursor:tell(START + 49, "a", at(1), at(1)))
    assert.equal("hand_over", cursor:tell(START + 50, "a", at(1), at(1)))
    assert.equal(2, cursor:begin "a")
    assert.equal("aside", cursor:finish("a", "failed", START + 50))
    assert.same({ "a" }, cursor:in_state "aside")
    assert.is_true(cursor:again "a")
    assert.is_false(cursor:again "a")
  end)

  it("names rows that it cannot know", function()
    local cursor = core.cursor.new(START)
    cursor:read(START)
    for _, id in ipairs { "", ("x"):rep(129), 17, {}, false } do
      assert.equal("no_id", cursor:tell(START, id, at(1), at(1)))
    end
    assert.equal("no_id", cursor:tell(START, nil, at(1), at(1)))
    for _, time in ipairs { "yesterday", 17, {}, "0001-01-01T00:00:00Z" } do
      assert.equal("no_time", cursor:tell(START, "a", time, time))
    end
    assert.equal("old", cursor:tell(START, "b", at(1), at(-1)))
    assert.equal("hand_over", cursor:tell(START, "c", nil, at(1)))
  end)

  it("goes on from what was written, in pieces or whole", function()
    local cursor = core.cursor.new(START)
    local kept = cursor:changes()
    assert.is_true(#kept > 0)
    assert.equal("", cursor:changes())
    cursor:read(START)
    cursor:tell(START, "a", at(1), at(1))
    cursor:begin "a"
    kept = kept .. cursor:changes()
    local before = kept
    cursor:finish("a", "succeeded", START)
    kept = kept .. cursor:changes()
    assert.is_true(#kept - #before < core.cursor.TAIL_MAX)

    local other = core.cursor.new(0)
    assert.equal(#kept, other:unpack(kept))
    assert.equal(START, other:read(START + 1))
    assert.equal("known", other:tell(START + 1, "a", at(1), at(1)))
    assert.equal(#before, other:unpack(before .. kept:sub(#before + 1, -9 - 60)))
    other:read(START + 1)
    assert.equal("hand_over", other:tell(START + 1, "a", at(1), at(1)))
    assert.equal(2, other:begin "a")
    local whole = cursor:pack()
    assert.equal(#whole, cursor:size())
    assert.equal(#whole, other:unpack(whole))
  end)

  it("refuses what it did not write", function()
    local cursor = core.cursor.new(START)
    local whole = cursor:pack()
    assert.same({ nil, "other" }, { cursor:unpack "SQLite format 3" })
    assert.same({ nil, "damaged" }, { cursor:unpack(whole:sub(1, -2)) })
    assert.same({ nil, "mode" }, { core.cursor.new(START, { by_status = true }):unpack(whole) })
    assert.has_error(function() cursor:unpack(17 == 17) end)
  end)

  it("raises for what is of no use", function()
    assert.has_error(function() core.cursor.new() end)
    assert.has_error(function() core.cursor.new(0 / 0) end)
    assert.has_error(function() core.cursor.new(START, { tries = 0 }) end)
    assert.has_error(function() core.cursor.new(START, { overlap = 10, span = 5 }) end)
    assert.has_error(function() core.cursor.new(START, { delay = "x" }) end)
    assert.has_error(function() core.cursor.new(START):finish("a", "so", START) end)
    assert.has_error(function() core.cursor.new(START):in_state "so" end)
    -- Times that no clock has are cut.
    local cursor = core.cursor.new(-math.huge)
    assert.is_true(cursor:read(math.huge) < 0)
    assert.is_true(cursor:wait(-math.huge) >= 0)
  end)
end)
