-- Hunting by Graph: reply, limits, refusals.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local NOW = 1770113472

describe("hunting by Graph", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = NOW, graph_roles = { "ThreatHunting.Read.All" },
      machines = { { computerDnsName = "a.corp.example", lastSeen = "1h ago", isAadJoined = true, osBuild = 26100 } } }
    client = caller.new(tenant)
  end)

  local function hunt(body)
    local response, answer = client:graph("POST", "security/runHuntingQuery", body)
    return response.status, answer, response
  end

  local function refused(body, status, code)
    local told, answer = hunt(body)
    assert.are.same({ status, code }, { told, answer.error.code })
    return answer.error.message
  end

  it("answers with a schema and rows", function()
    local status, answer = hunt { Query = "DeviceInfo | where Timestamp > ago(2h) | project Timestamp, DeviceName, "
      .. "OSBuild, IsAzureADJoined, x = dynamic(['a']), MergedToDeviceId, ReportId = long(null), n = 0.5" }
    assert.are.equal(200, status)
    assert.are.same({ { name = "Timestamp", type = "DateTime" }, { name = "DeviceName", type = "String" },
      { name = "OSBuild", type = "Int64" }, { name = "IsAzureADJoined", type = "SByte" },
      { name = "x", type = "Object" }, { name = "MergedToDeviceId", type = "String" },
      { name = "ReportId", type = "Int64" }, { name = "n", type = "Double" } }, answer.schema)
    assert.are.same({ { Timestamp = "2026-02-03T09:11:12Z", DeviceName = "a.corp.example", OSBuild = 26100,
      IsAzureADJoined = 1, x = { "a" }, MergedToDeviceId = "", ReportId = json.null, n = 0.5 } }, answer.results)
    assert.is_nil(answer.Stats)
  end)

  it("has a schema without rows", function()
    local _, answer, response = hunt { Query = "DeviceInfo | where false | project DeviceId" }
    assert.are.same({ { name = "DeviceId", type = "String" } }, answer.schema)
    assert.is_truthy(response.body:find('"results":[]', 1, true))
  end)

  it("takes the shorter of two spans", function()
    for _, case in ipairs { { "PT30M", "ago(2h)", 0 }, { "PT2H", "ago(30m)", 0 }, { "PT2H", "ago(2h)", 1 },
        { "2026-02-03T09:00:00Z/PT30M", "ago(2h)", 1 } } do
      local _, answer = hunt { query = ("DeviceInfo | where Timestamp > %s | count"):format(case[2]),
        timespan = case[1] }
      assert.are.equal(case[3], answer.results[1].Count)
    end
  end)

  it("spells as the older samples do, if told to", function()
    tenant:set { hunting = { spelling = "older" } }
    local _, answer = hunt { Query = "DeviceInfo | where Timestamp > ago(2h) | project DeviceName" }
    assert.are.same({ { Name = "DeviceName", Type = "String" } }, answer.schema)
    assert.are.same({ { deviceName = "a.corp.example" } }, answer.results)
  end)

  it("refuses with words", function()
    assert.is_truthy(refused({ Query = "DeviceInfos | where x == 1" }, 400, "BadRequest")
      :find("Failed to resolve table or column expression named 'DeviceInfos'", 1, true))
    assert.are.equal("Missing query.", refused({ Query = " " }, 400, "BadRequest"))
    assert.are.equal("Missing query.", refused("{}", 400, "BadRequest"))
    assert.is_truthy(refused({ Query = "DeviceInfo", Parameters = "x" }, 400, "BadRequest")
      :find("'Parameters'", 1, true))
    assert.is_truthy(refused({ Query = "DeviceInfo", Timespan = "7d" }, 400, "BadRequest"):find("'7d'", 1, true))
    assert.is_truthy(refused({ Query = "DeviceInfo", workspaceId = "x" }, 400, "BadRequest"):find("GUID", 1, true))
    assert.is_truthy(refused({ Query = json.array {} }, 400, "BadRequest"):find("must be a string", 1, true))
    refused('{"Query":"DeviceInfo\n| count"}', 400, "BadRequest")
  end)

  it("needs the role", function()
    tenant:put_application { client_id = tenant.client_id, client_secret = tenant.client_secret, name = "mde",
      roles = {}, graph_roles = { "SecurityAlert.ReadWrite.All" } }
    refused({ Query = "DeviceInfo" }, 403, "Forbidden")
  end)

  it("counts 45 calls a minute", function()
    for _ = 1, 45 do assert.are.equal(200, (hunt { Query = "DeviceInfo | count" })) end
    refused({ Query = "DeviceInfo | count" }, 429, "TooManyRequests")
  end)

  it("has a quota of run time, and does not say when to come back", function()
    tenant:set { hunting = { quota = 1 } }
    hunt { Query = "DeviceInfo | count" }
    assert.is_truthy(refused({ Query = "DeviceInfo | count" }, 429, "TooManyRequests"):find("15-minute", 1, true))
    local _, _, response = hunt { Query = "DeviceInfo | count" }
    assert.is_nil(response.headers["retry-after"])
    tenant:advance(900)
    assert.are.equal(200, (hunt { Query = "DeviceInfo | count" }))
  end)

  it("refuses a reply that is too large", function()
    tenant:set { hunting = { most_bytes = 500 } }
    assert.is_truthy(refused({ Query = "DeviceInfo" }, 400, "BadRequest")
      :find("exceeded the allowed result size", 1, true))
  end)

  it("can fail without a word", function()
    tenant.faults:add { fault = "hunting_timeout", match = { path = "runHuntingQuery" } }
    local response = tenant:handle_with(tenant.faults:for_request("POST", "/v1.0/security/runHuntingQuery"),
      { method = "POST", url = "/v1.0/security/runHuntingQuery", headers = {} })
    assert.are.equal(504, response.status)
    assert.are.same({ "UnknownError", "" }, { json.decode(response.body).error.code,
      json.decode(response.body).error.message })
  end)
end)
