-- Times: written and read as the service does.
-- Labels: not-lua5.3
local time = require "mde.sim.base.time"

describe("a time", function()
  local written = {
    { 0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
    { 951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT" },
    { 1770113472.25, "2026-02-03T10:11:12.25Z", "Tue, 03 Feb 2026 10:11:12 GMT" },
    { 1770113472.99999999, "2026-02-03T10:11:13Z", nil },
    { 4107542399, "2100-02-28T23:59:59Z", "Sun, 28 Feb 2100 23:59:59 GMT" },
    { 4107542400, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT" },
    { -1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT" },
  }
  for _, case in ipairs(written) do
    it("is written: " .. case[2], function()
      assert.equal(case[2], time.iso(case[1]))
      if case[3] then assert.equal(case[3], time.http(case[1])) end
    end)
  end

  it("is written plainly", function()
    assert.equal("2026-02-03 10:11:12Z", time.plain(1770113472.25))
  end)

  local read = {
    { "1970-01-01T00:00:00Z", 0 }, { "2026-02-03T10:11:12.25Z", 1770113472.25 },
    { "2026-02-03T12:11:12+02:00", 1770113472 }, { "2026-02-03T08:41:12-01:30", 1770113472 },
    { "2026-02-03", 1770076800 }, { "2026-02-03Z", 1770076800 }, { "2024-02-29Z", 1709164800 },
    { "0001-01-01T00:00:00Z", -62135596800 },
    { "2025-02-29Z" }, { "1900-02-29Z" }, { "2026-00-01Z" }, { "2026-13-01Z" }, { "2026-04-31Z" }, { "2026-01-00Z" },
    { "2026-02-03T24:00:00Z" }, { "2026-02-03T10:60:00Z" }, { "2026-02-03T10:11:60Z" }, { "2026-02-03T10:11:12" },
    { "2026-02-03T10:11Z" }, { "2026-02-03T10:11:12.Z" }, { "2026-02-03 10:11:12Z" }, { "2026-02-03T10:11:12+2:00" },
    { "2026-2-3Z" }, { "" }, { "2026-02-03T10:11:12Zx" }, { "2026-02-03X" },
  }
  for _, case in ipairs(read) do
    it(("is %s: '%s'"):format(case[2] and "read" or "refused", case[1]), function()
      assert.equal(case[2], time.parse(case[1]))
    end)
  end

  local resolved = {
    { "2026-02-03T10:11:12.25Z", "2026-02-03T10:11:12.25Z" }, { "2026-02-03Z", "2026-02-03T00:00:00Z" },
    { "2026-02-03", "2026-02-03T00:00:00Z" }, { "2026-02-03T11:11:12.50+01:00", "2026-02-03T10:11:12.5Z" },
    { "2026-02-03T10:11:12.5000000Z", "2026-02-03T10:11:12.5000000Z" },
    { "2026-02-03T10:11:12.50000000Z", "2026-02-03T10:11:12.5Z" },
    { "90s ago", "2026-02-03T10:09:42Z" }, { "30m ago", "2026-02-03T09:41:12Z" }, { "2h ago", "2026-02-03T08:11:12Z" },
    { "1.5h ago", "2026-02-03T08:41:12Z" }, { "40 d ago", "2025-12-25T10:11:12Z" },
    { "0s ago", "2026-02-03T10:11:12Z" },
    { "yesterday" }, { "2h" }, { "2 hours ago" }, { "-2h ago" }, { "2w ago" }, { "" },
  }
  for _, case in ipairs(resolved) do
    it(("is %s as a person may write it: '%s'"):format(case[2] and "read" or "refused", case[1]), function()
      assert.equal(case[2], time.resolve(case[1], 1770113472))
    end)
  end

  it("sorts by its key, to the seventh digit", function()
    local before, after = time.sort_key "2025-12-31T23:59:59.9999999Z", time.sort_key "2026-01-01T00:00:00Z"
    assert.is_true(before < after)
    assert.equal(after, time.sort_key "2026-01-01T01:00:00.0000000+01:00")
    assert.is_true(time.sort_key "0001-01-01T00:00:00Z" < before)
  end)

  it("of a record is written as the service does, where it is one", function()
    local fields = { lastSeen = "2h ago", firstSeen = "soon", computerDnsName = "2h ago" }
    assert.same({ lastSeen = "2026-02-03T08:11:12Z", firstSeen = "soon", computerDnsName = "2h ago" },
      time.resolve_fields(fields, { "lastSeen", "firstSeen" }, 1770113472))
    assert.equal("2h ago", fields.lastSeen)
  end)
end)
