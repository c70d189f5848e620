-- mde.watch.cursor_store: a cursor in the client's store, for watches that take turns.
local alerts = require "tests.spec.support.alerts"
local cursor_stores = require "mde.watch.cursor_store"
local dicts = require "tests.spec.support.dict"
local stores = require "mde.sync.store"

local START = alerts.START

describe("a cursor in a store", function()
  local time, dict, clock

  before_each(function()
    time = 0
    clock = { now = function() return time end, sleep = function(seconds) time = time + seconds end }
    dict = dicts(clock.now)
  end)

  local function open(options)
    options = options or {}
    local store = stores.new(options.dict or dict, "tenant", {}, clock)
    return cursor_stores.open(store, "alerts", options.first or START, options.limits, clock,
      options.is_stopped or function() return false end)
  end

  local function hand_over(kept, id)
    kept.cursor:read(START + 5)
    kept.cursor:tell(START + 5, id, alerts.at(1), alerts.at(1))
    kept.cursor:begin(id)
    local done, err = kept:keep()
    if not done then return nil, err end
    kept.cursor:finish(id, "succeeded", START + 5)
    return kept:keep(true)
  end

  it("goes on where the last one ended", function()
    local kept = assert(open())
    assert.is_true(kept.is_fresh)
    assert.is_true(hand_over(kept, "a"))
    kept:close()
    kept = assert(open { first = 0 })
    assert.is_false(kept.is_fresh)
    assert.equal(START, kept.cursor:read(START + 6))
    assert.equal("known", kept.cursor:tell(START + 6, "a", alerts.at(1), alerts.at(1)))
    kept:close()
  end)

  it("waits for its turn, and has it when the other one has died", function()
    assert(open())
    local kept = assert(open())
    assert.is_true(time >= 299, time)
    assert.is_false(kept.is_fresh)
  end)

  it("stops waiting when it is asked to", function()
    assert(open())
    assert.same({}, { open { is_stopped = function() return time > 3 end } })
    assert.is_true(time < 10)
  end)

  it("hands nothing over once another one has had its turn", function()
    local first = assert(open())
    time = time + 1000
    local second = assert(open())
    assert.is_true(hand_over(second, "a"))
    local done, err = hand_over(first, "a")
    assert.is_nil(done)
    assert.equal("cursor_in_use", err.code)
    assert.truthy(err.message:find("lost its turn", 1, true))
    -- Nor does it take the other's lease away.
    first:close()
    assert.is_true(hand_over(second, "b"))
  end)

  it("says that it is gone", function()
    local kept = assert(open())
    for key in pairs { ["mde|tenant|watch|alerts"] = true } do dict:delete(key) end
    local _, err = kept:keep()
    assert.truthy(err.message:find("it is gone from there", 1, true))
  end)

  it("is refused if it is damaged, and stays as it is", function()
    local kept = assert(open())
    kept:close()
    local key = "mde|tenant|watch|alerts"
    local text = dict:get(key)
    dict:safe_set(key, text:sub(1, -2), 1000)
    local opened, err = open()
    assert.is_nil(opened)
    assert.equal("cursor_damaged", err.code)
    dict:safe_set(key, text, 1000)
    opened, err = open { limits = { by_status = true } }
    assert.is_nil(opened)
    assert.equal("cursor_unusable", err.code)
    assert(open())
  end)

  it("tells what the store says", function()
    local kept = assert(open())
    dict.broken = true
    local done, err = kept:keep()
    assert.is_nil(done)
    assert.equal("store_failed", err.code)
    local opened, problem = open()
    assert.is_nil(opened)
    assert.equal("store_failed", problem.code)
  end)
end)
