-- The applications of a tenant.
-- Labels: not-lua5.3
local application = require "mde.sim.identity.application"
local json = require "mde.sim.base.json"

describe("an application", function()
  it("has what it was given, and its id for a name", function()
    local one = application.new { client_id = "x", client_secret = "y", roles = { "Machine.Read.All" } }
    assert.same({ "x", { { value = "y" } }, { "Machine.Read.All" } }, { one.name, one.secrets, one.roles })
  end)

  it("has roles of Graph apart from the others", function()
    local one = application.new { client_id = "x", client_secret = "y", graph_roles = { "ThreatHunting.Read.All" } }
    assert.same({ {}, { "ThreatHunting.Read.All" } }, { one.roles, one.graph_roles })
    assert.is_false(pcall(application.new, { client_id = "x", client_secret = "y", graph_roles = { "Machine.Scan" } }))
  end)

  it("may have several secrets, and trust another identity provider", function()
    local one = application.new { client_id = "x", secrets = { { value = "a", expires = 5 }, { value = "b" } },
      federated = { { issuer = "i", subject = "s", key = "k" } } }
    assert.same({ { value = "a", expires = 5 }, { value = "b" } }, one.secrets)
    assert.same({ "api://AzureADTokenExchange", 0 }, { one.federated[1].audience, one.federated[1].effective })
  end)

  for _, fields in ipairs { { client_secret = "y" }, { client_id = "x" }, { client_id = "x", secrets = {} },
    { client_id = "x", client_secret = 5 }, { client_id = "x", secrets = { { expires = 5 } } },
    { client_id = "x", certificates = { "no PEM" } }, { client_id = "x", federated = { { issuer = "i" } } },
    { client_id = "x", client_secret = "y", roles = { "Machine.Read" } },
    { client_id = "x", trusted_subjects = { { subject = "CN=x" } } }, { client_id = "x", trusted_subjects = {} },
    { client_id = "x", client_secret = "y", disabled = "yes" },
    { client_id = "x", client_secret = "y", rolls = {} } } do
    it("is refused: " .. json.encode(fields), function()
      local ok, message = pcall(application.new, fields)
      assert.is_false(ok)
      assert.is_string(message)
    end)
  end
end)
