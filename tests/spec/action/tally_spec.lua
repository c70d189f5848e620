-- Where the restricts of the last hour are counted: by a client itself, or in a store. What counts and what may go is
-- tested in tests/core/test_cap.c.

local dicts = require "tests.spec.support.dict"
local shared_files = require "mde.sync.shared_file"
local stores = require "mde.sync.store"
local tallies = require "mde.action.tally"

local HOUR = 3600
local SERVICE_NOW = 1770112860
local KEY = "mde|application|cap|sends"

-- A restrict of ours in the service's list, so many seconds old.
local function row(operation_id, age)
  return { id = "1", type = "RestrictCodeExecution", requestorComment = ("x [mde:%s]"):format(operation_id),
    creationDateTimeUtc = os.date("!%Y-%m-%dT%H:%M:%SZ", SERVICE_NOW - age) }
end

local RESTRICT = { verb = "restrict" }

describe("a tally", function()
  local now, dict, path, place

  local function time() return now end

  local function sleep(seconds) now = now + seconds end

  local function store()
    return stores.new(place, "application", {}, { now = time, sleep = sleep })
  end

  before_each(function()
    now, path = 1000, os.tmpname()
    dict = dicts(time)
    place = dict
  end)

  after_each(function() os.remove(path) end)

  for kind, new in pairs {
    ["of a client"] = function(limit) return tallies.new(RESTRICT, limit, time) end,
    ["in a shared dict"] = function(limit) return tallies.new(RESTRICT, limit, time, store()) end,
    ["in a file"] = function(limit)
      place = shared_files.new(path, time)
      return tallies.new(RESTRICT, limit, time, store())
    end,
  } do
    it(kind .. " counts what is sent, gives it back, and has it begin its hour when it goes", function()
      local tally = new(2)
      assert.is_nil(tally:peek())
      assert.is_false(tally:is_whole())
      assert.is_true(tally:merge({ row("before00", 600) }, SERVICE_NOW))
      assert.is_true(tally:is_whole())
      assert.same({ 1, 0 }, { tally:peek() })
      local send = assert(tally:take "abcdefgh")
      assert.same({ 0, HOUR - 600 }, { tally:peek() })
      assert.same({ nil, HOUR - 600 }, { tally:take "another0" })
      tally:give_back(send)
      assert.same({ 1, 0 }, { tally:peek() })
      tally:give_back(send)
      send = assert(tally:take "abcdefgh")
      now = now + 100
      tally:went(send, now - 10)
      now = now + HOUR - 601
      assert.same({ 1, 0 }, { tally:peek() })
      now = now + HOUR - 2999 - 90
      assert.same({ 1, 0 }, { tally:peek() })
      tally:give_back(send)
      assert.equal(2, (tally:peek()))
    end)

    it(kind .. " counts what goes all the same, and knows it where the service tells of it", function()
      local tally = new(2)
      assert.truthy(tally:take("abcdefgh", true))
      tally:merge({ row("ABCDEFGH", 0), row("another0", 0) }, SERVICE_NOW)
      assert.equal(0, (tally:peek()))
      tally:merge({ row("more0000", 0) }, SERVICE_NOW)
      now = now + HOUR - 1
      assert.same({ 0, 1 }, { tally:peek() })
    end)

    it(kind .. " says that no wait helps where nothing may go, and that all may where there is no cap", function()
      local tally = new(0)
      assert.is_true(tally:is_whole())
      assert.same({ 0 }, { tally:peek() })
      assert.same({}, { tally:take "abcdefgh" })
      tally = new(math.huge)
      assert.is_true(tally:is_whole())
      assert.same({ math.huge, 0 }, { tally:peek() })
      tally:give_back(assert(tally:take "abcdefgh"))
      assert.same({}, dict.keys())
    end)

    it(kind .. " is in doubt when told so, and what was taken is known then, too", function()
      local tally = new(2)
      tally:merge({}, SERVICE_NOW)
      tally:take "abcdefgh"
      assert.is_true(tally:doubt())
      assert.is_nil(tally:peek())
      tally:merge({ row("abcdefgh", 0), row("between0", 60) }, SERVICE_NOW)
      assert.same({ 0, HOUR - 60 }, { tally:peek() })
    end)
  end

  describe("in a store", function()
    local one, other

    before_each(function()
      one, other = tallies.new(RESTRICT, 2, time, store()), tallies.new(RESTRICT, 2, time, store())
    end)

    it("is one for all who share it", function()
      one:merge({}, SERVICE_NOW)
      assert.truthy(one:take "abcdefgh")
      local send = other:take "another0"
      assert.is_nil((one:take "third000"))
      one:give_back(send)
      assert.truthy(other:take "third000")
    end)

    it("is known to be whole for no longer than the store keeps it", function()
      one:merge({}, SERVICE_NOW)
      now = now + HOUR
      assert.is_false(one:is_whole())
    end)

    it("takes no lock for a send that went at once", function()
      local send = one:take("abcdefgh", true)
      local writes = dict.writes
      one:went(send, now + 1)
      assert.equal(writes, dict.writes)
      one:went(send, now + 2)
      assert.is_true(dict.writes > writes)
      assert.equal(now + 2, send.at)
    end)

    for what, text in pairs {
      ["an older version wrote"] = '{"whole":true,"sends":[{"id":"abcdefgh","at":999}]}',
      ["somebody else wrote"] = "17",
      ["is damaged"] = "cap\1\1" .. ("\0"):rep(20),
    } do
      it("counts again where what stands there " .. what, function()
        dict:safe_set(KEY, text, 60)
        assert.is_false(one:is_whole())
        assert.is_nil(one:peek())
        assert.is_true(one:merge({ row("abcdefgh", 1) }, SERVICE_NOW))
        assert.same({ 1, 0 }, { other:peek() })
      end)
    end

    it("sends nothing where what was counted there is gone, or belongs to another clock", function()
      for _, lose in ipairs {
        function() dict.forget() end,
        function() dict:safe_set(KEY, "17", 60) end,
        function()
          local text = dict:get(KEY)
          now = now + 2 * HOUR
          dict:safe_set(KEY, text, HOUR)
        end,
      } do
        one:merge({}, SERVICE_NOW)
        assert.is_true(one:is_whole())
        lose()
        local send, wait, err = one:take "abcdefgh"
        assert.same({}, { send, wait })
        assert.equal("store_failed", err.code)
        assert.is_false(one:is_whole())
      end
    end)

    it("says that it cannot count where the store fails", function()
      local send = one:take("abcdefgh", true)
      dict.broken = true
      local whole, err = one:is_whole()
      assert.is_nil(whole)
      assert.equal("unavailable", err.kind)
      assert.is_nil(one:peek())
      local another, wait, problem = one:take "another0"
      assert.same({}, { another, wait })
      assert.equal("unavailable", problem.kind)
      assert.equal("unavailable", select(2, one:merge({}, SERVICE_NOW)).kind)
      assert.is_nil(one:doubt())
      one:went(send, now + 9)
      assert.equal(now, send.at)
      one:give_back(send)
    end)
  end)
end)
