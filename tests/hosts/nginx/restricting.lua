-- Restricts a machine from inside nginx by the drivers alone, and answers with the tenant's status.
local curl = require "mde.driver.curl"
local resty = require "mde.driver.resty"

local SCOPE = "https://api.securitycenter.microsoft.com/.default"

local restricting = {}

local environment = {}
for name in ("MDE_BASE_URL SSL_CERT_FILE AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET"):gmatch "%S+" do
  environment[name] = os.getenv(name)
end

local drivers, tokens = {}, {}

local function driver_of(kind)
  if not drivers[kind] then
    drivers[kind] = kind == "curl" and curl.new { ca_file = environment.SSL_CERT_FILE, proxy = "" } or resty.new()
  end
  return drivers[kind]
end

local function post(driver, path, headers, body)
  return assert(driver.send { method = "POST", url = environment.MDE_BASE_URL .. path, headers = headers, body = body,
    timeout = 30, max_bytes = 100000, max_idle = 5 })
end

local function token(driver)
  if not tokens[driver] then
    local answer = post(driver, "/" .. environment.AZURE_TENANT_ID .. "/oauth2/v2.0/token",
      { ["Content-Type"] = "application/x-www-form-urlencoded" },
      ngx.encode_args { grant_type = "client_credentials", client_id = environment.AZURE_CLIENT_ID,
        client_secret = environment.AZURE_CLIENT_SECRET, scope = SCOPE })
    tokens[driver] = answer.body:match '"access_token":"([^"]+)"'
  end
  return tokens[driver]
end

local function restrict(driver, machine)
  return post(driver, "/api/machines/" .. machine .. "/restrictCodeExecution",
    { ["Authorization"] = "Bearer " .. token(driver), ["Content-Type"] = "application/json" },
    '{"Comment":"latency"}').status
end

--- Restricts the machine of the query by "resty", by "curl", or "detached" from the request.
function restricting.with(kind)
  local driver, machine = driver_of(kind), ngx.var.arg_machine
  local status
  if kind == "detached" then
    local gate = driver.gate()
    assert(driver.detach(function()
      local ok, answer = pcall(restrict, driver, machine)
      status = ok and answer or tostring(answer)
      gate:open()
    end))
    gate:wait(60)
  else
    status = restrict(driver, machine)
  end
  status = tostring(status)
  ngx.header.content_length = #status
  ngx.print(status)
end

return restricting
