-- Microsoft Graph in the simulated tenant: which request goes where, with which token, and what is refused.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local endpoint = require "tests.spec.support.graph_endpoint"
local sim = require "mde.sim"

describe("Graph", function()
  local tenant, client

  before_each(function()
    endpoint.plant()
    tenant = sim.new { machines = {}, start = 1770113472 + 0.3456789, graph_roles = { "SecurityAlert.Read.All" } }
    client = caller.new(tenant)
  end)

  after_each(endpoint.remove)

  -- That it was refused in Graph's shape.
  local function refused(status, code, response, answer)
    assert.same({ status, code }, { response.status, answer.error.code })
    local inner = answer.error.innerError
    assert.equal("2026-02-03T10:11:12", inner.date)
    assert.equal(response.headers["request-id"], inner["request-id"])
    return answer.error.message
  end

  it("answers below /v1.0 at its host, and at one that has no name of its own", function()
    assert.equal(200, client:graph("GET", "security/probe").status)
    assert.equal(200, client:graph("GET", "Security/PROBE").status)
    for origin, status in pairs { ["https://graph.microsoft.com/api/"] = 404, ["https://localhost:8443/v1.0/"] = 200,
      ["https://api.security.microsoft.com/v1.0/"] = 404, ["https://graph.microsoft.com/beta/"] = 404 } do
      local response = tenant:handle { method = "GET", url = origin .. "security/probe",
        headers = { Authorization = "Bearer " .. client.graph_token } }
      assert.equal(status, response.status, origin)
    end
  end)

  it("takes tokens for itself alone, and Defender takes none for Graph", function()
    refused(401, "InvalidAuthenticationToken", client:graph("GET", "security/probe", nil,
      { Authorization = "Bearer " .. client:token() }))
    refused(401, "InvalidAuthenticationToken", client:graph("GET", "security/probe", nil, { Authorization = false }))
    local response = client:call("GET", "machines", nil, { Authorization = "Bearer " .. client.graph_token })
    assert.equal(403, response.status)
  end)

  it("knows no path but those of its endpoints", function()
    assert.matches("'nonsense'", refused(400, "BadRequest", client:graph("GET", "security/nonsense")))
    assert.matches("'below'", refused(400, "BadRequest", client:graph("GET", "security/probe/x/below")))
    local response, answer = client:graph("DELETE", "security/probe")
    refused(405, "MethodNotAllowed", response, answer)
    assert.equal("GET, POST", response.headers.allow)
  end)

  it("asks for the role of each endpoint", function()
    refused(403, "Forbidden", client:graph("POST", "security/probe", {}))
    assert.equal(200, client:graph("GET", "security/probe").status)
  end)

  it("takes the query options of each endpoint, and no others", function()
    assert.equal(200, client:graph("GET", "security/probe?$top=1&$filter=a%20eq%20'b'").status)
    assert.same({ ["$top"] = "1", ["$filter"] = "a eq 'b'" }, endpoint.asked.options)
    assert.matches("$orderby", refused(400, "BadRequest", client:graph("GET", "security/probe?$orderby=x")), 1, true)
  end)

  it("has limits of its own", function()
    for _ = 1, 150 do assert.equal(200, client:graph("GET", "security/probe").status) end
    local response, answer = client:graph("GET", "security/probe")
    refused(429, "TooManyRequests", response, answer)
    assert.equal("60", response.headers["retry-after"])
    assert.equal("429", answer.error.innerError.code)
  end)
end)
