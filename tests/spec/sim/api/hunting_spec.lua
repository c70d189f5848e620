-- Hunting by Defender's own API, until it is retired.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local sim = require "mde.sim"
local time = require "mde.sim.base.time"

describe("hunting by Defender's API", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = time.parse "2027-01-31T23:59:00Z", roles = { "AdvancedQuery.Read.All" },
      machines = { { computerDnsName = "a.corp.example", lastSeen = "1h ago" } } }
    client = caller.new(tenant)
  end)

  local function hunt(body) return client:post("advancedqueries/run", body) end

  it("answers with Schema, Results and Stats", function()
    local response, answer = hunt { Query = "DeviceInfo | where Timestamp > ago(2h) | project DeviceName" }
    assert.are.equal(200, response.status)
    assert.are.same({ { Name = "DeviceName", Type = "String" } }, answer.Schema)
    assert.are.same({ { DeviceName = "a.corp.example" } }, answer.Results)
    assert.are.equal(1, answer.Stats.ExecutionTime)
  end)

  it("refuses", function()
    assert.is_truthy(caller.refused(400, "BadRequest", hunt { Query = "Nothing" }):find("'Nothing'", 1, true))
    caller.refused(400, "InvalidRequestBody", hunt '{"Query":"DeviceInfo\n| count"}')
    caller.refused(400, "MissingRequiredParameter", hunt "{}")
    tenant:set { hunting = { most_bytes = 10 } }
    caller.refused(400, "BadRequest", hunt { Query = "DeviceInfo" })
    tenant:set { hunting = { quota = 0 } }
    local response = hunt { Query = "DeviceInfo" }
    assert.are.same({ 429, "60" }, { response.status, response.headers["retry-after"] })
  end)

  it("is retired on 1 February 2027", function()
    tenant:advance(59)
    assert.are.equal(200, hunt({ Query = "DeviceInfo | count" }).status)
    tenant:advance(1)
    assert.is_truthy(caller.refused(404, "NotFound", hunt { Query = "DeviceInfo | count" })
      :find("runHuntingQuery", 1, true))
  end)
end)
