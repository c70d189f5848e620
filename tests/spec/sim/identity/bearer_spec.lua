-- Whether the token of a request is good.
-- Labels: only-lua5.4
local bearer = require "mde.sim.identity.bearer"
local sim = require "mde.sim"
local sign_in = require "mde.sim.identity.sign_in"

describe("a bearer token", function()
  local tenant, token

  before_each(function()
    tenant = sim.new { machines = {}, start = 1770113472 }
    token = sign_in.grant(tenant, { client_id = "a", name = "a", roles = { "Machine.Read.All" } }, "https://a.example",
      "secret").token
  end)

  local function flaw(header, audience)
    return select(2, bearer.check(tenant, { headers = { authorization = header } },
      { [audience or "https://a.example"] = true }))
  end

  it("is good, or has one flaw", function()
    assert.is_nil(flaw("Bearer " .. token))
    assert.is_nil(flaw("bearer  " .. token .. " "))
    assert.equal("absent", flaw(nil))
    assert.equal("absent", flaw("Basic " .. token))
    assert.equal("invalid", flaw "Bearer x")
    assert.equal("audience", flaw("Bearer " .. token, "https://b.example"))
    tenant:revoke()
    assert.equal("revoked", flaw("Bearer " .. token))
    assert.matches('error="insufficient_claims"', bearer.challenge(tenant), 1, true)
    tenant:advance(3600)
    assert.equal("expired", flaw("Bearer " .. token))
  end)

  it("has one of some roles, or none of them", function()
    local grant = { roles = { "A", "B" } }
    assert.is_true(bearer.has_one_of(grant, { "C", "B" }))
    assert.is_false(bearer.has_one_of(grant, { "C" }))
    assert.is_false(bearer.has_one_of({ roles = {} }, { "C" }))
  end)
end)
