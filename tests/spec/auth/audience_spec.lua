-- audience: whether a token is for Defender for Endpoint or Microsoft Graph, whichever of its names it carries.

local audience = require "mde.auth.audience"

describe("an audience", function()
  for _, aud in ipairs { "https://api.securitycenter.microsoft.com", "https://api.securitycenter.microsoft.com/",
    "https://API.SecurityCenter.Microsoft.com", "https://api.securitycenter.windows.com",
    "https://securitycenter.onmicrosoft.com/windowsatpservice", "fc780465-2017-40d4-a0c5-307022471b92",
    "FC780465-2017-40D4-A0C5-307022471B92", "https://api-gov.securitycenter.microsoft.us" } do
    it("is of the service: " .. aud, function() assert.is_true(audience.is_of_the_service(aud)) end)
  end

  for what, aud in pairs {
    ["of Graph"] = "https://graph.microsoft.com", ["the API's own host, which is none"] =
      "https://api.security.microsoft.com", ["a longer name"] = "https://api.securitycenter.microsoft.com.example",
    ["http"] = "http://api.securitycenter.microsoft.com", ["a scope"] =
      "https://api.securitycenter.microsoft.com/.default", ["nothing"] = "", ["a slash"] = "/",
    ["a number"] = 7, ["a list"] = { "https://api.securitycenter.microsoft.com" },
  } do
    it("is not of the service: " .. what, function() assert.is_false(audience.is_of_the_service(aud)) end)
  end

  it("may be missing", function()
    assert.is_false(audience.is_of_the_service(nil))
    assert.is_false(audience.is_of_graph(nil))
  end)

  for aud, is_of_graph in pairs { ["https://graph.microsoft.com"] = true, ["https://GRAPH.microsoft.us/"] = true,
    ["https://dod-graph.microsoft.us"] = true, ["00000003-0000-0000-C000-000000000000"] = true,
    ["https://graph.microsoft.com/.default"] = false, ["https://graph.windows.net"] = false,
    ["https://api.securitycenter.microsoft.com"] = false } do
    it(("is %sof Graph: %s"):format(is_of_graph and "" or "not ", aud), function()
      assert.equal(is_of_graph, audience.is_of_graph(aud))
    end)
  end
end)
