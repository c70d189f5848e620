-- Every credential, over TLS, from its environment: it restricts a device; and for each thing that is likely to be
-- wrong, the message that a person gets. The table of these messages in lua/mde/auth/credential.md is what was seen
-- here: MDE_WRITE_PAGES=1 in the environment writes it.
-- Labels: only-lua5.4

local certificates = require "tests.spec.support.certificates"
local page = require "tests.spec.support.page"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

local PAGE = "lua/mde/auth/credential.md"
local ID = ("c5"):rep(20)
local OTHER = "1d000000-0000-4000-8000-0000000000a1"

local PROGRAM = [[
local mde = require "mde"
local options = { protect = { servers = false, device_values = {} }, cap = false }
if arg[1] ~= "" then options.credential = mde.credential.managed_identity { tokens_directory = arg[1] } end
local client, err = mde.client(options)
local action
if client then action, err = client:restrict(arg[2], "a test", { look = false }) end
print(action and action.outcome or tostring(err))
]]

-- What Graph says of a path that it does not have: only a token for it comes so far.
local ASKS_GRAPH = [[
local mde = require "mde"
local options = {}
if arg[1] ~= "" then options.credential = mde.credential.managed_identity { tokens_directory = arg[1] } end
local client = assert(mde.client(options))
local _, err = client.exchange:call { resource = "graph", method = "GET", path = "/security/nothing", kind = "read",
  api = "graph_alerts", permission = "SecurityAlert.Read.All", context = client:context(20) }
print(err.http_status, err.code)
]]

