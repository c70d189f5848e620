-- A server that processes a request on a reused connection and hangs up. libcurl then likes to send the
-- request once more, on a new connection, and call that a success: an action would be done twice.
-- Labels: sanitized

local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

-- Makes a token, then an action on the connection that the token came by; prints what the driver says.
local PROGRAM = [[
local base_url, ca_file, token_path, form, path, max_idle, method = (table.unpack or unpack)(arg)
local driver = require("mde.driver.curl").new { ca_file = ca_file, proxy = "" }

local function send(request)
  request.timeout, request.max_bytes, request.max_idle = 10, 100000, tonumber(max_idle)
  return driver.send(request)
end

local answer = assert(send { method = "POST", url = base_url .. token_path, body = form,
  headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } })
local token = answer.body:match '"access_token":"([^"]+)"'
local response, message, maybe_sent = send { method = method, url = base_url .. path,
  body = method == "POST" and '{"Comment":"once"}' or nil,
  headers = { Authorization = "Bearer " .. token, ["Content-Type"] = "application/json" } }
print(response and response.status or "nil", maybe_sent)
-- What libcurl makes of that is no matter of the next request.
for _ = 1, 2 do
  response, message = send { method = "POST", url = base_url .. token_path, body = form,
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
  print("then", response and response.status or message)
end
if message and message:find("%c") then error "a message with control characters" end
]]

-- What comes of the requests after it.
local WELL = "then\t200\nthen\t200\n"

local RESTRICT = "/api/machines/1f00000000000000000000000000000000000017/restrictCodeExecution"

describe("a reused connection that dies after the request was processed", function()
  local tenant

  setup(function() tenant = tenants.start { duplicates = "new" } end)
  teardown(function() tenant.stop() end)

  before_each(function()
    tenant.reset()
    tenant.clear()
    tenant.set { duplicates = "new" }
  end)

  local function percent_encoded(text)
    return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
  end

  local function run(method, path, options)
    local env = tenant.env
    local form = ("grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s"):format(
      percent_encoded(env.AZURE_CLIENT_ID), percent_encoded(env.AZURE_CLIENT_SECRET),
      percent_encoded "https://api.securitycenter.microsoft.com/.default")
    options = options or {}
    options.arguments = { tenant.base_url, tenant.ca_file, "/" .. env.AZURE_TENANT_ID .. "/oauth2/v2.0/token", form,
      path, "50", method }
    local output, status = script.run(PROGRAM, options)
    assert.equal("exit 0", status, output)
    return output
  end

  local function arrived(path)
    local count = 0
    for _, entry in ipairs(tenant.history "request") do
      if entry.path == path then count = count + 1 end
    end
    return count
  end

  it("sees an action once, and its caller is told that it may have been done", function()
    tenant.fault { fault = "gone", match = { path = "restrictCodeExecution" } }
    assert.equal("nil\ttrue\n" .. WELL, run("POST", RESTRICT))
    assert.equal(1, #tenant.history "action_created")
    assert.equal(1, arrived(RESTRICT))
  end)

  it("sees a request without a body once, too", function()
    tenant.fault { fault = "gone", match = { path = "/api/machineactions" } }
    assert.equal("nil\ttrue\n" .. WELL, run("GET", "/api/machineactions"))
    assert.equal(1, arrived "/api/machineactions")
  end)

  it("sees it once when reset instead of closed", function()
    tenant.fault { fault = "reset", processed = true, match = { path = "restrictCodeExecution" } }
    assert.equal("nil\ttrue\n" .. WELL, run("POST", RESTRICT))
    assert.equal(1, #tenant.history "action_created")
  end)

  it("leaves no trace in the next request, where the new connection that libcurl tries is refused", function()
    tenant.fault { fault = "gone", match = { path = "restrictCodeExecution" } }
    -- The connections are: for the token, of libcurl's second try, and then those of the next requests.
    tenant.fault { fault = "refuse", match = { nth = 2 } }
    assert.equal("nil\ttrue\n" .. WELL, run("POST", RESTRICT))
    assert.equal(1, #tenant.history "action_created")
  end)

  -- The same test against a build that makes the mistake: if this is green, the ones above can fail.
  it("would see two if the body were given to libcurl to keep", function()
    tenant.fault { fault = "gone", match = { path = "restrictCodeExecution" } }
    assert.equal("201\tnil\n" .. WELL,
      run("POST", RESTRICT, { build = (os.getenv "MDE_BUILD" or "./build") .. "/postfields" }))
    assert.equal(2, #tenant.history "action_created")
    assert.equal(2, arrived(RESTRICT))
  end)
end)
