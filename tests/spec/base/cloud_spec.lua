-- cloud: where each Microsoft cloud has its hosts. One that is wrong sends a credential to another cloud.

local audience = require "mde.auth.audience"
local clouds = require "mde.base.cloud"

describe("a cloud", function()
  -- As Microsoft's documentation has them.
  local documented = {
    commercial = { "login.microsoftonline.com", "api.security.microsoft.com", "api.securitycenter.microsoft.com",
      "graph.microsoft.com" },
    gcc = { "login.microsoftonline.com", "api-gcc.securitycenter.microsoft.us",
      "api-gcc.securitycenter.microsoft.us", "graph.microsoft.com" },
    gcc_high = { "login.microsoftonline.us", "api-gov.securitycenter.microsoft.us",
      "api-gov.securitycenter.microsoft.us", "graph.microsoft.us" },
    dod = { "login.microsoftonline.us", "api-gov.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us",
      "dod-graph.microsoft.us" },
  }

  for name, hosts in pairs(documented) do
    it("has its own hosts: " .. name, function()
      assert.same({ authority = "https://" .. hosts[1], base_url = "https://" .. hosts[2],
        scope = "https://" .. hosts[3] .. "/.default", graph_url = "https://" .. hosts[4],
        graph_scope = "https://" .. hosts[4] .. "/.default" }, clouds[name])
    end)
  end

  it("is one of those", function()
    for name in pairs(clouds) do assert.truthy(documented[name], name) end
  end)

  it("of the government signs in and asks within its own domain", function()
    for name, cloud in pairs(clouds) do
      if cloud.authority:find "%.us$" then
        assert.matches("%.us$", cloud.base_url, nil, name)
        assert.matches("%.us/%.default$", cloud.scope, nil, name)
        assert.matches("%.us$", cloud.graph_url, nil, name)
      end
    end
  end)

  it("gives tokens whose audience is the service's", function()
    for _, cloud in pairs(clouds) do
      assert.is_true(audience.is_of_the_service((cloud.scope:gsub("/%.default$", ""))))
      assert.is_true(audience.is_of_graph((cloud.graph_scope:gsub("/%.default$", ""))))
    end
  end)
end)
