-- Times in a query: each way to give one, and what is not a time.
-- Labels: not-lua5.3

local mde = require "mde"
local odata = require "tests.spec.support.odata"
local times = require "mde.query.times"

local NOW = odata.NOW -- 2026-02-02T02:40:00Z
local case = odata.tests_refusal

describe("a time becomes OData:", function()
  odata.tests {
    { { lastSeen = mde.ge(NOW) }, "lastSeen ge 2026-02-02T02:40:00Z" },
    { { lastSeen = mde.gt(NOW + 0.25) }, "lastSeen gt 2026-02-02T02:40:00.25Z" },
    { { lastSeen = mde.ge(mde.ago "2h") }, "lastSeen ge 2026-02-02T00:40:00Z" },
    { { lastSeen = mde.ge(mde.ago "30m") }, "lastSeen ge 2026-02-02T02:10:00Z" },
    { { lastSeen = mde.lt(mde.ago "7d") }, "lastSeen lt 2026-01-26T02:40:00Z" },
    { { lastSeen = mde.le(mde.ago "90s") }, "lastSeen le 2026-02-02T02:38:30Z" },
    { { lastSeen = mde.le(mde.ago(1.5)) }, "lastSeen le 2026-02-02T02:39:58.5Z" },
    { { lastSeen = mde.ge "2026-01-31" }, "lastSeen ge 2026-01-31T00:00:00Z" },
    { { lastSeen = mde.ge "2026-01-31Z" }, "lastSeen ge 2026-01-31T00:00:00Z" },
    { { lastSeen = mde.ge "2026-01-31t01:02:03z" }, "lastSeen ge 2026-01-31T01:02:03Z" },
    { { lastSeen = mde.ge "2026-01-31T01:02:03" }, "lastSeen ge 2026-01-31T01:02:03Z" },
    { { lastSeen = mde.ge "2026-01-31T01:02:03.123456789Z" }, "lastSeen ge 2026-01-31T01:02:03.1234567Z" },
    { { lastSeen = mde.ge "2026-01-31T01:02:03+02:00" }, "lastSeen ge 2026-01-31T01:02:03+02:00" },
    { { lastSeen = mde.between("2026-01-01", "2026-01-31") },
      "(lastSeen ge 2026-01-01T00:00:00Z and lastSeen le 2026-01-31T00:00:00Z)" },
    { { creationDateTimeUtc = mde.ge(mde.ago "1d") }, "creationDateTimeUtc ge 2026-02-01T02:40:00Z", "actions" },
  }

  it("a table as os.date gives it is local time, its midnight unless it says more", function()
    local midnight = os.time { year = 2026, month = 1, day = 31, hour = 0 }
    assert.equal("lastSeen ge " .. os.date("!%Y-%m-%dT%H:%M:%SZ", midnight),
      odata.of { lastSeen = mde.ge { year = 2026, month = 1, day = 31 } })
    assert.equal("lastSeen ge 2026-02-02T02:40:00Z", odata.of { lastSeen = mde.ge(os.date("*t", NOW)) })
    assert.equal("lastSeen eq 2026-02-02T02:40:00Z", odata.of { lastSeen = os.date("*t", NOW) })
  end)

  it("and Unix seconds, from which it may be compared", function()
    for _, one in ipairs { { NOW, NOW }, { "2026-02-02T03:40:00+01:00", NOW }, { mde.ago "2h", NOW - 7200 },
      { os.date("*t", NOW), NOW }, { mde.ago(2 * NOW), 0 } } do
      assert.equal(one[2], (select(2, times.read(one[1], NOW, "x"))))
    end
  end)
end)

describe("a time is refused:", function()
  case("a date compared with a word", { lastSeen = mde.ge "yesterday" }, '"yesterday" is not a time')
  case("a date that does not exist", { lastSeen = mde.ge "2026-02-30" }, '"2026-02-30" is not a time')
  case("a date with a word behind it", { lastSeen = mde.ge "2026-02-03 or 1 eq 1" }, "is not a time")
  case("a time without seconds", { lastSeen = mde.ge "2026-02-03T10:11" }, "is not a time")
  case("milliseconds", { lastSeen = mde.ge(NOW * 1000) }, "looks like milliseconds")
  case("not a number", { lastSeen = mde.ge(0 / 0) }, "is not a time")
  case("a time before 1970", { lastSeen = mde.ge(-1) }, "is not a time")
  case("a table that is no date", { lastSeen = mde.ge { year = 2026, month = "May", day = 1 } }, "see its month")
  case("exactly so long ago", { lastSeen = mde.ago "2h" }, "hardly ever", "mde.ge(mde.ago")
  case("a table that is an impossible date", { lastSeen = mde.ge { year = 2026, month = 2, day = 30 } },
    "2026-02 has no day 30", "os.time(date)")
  case("the thirteenth month", { lastSeen = mde.ge { year = 2026, month = 13, day = 1 } }, "see its month")
  case("day zero", { lastSeen = mde.ge { year = 2026, month = 3, day = 0 } }, "see its day")
  case("the twenty-fifth hour", { lastSeen = mde.ge { year = 2026, month = 3, day = 1, hour = 24 } }, "see its hour")
  case("a leap day in another year", { lastSeen = { year = 2025, month = 2, day = 29 } }, "is not a date")
  case("an impossible date with a time", { creationDateTimeUtc = mde.lt "2026-04-31T10:00:00Z" }, "is not a time", nil,
    "actions")
  case("one impossible end", { lastSeen = mde.between("2026-02-01", "2026-02-30") }, '"2026-02-30" is not a time')
  case("a span for a time", { lastSeen = mde.ge(7200) }, "looks like a span", "mde.ago(7200)")
  case("infinity", { lastSeen = mde.le(math.huge) }, "is not a time")
  case("a date without a year", { lastSeen = mde.ge { month = 2, day = 3 } }, "the table is not a time")
  case("a word for a time of actions", { creationDateTimeUtc = mde.ge "today" }, '"today" is not a time', nil,
    "actions")
end)
