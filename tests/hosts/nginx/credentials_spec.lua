-- Inside nginx: each credential that its environment describes restricts a device, and what is wrong with one is told.

local certificates = require "tests.spec.support.certificates"
local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

local ID = ("c5"):rep(20)

local HTTP = [[
  lua_shared_dict mde 1m;
  init_by_lua_block {
    client = assert(require("mde").client { store = ngx.shared.mde, cap = false })
  }
]]

local LOCATIONS = [[
  location / {
    content_by_lua_block {
      local action, err = client:restrict(ngx.var.arg_device, "a test", { look = false })
      ngx.print(action and action.outcome or tostring(err))
    }
  }
  location /doctor {
    content_by_lua_block {
      local report = client:doctor()
      for _, check in ipairs(report.checks) do ngx.say(check.status, " ", check.name, ": ", check.message) end
      ngx.say(tostring(report.ok))
    }
  }
]]

describe("in nginx an application that signs in by", function()
  local tenant, names, one, issuer

  setup(function()
    tenant, names = tenants.start(), nameserver.start()
    one, issuer = certificates.new(), certificates.new { name = "issuer" }
  end)

  teardown(function()
    names.stop()
    tenant.stop()
    certificates.remove()
  end)

  before_each(function()
    tenant.reset()
    tenant.machine { id = ID, computerDnsName = "laptop-17.corp.example" }
    tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.client_secret,
      certificates = { one.certificate }, roles = { "Machine.Read.All", "Machine.RestrictExecution" },
      federated = { { issuer = "https://issuer.example", subject = "workload", key = issuer.public_key } } }
  end)

  local function put(name, bytes)
    local path = tenant.directory .. "/" .. name
    shell.write_file(path, bytes)
    os.execute("chmod 600 " .. path)
    return path
  end

  local function federated_token(subject)
    return put("token", certificates.token(issuer, { iss = "https://issuer.example", sub = subject or "workload",
      aud = "api://AzureADTokenExchange", iat = os.time(), exp = os.time() + 600 }))
  end

  local function start(environment)
    local all = { MDE_BASE_URL = tenant.base_url }
    for _, name in ipairs { "AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID" } do
      if not environment.AZURE_POD_IDENTITY_AUTHORITY_HOST then all[name] = tenant.env[name] end
    end
    for name, value in pairs(environment) do all[name] = value end
    return nginx.start { ca_file = tenant.ca_file, resolver = names.address, environment = all, http = HTTP,
      locations = LOCATIONS }
  end

  local credentials = {
    { "secret", "client secret", function() return { AZURE_CLIENT_SECRET = tenant.client_secret } end },
    { "certificate", "certificate", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("client.pem", one.pem) }
    end },
    { "federated", "federated token", function() return { AZURE_FEDERATED_TOKEN_FILE = federated_token() } end },
    { "managed_identity", "managed identity", function() return tenant.identity_env "imds" end },
  }
  for _, case in ipairs(credentials) do
    it(case[2] .. " restricts a device", function()
      local server = start(case[3]())
      finally(server.stop)
      assert.equal("accepted", (server.get("/?device=" .. ID)))
      assert.equal(case[1], tenant.history("token_issued")[1].credential)
      assert.equal(1, #tenant.history "action_created")
    end)
  end

  it("any of them can ask the doctor", function()
    local server = start { AZURE_CLIENT_SECRET = tenant.client_secret }
    finally(server.stop)
    local report = server.get "/doctor"
    assert.matches("ok token: for https://api.securitycenter.microsoft.com", report, 1, true)
    assert.matches("ok store: a shared dict can be locked, written and read", report, 1, true)
    assert.matches("ok certificates: nginx.conf says which are trusted", report, 1, true)
    assert.matches("ok proxy: the driver uses none", report, 1, true)
    assert.matches("\ntrue\n$", report)
  end)

  local wrong = {
    { "a secret of another", function() return { AZURE_CLIENT_SECRET = "not the right one" } end, "AADSTS7000215" },
    { "a certificate that is not registered", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("client.pem", certificates.new({ name = "other" }).pem) }
    end, "AADSTS700027" },
    { "a certificate that has expired", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("client.pem", certificates.new({ days = -1 }).pem) }
    end, "expired on" },
    { "a federated token of another", function()
      return { AZURE_FEDERATED_TOKEN_FILE = federated_token "somebody else" }
    end, "AADSTS700213" },
    { "a federated token that is not there", function()
      return { AZURE_FEDERATED_TOKEN_FILE = "/nonexistent/token" }
    end, "No such file" },
  }
  for _, case in ipairs(wrong) do
    it(case[1] .. " is told so", function()
      local server = start(case[2]())
      finally(server.stop)
      local body = server.get("/?device=" .. ID)
      assert.matches(case[3], body, 1, true)
      assert.same({}, tenant.history "action_created")
    end)
  end
end)