describe("an application that signs in by", function()
  local tenant, one, other, issuer, directory

  setup(function()
    tenant = tenants.start()
    one, other, issuer = certificates.new(), certificates.new { name = "other" }, certificates.new { name = "issuer" }
    directory = tenant.directory
  end)

  teardown(function()
    tenant.stop()
    certificates.remove()
  end)

  before_each(function()
    tenant.reset()
    tenant.clear()
    tenant.machine { id = ID, computerDnsName = "laptop-17.corp.example" }
    tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.client_secret,
      certificates = { one.certificate }, roles = { "Machine.Read.All", "Machine.RestrictExecution" },
      federated = { { issuer = "https://issuer.example", subject = "workload", key = issuer.public_key } } }
    tenant.set { arc = { directory = directory } }
  end)

  local function put(name, bytes)
    local path = directory .. "/" .. name
    shell.write_file(path, bytes)
    os.execute("chmod 600 " .. path)
    return path
  end

  local function federated_token(changes)
    local claims = { iss = "https://issuer.example", sub = "workload", aud = "api://AzureADTokenExchange",
      iat = os.time(), exp = os.time() + 600 }
    for name, value in pairs(changes or {}) do claims[name] = value end
    return put("token", certificates.token(issuer, claims))
  end

  -- What each credential has in its environment when all is well.
  local well = {
    ["client secret"] = function() return { AZURE_CLIENT_SECRET = tenant.client_secret } end,
    ["client secret in a file"] = function()
      return { MDE_CLIENT_SECRET_FILE = put("secret", tenant.client_secret) }
    end,
    certificate = function() return { AZURE_CLIENT_CERTIFICATE_PATH = put("client.pem", one.pem) } end,
    ["federated token"] = function() return { AZURE_FEDERATED_TOKEN_FILE = federated_token() } end,
    ["managed identity, virtual machine"] = function() return tenant.identity_env "imds" end,
    ["managed identity, App Service"] = function() return tenant.identity_env "app_service" end,
    ["managed identity, Azure Arc"] = function() return tenant.identity_env "arc" end,
  }

  local function run(name, changes, program)
    local environment = { SSL_CERT_FILE = tenant.ca_file, MDE_BASE_URL = tenant.base_url,
      MDE_GRAPH_URL = tenant.env.MDE_GRAPH_URL }
    if not name:find "^managed" then
      environment.AZURE_AUTHORITY_HOST = tenant.env.AZURE_AUTHORITY_HOST
      environment.AZURE_TENANT_ID, environment.AZURE_CLIENT_ID = tenant.env.AZURE_TENANT_ID, tenant.env.AZURE_CLIENT_ID
    end
    for variable, value in pairs(well[name]()) do environment[variable] = value end
    for variable, value in pairs(changes or {}) do environment[variable] = value end
    local output, status = script.run(program or PROGRAM, { environment = environment,
      arguments = { name:find "Arc" and directory or "", ID } })
    assert.equal("exit 0", status, output)
    return (output:gsub("{[^\n]*}\n", ""):gsub("\n$", ""))
  end

  -- What differs from run to run gives way to what a reader would have in its place.
  local function for_readers(message)
    local text = message:gsub(directory:gsub("%p", "%%%0"), "/etc/mde"):gsub("localhost:%d+", "localhost:8443")
      :gsub("127%.0%.0%.1:%d+", "127.0.0.1:40342"):gsub("after %d+ ms", "after 0 ms")
      :gsub("thumbprint %x+", "thumbprint 0123456789ABCDEF0123456789ABCDEF01234567")
      :gsub("expired on %d+%-%d+%-%d+", "expired on 2026-01-31")
      :gsub("/etc/mde/%x+%.txt", "/etc/mde/0123456789abcdef.txt")
      :gsub("/etc/mde/%x+%.key", "/etc/mde/0123456789abcdef.key"):gsub("c5c5c5%w+", "laptop-17"):gsub("|", "\\|")
    return text
  end

  for name in pairs(well) do
    it(name .. " restricts a device", function()
      assert.equal("accepted", run(name))
      local created = tenant.history "action_created"
      assert.equal(1, #created)
      assert.equal(ID, created[1].machine)
    end)
  end

  for name in pairs(well) do
    it(name .. " gets a token for Microsoft Graph, and no other", function()
      assert.equal("400\tBadRequest", run(name, nil, ASKS_GRAPH))
      local issued = tenant.history "token_issued"
      assert.same({ 1, "https://graph.microsoft.com" }, { #issued, issued[1].audience })
    end)
  end

  local secret, file, certificate, federated = "client secret", "client secret in a file", "certificate",
    "federated token"
  local machine, app, arc = "managed identity, virtual machine", "managed identity, App Service",
    "managed identity, Azure Arc"

  local function application(fields)
    return function()
      local all = { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.client_secret,
        certificates = { one.certificate }, roles = {},
        federated = { { issuer = "https://issuer.example", subject = "workload", key = issuer.public_key } } }
      for field, value in pairs(fields) do all[field] = value end
      tenant.application(all)
    end
  end

  local missing_role = application { roles = { "Machine.Read.All" } }
  local function wrong_tenant() return { AZURE_TENANT_ID = "7e000000-0000-4000-8000-0000000000ff" } end
  local function identities(list) return function() tenant.set { identities = list } end end
  local unassigned = identities { { client_id = OTHER } }
  local without_role = identities { { client_id = OTHER, system = true, roles = { "Machine.Read.All" } } }
  local function challenge(kind)
    return function() tenant.set { arc = { directory = directory, challenge = kind } } end
  end

  ---@type { [1]: string, [2]: string, [3]: fun(): table? }[]
  local wrong = {
    { secret, "wrong value", function() return { AZURE_CLIENT_SECRET = "not the right one" } end },
    { secret, "expired", function()
      tenant.application { client_id = tenant.env.AZURE_CLIENT_ID,
        secrets = { { value = tenant.client_secret, expires = os.time() - 1 } } }
    end },
    { secret, "wrong tenant", wrong_tenant },
    { secret, "wrong application", function() return { AZURE_CLIENT_ID = "c1000000-0000-4000-8000-0000000000ff" } end },
    { secret, "missing permission", missing_role },
    { secret, "nothing consented", application {} },
    { secret, "scope of another API", function()
      return { MDE_SCOPE = "https://api.security.microsoft.com/.default" }
    end },
    { secret, "not set", function() return { AZURE_CLIENT_SECRET = "" } end },
    { file, "wrong value", function() return { MDE_CLIENT_SECRET_FILE = put("wrong", "not the right one\n") } end },
    { file, "no such file", function() return { MDE_CLIENT_SECRET_FILE = directory .. "/nothing" } end },
    { file, "everybody may write it", function()
      os.execute("chmod 666 " .. directory .. "/secret")
    end },
    { file, "UTF-16", function()
      shell.write_file(directory .. "/secret", "\255\254" .. tenant.client_secret:gsub(".", "%0\0"))
    end },
    { file, "quotes around it", function()
      shell.write_file(directory .. "/secret", '"' .. tenant.client_secret .. '"\n')
    end },
    { certificate, "not registered", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem", other.pem) }
    end },
    { certificate, "expired", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem", certificates.new({ days = -1 }).pem) }
    end },
    { certificate, "renewed, and all have expired", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem", certificates.new({ days = -1 }).pem
        .. certificates.of_key(certificates.new({ days = -1 }).key, { from = -400, till = -1 })) }
    end },
    { certificate, "two private keys", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem", one.pem .. other.pem) }
    end },
    { certificate, "cut", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem", one.pem:sub(1, -100)) }
    end },
    { certificate, "no such file", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = directory .. "/nothing.pem" }
    end },
    { certificate, "without its private key", function()
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem", one.certificate) }
    end },
    { certificate, "encrypted, no password", function()
      certificates.openssl(one, "rsa -in key.pem -aes256 -passout pass:made-up -out locked.pem")
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("wrong.pem",
        shell.read_file(one.directory .. "/locked.pem") .. one.certificate) }
    end },
    { certificate, "a PFX", function()
      certificates.openssl(one, "pkcs12 -export -in both.pem -out client.pfx -passout pass:")
      return { AZURE_CLIENT_CERTIFICATE_PATH = put("client.pfx", shell.read_file(one.directory .. "/client.pfx")) }
    end },
    { certificate, "wrong tenant", wrong_tenant },
    { certificate, "missing permission", missing_role },
    { federated, "no such file", function() return { AZURE_FEDERATED_TOKEN_FILE = directory .. "/nothing" } end },
    { federated, "another issuer", function() federated_token { iss = "https://other.example" } end },
    { federated, "another subject", function() federated_token { sub = "somebody else" } end },
    { federated, "another audience", function() federated_token { aud = "https://other.example" } end },
    { federated, "not renewed", function() federated_token { iat = os.time() - 7200, exp = os.time() - 3600 } end },
    { federated, "wrong tenant", wrong_tenant },
    { federated, "missing permission", missing_role },
    { machine, "no identity assigned", unassigned },
    { machine, "another identity named", function() return { AZURE_CLIENT_ID = OTHER } end },
    { machine, "missing permission", without_role },
    { machine, "nothing there", function() return { AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://127.0.0.1:1" } end },
    { app, "no identity assigned", unassigned },
    { app, "wrong header", function() return { IDENTITY_HEADER = "an old one" } end },
    { app, "missing permission", without_role },
    { app, "an endpoint elsewhere", function() return { IDENTITY_ENDPOINT = "http://identity.example/msi/token" } end },
    { arc, "no identity assigned", unassigned },
    { arc, "key file outside its folder", challenge "outside" },
    { arc, "key file with another ending", challenge "extension" },
    { arc, "key file too large", challenge "large" },
    { arc, "key file not readable", challenge "missing" },
    { arc, "missing permission", without_role },
    { arc, "agent not running", function()
      return { IDENTITY_ENDPOINT = "http://127.0.0.1:1/metadata/identity/oauth2/token" }
    end },
  }

  local rows = {}

  for _, case in ipairs(wrong) do
    it(("%s is told what is wrong: %s"):format(case[1], case[2]), function()
      -- The files of a credential that is well are there first.
      well[case[1]]()
      local changes = case[3]()
      local kept = well[case[1]]
      if not changes then
        -- What was changed in place stays as it is.
        local environment = { [file] = { MDE_CLIENT_SECRET_FILE = directory .. "/secret" },
          [federated] = { AZURE_FEDERATED_TOKEN_FILE = directory .. "/token" } }
        if environment[case[1]] then well[case[1]] = function() return environment[case[1]] end end
      end
      local ok, message = pcall(run, case[1], changes)
      well[case[1]] = kept
      assert(ok, message)
      assert.not_equal("accepted", message)
      assert.is_nil(message:find("[%c]"))
      assert.is_nil(message:find(tenant.client_secret, 1, true))
      assert.same({}, tenant.history "action_created")
      rows[#rows + 1] = ("| %s | %s | %s |"):format(case[1], case[2], for_readers(message))
    end)
  end

  it("any of them is told what the page says", function()
    assert.equal(#wrong, #rows)
    local text = ("| credential | what is wrong | what you are told |\n|---|---|---|\n%s\n"):format(
      table.concat(rows, "\n"))
    assert.equal(text, page.shown(PAGE, "messages", text))
  end)
end)
