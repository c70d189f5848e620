-- Client assertions: what the sign-in service takes, and what it refuses of one that proves nothing.
-- Labels: only-lua5.4

local caller = require "tests.spec.support.caller"
local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local RESOURCE = "https://api.securitycenter.microsoft.com"

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
    local digest = assert(crypto.certificates(one.certificate))[1].sha256
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
    local certificate = require("mde.crypto").certificates(one.certificate)[1]
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
