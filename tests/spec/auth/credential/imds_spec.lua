-- credential.imds: the managed identity of a virtual machine.

local environment = require "tests.spec.support.environment"
local identities = require "tests.spec.support.managed_identity"
local imds = require "mde.auth.credential.imds"
local rehearsal = require "tests.spec.support.rehearsal"
local token_requests = require "tests.spec.support.token_request"

local OTHER = identities.OTHER

describe("the managed identity", function()
  after_each(environment.restore)

  it("of a virtual machine is asked again while its endpoint is away", function()
    for _, status in ipairs { 404, 410, 429, 500, 503 } do
      local r = identities.rehearse "imds"
      r:fault { fault = "answer", status = status, match = { path = "/metadata/" }, count = 2 }
      assert.truthy(r.client:machine "desk-5")
    end
    local r = identities.rehearse "imds"
    r:fault { fault = "answer", status = 404, match = { path = "/metadata/" }, count = false }
    local _, err = r.client:machine "desk-5"
    assert.equal("unavailable", err.kind)
    assert.matches("Only a virtual machine in Azure", err.hint)
  end)

  it("of a virtual machine that is none says what else there is", function()
    local r = identities.rehearse "imds"
    r:fault { fault = "refuse", count = false }
    local _, err = r.client:machine "desk-5"
    assert.equal("unavailable", err.kind)
    assert.matches("AZURE_CLIENT_CERTIFICATE_PATH", err.hint)
  end)

  it("whose agent gives another's token is an error", function()
    local r = identities.rehearse("imds", { client_id = OTHER.client_id })
    r:answer({ path = "/metadata/" }, 200, { access_token = "a.b.c", expires_in = "3599", token_type = "Bearer",
      client_id = "1d000000-0000-4000-8000-0000000000ff" })
    local _, err = r.client:machine "desk-5"
    assert.equal("auth", err.kind)
    assert.matches("not of " .. OTHER.client_id, err.message, 1, true)
  end)

  it("of a virtual machine is asked for at the one address, if no other is named that is near", function()
    local function asked(host)
      environment.set { AZURE_POD_IDENTITY_AUTHORITY_HOST = host }
      local request = token_requests.new()
      assert(imds.new({ resource_id = "/subscriptions/a" }):ask(request))
      assert.same({ Metadata = "true" }, request.got[1].headers)
      assert.equal("/subscriptions/a", request.got[1].query.msi_res_id)
      return request.got[1].url
    end
    assert.equal("http://169.254.169.254/metadata/identity/oauth2/token", asked(nil))
    assert.equal("http://127.0.0.1:9/metadata/identity/oauth2/token", asked "http://127.0.0.1:9//")
    environment.set { AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://10.0.0.1/" }
    assert.matches("AZURE_POD_IDENTITY_AUTHORITY_HOST", rehearsal.refused(imds.new, {}).message, 1, true)
  end)
end)
