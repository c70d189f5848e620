-- The settings of a client: where they come from, and what is said when one is missing or wrong.

local clients = require "mde.client"
local clouds = require "mde.base.cloud"
local dicts = require "tests.spec.support.dict"
local errors = require "mde.base.error"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local settings_of = require "mde.settings"

local tenant_id = "7e000000-0000-4000-8000-00000000007e"
local client_id = "c1000000-0000-4000-8000-0000000000c1"
-- What must never be seen; each as somebody might set it.
local secret = "planted+client/secret~value="
local password = "planted-password"

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

    for _, host in ipairs { "login.microsoftonline.us", "https://login.microsoftonline.us/" .. tenant_id,
      "login.microsoftonline.us/common/", "HTTPS://LOGIN.MICROSOFTONLINE.US:443/" .. tenant_id:upper() .. "/" } do
      it("may sign in at " .. host, function()
        environment.AZURE_AUTHORITY_HOST = host
        local url = "https://login.microsoftonline.us/" .. tenant_id .. "/oauth2/v2.0/token"
        local request, client = first_request()
        assert.equal(url, request.url)
        assert.equal("mde.client: https://api-gov.securitycenter.microsoft.us", tostring(client))
        environment.AZURE_AUTHORITY_HOST = "http://nowhere.example"
        assert.equal(url, first_request({ authority = host }).url)
      end)
    end

    it("may name its hosts without a scheme", function()
      environment.MDE_BASE_URL = "eu.api.security.microsoft.com"
      local _, client = first_request()
      assert.equal("mde.client: https://eu.api.security.microsoft.com", tostring(client))
    end)

    for _, word in ipairs { "GCC_HIGH", "Gcc_High" } do
      it("is one of a cloud in whatever case: " .. word, function()
        environment.MDE_CLOUD = word
        local _, client = first_request()
        assert.equal("mde.client: https://api-gov.securitycenter.microsoft.us", tostring(client))
      end)
    end

    for given, url in pairs { ["https://host"] = "https://host",
      ["HTTPS://Host.example:443/"] = "https://host.example", ["https://[::1]:8443/"] = "https://[::1]:8443",
      ["https://a_b-c.example/a/B/"] = "https://a_b-c.example/a/B" } do
      it("may have the address " .. given, function()
        environment.MDE_BASE_URL = given
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

    describe("has Microsoft Graph", function()
      local function graph(changes)
        for name, value in pairs(changes) do environment[name] = value end
        local exchange = assert(clients.new { driver = deaf_driver() }).exchange
        local resource, err = exchange:resource "graph"
        if not resource then return nil, err end
        return resource.base_url .. " " .. resource.scope
      end

      for cloud, host in pairs { commercial = "graph.microsoft.com", gcc = "graph.microsoft.com",
        gcc_high = "graph.microsoft.us", dod = "dod-graph.microsoft.us" } do
        it("where its cloud has it: " .. cloud, function()
          local wanted = ("https://%s https://%s/.default"):format(host, host)
          assert.equal(wanted, graph { MDE_CLOUD = cloud })
          assert.equal(wanted, graph { MDE_BASE_URL = "https://eu.api.security.microsoft.com" })
        end)
      end

      it("where it is told, which also tells the cloud", function()
        assert.equal("https://dod-graph.microsoft.us https://dod-graph.microsoft.us/.default",
          graph { MDE_GRAPH_URL = "dod-graph.microsoft.us/" })
        local _, client = first_request()
        assert.equal("mde.client: https://api-gov.securitycenter.microsoft.us", tostring(client))
        assert.equal("https://graph.example https://other.example/.default",
          graph { MDE_GRAPH_URL = "https://graph.example", MDE_GRAPH_SCOPE = "https://other.example/.default" })
      end)

      -- A token for Graph must not leave for a host that nobody named.
      for variable, value in pairs { MDE_BASE_URL = "https://localhost:8443",
        AZURE_AUTHORITY_HOST = "https://sign-in.example" } do
        it("nowhere beside a host that is not Microsoft's: " .. variable, function()
          local _, err = graph { [variable] = value }
          assert.same({ "invalid", "graph_url_missing" }, { err.kind, err.code })
          assert.matches(variable .. " is set to " .. value:match "//(.*)", err.message, 1, true)
          assert.equal("https://localhost:8444 https://graph.microsoft.com/.default",
            graph { MDE_GRAPH_URL = "https://localhost:8444" })
        end)
      end

      it("nowhere where it may be GCC High or DoD", function()
        for variable, value in pairs { MDE_BASE_URL = "https://api-gov.securitycenter.microsoft.us",
          AZURE_AUTHORITY_HOST = "https://login.microsoftonline.us" } do
          local _, err = graph { [variable] = value }
          assert.equal("Set MDE_CLOUD to gcc_high or dod.", err.hint)
          environment[variable] = nil
        end
        assert.truthy(graph { MDE_CLOUD = "dod", MDE_BASE_URL = "https://api-gov.securitycenter.microsoft.us" })
      end)

      it("by options, which have the same rules", function()
        local exchange = assert(clients.new { driver = deaf_driver(), base_url = "https://localhost:1",
          graph_url = "https://localhost:2", graph_scope = "https://a.example/.default" }).exchange
        assert.equal("https://localhost:2", exchange:resource("graph").base_url)
        local err = rehearsal.refused(clients.new, { graph_url = "https://graph.microsoft.com/v1.0" })
        assert.matches("the path /v1.0 is added by this library", err.message, 1, true)
        assert.matches("Leave /v1.0 away", err.hint, 1, true)
      end)
    end)

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
      { "MDE_GRAPH_URL", "https://graph.microsoft.com/V1.0/", "/v1.0 is added" },
      { "MDE_GRAPH_URL", "http://graph.microsoft.com", "only https" },
      { "MDE_GRAPH_SCOPE", "https://graph.microsoft.com", "/.default" },
      { "AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com", "only https" },
      { "AZURE_AUTHORITY_HOST", "AzureUSGovernment", "Write https://" },
      { "AZURE_AUTHORITY_HOST", "http:login.microsoftonline.com", "Write https://" },
      { "AZURE_AUTHORITY_HOST", "user:" .. password .. "@login.microsoftonline.com", "https URL of a host" },
      { "AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/contoso.example", "names a tenant, and" },
      { "AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/common/oauth2/v2.0/token", "is an endpoint" },
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
      { "MDE_BASE_URL", "https://user:a@" .. password .. "/x@host", "https URL of a host" },
      { "MDE_BASE_URL", "https://user:a b" .. password .. "@host/api", "https URL of a host" },
      { "AZURE_AUTHORITY_HOST", "user:" .. password .. "#@host", "https URL of a host" },
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
      { { cloud = "gc" }, 'Did you mean "gcc"' },
      { { cloud = "gov" }, 'option "cloud" is "gov"; there are commercial, dod, gcc, gcc_high. Those of the US '
        .. "government are gcc, gcc_high and dod." },
      { { authority = "http://a.example" }, 'option "authority" is "http://a.example": only https' },
      { { authority = "https://a.example/contoso.example", tenant_id = tenant_id }, 'option "authority" is '
        .. '"https://a.example/contoso.example", which names a tenant, and "' .. tenant_id .. '" is set' },
      { { base_url = "http://a.example" }, 'option "base_url" is "http://a.example": only https' },
      { { base_url = "https://user:" .. password .. "@a.example" }, 'option "base_url"' },
      { { scope = "x" }, 'option "scope"' },
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

  describe("in an environment that lacks something", function()
    local function problem_of(settings)
      local ok, err = pcall(settings_of.complete, settings)
      assert.is_false(ok)
      assert.equal("invalid", err.kind)
      return err
    end

    it("says only what, and which options are in its place", function()
      environment.AZURE_TENANT_ID = nil
      local err = problem_of {}
      assert.equal("not set in the environment: AZURE_TENANT_ID", err.message)
      assert.equal('Set what is missing, or give mde.client the option "tenant_id".', err.hint)
      environment = {}
      err = problem_of { tenant_id = tenant_id, client_id = client_id }
      assert.equal("not set in the environment: AZURE_CLIENT_SECRET", err.message)
      assert.truthy(err.hint:find('the option "credential". Instead of a secret', 1, true), err.hint)
    end)

    it("needs no ids where the credential needs none", function()
      environment = {}
      local credentials = { mde.credential.token(print), mde.credential.managed_identity { source = "imds" } }
      for _, credential in ipairs(credentials) do
        local settings = settings_of.of_options { credential = credential }
        settings_of.complete(settings)
        assert.equal(credential, settings.credential)
        assert.is_nil(settings.tenant_id)
      end
      assert.equal("not set in the environment: AZURE_TENANT_ID, AZURE_CLIENT_ID",
        problem_of { credential = mde.credential.secret(secret) }.message)
    end)

    it("says how to set it in nginx", function()
      local globals = package.loaded._G
      finally(function() rawset(globals, "ngx", nil) end)
      environment = { AZURE_CLIENT_SECRET = secret }
      for _, ngx in ipairs { {}, { socket = {} }, { get_phase = print } } do
        rawset(globals, "ngx", ngx)
        assert.is_nil(settings_of.nginx())
        assert.truthy(problem_of {}.hint:find "^Set what is missing")
      end
      local ngx = { socket = {}, get_phase = print }
      rawset(globals, "ngx", ngx)
      assert.equal(ngx, settings_of.nginx())
      assert.truthy(problem_of {}.hint:find("init_by_lua_block; or name what the workers may see at the top of "
        .. "nginx.conf: env AZURE_TENANT_ID; env AZURE_CLIENT_ID; or give mde.client the option", 1, true))
    end)
  end)

  it("has the credential that the environment describes, for the application that the options name", function()
    environment = { AZURE_TOKEN_CREDENTIALS = "ManagedIdentityCredential", IDENTITY_ENDPOINT = "http://localhost:1/x",
      IDENTITY_HEADER = "planted" }
    for _, settings in ipairs { settings_of.of_options { client_id = client_id }, {} } do
      settings_of.complete(settings)
      assert.equal("managed identity", settings.credential.kind)
      local traits = {}
      for _, trait in ipairs(settings.credential:traits()) do traits[#traits + 1] = tostring(trait) end
      assert.equal(settings.client_id ~= nil, table.concat(traits, " "):find(client_id, 1, true) ~= nil)
    end
  end)

  it("is told of another tenant behind the host by the name under which each was set", function()
    environment.AZURE_AUTHORITY_HOST = "https://a.example/contoso.example"
    local client, err = clients.new { driver = deaf_driver() }
    assert.is_nil(client)
    assert.truthy(err.message:find "^AZURE_AUTHORITY_HOST is ")
    environment.AZURE_AUTHORITY_HOST = nil
    client, err = clients.new { driver = deaf_driver(), authority = "https://a.example/contoso.example" }
    assert.is_nil(client)
    assert.truthy(err.message:find '^option "authority" is ')
    local settings = settings_of.of_options { credential = mde.credential.token(print),
      authority = "https://a.example/common" }
    environment = {}
    settings_of.complete(settings)
    assert.equal("https://a.example", settings.authority)
  end)

  it("has what its cloud has, and keeps what was given", function()
    local settings = settings_of.of_options { cloud = "gcc_high", scope = "https://a.example/.default" }
    assert.equal(clouds.gcc_high, settings.cloud)
    settings_of.complete(settings)
    assert.equal(clouds.gcc_high.authority, settings.authority)
    assert.equal(clouds.gcc_high.base_url, settings.base_url)
    assert.equal("https://a.example/.default", settings.scope)
    assert.equal("https://api-gov.securitycenter.microsoft.us/.default", clouds.gcc_high.scope)
  end)

  it("has nothing that no option says, until it is completed", function()
    assert.same({ given = {} }, settings_of.of_options { timeout = 5, driver = {}, protect = {} })
  end)

  it("knows what was given in the place of a variable", function()
    local settings = settings_of.of_options { tenant_id = "a.example", cloud = "gcc", credential = secret }
    assert.same({ AZURE_TENANT_ID = 'option "tenant_id"', MDE_CLOUD = 'option "cloud"' }, settings.given)
  end)

  describe("may have a credential", function()
    it("that is one", function()
      local credential = { ask = print, secrets = print }
      assert.equal(credential, settings_of.of_options { credential = credential }.credential)
    end)

    it("that is a function which gets tokens", function()
      local credential = settings_of.of_options { credential = print }.credential
      assert.is_function(credential.ask)
      assert.is_false(credential.needs_application)
    end)

    for what, credential in pairs { ["that cannot be asked"] = { secrets = print }, ["that is true"] = true,
      ["that does not tell its secrets, which could be shown then"] = { ask = print } } do
      it("but none " .. what, function()
        local err = rehearsal.refused(settings_of.of_options, { credential = credential })
        assert.truthy(err.message:find('^option "credential" must be '), err.message)
      end)
    end
  end)

  describe("shares a store", function()
    it("that an option or else the environment names", function()
      environment.MDE_STORE = "/run/mde/of-the-environment"
      local settings = {}
      settings_of.complete(settings)
      assert.is_function(settings.store.get)
      assert.is_true(settings.store.on_disk)
      local store = dicts(os.time)
      settings = settings_of.of_options { store = store }
      settings_of.complete(settings)
      assert.equal(store, settings.store)
    end)

    it("or none", function()
      environment.MDE_STORE = ""
      local settings = {}
      settings_of.complete(settings)
      assert.is_nil(settings.store)
    end)

    for what, store in pairs { ["an empty path"] = "", ["a path with a NUL"] = "/run/m\0de", ["true"] = true,
      ["a table that is no store"] = { get = print, safe_set = print, safe_add = print } } do
      it("but not " .. what, function()
        local err = rehearsal.refused(settings_of.of_options, { store = store })
        assert.truthy(err.message:find('^option "store"'), err.message)
      end)
    end
  end)

  it("takes no address of the service that ends in the path which is added to it", function()
    for _, url in ipairs { "https://host/api", "https://host/API/", "https://host/a/api//" } do
      local err = rehearsal.refused(settings_of.of_options, { base_url = url })
      assert.truthy(err.message:find('^option "base_url" is '), err.message)
      assert.truthy(err.hint:find("Leave /api away", 1, true))
    end
    assert.equal("https://host/api2", settings_of.of_options { base_url = "https://host/api2" }.base_url)
    assert.equal("https://host/api", settings_of.of_options { authority = "https://host/api" }.authority)
  end)
end)
