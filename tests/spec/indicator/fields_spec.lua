-- What an indicator says, and whom it would hit.
-- Labels: not-lua5.3
local fields_of = require "mde.indicator.fields"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW = 1770113472

local function fields(more)
  local complete = { indicatorValue = "bad.example", indicatorType = "DomainName", action = "Block", title = "t",
    description = "d" }
  for name, value in pairs(more or {}) do complete[name] = value end
  return complete
end

describe("an indicator", function()
  it("is written as the service reads it", function()
    assert.same({ indicatorValue = "bad.example", indicatorType = "DomainName", action = "Block", title = "t",
      description = "d", severity = "High", rbacGroupIds = { 140 }, expirationTime = "2026-03-05T10:11:12Z" },
      fields_of.body(fields { severity = "High", rbacGroupIds = { 140 }, expires_in = "30d" },
        NOW))
    assert.is_true(fields_of.body(fields { action = "Audit" }, NOW).generateAlert)
    assert.equal("2026-02-03T12:00:00Z", fields_of.body(fields { expirationTime = "2026-02-03T12:00:00Z" },
      NOW).expirationTime)
  end)

  for _, case in ipairs {
    { { title = "" }, "title must be a text" }, { { description = false }, "description must be" },
    { { indicatorType = "Domain" }, 'Did you mean "DomainName"' }, { { action = "block" }, 'Did you mean "Block"' },
    { { action = "Alert" }, "ended in January 2022.*Write Audit" }, { { severity = 3 }, "severity must be" },
    { { indicatorValue = "" }, "is empty" }, { { indicatorValue = "*.bad.example" }, "has a star" },
    { { indicatorType = "IpAddress", indicatorValue = "10.0.0.0/8" }, "is a range" },
    { { indicatorType = "FileSha256", indicatorValue = ("a"):rep(40) }, "not so many digits.*64 hexadecimal" },
    { { indicatorValue = "1.2.3.4" }, "is an address.*IpAddress" }, { { generateAlert = "True" }, "true or false" },
    { { action = "Audit", generateAlert = false }, "refuses that for Audit" },
    { { action = "Allowed", educateUrl = "https://help.example" }, "belongs to Block" },
    { { expirationTime = "2026-02-03T10:11:12Z" }, "which is over" }, { { expires_in = "0s" }, "not a span" },
    { { expires_in = "1d", expirationTime = "2027-01-01" }, "not both" },
    { { rbacGroupNames = "Laptops" }, "list of texts" }, { { rbacGroupIds = { 1.5 } }, "list of whole numbers" },
    { { rbacGroupNames = {} }, "rbacGroupNames was given an empty list.*leave it out" },
    { { rbacGroupIds = {} }, "rbacGroupIds was given an empty list" },
    { { rbacGroupNames = { "Laptops", " " } }, "rbacGroupNames%[2%] must be a text with something in it" },
    { { educateUrl = "javascript:alert(1)" }, "educateUrl is .* not a URL" },
    { { sevrity = "High" }, 'Did you mean "severity"' }, { { title = "a\1b" }, "title: the text" },
  } do
    it("is refused: " .. case[2], function()
      assert.matches(case[2], tostring(rehearsal.refused(fields_of.body, fields(case[1]), NOW)))
    end)
  end

  it("is a table", function()
    assert.equal("missing_value", rehearsal.refused(fields_of.body, nil, NOW).code)
    assert.equal("wrong_type", rehearsal.refused(fields_of.body, "bad.example", NOW).code)
  end)
end)

describe("what would hit more than is meant", function()
  local function rule(action, type, value, allow)
    local body = fields_of.body(fields { action = action, indicatorType = type, indicatorValue = value }, NOW)
    local err = fields_of.too_wide(body, fields_of.lifted(allow))
    return err and err.rule
  end

  it("is refused by the name of a rule, which can be lifted", function()
    for value, expected in pairs { ["0.0.0.0"] = "any_address", ["127.0.0.1"] = "own_address",
        ["10.1.2.3"] = "private_address" } do
      assert.equal(expected, rule("Block", "IpAddress", value))
      assert.is_nil(rule("Block", "IpAddress", value, { expected }))
      assert.is_nil(rule("Audit", "IpAddress", value))
    end
    assert.equal("top_level_domain", rule("Warn", "DomainName", "co.uk"))
    assert.equal("vital_domain", rule("Block", "Url", "https://login.microsoftonline.com/"))
    assert.equal("empty_file", rule("BlockAndRemediate", "FileMd5", "d41d8cd98f00b204e9800998ecf8427e"))
    assert.equal("vital_domain", rule("Block", "DomainName", "microsoft.com", { "any_address" }))
    assert.is_nil(rule("Block", "DomainName", "bad.example"))
  end)

  it("is less where it is allowed", function()
    assert.is_nil(rule("Allowed", "DomainName", "microsoft.com"))
    assert.is_nil(rule("Allowed", "IpAddress", "10.1.2.3"))
    assert.equal("top_level_domain", rule("Allowed", "DomainName", "com"))
    assert.equal("any_address", rule("Allowed", "IpAddress", "0.0.0.0"))
  end)

  it("is lifted by rules that there are", function()
    local err = rehearsal.refused(fields_of.lifted, { "vital_domains" })
    assert.same({ "unknown_rule", 'Did you mean "vital_domain"?' }, { err.code, err.hint })
    assert.equal("wrong_type", rehearsal.refused(fields_of.lifted, "vital_domain").code)
  end)
end)

it("a row of the service's is told by digits", function()
  local row = { id = 7, indicatorValue = 5, rbacGroupNames = "Laptops" }
  assert.is_true(fields_of.mend(row))
  assert.same({ id = "7", indicatorValue = "5", rbacGroupNames = { "Laptops" } }, row)
  assert.is_false(fields_of.mend { id = "7/../8" })
end)
