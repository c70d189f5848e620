-- Labels: not-lua5.3
local conditions = require "mde.cli.listing.conditions"
local errors = require "mde.base.error"
local query = require "mde.query.filter"

local NOW = 1800000000

local function filter(words)
  return query.compile("machines", conditions.query(words)).filters(NOW)[1]
end

describe("conditions", function()
  for _, case in ipairs {
    { { "riskScore=High" }, "riskScore eq 'High'" },
    { { "riskScore==High" }, "riskScore eq 'High'" },
    { { " riskScore = High " }, "riskScore eq 'High'" },
    { { "riskScore=High", "riskScore=Medium" }, "riskScore eq 'High' or riskScore eq 'Medium'" },
    { { "healthStatus!=Inactive" }, "healthStatus ne 'Inactive'" },
    { { "lastSeen>=2h ago" }, "lastSeen ge 2027-01-15T06:00:00Z" },
    { { "lastSeen<2026-02-03" }, "lastSeen lt 2026-02-03T00:00:00Z" },
    { { "lastSeen>=2h ago", "lastSeen<30m ago" },
      "(lastSeen ge 2027-01-15T06:00:00Z and lastSeen lt 2027-01-15T07:30:00Z)" },
    { { "computerDnsName^=lab-" }, "startswith(computerDnsName,'lab-') or startswith(computerDnsName,'LAB-')" },
    { { "computerDnsName*=o'b" }, "contains(computerDnsName,'o''b') or contains(computerDnsName,'O''B')" },
    { { "computerDnsName$=.example" }, "endswith(computerDnsName,'.example') or endswith(computerDnsName,'.EXAMPLE')" },
    { { "computerDnsName=a=b" }, "computerDnsName eq 'a=b' or computerDnsName eq 'A=B'" },
    { { "machineTags=tier0" }, "machineTags/any(t: t eq 'tier0') or machineTags/any(t: t eq 'TIER0')" },
    { { "rbacGroupId=140" }, "rbacGroupId eq 140" },
    { { "riskScore>Low" }, "riskScore eq 'Medium' or riskScore eq 'High'" },
    { { "riskScore=High", "healthStatus=Active" }, "healthStatus eq 'Active' and riskScore eq 'High'" },
  } do
    it(table.concat(case[1], " ") .. " are understood", function() assert.equal(case[2], filter(case[1])) end)
  end

  it("say that a tag is not there", function()
    assert.truthy(filter({ "machineTags!=tier0" }):find "^not %(machineTags/any%(t: t eq 'tier0'%)%)$")
  end)

  for what, case in pairs {
    ["no operator"] = { { "laptop-17" }, "computerDnsName=laptop-17" },
    ["no field"] = { { "=High" }, "is not a condition" },
    ["an empty value"] = { { "riskScore=" }, "riskScore has no value; an empty shell variable?" },
    ["a field that there is not"] = { { "riskscore=High" }, 'Did you mean "riskScore"?' },
    ["a value that there is not"] = { { "riskScore=Hihg" }, 'Did you mean "High"?' },
    ["a time that is none"] = { { "lastSeen>=yesterday" }, "is not a time" },
    ["all for --all"] = { { "ALL" }, "Did you mean --all?" },
    ["escapes"] = { { "\27[2J" }, "\\x1b[2J" },
  } do
    it("are refused with " .. what, function()
      local ok, err = pcall(filter, case[1])
      assert.is_false(ok)
      assert.is_true(errors.is(err), tostring(err))
      assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
    end)
  end

  it("are one way of three, of which exactly one is used", function()
    local function gather(arguments)
      arguments.conditions = arguments.conditions or {}
      return conditions.gather(arguments)
    end
    assert.equal("all", gather { all = true })
    assert.equal("all", conditions.gather({ conditions = {} }, true))
    assert.equal("x eq 1", conditions.gather({ conditions = {}, filter = "x eq 1" }, true))
    assert.is_false((pcall(conditions.gather, { conditions = {} }, false)))
    assert.equal("riskScore eq 'High'", gather { filter = "riskScore eq 'High'" })
    for _, arguments in ipairs { {}, { all = true, filter = "x" }, { all = true, conditions = { "a=b" } },
      { filter = "all" }, { filter = " ALL" }, { filter = " " } } do
      assert.is_false((pcall(gather, arguments)))
    end
  end)
end)
