-- credential.managed_identity: which identity is meant, and which host's endpoint has it.

local environment = require "tests.spec.support.environment"
local identities = require "tests.spec.support.managed_identity"
local managed_identity = require "mde.auth.credential.managed_identity"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

local OTHER = identities.OTHER

describe("a managed identity", function()
  local directory

  setup(function() directory = shell.new_directory() end)
  teardown(function() shell.remove(directory) end)
  after_each(environment.restore)

  local function rehearse(source, of_credential, of_tenant)
    of_credential, of_tenant = of_credential or {}, of_tenant or {}
    if source == "arc" then of_credential.tokens_directory, of_tenant.arc = directory, { directory = directory } end
    return (identities.rehearse(source, of_credential, of_tenant))
  end

  for _, source in ipairs { "imds", "app_service", "arc" } do
    it("signs in: " .. source, function()
      local r = rehearse(source)
      assert.truthy(r.client:machine "desk-5")
      assert.equal(1, r:count "token_issued")
      for _, entry in ipairs(r.tenant.history) do
        if entry.event == "token_issued" then assert.equal("managed_identity", entry.credential) end
      end
    end)

    for _, name in ipairs { "client_id", "object_id", "resource_id" } do
      it(("may be one of several: %s, %s"):format(source, name), function()
        local r = rehearse(source, { [name] = OTHER[name] }, { identities = { OTHER } })
        assert.truthy(r.client:machine "desk-5")
      end)
    end

    it("that is not assigned is an error that says so: " .. source, function()
      local r = rehearse(source, nil, { identities = { OTHER } })
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.matches(source == "arc" and "Connect" or "Assign a managed identity", err.hint)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)

    it("without roles is an error that names the permission: " .. source, function()
      local r = rehearse(source, nil, { identities = { { client_id = OTHER.client_id, system = true } } })
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("permission", err.kind)
      assert.matches("Machine.Read.All", err.hint, 1, true)
      assert.matches("its token has none", err.hint, 1, true)
    end)
  end

  it("is chosen by what the environment says", function()
    for _, source in ipairs { "imds", "app_service", "arc" } do
      environment.set(identities.variables(source))
      assert.equal(source, managed_identity.detect())
    end
    environment.set {}
    assert.is_nil(managed_identity.detect())
    for _, of_other in ipairs {
      { IDENTITY_ENDPOINT = "https://a.example", IDENTITY_HEADER = "x", IDENTITY_SERVER_THUMBPRINT = "y" },
      { MSI_ENDPOINT = "http://localhost/x" }, { MSI_ENDPOINT = "http://localhost/x", MSI_SECRET = "y" } } do
      environment.set(of_other)
      assert.matches("not supported", rehearsal.refused(managed_identity.detect).message)
    end
  end)

  it("takes no options that contradict one another", function()
    for _, options in ipairs { { client_id = "a", object_id = "b" }, { source = "vm" }, { id = "a" },
      { source = "imds", tokens_directory = "/tmp" } } do
      rehearsal.refused(mde.credential.managed_identity, options)
    end
  end)
end)
