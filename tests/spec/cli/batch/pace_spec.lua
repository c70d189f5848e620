-- Labels: not-lua5.3
local pace = require "mde.cli.batch.pace"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the pace of a long list", function()
  for count, seconds in pairs { [0] = 0, [1] = 0, [100] = 0, [101] = 60, [1500] = 840, [1501] = 3600, [1601] = 3660,
    [5000] = 11040, [10000] = 22140 } do
    it(("of %d is %d s"):format(count, seconds), function() assert.equal(seconds, pace.seconds(count)) end)
  end

  for _, case in ipairs {
    { 1 }, { 200 }, { 25, 25 }, { 200, math.huge },
    { 201, nil, "201 devices: the service takes 100 calls a minute and 1,500 an hour, so restricting them takes at "
      .. "least 2 min." },
    { 5000, math.huge, "5,000 devices: the service takes 100 calls a minute and 1,500 an hour, so restricting them "
      .. "takes at least 3 h 4 min." },
    { 100000, nil, "100,000 devices: the service takes 100 calls a minute and 1,500 an hour, so restricting them "
      .. "takes at least 66 h 9 min." },
    { 26, 25, "26 devices: at most 25 restricts an hour are sent; --cap raises that." },
    { 5000, 1, "5,000 devices: at most 1 restrict an hour is sent; --cap raises that." },
    { 5000, 301, "5,000 devices: at most 301 restricts an hour are sent; --cap raises that; the service takes 100 "
      .. "calls a minute and 1,500 an hour, so restricting those takes at least 3 min." },
    -- Of the two the service stops it first.
    { 5000, 2000, "5,000 devices: the service takes 100 calls a minute and 1,500 an hour, so restricting them takes "
      .. "at least 3 h 4 min." },
  } do
    it(("is said of %d, of which %s may be sent"):format(case[1], case[2] or "all"), function()
      assert.equal(case[3], (pace.remark(case[1], "restricting %s", case[2])))
    end)
  end

  it("is said of what is left, where that takes long", function()
    local r = rehearsal.new { machines = {} }
    assert.is_nil(pace.left(r.client, "restrict")(10))
    assert.matches("^at least 14 min left$", pace.left(r.client, "restrict")(1500))
    for seconds, text in pairs { [35] = "at least 35 s left", [155] = "at least 2 min 35 s left" } do
      assert.equal(text, pace.left({ peek = function() return { seconds = seconds } end }, "restrict")(10))
    end
  end)

  it("is not looked at all the time", function()
    local asked = 0
    local left = pace.left({ peek = function()
      asked = asked + 1
      return { seconds = 600 }
    end }, "release")
    for count = 100, 1, -1 do assert.equal("at least 10 min left", left(count)) end
    assert.equal(1, asked)
  end)
end)
