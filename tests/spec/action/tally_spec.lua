-- The restricts of the last hour, counted by a client itself or in a store.

local dicts = require "tests.spec.support.dict"
local stores = require "mde.sync.store"
local tallies = require "mde.action.tally"

local HOUR = 3600

describe("a tally", function()
  local now, dict, store

  local function time() return now end

  local function sleep(seconds) now = now + seconds end

  before_each(function()
    now = 1000
    dict = dicts(time)
    store = stores.new(dict, "application", {}, { now = time, sleep = sleep })
  end)

  for kind, new in pairs {
    ["of a client"] = function(cap) return tallies.new(cap, time) end,
    ["in a store"] = function(cap) return tallies.shared(cap, time, store) end,
  } do
    describe(kind, function()
      it("has so many places in an hour, and tells how long to wait for one", function()
        local tally = new(2)
        assert.equal(0, tally:wait())
        assert.truthy(tally:take "one")
        now = now + 100
        assert.truthy(tally:take "two")
        assert.equal(HOUR - 100, tally:wait())
        local send, wait = tally:take "three"
        assert.is_nil(send)
        assert.equal(HOUR - 100, wait)
        now = now + HOUR - 100
        assert.truthy(tally:take "three")
        assert.equal(100, tally:wait())
      end)

      it("says that no wait helps where there are no places", function()
        local tally = new(0)
        assert.is_nil(tally:wait())
        local send, wait, err = tally:take "one"
        assert.is_nil(send)
        assert.is_nil(wait)
        assert.is_nil(err)
      end)

      it("counts what goes all the same, and is full for as long as that fills it", function()
        local tally = new(1)
        tally:take "one"
        now = now + 100
        assert.truthy(tally:take("two", true))
        now = now + HOUR - 100
        assert.equal(100, tally:wait())
        assert.is_nil((tally:take "three"))
      end)

      it("tells how many may go now, and not fewer than none", function()
        local tally = new(2)
        assert.equal(2, tally:remaining())
        tally:take "one"
        assert.equal(1, tally:remaining())
        tally:take("two", true)
        tally:take("three", true)
        assert.equal(0, tally:remaining())
        now = now + HOUR
        assert.equal(2, tally:remaining())
        assert.equal(0, new(0):remaining())
      end)

      it("has room for a send that is given back", function()
        local tally = new(2)
        tally:take "one"
        now = now + 10
        local two = tally:take "two"
        tally:give_back(two)
        assert.equal(0, tally:wait())
        tally:take "three"
        assert.equal(HOUR - 10, tally:wait())
      end)

      it("begins the hour of a send when it went, also where that is told later", function()
        local tally = new(1)
        local send = tally:take "one"
        now = now + 50
        tally:went(send, 10)
        assert.equal(HOUR - 10, tally:wait())
        tally:went(send, 200)
        assert.equal(HOUR - 10, tally:wait())
        tally:give_back(send)
        assert.equal(0, tally:wait())
      end)

      it("is whole once what was sent before is in it, as old as it is", function()
        local tally = new(2)
        assert.is_false(tally:is_whole())
        assert.is_true(tally:merge { { id = "before", age = 3000 }, { id = "long before", age = HOUR } })
        assert.is_true(tally:is_whole())
        assert.truthy(tally:take "one")
        assert.equal(HOUR - 3000, tally:wait())
      end)

      it("does not count twice what was taken before the service told it", function()
        local tally = new(3)
        tally:take "one"
        now = now + 10
        tally:merge { { id = "one", age = 9 }, { id = "another's", age = 20 } }
        assert.truthy(tally:take "two")
        assert.equal(HOUR - 20, tally:wait())
      end)

      it("counts each send of an id that was sent more than once", function()
        local tally = new(4)
        tally:take "one"
        tally:take "one"
        tally:merge { { id = "one", age = 0 }, { id = "one", age = 0 }, { id = "one", age = 30 } }
        assert.equal(0, tally:wait())
        tally:take "two"
        assert.equal(HOUR - 30, tally:wait())
      end)

      it("counts what the service tells of an id whose send was given back", function()
        local tally = new(1)
        tally:give_back(tally:take "one")
        tally:merge { { id = "one", age = 5 } }
        assert.equal(HOUR - 5, tally:wait())
      end)

      it("knows which of two that were taken at once was given back", function()
        local tally = new(3)
        tally:take "one"
        tally:give_back(tally:take "two")
        tally:merge { { id = "one", age = 0 } }
        tally:take "three"
        assert.equal(0, tally:wait())
      end)

      it("takes no second list of what was sent before", function()
        local tally = new(2)
        tally:merge { { id = "before", age = 1 } }
        assert.is_true(tally:merge { { id = "before", age = 1 }, { id = "more", age = 1 } })
        assert.equal(0, tally:wait())
      end)
    end)
  end

  describe("in a store", function()
    local one, other

    before_each(function()
      one, other = tallies.shared(2, time, store), tallies.shared(2, time, store)
    end)

    it("is one for all who share it", function()
      one:take "one"
      other:take "two"
      assert.is_nil((one:take "three"))
      other:merge {}
      assert.is_true(one:is_whole())
    end)

    it("gives back the send that is meant, of those with the same id", function()
      one:take "one"
      now = now + 10
      other:give_back(other:take "one")
      one:take "two"
      assert.equal(HOUR - 10, one:wait())
    end)

    it("is in doubt when told so, and what was taken is known then, too", function()
      one:merge {}
      one:take "one"
      assert.is_true(other:doubt())
      assert.is_false(one:is_whole())
      one:merge { { id = "one", age = 0 }, { id = "in between", age = 60 } }
      assert.equal(HOUR - 60, one:wait())
    end)

    it("keeps nothing that is older than an hour", function()
      one:take "one"
      now = now + HOUR - 1
      one:take "two"
      now = now + 1
      other:take "three"
      local text = dict:get(dict.keys()[1])
      assert.is_nil(text:find '"one"')
      assert.truthy(text:find '"two"')
      assert.truthy(text:find '"three"')
    end)

    it("is known to be whole for no longer than the store keeps it", function()
      one:merge {}
      now = now + HOUR
      assert.is_false(one:is_whole())
    end)

    for what, spoil in pairs {
      ["fails"] = function() dict.broken = true end,
      ["has something else there"] = function() dict:safe_set("mde|application|cap|sends", "17", 60) end,
    } do
      it("says that it cannot count where the store " .. what, function()
        local send = one:take "one"
        spoil()
        local whole, err = one:is_whole()
        assert.is_nil(whole)
        assert.equal("unavailable", err.kind)
        local another, wait, problem = one:take "two"
        assert.is_nil(another)
        assert.is_nil(wait)
        assert.equal("unavailable", problem.kind)
        assert.equal("unavailable", select(2, one:merge {}).kind)
        assert.is_nil(one:doubt())
        one:went(send, 0)
        one:give_back(send)
      end)
    end
  end)
end)
