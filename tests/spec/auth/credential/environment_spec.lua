-- credential.environment: the credential that the environment describes.

local certificates = require "tests.spec.support.certificates"
local environment = require "tests.spec.support.environment"
local mde = require "mde"

describe("the environment", function()
  local one

  setup(function() one = certificates.new() end)
  teardown(certificates.remove)
  after_each(environment.restore)

  local ids = { AZURE_TENANT_ID = "corp.example", AZURE_CLIENT_ID = "c1000000-0000-4000-8000-0000000000c1" }

  local function kind_of(variables)
    local all = {}
    for name, value in pairs(ids) do all[name] = value end
    for name, value in pairs(variables) do all[name] = value end
    environment.set(all)
    local client, err = mde.client { driver = { send = print } }
    return client and client.exchange.credential.kind, err
  end

  it("names credentials in the order of the SDKs", function()
    local all = { AZURE_CLIENT_SECRET = "a made-up value", MDE_CLIENT_SECRET_FILE = one.path,
      AZURE_CLIENT_CERTIFICATE_PATH = one.path, AZURE_FEDERATED_TOKEN_FILE = "/nonexistent",
      AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://127.0.0.1:1" }
    assert.equal("secret", kind_of(all))
    all.AZURE_CLIENT_SECRET = ""
    all.MDE_CLIENT_SECRET_FILE = nil
    assert.equal("certificate", kind_of(all))
    all.AZURE_CLIENT_CERTIFICATE_PATH = nil
    assert.equal("federated", kind_of(all))
    all.AZURE_FEDERATED_TOKEN_FILE = nil
    assert.equal("managed identity", kind_of(all))
  end)

  it("may narrow the choice down", function()
    local all = { AZURE_CLIENT_SECRET = "a made-up value", AZURE_FEDERATED_TOKEN_FILE = "/nonexistent" }
    for choice, kind in pairs { prod = "secret", EnvironmentCredential = "secret", managedidentitycredential =
      "managed identity", WorkloadIdentityCredential = "federated" } do
      all.AZURE_TOKEN_CREDENTIALS = choice
      assert.equal(kind, kind_of(all))
    end
    all.AZURE_TOKEN_CREDENTIALS = "AzureCliCredential"
    local client, err = kind_of(all)
    assert.is_nil(client)
    assert.matches("AZURE_TOKEN_CREDENTIALS", err.message)
  end)

  it("needs no ids for a managed identity, and all of them for the others", function()
    environment.set { AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://127.0.0.1:1" }
    assert.truthy(mde.client { driver = { send = print } })
    environment.set { AZURE_CLIENT_CERTIFICATE_PATH = one.path }
    local _, err = mde.client { driver = { send = print } }
    assert.matches("AZURE_TENANT_ID, AZURE_CLIENT_ID", err.message, 1, true)
    assert.is_nil(err.message:find("SECRET", 1, true))
  end)

  it("says whether the chain of a certificate is sent", function()
    local function sends(value)
      local all = { AZURE_CLIENT_CERTIFICATE_PATH = one.path, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN = value }
      for name, id in pairs(ids) do all[name] = id end
      environment.set(all)
      local client, err = mde.client { driver = { send = print } }
      if not client then return nil, err end
      for _, fact in ipairs(client.exchange.credential:about()) do
        if fact.name == "chain sent" then return fact.value end
      end
      return "not"
    end
    local alone = "the certificate alone"
    for value, expected in pairs { ["1"] = alone, ["true"] = alone, True = alone, ["0"] = "not", False = "not",
      [""] = "not" } do
      assert.equal(expected, sends(value))
    end
    local sent, err = sends "yes"
    assert.is_nil(sent)
    assert.equal("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN is \"yes\"", err.message)
    assert.matches("1 or true", err.hint, 1, true)
  end)

  it("is blamed by the variable's name", function()
    local _, err = kind_of { AZURE_CLIENT_CERTIFICATE_PATH = "/nonexistent.pem" }
    assert.equal("invalid", err.kind)
    assert.matches("AZURE_CLIENT_CERTIFICATE_PATH: ", err.message, 1, true)
    _, err = kind_of { MDE_CLIENT_SECRET_FILE = "/nonexistent" }
    assert.matches("MDE_CLIENT_SECRET_FILE: ", err.message, 1, true)
  end)
end)
