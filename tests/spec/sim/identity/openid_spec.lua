-- What a client library asks before it signs in.
-- Labels: not-lua5.3

local json = require "mde.sim.base.json"
local sim = require "mde.sim"

describe("the tenant", function()
  it("tells a client library where it signs in", function()
    local tenant = sim.new()
    local base = "https://login.microsoftonline.com/"
    local function get(path)
      local response = tenant:handle { method = "GET", url = base .. path }
      return response.status, json.decode(response.body)
    end
    local status, answer = get(tenant.tenant_id .. "/v2.0/.well-known/openid-configuration")
    assert.equal(200, status)
    assert.equal(base .. tenant.tenant_id .. "/oauth2/v2.0/token", answer.token_endpoint)
    assert.equal(base .. tenant.tenant_id .. "/discovery/v2.0/keys", answer.jwks_uri)
    status, answer = get(tenant.tenant_id .. "/discovery/v2.0/keys")
    assert.equal(200, status)
    assert.same({}, answer.keys)
    status, answer = get "common/discovery/instance?api-version=1.1&authorization_endpoint=x"
    assert.equal(200, status)
    assert.equal("login.microsoftonline.com", answer.metadata[1].preferred_network)
    status, answer = get "7e000000-0000-4000-8000-0000000000ff/v2.0/.well-known/openid-configuration"
    assert.equal(400, status)
    assert.same({ 90002 }, answer.error_codes)
  end)
end)
