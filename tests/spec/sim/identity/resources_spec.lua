-- What tokens are issued for, and with which roles.
-- Labels: only-lua5.4
local clouds = require "mde.base.cloud"
local resources = require "mde.sim.identity.resources"

describe("a resource", function()
  it("has its audiences in each cloud, which are those of the client's scopes", function()
    for name, cloud in pairs(clouds) do
      assert.is_true(resources.audiences("defender", name)[(cloud.scope:gsub("/%.default$", ""))])
      assert.same({ [cloud.graph_scope:gsub("/%.default$", "")] = true }, resources.audiences("graph", name))
    end
  end)

  it("exists or not, and Graph of another cloud does", function()
    for resource, exists in pairs { ["https://graph.microsoft.com"] = true, ["https://graph.microsoft.us"] = true,
      ["https://api.securitycenter.microsoft.com"] = true, ["https://api-gcc.securitycenter.microsoft.us"] = false,
      ["https://api.security.microsoft.com"] = true, ["https://other.example"] = false } do
      assert.equal(exists, resources.exists(resource, { cloud = "commercial" }), resource)
    end
  end)

  it("has roles of its own", function()
    local application = { roles = { "A" }, graph_roles = { "B" } }
    assert.same({ "A" }, resources.roles(application, "https://api.securitycenter.microsoft.com"))
    assert.same({ "B" }, resources.roles(application, "https://graph.microsoft.com"))
    assert.same({}, resources.roles({ roles = { "A" } }, "https://graph.microsoft.us"))
    assert.same({}, resources.roles({ graph_roles = { "B" } }, "https://api.securitycenter.microsoft.com"))
  end)
end)
