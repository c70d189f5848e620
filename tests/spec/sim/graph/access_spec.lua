-- Who asks the simulated Microsoft Graph, how often, and may they.
-- Labels: only-lua5.4
local access = require "mde.sim.graph.access"
local caller = require "tests.spec.support.caller"
local sim = require "mde.sim"

describe("access to Graph", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { machines = {}, start = 1770113472, graph_roles = { "ThreatHunting.Read.All" } }
    client = caller.new(tenant)
  end)

  local function request(token)
    return { headers = { authorization = token and "Bearer " .. token } }
  end

  local function token_for(scope)
    return select(2, client:ask_for_token { scope = scope }).access_token
  end

  it("is by a token for it, with the roles of Graph alone", function()
    local grant, response = access.authenticate(tenant, request(token_for "https://graph.microsoft.com/.default"))
    assert.is_nil(response)
    assert.same({ "ThreatHunting.Read.All" }, grant.roles)
    assert.is_nil(access.authorize(tenant, request(), grant, { "ThreatHunting.Read.All" }))
    assert.equal(403, access.authorize(tenant, request(), grant, { "Machine.Read.All" }).status)
  end)

  it("is refused with 401 to any other token, for what it is", function()
    local good = token_for "https://graph.microsoft.com/.default"
    for token, word in pairs { [token_for "https://graph.microsoft.us/.default"] = "audience",
      [token_for "https://api.securitycenter.microsoft.com/.default"] = "audience", ["x.y.z"] = "read" } do
      local _, response = access.authenticate(tenant, request(token))
      assert.equal(401, response.status)
      assert.matches(word, response.body)
      assert.truthy(response.headers["www-authenticate"])
    end
    assert.matches("no access token", select(2, access.authenticate(tenant, request())).body)
    tenant:revoke()
    assert.matches("revoked", select(2, access.authenticate(tenant, request(good))).body)
    tenant:advance(4000)
    assert.matches("lifetime", select(2, access.authenticate(tenant, request(good))).body)
  end)

  it("is counted for each API apart from Defender's, or not at all", function()
    local grant = { application = { client_id = "a" } }
    assert.is_nil(access.throttle(tenant, request(), grant, "x", 1))
    assert.is_nil(access.throttle(tenant, request(), grant, "y", 1))
    assert.equal(429, access.throttle(tenant, request(), grant, "x", 1).status)
    tenant:set { limits = false }
    assert.is_nil(access.throttle(tenant, request(), grant, "x", 1))
  end)
end)
