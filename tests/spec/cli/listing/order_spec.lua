-- order: the order in which records are listed.
-- Labels: not-lua5.3
local fields = require "mde.cli.listing.fields"
local order = require "mde.cli.listing.order"
local rehearsal = require "tests.spec.support.rehearsal"

describe("an order", function()
  -- The places, of the values as they came, in which they are listed.
  local function places(text, values, count)
    local wanted, records = order.read(text, fields.machines), {}
    for i = 1, count or #values do records[i] = { place = i, [wanted.name] = values[i] } end
    local list = {}
    for i, record in ipairs(order.sorted(records, wanted)) do list[i] = record.place end
    return list
  end

  for what, case in pairs {
    ["texts without regard to case"] = { "computerDnsName", { "b", "C", "a", "B" }, { 3, 1, 4, 2 } },
    ["texts backwards, and equal ones as they came"] = { "computerDnsName:desc", { "b", "C", "a", "B" },
      { 2, 1, 4, 3 } },
    ["levels by their rank"] = { "riskScore", { "High", "None", "Medium", "Informational" }, { 2, 4, 3, 1 } },
    ["the highest level first"] = { "riskScore:desc", { "Low", "High", "Medium" }, { 2, 3, 1 } },
    ["times by when they were"] = { "lastSeen",
      { "2026-02-03T10:11:12.5Z", "2026-02-03T10:11:12Z", "2026-01-01T00:00:00Z" }, { 3, 2, 1 } },
    ["what was never seen last"] = { "lastSeen:desc",
      { "0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "yesterday", "2026-02-01T00:00:00Z" }, { 4, 2, 1, 3 } },
    ["numbers as numbers"] = { "rbacGroupId:asc", { 10, 9, 100 }, { 2, 1, 3 } },
    ["yes after no"] = { "isExcluded", { true, false, true }, { 2, 1, 3 } },
    ["lists by what is in them"] = { "machineTags", { { "b" }, {}, { "a", "c" } }, { 3, 1, 2 } },
    ["numbers before texts, whatever the service mixes"] = { "version:asc", { "a", 3, "b", 1 }, { 4, 2, 1, 3 } },
  } do
    it("has " .. what, function() assert.same(case[3], places(case[1], case[2])) end)
  end

  it("has what lacks the field last, as it came, both ways", function()
    local values = { [2] = "b", [4] = "a", [5] = "" }
    assert.same({ 4, 2, 1, 3, 5 }, places("osPlatform", values, 5))
    assert.same({ 2, 4, 1, 3, 5 }, places("osPlatform:desc", values, 5))
  end)

  for text, problem in pairs {
    ["lastseen"] = 'Did you mean "lastSeen"?', ["lastSeen:down"] = "Write lastSeen:desc", [""] = "an empty name",
    [":desc"] = "an empty name",
  } do
    it(("is not %q"):format(text), function()
      local err = rehearsal.refused(order.read, text, fields.machines)
      assert.truthy(tostring(err):find(problem, 1, true), tostring(err))
    end)
  end
end)
