-- Indicators over the API.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local refused = caller.refused

describe("the API of indicators", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472.5, machines = {}, limits = false, roles = { "Ti.ReadWrite.All" } }
    client = caller.new(tenant)
  end)

  local function body(value, more)
    local complete = { indicatorValue = value or "bad.example", indicatorType = "DomainName", action = "Block",
      title = "CASE-1", description = "seen" }
    for name, each in pairs(more or {}) do complete[name] = each end
    return complete
  end

  it("creates one, and changes it by its value and type", function()
    local response, answer = client:post("indicators", body(nil, { severity = "High", rbacGroupNames = { "Laptops" },
      rbacGroupIds = { 140 }, expirationTime = "2026-03-01T00:00:00Z", recommendedActions = json.null }))
    assert.equal(200, response.status, response.body)
    assert.same({ "994", "mde", "AadApp", { 140 }, false }, { answer.id, answer.source, answer.sourceType,
      answer.rbacGroupIds, answer.generateAlert })
    assert.equal("https://api.security.microsoft.com/api/$metadata#Indicators/$entity", answer["@odata.context"])
    local _
    _, answer = client:post("indicators", body(nil, { action = "Allowed" }))
    assert.same({ "994", "Allowed", json.null }, { answer.id, answer.action, answer.expirationTime })
  end)

  for _, case in ipairs {
    { "without a title", { title = "" }, "MissingRequiredParameter" },
    { "of a type that is not there", { indicatorType = "FileName" }, "InvalidInput" },
    { "of an action that is not there", { action = "block" }, "InvalidInput" },
    { "of another severity", { severity = "Critical" }, "InvalidInput" },
    { "of a range", { indicatorType = "IpAddress", indicatorValue = "203.0.113.0/24" }, "InvalidIpAddress" },
    { "that audits without alerts", { action = "Audit" }, "InvalidInput" },
    { "whose alerts are a text", { action = "Audit", generateAlert = "True" }, "InvalidRequestBody" },
    { "that has ended", { expirationTime = "2026-02-03T10:11:12Z" }, "InvalidInput" },
    { "whose end has no zone", { expirationTime = "2026-03-01" }, "InvalidInput" },
    { "whose groups are one text", { rbacGroupNames = "Laptops" }, "InvalidRequestBody" },
    { "with a member that is unknown", { tenant = "x" }, "InvalidRequestBody" },
    { "with a page for what is allowed", { action = "Allowed", educateUrl = "https://help.example" }, "InvalidInput" },
  } do
    it("refuses one " .. case[1], function()
      refused(400, case[3], client:post("indicators", body(nil, case[2])))
      assert.equal(0, #tenant.indicator_book:listed())
    end)
  end

  it("lists what a filter selects", function()
    client:post("indicators", body("a.example", { rbacGroupNames = { "Laptops" } }))
    client:post("indicators", body("b.example", { action = "Audit", generateAlert = true, severity = "High" }))
    for filter, expected in pairs { ["action eq 'Audit'"] = "b.example", ["generateAlert eq false"] = "a.example",
        ["rbacGroupNames/any(g: g eq 'Laptops')"] = "a.example", ["indicatorValue eq 'b.example'"] = "b.example" } do
      local rows = client:rows("indicators", filter)
      assert.same({ 1, expected }, { #rows, rows[1].indicatorValue }, filter)
    end
    refused(400, "ODataError", client:get "indicators?$filter=id+eq+'994'")
    tenant:set { lists = { page_rows = 1, next_link = "whole" } }
    local _, answer = client:get "indicators"
    assert.equal("https://api.security.microsoft.com/api/indicators?$skip=1", answer["@odata.nextLink"])
  end)

  it("imports many, and tells of each what is wrong", function()
    local response, answer = client:post("indicators/import", { Indicators = { body "a.example",
      body("10.0.0.0/8", { indicatorType = "IpAddress" }), { indicatorValue = "c.example" } } })
    assert.equal(200, response.status, response.body)
    assert.same({ "994", false, json.null }, { answer.value[1].id, answer.value[1].isFailed,
      answer.value[1].failureReason })
    assert.same({ json.null, true, "10.0.0.0/8" }, { answer.value[2].id, answer.value[2].isFailed,
      answer.value[2].indicator })
    assert.truthy(answer.value[3].failureReason:find "indicatorType")
    assert.equal(1, #tenant.indicator_book:listed())
  end)

  it("imports none, or more than 500, not at all", function()
    local rows = {}
    for i = 1, 501 do rows[i] = body(("h%d.example"):format(i)) end
    refused(400, "MaximumBatchSizeExceeded", client:post("indicators/import", { Indicators = rows }))
    refused(400, "MissingRequiredParameter", client:post("indicators/import", { Indicators = json.array {} }))
    rows[501] = nil
    assert.equal(200, (client:post("indicators/import", { Indicators = rows })).status)
    assert.equal(500, #tenant.indicator_book:listed())
  end)

  it("tells the results of an import in another order, or not all of them, if it is told to", function()
    local rows = { Indicators = { body "a.example", body "b.example" } }
    tenant:set { imports = "reversed" }
    local _, answer = client:post("indicators/import", rows)
    assert.equal("b.example", answer.value[1].indicator)
    tenant:set { imports = "short" }
    _, answer = client:post("indicators/import", rows)
    assert.equal(1, #answer.value)
  end)

  it("deletes one, and many only if all are there", function()
    for _, value in ipairs { "a.example", "b.example", "c.example" } do client:post("indicators", body(value)) end
    local response = client:call("DELETE", "indicators/994")
    assert.same({ 204, "" }, { response.status, response.body })
    refused(404, "ResourceNotFound", client:call("DELETE", "indicators/994"))
    refused(404, "ResourceNotFound", client:post("indicators/BatchDelete", { IndicatorIds = { "995", "994" } }))
    assert.equal(2, #tenant.indicator_book:listed())
    assert.equal(204, (client:post("indicators/BatchDelete", { IndicatorIds = { "995", "996" } })).status)
    refused(400, "MissingRequiredParameter", client:post("indicators/BatchDelete", { IndicatorIds = json.array {} }))
    assert.equal(0, #tenant.indicator_book:listed())
  end)

  it("needs the role for all indicators", function()
    client = caller.new(sim.new { machines = {}, roles = { "Ti.ReadWrite" } })
    refused(403, "Forbidden", client:get "indicators")
    refused(403, "Forbidden", client:post("indicators/import", { Indicators = json.array {} }))
  end)

  it("takes 30 imports a minute", function()
    tenant:set { limits = true }
    for _ = 1, 30 do client:post("indicators/import", { Indicators = { body() } }) end
    refused(429, "429", client:post("indicators/import", { Indicators = { body() } }))
  end)
end)
