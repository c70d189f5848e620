-- The two sides of the service: what each is asked, with which token, and how its errors name its settings.
-- Labels: sanitized
local contexts = require "mde.sync.context"
local dicts = require "tests.spec.support.dict"
local endpoint = require "tests.spec.support.graph_endpoint"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local resources = require "mde.api.resource"

local ID = ("a1"):rep(20)
local READING = { "SecurityAlert.Read.All" }

local function new(options)
  options = options or {}
  options.machines = { { id = ID, computerDnsName = "desk-1.corp.example" } }
  options.graph_roles = options.graph_roles or READING
  return rehearsal.new(options)
end

local function ask(r, fields)
  local call = { resource = "graph", method = "GET", path = "/security/probe", kind = "read", api = "graph_alerts",
    permission = "SecurityAlert.Read.All", context = contexts.new(r.client.exchange.now, 300) }
  for name, value in pairs(fields or {}) do call[name] = value end
  return r.client.exchange:call(call)
end

-- The audiences of the tokens that were issued.
local function audiences(r)
  local list = {}
  for _, entry in ipairs(r.tenant.history) do
    if entry.event == "token_issued" then list[#list + 1] = entry.audience end
  end
  return list
end

local DEFENDER, GRAPH = "https://api.securitycenter.microsoft.com", "https://graph.microsoft.com"

describe("Microsoft Graph", function()
  before_each(endpoint.plant)
  after_each(endpoint.remove)

  it("is asked below /v1.0 at its own host, for every member of its enumerations", function()
    local r = new()
    local answer, err, info = ask(r, { path = "/security/probe?$top=1" })
    assert.is_nil(err)
    assert.same({ { id = "probe" } }, answer.value)
    assert.equal(1, info.attempts)
    assert.equal("https://graph.microsoft.com", endpoint.asked.request.origin)
    assert.equal("/v1.0/security/probe", endpoint.asked.request.path)
    assert.equal("include-unknown-enum-members", endpoint.asked.request.headers.prefer)
    assert.same({ ["$top"] = "1" }, endpoint.asked.options)
  end)

  it("is changed by a PATCH with a body", function()
    local r = new { graph_roles = { "SecurityAlert.ReadWrite.All" } }
    assert(ask(r, { method = "PATCH", kind = "action", path = "/security/probe/Da12%2Fb", body = { status = "new" } }))
    assert.equal("Da12/b", endpoint.asked.id)
    assert.equal([[{"status":"new"}]], endpoint.asked.request.body)
  end)

  it("has a token of its own, which a client that never asks it never gets", function()
    local r = new()
    assert(r.client:machine(ID))
    assert.same({ DEFENDER }, audiences(r))
    for _ = 1, 3 do assert(ask(r)) end
    assert(r.client:machine(ID))
    assert.same({ DEFENDER, GRAPH }, audiences(r))
  end)

  it("is asked for one token by all who wait for it, while others wait for Defender's", function()
    local r = new { latency = 0.2 }
    local results = r.client:each({ 1, 2, 3, 4, 5, 6 }, function(i)
      if i % 2 == 0 then return r.client:machine(ID) end
      return ask(r)
    end, { parallel = 6 })
    for _, result in ipairs(results) do assert.is_nil(result.err) end
    local list = audiences(r)
    table.sort(list)
    assert.same({ DEFENDER, GRAPH }, list)
  end)

  it("gets a new token after a 401, and leaves Defender's alone", function()
    local r = new()
    assert(r.client:machine(ID))
    assert(ask(r))
    r:answer({ path = "/v1.0/" }, 401, { error = { code = "InvalidAuthenticationToken", message = "No." } })
    assert(ask(r))
    assert(r.client:machine(ID))
    assert.same({ DEFENDER, GRAPH, GRAPH }, audiences(r))
  end)

  it("shares its token in a store apart from Defender's", function()
    local now
    local store = dicts(function() return now() end)
    local first = new { client = { store = store } }
    now = first.driver.now
    assert(ask(first))
    assert(first.client:machine(ID))
    local second = assert(mde.client { tenant_id = first.tenant.tenant_id, client_id = first.tenant.client_id,
      credential = first.tenant.client_secret, driver = first.driver, store = store })
    assert(ask { client = second })
    assert(second:machine(ID))
    assert.same({ GRAPH, DEFENDER }, audiences(first))
  end)

  it("does not tell what time it is at Defender", function()
    local r = new()
    r:fault { match = { path = "/v1.0/" }, fault = "skew", by = 250 }
    assert(ask(r))
    assert.is_nil(r.client.exchange.clock:ahead_of_this_machine "api")
    assert(r.client:machine(ID))
    assert.truthy(r.client.exchange.clock:ahead_of_this_machine "api")
  end)

  it("has limits by the minute alone, for each API", function()
    local r = new()
    local began = r.driver.now()
    for _ = 1, 150 do assert(ask(r)) end
    assert.is_true(r.driver.now() - began < 1)
    for api, left in pairs { graph_alerts = 0, graph_incidents = 150, hunting = 45 } do
      assert.equal(left, r.client.exchange:peek(api, 1).remaining, api)
    end
    local peek = r.client.exchange:peek("hunting", 46)
    assert.is_true(peek.seconds > 59)
  end)

  it("is waited for after a 429 that does not say how long", function()
    local r = new()
    r:fault { match = { path = "/v1.0/" }, fault = "throttled", form = "none", count = 2 }
    local answer, err, info = ask(r)
    assert.is_nil(err)
    assert.truthy(answer)
    assert.equal(3, info.attempts)
  end)

  it("is asked as often as the call allows", function()
    local r = new()
    r:answer({ path = "/v1.0/" }, 504, { error = { code = "UnknownError", message = "" } }, { count = false })
    local _, err, info = ask(r, { attempts = 1 })
    assert.equal(1, info.attempts)
    assert.same({ "unavailable", "UnknownError", 504 }, { err.kind, err.code, err.http_status })
    assert.equal("Microsoft Graph failed (HTTP 504)", err.message)
  end)

  it("is not asked where nothing says where it is, and no token is fetched", function()
    local r = new { client = { base_url = "https://localhost:8443" } }
    local answer, err, info = ask(r)
    assert.is_nil(answer)
    assert.equal(0, info.attempts)
    assert.same({ "invalid", "graph_url_missing" }, { err.kind, err.code })
    assert.matches('option "base_url" is set to localhost:8443, which is no host of Microsoft', err.message, 1, true)
    assert.matches("Set MDE_GRAPH_URL", err.hint, 1, true)
    assert.same({}, audiences(r))
    r = new { client = { base_url = "https://localhost:8443", graph_url = "https://localhost:8443" } }
    assert(ask(r))
  end)

  describe("tells an error by its own settings:", function()
    it("another audience", function()
      local r = new { client = { graph_scope = DEFENDER .. "/.default" } }
      local _, err = ask(r)
      assert.same({ "auth", "InvalidAuthenticationToken", 401 }, { err.kind, err.code, err.http_status })
      assert.matches("Microsoft Graph did not accept a fresh token", err.message, 1, true)
      assert.matches("The token is for https://api.securitycenter.microsoft.com. In the cloud commercial Microsoft "
        .. 'Graph takes tokens of the scope https://graph.microsoft.com/.default: check option "graph_scope", '
        .. "MDE_GRAPH_URL and MDE_CLOUD.", err.hint, 1, true)
    end)

    it("a function that gives a token of the other side", function()
      local r, wanted = new(), {}
      local defender = new()
      assert(defender.client:machine(ID))
      local client = assert(mde.client { driver = r.driver, credential = function(about)
        wanted[#wanted + 1] = about.scope .. " " .. about.resource
        local token
        for value in pairs(r.tenant.tokens) do token = value end
        return token, 600
      end })
      assert(r.client:machine(ID))
      local _, err = ask { client = client }
      assert.equal(GRAPH .. "/.default " .. GRAPH, wanted[1])
      assert.matches("the function that gets tokens has to ask for the scope that it is given", err.hint, 1, true)
    end)

    it("a permission that is missing", function()
      local r = new { graph_roles = {} }
      local _, err = ask(r)
      assert.same({ "permission", "Forbidden", 403 }, { err.kind, err.code, err.http_status })
      assert.equal("Give the application the permission SecurityAlert.Read.All of Microsoft Graph (its token has none) "
        .. "and let an administrator consent; a token from before that lacks it for up to an hour.", err.hint)
      assert.equal("SecurityAlert.Read.All", err.permission)
    end)

    it("a licence that is missing", function()
      local r = new()
      r:answer({ path = "/v1.0/" }, 403, "")
      local _, err = ask(r)
      assert.same({ "permission", "licence_missing" }, { err.kind, err.code })
      assert.matches("The tenant needs a licence", err.hint, 1, true)
    end)

    it("a query that it does not take, whose text is kept and escaped", function()
      local r = new()
      r:answer({ path = "/v1.0/" }, 400, { error = { code = "badRequest", message = "Failed to resolve 'X'.\27[2J",
        innererror = { ["request-id"] = "1b7c40d9-5e2a-4f63-8a0d-93c6e7f1b250" } } })
      local _, err = ask(r)
      assert.same({ "refused", "badRequest" }, { err.kind, err.code })
      assert.matches("Microsoft Graph refused it (HTTP 400 badRequest): Failed to resolve 'X'.", err.message, 1, true)
      assert.is_nil(err.message:find "\27")
      assert.matches("Correct what the message names", err.hint, 1, true)
      assert.equal("1b7c40d9-5e2a-4f63-8a0d-93c6e7f1b250", err.request_id)
    end)

    it("a proxy in between", function()
      local r = new()
      r:answer({ path = "/v1.0/" }, 403, "<html>")
      assert.matches("Check MDE_GRAPH_URL", select(2, ask(r)).hint, 1, true)
    end)

    it("a sign-in that refuses its scope", function()
      local r = new { client = { graph_scope = "https://graph.example/.default" } }
      local _, err = ask(r)
      assert.equal("AADSTS500011", err.code)
      assert.matches('check option "graph_scope" and MDE_CLOUD', err.hint, 1, true)
    end)
  end)
end)

describe("a resource", function()
  it("is Defender or Graph, each with its audiences", function()
    for name, kind in pairs(resources.kinds) do assert.equal(name, kind.name) end
    assert.is_true(resources.kinds.graph.is_audience "https://graph.microsoft.us/")
    assert.is_true(resources.kinds.defender.is_audience(DEFENDER))
    assert.is_false(resources.kinds.graph.is_audience(DEFENDER))
  end)

  it("without a place says why", function()
    local resource, err = resources.new("graph", { graph_doubt = { message = "it is dark", hint = "Switch it on." } })
    assert.is_nil(resource)
    assert.equal("Microsoft Graph was not asked: it is dark", err.message)
    assert.equal("Switch it on.", err.hint)
  end)
end)
