-- credential.app_service: the managed identity of an app.

local app_service = require "mde.auth.credential.app_service"
local core = require "mde.core"
local environment = require "tests.spec.support.environment"
local identities = require "tests.spec.support.managed_identity"
local rehearsal = require "tests.spec.support.rehearsal"
local token_requests = require "tests.spec.support.token_request"

describe("the managed identity", function()
  after_each(environment.restore)

  it("of an app follows its header", function()
    local r, variables = identities.rehearse "app_service"
    r.tenant:set { app_header = "another made-up header" }
    local _, err = r.client:machine "desk-5"
    assert.equal("auth", err.kind)
    assert.matches("IDENTITY_HEADER", err.hint)
    variables.IDENTITY_HEADER = "another made-up header"
    r.tenant:advance(61)
    assert.truthy(r.client:machine "desk-5")
    assert.equal("say [redacted].", core.redact.known("say another made-up header.",
      r.client.exchange.credential:secrets()))
  end)

  it("of an app keeps its header while the new one cannot be sent, and prints none", function()
    local variables = { IDENTITY_ENDPOINT = "http://127.0.0.1:41741/msi/token", IDENTITY_HEADER = "a made-up header" }
    environment.set(variables)
    local credential, request = app_service.new { client_id = "1d" }, token_requests.new()
    for _, header in ipairs { "a made-up header", "cut\r\nHost: elsewhere.example" } do
      variables.IDENTITY_HEADER = header
      assert(credential:ask(request))
    end
    variables.IDENTITY_HEADER = nil
    assert(credential:ask(request))
    for _, call in ipairs(request.got) do
      assert.equal("http://127.0.0.1:41741/msi/token", call.url)
      assert.same({ ["X-IDENTITY-HEADER"] = "a made-up header" }, call.headers)
      assert.same({ ["api-version"] = "2019-08-01", client_id = "1d",
        resource = "https://api.securitycenter.microsoft.com" }, call.query)
    end
    assert.equal(3, #request.got)
    assert.is_nil(tostring(credential):find("made-up", 1, true))
  end)

  it("of an app needs both variables, each of a kind that can be used", function()
    for variable, variables in pairs {
      IDENTITY_ENDPOINT = { IDENTITY_HEADER = "x" },
      IDENTITY_HEADER = { IDENTITY_ENDPOINT = "http://127.0.0.1/" },
      control = { IDENTITY_ENDPOINT = "http://127.0.0.1/", IDENTITY_HEADER = "a\nb" },
      ["link-local"] = { IDENTITY_ENDPOINT = "http://10.0.0.1/", IDENTITY_HEADER = "x" },
    } do
      environment.set(variables)
      assert.matches(variable, rehearsal.refused(app_service.new, {}).message, 1, true)
    end
  end)
end)
