-- What the simulated tenant refuses to whoever asks for the token of a managed identity, to whoever brings an assertion
-- that proves nothing, and to whoever is of another cloud; and what a client library asks before it signs in.
-- Labels: not-lua5.3

local caller = require "tests.spec.support.caller"
local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local json = require "mde.sim.json"
local sim = require "mde.sim"

local RESOURCE = "https://api.securitycenter.microsoft.com"
local OWN, OTHER = "1d000000-0000-4000-8000-00000000001d", "1d000000-0000-4000-8000-0000000000a1"

local function query(parameters)
  local parts = {}
  for name, value in pairs(parameters) do parts[#parts + 1] = name .. "=" .. caller.escape(value) end
  return table.concat(parts, "&")
end

describe("the endpoint of a managed identity", function()
  local tenant

  before_each(function()
    tenant = sim.new { identities = { { client_id = OWN, system = true, roles = { "Machine.Read.All" } },
      { client_id = OTHER, object_id = "1d000000-0000-4000-8000-0000000000a2", resource_id = "/a/b" } } }
  end)

  local function ask(path, parameters, headers, changes)
    local request = { method = "GET", url = path .. "?" .. query(parameters), headers = headers, plain = true }
    for name, value in pairs(changes or {}) do request[name] = value end
    local response = tenant:handle(request)
    return response, json.decode(response.body)
  end

  local function imds(parameters, headers, changes)
    local all = { ["api-version"] = "2018-02-01", resource = RESOURCE }
    for name, value in pairs(parameters or {}) do all[name] = value or nil end
    return ask("/metadata/identity/oauth2/token", all, headers or { Metadata = "true" }, changes)
  end

  it("of a virtual machine gives a token in texts alone", function()
    local response, answer = imds()
    assert.equal(200, response.status)
    for name, value in pairs(answer) do assert.equal("string", type(value), name) end
    assert.equal("Bearer", answer.token_type)
    assert.equal(3599, tonumber(answer.expires_on) - tonumber(answer.not_before))
    assert.equal(OWN, answer.client_id)
    assert.equal(200, tenant:handle({ method = "GET", url = "/api/machines",
      headers = { Authorization = "Bearer " .. answer.access_token } }).status)
  end)

  for _, parameters in ipairs { { client_id = OTHER }, { object_id = "1D000000-0000-4000-8000-0000000000A2" },
    { msi_res_id = "/a/b" } } do
    it("gives that of the one who is named by " .. next(parameters), function()
      local _, answer = imds(parameters)
      assert.equal(OTHER, answer.client_id)
    end)
  end

  local refused = {
    { "without the header Metadata", nil, {} }, { "with another value in it", nil, { Metadata = "True" } },
    { "through a proxy", nil, { Metadata = "true", ["X-Forwarded-For"] = "10.0.0.1" } },
    { "without a version", { ["api-version"] = false } }, { "without a resource", { resource = false } },
    { "for a scope", { resource = RESOURCE .. "/.default" } },
    { "for what there is not", { resource = "https://a.b" } },
    { "for somebody unknown", { client_id = "1d000000-0000-4000-8000-0000000000ff" } },
  }
  for _, case in ipairs(refused) do
    it("of a virtual machine refuses " .. case[1], function()
      local response, answer = imds(case[2], case[3])
      assert.equal(400, response.status)
      assert.is_string(answer.error)
      assert.is_string(answer.error_description)
    end)
  end

  it("is not there over TLS, and nothing else is there without it", function()
    assert.equal(404, imds(nil, nil, { plain = false }).status)
    assert.equal(404, ask("/api/machines", {}, {}).status)
    assert.equal(405, imds(nil, nil, { method = "POST" }).status)
  end)

  local function app(parameters, header)
    local all = { ["api-version"] = "2019-08-01", resource = RESOURCE }
    for name, value in pairs(parameters or {}) do all[name] = value or nil end
    return ask("/msi/token", all, { ["X-IDENTITY-HEADER"] = header or tenant.app_header })
  end

  it("of an app has its own manners", function()
    local response, answer = app()
    assert.equal(200, response.status)
    assert.is_nil(answer.expires_in)
    assert.equal("string", type(answer.expires_on))
    assert.equal(OTHER, select(2, app { principal_id = "1d000000-0000-4000-8000-0000000000a2" }).client_id)
    assert.equal(OTHER, select(2, app { mi_res_id = "/a/b" }).client_id)
    for _, case in ipairs { { { msi_res_id = "/a/b" }, nil, 400 }, { nil, "another", 401 },
      { { ["api-version"] = "2018-02-01" }, nil, 400 }, { { client_id = "x" }, nil, 400 } } do
      response, answer = app(case[1], case[2])
      assert.equal(case[3], response.status)
      assert.equal(case[3], answer.statusCode)
      assert.is_string(answer.message)
    end
  end)

  it("of Azure Arc asks for a proof, which holds once", function()
    local directory = os.tmpname()
    os.remove(directory)
    os.execute("mkdir " .. directory)
    finally(function() os.execute("rm -rf " .. directory) end)
    tenant:set { arc = { directory = directory } }
    local parameters = { ["api-version"] = "2020-06-01", resource = RESOURCE }
    local path = "/metadata/identity/oauth2/token"
    assert.equal(400, ask(path, parameters, {}).status)
    local response = ask(path, parameters, { Metadata = "true" })
    assert.equal(401, response.status)
    local named = response.headers["www-authenticate"]:match "^Basic realm=(.*)$"
    local file = assert(io.open(named))
    local key = file:read "*a"
    file:close()
    local headers = { Metadata = "true", Authorization = "Basic " .. key }
    assert.equal(200, ask(path, parameters, headers).status)
    assert.equal(401, ask(path, parameters, headers).status)
  end)
end)

describe("the token endpoint, given a certificate's assertion,", function()
  local tenant, one

  setup(function() one = certificates.new() end)
  teardown(certificates.remove)

  before_each(function()
    tenant = sim.new()
    tenant:put_application { client_id = tenant.client_id, certificates = { one.certificate },
      roles = { "Machine.Read.All" } }
  end)

  local function endpoint()
    return ("https://login.microsoftonline.com/%s/oauth2/v2.0/token"):format(tenant.tenant_id)
  end

  local function assertion(claims, header, signer, algorithm)
    local crypto, encode = require "mde.crypto", core.base64.encode_url
    local key = assert(crypto.private_key((signer or one).key))
    local digest = assert(crypto.certificate(one.certificate)).sha256
    local all = { aud = endpoint(), iss = tenant.client_id, sub = tenant.client_id, jti = "made-up",
      nbf = math.floor(tenant.clock.now()), exp = math.floor(tenant.clock.now()) + 600 }
    for name, value in pairs(claims or {}) do all[name] = value or nil end
    local head = { alg = algorithm or "PS256", typ = "JWT", ["x5t#S256"] = encode(digest) }
    for name, value in pairs(header or {}) do head[name] = value or nil end
    local message = encode(json.encode(head)) .. "." .. encode(json.encode(all))
    return message .. "." .. encode(assert(key:sign(algorithm or "PS256", message)))
  end

  local function ask(text, changes)
    local fields = { grant_type = "client_credentials", client_id = tenant.client_id, client_assertion = text,
      scope = RESOURCE .. "/.default",
      client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" }
    for name, value in pairs(changes or {}) do fields[name] = value end
    local response = tenant:handle { method = "POST", url = endpoint(), body = caller.form(fields),
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
    return response, json.decode(response.body)
  end

  it("takes it, and takes it again within its life", function()
    local text = assertion()
    assert.equal(200, ask(text).status)
    tenant:advance(300)
    assert.equal(200, ask(text).status)
    tenant:advance(601)
    assert.same({ 700024 }, select(2, ask(text)).error_codes)
  end)

  it("takes every form of the thumbprint that clients send", function()
    local certificate = require("mde.crypto").certificate(one.certificate)
    local plain = core.base64.encode(certificate.sha256)
    local for_urls = plain:gsub("%+", "-"):gsub("/", "_")
    for _, form in ipairs { plain, for_urls } do
      assert.equal(200, ask(assertion(nil, { ["x5t#S256"] = form })).status)
    end
    local sha1 = core.base64.encode_url(certificate.sha1)
    assert.equal(200, ask(assertion(nil, { ["x5t#S256"] = false, x5t = sha1, kid = "any" }, nil, "RS256")).status)
  end)

  local refusals = {
    { "for another endpoint", { aud = "https://login.microsoftonline.com/common/oauth2/v2.0/token" }, nil, 50027 },
    { "of another issuer", { iss = "somebody" }, nil, 50027 },
    { "of another subject", { sub = "somebody" }, nil, 50027 },
    { "without an id", { jti = false }, nil, 50027 }, { "without an end", { exp = false }, nil, 700024 },
    { "that begins in ten minutes", { nbf = 4e9 }, nil, 700024 }, { "that has ended", { exp = 1e9 }, nil, 700024 },
    { "of an unknown thumbprint", nil, { ["x5t#S256"] = core.base64.encode_url(("x"):rep(32)) }, 700027 },
    { "of no thumbprint", nil, { ["x5t#S256"] = false }, 700027 }, { "of no algorithm", nil, { alg = "none" }, 50027 },
    { "of another algorithm than it says", nil, { alg = "RS256" }, 700027 },
  }
  for _, case in ipairs(refusals) do
    it("refuses one " .. case[1], function()
      local response, answer = ask(assertion(case[2], case[3]))
      assert.is_true(response.status == 400 or response.status == 401)
      assert.same({ case[4] }, answer.error_codes)
    end)
  end

  it("refuses one that somebody else has signed, or that was changed", function()
    assert.same({ 700027 }, select(2, ask(assertion(nil, nil, certificates.new { name = "other" }))).error_codes)
    local text = assertion()
    local head, _, signature = text:match "^([^.]+)%.([^.]+)%.([^.]+)$"
    local changed = core.base64.encode_url(json.encode { aud = endpoint(), iss = tenant.client_id,
      sub = tenant.client_id, jti = "another", exp = 4e9 })
    assert.same({ 700027 }, select(2, ask(head .. "." .. changed .. "." .. signature)).error_codes)
  end)

  it("refuses one whose certificate has expired", function()
    tenant:advance(100 * 86400)
    assert.same({ 700027 }, select(2, ask(assertion())).error_codes)
  end)

  it("is asked for the right application", function()
    for number, fields in pairs { [7000112] = { disabled = true }, [700025] = { public = true },
      [53003] = { refuse = 53003 }, [90033] = { refuse = 90033 } } do
      fields.client_id, fields.certificates = tenant.client_id, { one.certificate }
      tenant:put_application(fields)
      local _, answer = ask(assertion())
      assert.same({ number }, answer.error_codes)
      assert.equal(number == 90033 and "temporarily_unavailable" or answer.error, answer.error)
    end
  end)
end)

describe("the tenant", function()
  it("tells a client library where it signs in", function()
    local tenant = sim.new()
    local base = "https://login.microsoftonline.com/"
    local function get(path)
      local response = tenant:handle { method = "GET", url = base .. path }
      return response.status, json.decode(response.body)
    end
    local status, answer = get(tenant.tenant_id .. "/v2.0/.well-known/openid-configuration")
    assert.equal(200, status)
    assert.equal(base .. tenant.tenant_id .. "/oauth2/v2.0/token", answer.token_endpoint)
    assert.equal(base .. tenant.tenant_id .. "/discovery/v2.0/keys", answer.jwks_uri)
    status, answer = get(tenant.tenant_id .. "/discovery/v2.0/keys")
    assert.equal(200, status)
    assert.same({}, answer.keys)
    status, answer = get "common/discovery/instance?api-version=1.1&authorization_endpoint=x"
    assert.equal(200, status)
    assert.equal("login.microsoftonline.com", answer.metadata[1].preferred_network)
    status, answer = get "7e000000-0000-4000-8000-0000000000ff/v2.0/.well-known/openid-configuration"
    assert.equal(400, status)
    assert.same({ 90002 }, answer.error_codes)
  end)

  it("takes the tokens of its own cloud", function()
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

  it("lets the roles of a token be those of the day on which it was issued", function()
    local tenant = sim.new { roles = {} }
    local client = caller.new(tenant)
    assert.equal(403, (client:get "machines").status)
    tenant:put_application { client_id = tenant.client_id, client_secret = tenant.client_secret,
      roles = { "Machine.Read.All" } }
    assert.equal(403, (client:get "machines").status)
    client.access_token = nil
    assert.equal(200, (client:get "machines").status)
  end)

  it("challenges those who say that they understand it", function()
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
