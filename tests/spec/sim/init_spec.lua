-- A simulated tenant as a whole: what it is without options, what the options change, and which part of it answers a
-- request.
-- Labels: not-lua5.3
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local START = 1770113472

local laptop = "1f00000000000000000000000000000000000017"
local restrict = ("machines/%s/restrictCodeExecution"):format(laptop)
local comment = { Comment = "because" }

describe("a simulated tenant without options", function()
  local tenant = sim.new()

  it("has the fleet, an application that may restrict, and no history", function()
    assert.equal(200, #tenant.machines)
    assert.same({}, tenant.actions)
    assert.same({}, tenant.history)
    assert.equal(201, (caller.new(tenant):post(restrict, comment).status))
  end)

  it("is of the commercial cloud, and behaves as the documentation has it", function()
    assert.same({ "commercial", 3599, "active_request", "exact", "in_order" },
      { tenant.cloud, tenant.lifetime, tenant.duplicates, tenant.comparison, tenant.completion })
    assert.same({ pending = 0.5, running = 1 }, tenant.delays)
    assert.is_nil(tenant.comment_limit)
    assert.same({ 10000, "missing", "steady", "honoured", 0 }, { tenant.lists.page_rows, tenant.lists.next_link,
      tenant.lists.order, tenant.lists.skip, tenant.lists.lag })
    for _ = 1, 100 do assert.is_nil(tenant.limits:count("an API", 0)) end
    assert.truthy(tenant.limits:count("an API", 0))
  end)

  it("has a managed identity, which may do what the application may", function()
    assert.equal(1, #tenant.identities)
    assert.is_true(tenant.identities[1].system)
    assert.same({ "Machine.Read.All", "Machine.RestrictExecution" }, tenant.identities[1].roles)
  end)
end)

describe("the options of a simulated tenant", function()
  it("are what it is made of", function()
    local tenant = sim.new {
      start = START, tenant_id = "7e000000-0000-4000-8000-000000000001", client_id = "c1", client_secret = "opaque",
      roles = { "Machine.Read.All" }, lifetime = 60, limits = false, duplicates = "new", comment_limit = 40,
      applications = { { client_id = "c2", client_secret = "other", roles = { "Machine.Read.All" } } },
      machines = { { id = laptop, computerDnsName = "a.corp.example" } },
      actions = { { type = "RestrictCodeExecution", computerDnsName = "A.corp.example", status = "Succeeded" } },
      faults = { { match = { path = "/api/" }, fault = "answer", status = 503 } },
    }
    assert.same({ 1, "a.corp.example" }, { #tenant.machines, tenant:find_machine(laptop).computerDnsName })
    assert.same({ 1, laptop }, { #tenant.actions, tenant.actions[1].machineId })
    assert.same({ 60, "new", 40 }, { tenant.lifetime, tenant.duplicates, tenant.comment_limit })
    assert.is_nil(tenant.limits)
    assert.equal(START, tenant.clock.now())
    local main, second = caller.new(tenant), caller.new(tenant, { client_id = "c2", client_secret = "other" })
    assert.same({ 403, 200 }, { main:post(restrict, comment).status, second:get("machines").status })
    assert.equal("opaque", tenant:env().AZURE_CLIENT_SECRET)
    assert.equal("answer", tenant.faults:for_request("GET", "/api/machines").fault)
  end)

  it("stay as they were given, and are shared with no other tenant", function()
    local options = { machines = { { id = laptop, machineTags = { "x" } } }, roles = { "Machine.Read.All" } }
    local one, other = sim.new(options), sim.new(options)
    one:tag_machine(one:find_machine(laptop), "y", "Add", "mde")
    one:put_machine { computerDnsName = "new.corp.example" }
    assert.same({ machines = { { id = laptop, machineTags = { "x" } } }, roles = { "Machine.Read.All" } }, options)
    assert.same({ { "x", "y" }, { "x" } },
      { one:find_machine(laptop).machineTags, other:find_machine(laptop).machineTags })
    assert.same({ 2, 1 }, { #one.machines, #other.machines })
  end)

  for _, case in ipairs {
    { { patience = 5 }, "sim.new: there is no option 'patience'" },
    { { cloud = "china" }, "sim.new: there is no cloud 'china'" },
    { { machines = {}, fleet = {} }, "sim.new: either `machines` or `fleet`, not both" },
  } do
    it("are refused at the caller's line: " .. case[2], function()
      local ok, message = pcall(function() return (sim.new(case[1])) end)
      assert.is_false(ok)
      assert.truthy(message:find("^[^ ]*init_spec%.lua:%d+: "), message)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  for _, case in ipairs {
    { { machines = { { id = laptop }, { nickname = "x" } } }, "machines[2]: " },
    { { actions = { { machineId = laptop } } }, "actions[1]: an action needs a type" },
    { { applications = { { client_id = "x" } } }, "applications[1]: " },
    { { roles = { "Machine.Reed.All" } }, "Did you mean 'Machine.Read.All'?" },
    { { faults = { { fault = "gone" }, { fault = "gon" } } }, "faults[2]: " },
    { { lifetime = "long" }, "lifetime must be a number of seconds" },
    { { fleet = { size = 5 } }, "fleet has no 'size'" },
    { { clock = "stopped" }, "clock" },
  } do
    it("are refused by name: " .. case[2], function()
      local ok, message = pcall(sim.new, case[1])
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end
end)

describe("a request to a simulated tenant", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = START }
    client = caller.new(tenant)
  end)

  it("may have a whole URL, or one that begins with the path", function()
    local headers = { authorization = "Bearer " .. client:token() }
    for _, url in ipairs { "https://api.security.microsoft.com/api/machines?$top=1", "/api/machines?$top=1",
      "/machines?$top=1", "/API/machines?$top=1#part" } do
      local response = tenant:handle { method = "GET", url = url, headers = headers }
      local found = url:find "/[aA][pP][iI]/" ~= nil
      assert.equal(found and 200 or 404, response.status, url)
      assert.equal("Tue, 03 Feb 2026 10:11:12 GMT", response.headers.date)
      if found then assert.equal(1, #json.decode(response.body).value) end
    end
  end)

  it("reaches managed identities over plain http, and all else over TLS alone", function()
    local headers = { Metadata = "true", Authorization = "Bearer " .. client:token() }
    local function status(url, plain)
      return tenant:handle({ method = "GET", url = url, headers = headers, plain = plain }).status
    end
    local identity = "/metadata/identity/oauth2/token?api-version=2018-02-01"
      .. "&resource=https%3A%2F%2Fapi.securitycenter.microsoft.com"
    assert.same({ 200, 404 }, { status(identity, true), status(identity) })
    assert.same({ 404, 200 }, { status("/api/machines", true), status "/api/machines" })
  end)

  it("knows nothing where a path has an empty part", function()
    for _, path in ipairs { "machines/", "/machines", "machines//", "machineactions/", "machines/" .. laptop .. "/",
        "machines//" .. laptop } do
      assert.equal(404, client:get(path).status, path)
    end
    assert.equal(404, client:post(restrict .. "/", comment).status)
    assert.equal(404, client:post("machines//restrictCodeExecution", comment).status)
    assert.same({}, tenant.actions)
  end)

  it("refuses a target of more than 8 KB", function()
    local headers = { Authorization = "Bearer " .. client:token() }
    local function ask(length)
      local target = "/api/machines?$top=1&$filter=id%20eq%20'"
      return tenant:handle { method = "GET", url = target .. ("x"):rep(length - #target - 1) .. "'", headers = headers }
    end
    assert.equal(200, ask(8192).status)
    local response = ask(8193)
    assert.same({ 414, "" }, { response.status, response.body })
  end)

  it("refuses a path that cannot be decoded", function()
    assert.equal(400, client:get("machines/%zz").status)
    assert.equal(400, client:get("machines/a%").status)
    assert.equal(400, client:get("machines/%FF").status)
    assert.equal(400, client:get("machines/a%00").status)
  end)

  it("refuses characters that a URL cannot have", function()
    for character in ('" < > \\ ^ ` { | }'):gmatch "%S" do
      assert.equal(400, client:get("machines?$filter=id%20eq%20'" .. character .. "'").status, character)
      assert.equal(400, client:get("machines/a" .. character).status, character)
      assert.equal(200, client:get("machines?$filter=id%20eq%20'" .. caller.escape(character) .. "'").status, character)
    end
  end)

  it("remembers each request", function()
    client:post(restrict, comment)
    client:get "machines?$top=1"
    local told = {}
    for _, entry in ipairs(tenant.history) do
      if entry.event == "request" then
        told[#told + 1] = ("%s %s?%s %d"):format(entry.method, entry.path, entry.query, entry.status)
      end
    end
    assert.same({ ("POST /%s/oauth2/v2.0/token? 200"):format(tenant.tenant_id), "POST /api/" .. restrict .. "? 201",
      "GET /api/machines?$top=1 200" }, told)
  end)
end)

describe("the environment for a client of a simulated tenant", function()
  local tenant = sim.new { machines = {} }

  it("has the application's credential, and where the tenant is served", function()
    assert.same({ AZURE_TENANT_ID = tenant.tenant_id, AZURE_CLIENT_ID = tenant.client_id,
      AZURE_CLIENT_SECRET = tenant.client_secret, AZURE_AUTHORITY_HOST = "https://localhost:8444/",
      MDE_BASE_URL = "https://localhost:8444", MDE_GRAPH_URL = "https://localhost:8444",
      MDE_GRAPH_SCOPE = "https://graph.microsoft.com/.default", SSL_CERT_FILE = "/ca.pem" },
      tenant:env("https://localhost:8444", "/ca.pem"))
    assert.equal("https://localhost:8443", tenant:env().MDE_BASE_URL)
  end)

  it("has the endpoints of a managed identity, as its host names them", function()
    local url = "http://127.0.0.1:40342"
    assert.same({ AZURE_POD_IDENTITY_AUTHORITY_HOST = url }, tenant:identity_env("imds", url))
    assert.same({ IDENTITY_ENDPOINT = url .. "/msi/token", IDENTITY_HEADER = tenant.app_header },
      tenant:identity_env("app_service", url))
    assert.same({ IDENTITY_ENDPOINT = url .. "/metadata/identity/oauth2/token", IMDS_ENDPOINT = url },
      tenant:identity_env("arc", url))
  end)
end)
