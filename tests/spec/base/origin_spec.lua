-- origin: hints name what a setting was given by.

local origins = require "mde.base.origin"

describe("a hint", function()
  it("names variables where nothing was given in their place", function()
    local hint = "Check AZURE_TENANT_ID, AZURE_CLIENT_SECRET and MDE_CLOUD."
    assert.equal(hint, origins.new({})(hint))
  end)

  it("names what was given, and where the credential is from", function()
    local named = origins.new({ AZURE_TENANT_ID = "tenant_id", MDE_CLOUD = "cloud" }, { source = 'the file "/run/%1"' })
    assert.equal('Check tenant_id, AZURE_CLIENT_ID, cloud and the file "/run/%1".',
      named "Check AZURE_TENANT_ID, AZURE_CLIENT_ID, MDE_CLOUD and AZURE_CLIENT_SECRET.")
    assert.equal('Check the file "/run/%1" or the file "/run/%1": api://AzureADTokenExchange, HTTP 400.',
      named "Check AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE: api://AzureADTokenExchange, HTTP 400.")
  end)

  it("may be named twice", function()
    local named = origins.new({ MDE_CLOUD = "cloud" }, { source = 'the file "/x" (AZURE_FEDERATED_TOKEN_FILE)' })
    local once = named "AZURE_CLIENT_SECRET, MDE_CLOUD, AZURE_FEDERATED_TOKEN_FILE."
    assert.equal('the file "/x" (AZURE_FEDERATED_TOKEN_FILE), cloud, the file "/x" (AZURE_FEDERATED_TOKEN_FILE).', once)
    assert.equal(once, named(once))
  end)

  it("names what names a managed identity", function()
    local given = { AZURE_CLIENT_ID = "client_id" }
    assert.equal("Check client_id.", origins.new(given, {}) "Check AZURE_CLIENT_ID.")
    assert.equal('Check the option "object_id".',
      origins.new(given, { identity_source = 'the option "object_id"' }) "Check AZURE_CLIENT_ID.")
  end)

  it("does not take a longer name for a shorter one", function()
    local named = origins.new({ AZURE_CLIENT_ID = "client_id" }, { source = "X" })
    assert.equal("AZURE_CLIENT_CERTIFICATE_PASSWORD, MDE_CLIENT_SECRET_FILE, AZURE_CLIENT_IDS",
      named "AZURE_CLIENT_CERTIFICATE_PASSWORD, MDE_CLIENT_SECRET_FILE, AZURE_CLIENT_IDS")
  end)
end)
