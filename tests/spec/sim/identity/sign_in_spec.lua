-- The token endpoint: tokens, and the refusals with their codes.
-- Labels: not-lua5.3
local caller = require "tests.spec.support.caller"
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local function base64(text)
  local encoded = encoding.base64url(text):gsub("-", "+"):gsub("_", "/")
  return encoded .. ("="):rep(-#encoded % 4)
end

local function part_of(token, index)
  local parts = {}
  for part in token:gmatch "[^.]+" do parts[#parts + 1] = part end
  return json.decode(encoding.unbase64((parts[index]:gsub("-", "+"):gsub("_", "/"))))
end

describe("the token endpoint", function()
  local tenant, client

  before_each(function()
    tenant = sim.new()
    client = caller.new(tenant)
  end)

  it("gives a token", function()
    local response, answer = client:ask_for_token()
    assert.equal(200, response.status)
    assert.equal("application/json; charset=utf-8", response.headers["content-type"])
    assert.truthy(response.headers["date"]:find "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$")
    assert.equal("Bearer", answer.token_type)
    assert.equal(3599, answer.expires_in)
    assert.truthy(response.body:find('"expires_in":3599,', 1, true))
    local header, claims = part_of(answer.access_token, 1), part_of(answer.access_token, 2)
    assert.equal("JWT", header.typ)
    assert.equal("https://api.securitycenter.microsoft.com", claims.aud)
    assert.equal(tenant.tenant_id, claims.tid)
    assert.equal(tenant.client_id, claims.appid)
    assert.same({ "Machine.Read.All", "Machine.RestrictExecution" }, claims.roles)
    assert.equal(3599, claims.exp - claims.iat)
    assert.equal(claims.iat, claims.nbf)
    assert.same({ "token_issued", "request" }, { tenant.history[1].event, tenant.history[2].event })
  end)

  it("gives tokens that differ, but not in the beginning", function()
    local _, first = client:ask_for_token()
    local _, second = client:ask_for_token()
    assert.are_not.equal(first.access_token, second.access_token)
    assert.equal(first.access_token:sub(1, 40), second.access_token:sub(1, 40))
  end)

  it("says nothing of roles that were not granted", function()
    tenant = sim.new { roles = {} }
    local _, answer = caller.new(tenant):ask_for_token()
    assert.is_nil(part_of(answer.access_token, 2).roles)
  end)

  it("takes the client's id and secret from HTTP Basic, form-encoded", function()
    local function ask(secret)
      local pair = caller.escape(tenant.client_id) .. ":" .. caller.escape(secret)
      return client:ask_for_token({ client_id = false, client_secret = false },
        { Authorization = "Basic " .. base64(pair) })
    end
    assert.equal(200, ask(tenant.client_secret).status)
    assert.equal(401, ask(tenant.client_secret .. "x").status)
  end)

  it("decodes the form: + is a blank, a raw + is lost", function()
    local raw = tenant.client_secret:gsub("[&=%%]", caller.escape):gsub(" ", "+")
    local function ask(secret)
      return tenant:handle {
        method = "POST", url = "/" .. tenant.tenant_id .. "/oauth2/v2.0/token",
        headers = { ["content-type"] = "application/x-www-form-urlencoded; charset=utf-8" },
        body = caller.form { grant_type = "client_credentials", client_id = tenant.client_id,
          scope = "https://api.securitycenter.microsoft.com/.default" } .. "&client_secret=" .. secret,
      }.status
    end
    assert.equal(401, ask(raw))
    assert.equal(200, ask((raw:gsub("~%+", "~%%2B"))))
  end)

  local refusals = {
    { "a wrong secret", { client_secret = "wrong" }, 401, "invalid_client", 7000215 },
    { "an empty secret", { client_secret = "" }, 401, "invalid_client", 7000218 },
    { "no secret", { client_secret = false }, 401, "invalid_client", 7000218 },
    { "an assertion of no type", { client_secret = false, client_assertion = "a.b.c" }, 400, "invalid_request",
      900144 },
    { "an assertion that is none", { client_secret = false, client_assertion = "a.b.c",
      client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" }, 400, "invalid_request",
      50027 },
    { "claims that are no object", { claims = "[1" }, 400, "invalid_request", 9000411 },
    { "an unknown application", { client_id = "c2" }, 400, "unauthorized_client", 700016 },
    { "no application", { client_id = false }, 400, "invalid_request", 900144 },
    { "no grant type", { grant_type = false }, 400, "invalid_request", 900144 },
    { "another grant type", { grant_type = "password" }, 400, "unsupported_grant_type", 70003 },
    { "no scope", { scope = false }, 400, "invalid_request", 900144 },
    { "a scope without .default", { scope = "https://api.securitycenter.microsoft.com" }, 400, "invalid_scope", 70011 },
    { "a scope that is no address", { scope = "Machine.Read.All/.default" }, 400, "invalid_scope", 70011 },
    { "a stroke too many", { scope = "https://api.securitycenter.microsoft.com//.default" }, 400, "invalid_resource",
      500011 },
    { "two resources", { scope = "https://api.securitycenter.microsoft.com/.default "
      .. "https://graph.microsoft.com/.default" }, 400, "invalid_scope", 700022 },
    { "an unknown resource", { scope = "https://nowhere.example/.default" }, 400, "invalid_resource", 500011 },
  }
  for _, case in ipairs(refusals) do
    it("refuses " .. case[1], function()
      local response, answer = client:ask_for_token(case[2])
      assert.equal(case[3], response.status)
      assert.equal(case[4], answer.error)
      assert.same({ case[5] }, answer.error_codes)
      local first, rest = answer.error_description:match "^(AADSTS%d+: [^\r\n]+)\r\n(.*)$"
      assert.equal("AADSTS" .. case[5], first:match "^%w+")
      assert.equal(("Trace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s"):format(answer.trace_id,
        answer.correlation_id, answer.timestamp), rest)
      assert.truthy(answer.timestamp:find "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%dZ$")
      assert.equal("https://login.microsoftonline.com/error?code=" .. case[5], answer.error_uri)
      assert.is_nil(answer.access_token)
      assert.equal(case[5], tenant.history[1].code)
    end)
  end

  it("refuses another tenant", function()
    local response, answer = client:ask_for_token({}, {}, "99999999-0000-4000-8000-000000000000")
    assert.equal(400, response.status)
    assert.same({ "invalid_request", 90002 }, { answer.error, answer.error_codes[1] })
    response, answer = client:ask_for_token({}, {}, "common")
    assert.equal(400, response.status)
    assert.equal(50059, answer.error_codes[1])
  end)

  it("refuses a body that is not a form", function()
    local _, answer = client:ask_for_token({}, { ["Content-Type"] = "application/json" })
    assert.equal(900144, answer.error_codes[1])
    local response = tenant:handle { method = "POST", url = "/" .. tenant.tenant_id .. "/oauth2/v2.0/token",
      headers = { ["content-type"] = "application/x-www-form-urlencoded" }, body = "grant_type=%zz" }
    assert.equal(400, response.status)
  end)

  it("is at one address", function()
    for _, path in ipairs { "/%s/oauth2/v2.0/token/", "//%s/oauth2/v2.0/token", "/%s//oauth2/v2.0/token",
        "/%s/oauth2/token", "/oauth2/v2.0/token" } do
      local response = tenant:handle { method = "POST", url = path:format(tenant.tenant_id), headers = {} }
      assert.equal(404, response.status, path)
    end
  end)

  it("takes POST alone", function()
    local response = tenant:handle { method = "GET", url = "/" .. tenant.tenant_id .. "/oauth2/v2.0/token",
      headers = {} }
    assert.equal(405, response.status)
    assert.equal("POST", response.headers["allow"])
  end)

  it("never writes a token or a secret into the history", function()
    local _, answer = client:ask_for_token()
    client:ask_for_token { client_secret = "wrong horse" }
    local text = json.encode(tenant.history)
    assert.is_nil(text:find(answer.access_token:sub(1, 16), 1, true))
    assert.is_nil(text:find("wrong horse", 1, true))
    assert.is_nil(text:find("real secret", 1, true))
  end)
end)

describe("a token", function()
  it("is of the tenant's own cloud", function()
    for cloud, scope in pairs { gcc = "https://api-gcc.securitycenter.microsoft.us/.default",
      gcc_high = "https://api-gov.securitycenter.microsoft.us/.default" } do
      local tenant = sim.new { cloud = cloud }
      local client = caller.new(tenant)
      local _, answer = client:ask_for_token { scope = scope }
      client.access_token = answer.access_token
      assert.equal(200, (client:get "machines").status)
      _, answer = client:ask_for_token()
      assert.same({ 500011 }, answer.error_codes)
    end
    assert.has_error(function() sim.new { cloud = "china" } end)
  end)

  it("has the roles of the resource that it is for", function()
    local tenant = sim.new { machines = {}, roles = { "Machine.Read.All" }, graph_roles = { "ThreatHunting.Read.All" } }
    local client = caller.new(tenant)
    for scope, role in pairs { ["https://api.securitycenter.microsoft.com"] = "Machine.Read.All",
      ["https://graph.microsoft.com"] = "ThreatHunting.Read.All" } do
      local _, answer = client:ask_for_token { scope = scope .. "/.default" }
      local grant = tenant.tokens[answer.access_token]
      assert.same({ scope, { role } }, { grant.audience, grant.roles })
      assert.same({ role }, part_of(answer.access_token, 2).roles)
    end
  end)

  it("has the roles of the day on which it was issued", function()
    local tenant = sim.new { roles = {} }
    local client = caller.new(tenant)
    assert.equal(403, (client:get "machines").status)
    tenant:put_application { client_id = tenant.client_id, client_secret = tenant.client_secret,
      roles = { "Machine.Read.All" } }
    assert.equal(403, (client:get "machines").status)
    client.access_token = nil
    assert.equal(200, (client:get "machines").status)
  end)

  it("that was taken back is answered with a challenge if it says that it understands one", function()
    local tenant = sim.new()
    for _, announces in ipairs { true, false } do
      local client = caller.new(tenant)
      local _, answer = client:ask_for_token(announces
        and { claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}' } or nil)
      client.access_token = answer.access_token
      tenant:revoke()
      local response = client:get "machines"
      assert.equal(401, response.status)
      local challenge = core.header.challenges(response.headers["www-authenticate"])[1]
      if announces then
        assert.equal("insufficient_claims", challenge.parameters.error)
        assert.truthy(json.decode(core.base64.decode(challenge.parameters.claims)).access_token.nbf)
      else
        assert.equal("invalid_token", challenge.parameters.error)
      end
      tenant:advance(1)
    end
  end)
end)
