-- The secrets that the tests plant, which the trace of the suite must not show: those of the simulated
-- tenant, and how every one of its tokens begins.

local sim = require "mde.sim"

local tenant = sim.new()

local function encoded(text)
  return (text:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function token()
  local response = tenant:handle {
    method = "POST",
    url = "/" .. tenant.tenant_id .. "/oauth2/v2.0/token",
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    body = ("grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s"):format(
      encoded(tenant.client_id), encoded(tenant.client_secret),
      encoded "https://api.securitycenter.microsoft.com/.default"),
  }
  return assert(response.body:match '"access_token":"([^"]+)"', "the simulated tenant gave no token")
end

---@class tests.Planted
---@field secrets string[]
---@field token_prefixes string[] the first 16 characters of a token
return {
  secrets = { tenant.client_secret, tenant.app_header },
  token_prefixes = { token():sub(1, 16) },
}
