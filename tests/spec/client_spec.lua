-- A client: where its settings come from, and what is said when one is missing or wrong.

local clients = require "mde.client"
local mde = require "mde"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local tenant_id = "7e000000-0000-4000-8000-00000000007e"
local client_id = "c1000000-0000-4000-8000-0000000000c1"
-- What must never be seen; each as somebody might set it.
local secret = "planted+client/secret~value="
local password = "planted-password"

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- It looks like one, which is all that is asked here; TLS reads it.
local certificate = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nAbc+/w==\n-----END CERTIFICATE-----\n"

describe("a client", function()
  local system = package.loaded.os
  local getenv = system.getenv
  local environment

  before_each(function()
    environment = { AZURE_TENANT_ID = tenant_id, AZURE_CLIENT_ID = client_id, AZURE_CLIENT_SECRET = secret,
      MDE_LOG = getenv "MDE_LOG" }
    system.getenv = function(name) return environment[name] end
  end)

  after_each(function() system.getenv = getenv end)

  -- A driver that reaches nothing and remembers what it was asked.
  local function deaf_driver()
    local driver, clock = { requests = {} }, 0
    function driver.send(request)
      driver.requests[#driver.requests + 1] = request
      return nil, "there is nobody", false
    end
    function driver.now() return clock end
    function driver.sleep(seconds) clock = clock + seconds end
    return driver
  end

  -- The token request that a client makes first, and where it would go on to.
  local function first_request(options)
    local driver = deaf_driver()
    options = options or {}
    options.driver = driver
    local client = assert(clients.new(options))
    client:machine(("a"):rep(40))
    return driver.requests[1], client
  end

  local function check_message(err)
    local text = tostring(err) .. err.message .. (err.hint or "")
    assert.is_true(rehearsal.is_one_line(tostring(err)), text)
    assert.is_nil(text:find("planted", 1, true), text)
  end

  describe("of the environment", function()
    it("is made of three variables", function()
      local request, client = first_request()
      assert.equal("https://login.microsoftonline.com/" .. tenant_id .. "/oauth2/v2.0/token", request.url)
      assert.truthy(request.body:find("client_id=" .. client_id, 1, true))
      assert.truthy(request.body:find("client_secret=planted%2Bclient%2Fsecret~value%3D", 1, true))
      assert.truthy(request.body:find("scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default", 1, true))
      assert.equal("mde.client: https://api.security.microsoft.com", tostring(client))
    end)

    it("is made of all of them", function()
      environment.AZURE_TENANT_ID = "contoso.example"
      environment.AZURE_AUTHORITY_HOST = "https://sign-in.example/"
      environment.MDE_BASE_URL = "https://eu.api.example:8443//"
      environment.MDE_SCOPE = "https://resource.example/.default"
      local request, client = first_request()
      assert.equal("https://sign-in.example/contoso.example/oauth2/v2.0/token", request.url)
      assert.truthy(request.body:find("scope=https%3A%2F%2Fresource.example%2F.default", 1, true))
      assert.equal("mde.client: https://eu.api.example:8443", tostring(client))
    end)

    for cloud, hosts in pairs {
      commercial = { "login.microsoftonline.com", "api.security.microsoft.com", "api.securitycenter.microsoft.com" },
      gcc = { "login.microsoftonline.com", "api-gcc.securitycenter.microsoft.us" },
      gcc_high = { "login.microsoftonline.us", "api-gov.securitycenter.microsoft.us" },
      dod = { "login.microsoftonline.us", "api-gov.securitycenter.microsoft.us" },
    } do
      it("is one of the cloud " .. cloud, function()
        environment.MDE_CLOUD = cloud
        local request, client = first_request()
        assert.equal("https://" .. hosts[1] .. "/", request.url:match "^https://[^/]+/")
        assert.equal("mde.client: https://" .. hosts[2], tostring(client))
        assert.truthy(request.body:find("scope=https%3A%2F%2F" .. (hosts[3] or hosts[2]) .. "%2F.default", 1, true))
      end)
    end

    for _, url in ipairs { "https://host", "HTTPS://Host.example:443", "https://[::1]:8443",
        "https://a_b-c.example/a/b" } do
      it("may have the address " .. url, function()
        environment.MDE_BASE_URL = url .. "/"
        assert.equal("mde.client: " .. url, tostring(assert(clients.new { driver = deaf_driver() })))
      end)
    end

    for name, case in pairs {
      ["a regional host, with the scope of all"] = { "MDE_BASE_URL", "https://eu.api.security.microsoft.com",
        "login.microsoftonline.com", "api.securitycenter.microsoft.com" },
      ["the host of GCC"] = { "MDE_BASE_URL", "https://api-gcc.securitycenter.microsoft.us",
        "login.microsoftonline.com", "api-gcc.securitycenter.microsoft.us" },
      ["the host of GCC High and DoD"] = { "MDE_BASE_URL", "https://API-GOV.securitycenter.microsoft.us/",
        "login.microsoftonline.us", "api-gov.securitycenter.microsoft.us" },
      ["where the US government signs in"] = { "AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us",
        "login.microsoftonline.us", "api-gov.securitycenter.microsoft.us" },
      ["a host of one's own"] = { "MDE_BASE_URL", "https://localhost:8443", "login.microsoftonline.com",
        "api.securitycenter.microsoft.com" },
    } do
      it("is told its cloud by " .. name, function()
        environment[case[1]] = case[2]
        local request = first_request()
        assert.equal(case[3], request.url:match "^https://([^/]+)")
        assert.truthy(request.body:find("scope=https%3A%2F%2F" .. case[4] .. "%2F.default", 1, true), request.body)
      end)
    end

    it("may be in a cloud and have hosts of its own", function()
      environment.MDE_CLOUD, environment.MDE_BASE_URL = "gcc_high", "https://front.example"
      local request, client = first_request()
      assert.truthy(request.url:find("^https://login.microsoftonline.us/"))
      assert.equal("mde.client: https://front.example", tostring(client))
    end)

    it("gives way to options", function()
      environment.AZURE_TENANT_ID, environment.MDE_BASE_URL = "wrong in the environment", "ftp://nowhere"
      local request, client = first_request { tenant_id = "contoso.example", base_url = "https://front.example" }
      assert.truthy(request.url:find("/contoso.example/", 1, true))
      assert.equal("mde.client: https://front.example", tostring(client))
    end)

    for _, variable in ipairs { "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET" } do
      for what, value in pairs { missing = false, empty = "" } do
        it(("is not made with %s %s"):format(variable, what), function()
          environment[variable] = value or nil
          local client, err = clients.new { driver = deaf_driver() }
          assert.is_nil(client)
          assert.equal("invalid", err.kind)
          assert.truthy(err.message:find(variable, 1, true))
          check_message(err)
        end)
      end
    end

    it("names all that is missing at once", function()
      environment = {}
      local client, err = clients.new()
      assert.is_nil(client)
      assert.equal("not set in the environment: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET. Set what is "
        .. 'missing, or give mde.client the option "tenant_id", "client_id", "credential". Instead of a secret there '
        .. 'may be AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE, or a managed identity: '
        .. 'AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.', tostring(err))
    end)

    for _, case in ipairs {
      { "AZURE_TENANT_ID", "7e000000", "neither a GUID nor a domain" },
      { "AZURE_TENANT_ID", tenant_id .. "\n", "\\x0a" },
      { "AZURE_TENANT_ID", "../" .. tenant_id, "neither a GUID nor a domain" },
      { "AZURE_TENANT_ID", "common", "neither a GUID nor a domain" },
      { "AZURE_CLIENT_ID", "my application", "not a GUID" },
      { "AZURE_CLIENT_ID", client_id .. "0", "not a GUID" },
      { "AZURE_CLIENT_SECRET", secret .. "\n", "line break" },
      { "AZURE_CLIENT_SECRET", secret:rep(200), "4,096" },
      { "MDE_CLOUD", "gcchigh", 'Did you mean "gcc_high"' },
      { "MDE_CLOUD", "moon", "gcc_high" },
      { "AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com", "only https" },
      { "AZURE_AUTHORITY_HOST", "login.microsoftonline.com", "Write https://" },
      { "MDE_BASE_URL", "HTTP://localhost:8080", "only https" },
      { "MDE_BASE_URL", "https://", "https URL of a host" },
      { "MDE_BASE_URL", "https://host:", "https URL of a host" },
      { "MDE_BASE_URL", "https://host:0", "https URL of a host" },
      { "MDE_BASE_URL", "https://host:65536", "https URL of a host" },
      { "MDE_BASE_URL", "https://host:https", "https URL of a host" },
      { "MDE_BASE_URL", "https://host/?a=b", "https URL of a host" },
      { "MDE_BASE_URL", "https://host/#a", "https URL of a host" },
      { "MDE_BASE_URL", "https://ho st", "https URL of a host" },
      { "MDE_BASE_URL", "https://host\r\nX: y", "https URL of a host" },
      { "MDE_BASE_URL", "https://user:" .. password .. "@host", "https URL of a host" },
      { "MDE_BASE_URL", "http://user:" .. password .. "@host", "only https" },
      { "MDE_SCOPE", "https://api.securitycenter.microsoft.com", "/.default" },
      { "MDE_SCOPE", "https://a/.default https://b/.default", "/.default" },
    } do
      it(("is not made with %s set to %s"):format(case[1], errors.show(case[2]):sub(1, 60)), function()
        environment[case[1]] = case[2]
        local driver = deaf_driver()
        local client, err = clients.new { driver = driver }
        assert.is_nil(client)
        assert.equal("invalid", err.kind)
        assert.truthy(err.message:find("^" .. case[1]), err.message)
        assert.truthy(tostring(err):find(case[3], 1, true), tostring(err))
        check_message(err)
        assert.same({}, driver.requests)
      end)
    end

    it("is not made with an SSL_CERT_FILE that is of no use", function()
      environment.SSL_CERT_FILE = "/nowhere/at/all.pem"
      local client, err = clients.new()
      assert.is_nil(client)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("^SSL_CERT_FILE is "))
      check_message(err)
    end)

    it("raises for a ca_file that is of no use", function()
      local err = rehearsal.refused(clients.new, { ca_file = "/nowhere/at/all.pem" })
      assert.truthy(err.message:find('^option "ca_file" is '))
      assert.truthy(err.hint:find("PEM file", 1, true))
      check_message(err)
    end)

    it("is made with a ca_file that has a certificate", function()
      local path = os.tmpname()
      finally(function() os.remove(path) end)
      write(path, certificate)
      assert(clients.new { ca_file = path, proxy = "" }).driver.close()
    end)

    it("does not mind SSL_CERT_FILE if it has a driver", function()
      environment.SSL_CERT_FILE = "/nowhere/at/all.pem"
      assert(clients.new { driver = deaf_driver() })
    end)
  end)

  describe("of options", function()
    it("needs no environment", function()
      environment = {}
      local request = first_request { tenant_id = tenant_id, client_id = client_id, credential = secret }
      assert.truthy(request.url:find(tenant_id, 1, true))
    end)

    it("takes a credential made before", function()
      environment = {}
      local request = first_request { tenant_id = tenant_id, client_id = client_id,
        credential = mde.credential.secret(secret) }
      assert.truthy(request.body:find("client_secret=planted%2B", 1, true))
    end)

    for _, case in ipairs {
      { { tenant_id = "x" }, 'option "tenant_id" is "x"' },
      { { tenant_id = 17 }, 'option "tenant_id" must be a string' },
      { { client_id = "x" }, 'option "client_id" is "x"' },
      { { credential = "" }, 'option "credential": the client secret is empty' },
      { { credential = secret .. "\0" }, 'option "credential": ' },
      { { credential = {} }, 'option "credential" must be' },
      { { credential = 17 }, 'option "credential" must be' },
      { { client_secret = secret }, 'Give the secret\'s value as "credential"' },
      { { cloud = "gc" }, 'Did you mean "gcc"' },
      { { cloud = "gov" }, 'option "cloud" is "gov"; there are commercial, dod, gcc, gcc_high. Those of the US '
        .. "government are gcc, gcc_high and dod." },
      { { ca_file = "/dev/null", driver = deaf_driver() }, 'option "ca_file" is "/dev/null", which cannot be read' },
      { { proxy = "https://proxy.example", driver = deaf_driver() }, 'option "proxy" has no effect beside the option '
        .. '"driver"' },
      { { authority = "http://a.example" }, 'option "authority" is "http://a.example": only https' },
      { { base_url = "http://a.example" }, 'option "base_url" is "http://a.example": only https' },
      { { base_url = "https://user:" .. password .. "@a.example" }, 'option "base_url"' },
      { { scope = "x" }, 'option "scope"' },
      { { ca_file = "/nowhere/at/all.pem" }, 'option "ca_file" is "/nowhere/at/all.pem", which cannot be read' },
      { { ca_file = 17 }, 'option "ca_file" must be a string' },
      { { timeout = -1 }, 'option "timeout"' },
      { { on_event = {} }, 'option "on_event" must be a function' },
      { { driver = {} }, 'option "driver" has no function send' },
      { { driver = { send = print, spawn = print } }, 'option "driver" has one of spawn and gate' },
      { { driver = "curl" }, 'option "driver" must be a table' },
      { { tenant = tenant_id }, 'Did you mean "tenant_id"' },
      { { url = "https://a.example" }, 'Did you mean "base_url"' },
      { "https://a.example", "options must be a table" },
    } do
      it("raises: " .. case[2], function()
        local err = rehearsal.refused(clients.new, case[1])
        assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
        check_message(err)
      end)
    end

    it("raises for a wrong option whatever the environment is", function()
      environment = {}
      rehearsal.refused(clients.new, { cloud = "moon" })
    end)
  end)

  it("shows no secret, and neither does its credential", function()
    local credential = mde.credential.secret(secret)
    local client = assert(clients.new { credential = credential, driver = deaf_driver() })
    for _, value in ipairs { client, credential, credential.value, client.exchange.credential } do
      assert.is_nil(tostring(value):find("planted", 1, true))
    end
    local _, err = client:machine(("a"):rep(40))
    check_message(err)
  end)

  it("tells the service who is asking", function()
    local request = first_request()
    assert.truthy(request.headers["User-Agent"]:find "^mde/%d+%.%d+%.%d+ %(Lua")
    assert.equal("mde " .. clients.VERSION, mde._VERSION)
  end)

  it("makes single calls in plain Lua 5.1, where no tasks can run", function()
    local globals = package.loaded._G
    local version, jit = rawget(globals, "_VERSION"), rawget(globals, "jit")
    rawset(globals, "_VERSION", "Lua 5.1")
    rawset(globals, "jit", nil)
    local ok, r = pcall(rehearsal.new)
    rawset(globals, "_VERSION", version)
    rawset(globals, "jit", jit)
    assert.is_true(ok)
    function r.driver.spawn() error "a task was made" end
    assert.equal("accepted", assert(r.client:restrict("laptop-17", "why")).outcome)
  end)

  it("ends a call when its own time is up, unless the call has another", function()
    local r = rehearsal.new { client = { timeout = 20 } }
    r:fault { match = { path = "/api/" }, fault = "stall", count = false }
    for _, case in ipairs { { nil, 20 }, { { timeout = 50 }, 50 } } do
      local before = r.tenant.clock.now()
      assert.equal("unavailable", select(2, r.client:machine("laptop-17", case[1])).kind)
      local took = r.tenant.clock.now() - before
      assert.is_true(took > case[2] / 2 and took <= case[2] + 0.001)
    end
  end)

  describe("that the module makes of the environment", function()
    local fresh

    before_each(function()
      package.loaded.mde = nil
      fresh = require "mde"
      package.loaded.mde = mde
    end)

    it("is missing as long as the environment is: every function says so", function()
      environment = {}
      for _, name in ipairs { "restrict", "release", "machine", "action", "cancel", "find_action", "state", "each" } do
        local value, err = fresh[name]("laptop-17", "why")
        assert.is_nil(value)
        assert.equal("invalid", err.kind)
        assert.truthy(err.message:find("AZURE_TENANT_ID", 1, true))
      end
    end)

    it("is made once the environment is there", function()
      environment.AZURE_CLIENT_ID = nil
      assert.is_nil((fresh.each({}, print)))
      environment.AZURE_CLIENT_ID = client_id
      assert.same({ failed = 0 }, fresh.each({}, print))
    end)

    it("raises for a wrong argument", function()
      rehearsal.refused(fresh.restrict, "192.0.2.1", "why")
      rehearsal.refused(fresh.restrict, "laptop-17", "")
    end)
  end)
end)
