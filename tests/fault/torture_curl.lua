-- One request by mde.curl over real TLS, to a simulated tenant in a process of its own.

local tenant = require("tests.spec.support.server.tenant").start { limits = false }
local driver = require("mde.driver.curl").new { ca_file = tenant.ca_file, proxy = "" }

local token = "a-made-up-token-in-a-header"
-- luacheck: read globals plant
plant(token)

local body = ("x"):rep(3000)

return function()
  local response, message = driver.send {
    method = "POST", url = tenant.base_url .. "/api/machines", body = body, timeout = 20,
    headers = { ["Content-Type"] = "text/plain", ["Authorization"] = "Bearer " .. token }, max_bytes = 65536,
    max_idle = 5,
  }
  if not response then return nil, message end
  if response.status ~= 401 and response.status ~= 405 then return nil, "HTTP " .. response.status end
  return true
end
