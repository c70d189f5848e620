-- authority: where to sign in, as people write it, with or without its scheme and a tenant.

local authorities = require "mde.auth.authority"
local rehearsal = require "tests.spec.support.rehearsal"

local TENANT = "7e000000-0000-4000-8000-00000000007e"
local OTHER = "7e000000-0000-4000-8000-0000000000ff"
local GLOBAL, GOVERNMENT = "https://login.microsoftonline.com", "https://login.microsoftonline.us"

local function read(value, tenant)
  return authorities.without_tenant(authorities.check(value, "X"), tenant, "X")
end

describe("the place to sign in", function()
  for given, url in pairs {
    ["login.microsoftonline.us"] = GOVERNMENT, ["login.microsoftonline.us/"] = GOVERNMENT,
    ["https://login.microsoftonline.us//"] = GOVERNMENT, ["HTTPS://LOGIN.MicrosoftOnline.US"] = GOVERNMENT,
    ["login.microsoftonline.us:443"] = GOVERNMENT, ["https://login.microsoftonline.com:0443/"] = GLOBAL,
    ["https://localhost:8443/"] = "https://localhost:8443", ["localhost:8443"] = "https://localhost:8443",
    ["https://Front.example/Entra/"] = "https://front.example/Entra", ["https://host/api"] = "https://host/api",
  } do
    it("may be written " .. given, function()
      assert.equal(url, read(given, TENANT))
      assert.equal(url, read(given, nil))
    end)
  end

  for _, ending in ipairs { TENANT, TENANT:upper(), TENANT .. "/", "/" .. TENANT, TENANT .. "/" .. TENANT, "common",
    "organizations", "Consumers", "common/" } do
    it("may have the tenant behind it: " .. ending, function()
      assert.equal(GLOBAL, read(GLOBAL .. "/" .. ending, TENANT))
      assert.equal(GLOBAL, read("login.microsoftonline.com/" .. ending, TENANT))
      assert.equal("https://front.example/entra", read("https://front.example/entra/" .. ending, TENANT))
      assert.equal(GLOBAL, (read(GLOBAL .. "/" .. ending, nil):gsub("/" .. TENANT:gsub("%-", "%%-") .. "$", "")))
    end)
  end

  it("may have a domain behind it that is the tenant", function()
    assert.equal(GLOBAL, read(GLOBAL .. "/Contoso.onmicrosoft.com", "contoso.onmicrosoft.com"))
    assert.equal(GLOBAL, read(GLOBAL .. "/contoso.example", nil))
  end)

  for _, ending in ipairs { OTHER, "contoso.onmicrosoft.com", OTHER .. "/common", "common/" .. OTHER } do
    it("names no other tenant: " .. ending, function()
      local err = rehearsal.refused(read, GLOBAL .. "/" .. ending, TENANT)
      assert.equal("authority_of_another_tenant", err.code)
      assert.matches("^X is \"https://login", err.message)
      assert.matches(TENANT, err.message, 1, true)
      assert.matches("Write " .. GLOBAL, err.hint, 1, true)
    end)
  end

  for _, ending in ipairs { TENANT .. "/oauth2/v2.0/token", TENANT .. "/oauth2/token", TENANT .. "/v2.0",
    TENANT .. "/v2.0/.well-known/openid-configuration", "common/OAuth2/v2.0/authorize", TENANT .. "/x", "adfs" } do
    it("is no endpoint: " .. ending, function()
      local err = rehearsal.refused(read, GLOBAL .. "/" .. ending, TENANT)
      assert.equal("url_malformed", err.code)
      assert.matches("Write " .. GLOBAL .. ", and the tenant as AZURE_TENANT_ID", err.hint, 1, true)
    end)
  end

  it("is spoken to by https alone", function()
    for _, given in ipairs { "http://login.microsoftonline.com", "HTTP://login.microsoftonline.com/" .. TENANT } do
      assert.equal("url_insecure", rehearsal.refused(read, given, TENANT).code)
    end
  end)
end)
