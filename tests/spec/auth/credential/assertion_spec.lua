-- credential.assertion: what an application with a certificate says of itself, and for how long it holds.

local assertions = require "mde.auth.credential.assertion"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local token_requests = require "tests.spec.support.token_request"

local NOW = 1770113472.75

local function credential_of(algorithm, signature, problem)
  return { algorithm = algorithm, certificate = { sha256 = ("\1"):rep(32), sha1 = ("\2"):rep(20) },
    signature = function(self, message)
      self.message = message
      return signature, problem
    end }
end

-- An assertion's header, claims, both as they were signed, and the signature.
local function parts_of(assertion)
  local head, body, signature = assertion:match "^([^.]+)%.([^.]+)%.([^.]+)$"
  local decode = core.base64.decode
  return json.decode(decode(head)), json.decode(decode(body)), head .. "." .. body, decode(signature)
end

describe("an assertion", function()
  for algorithm, case in pairs { PS256 = { "x5t#S256", ("\1"):rep(32) }, RS256 = { "x5t", ("\2"):rep(20) } } do
    it("names its algorithm and the certificate's digest: " .. algorithm, function()
      local credential = credential_of(algorithm, "\0signature\255")
      local header, _, message, signature = parts_of(assertions.make(credential, token_requests.new(), NOW))
      assert.same({ alg = algorithm, typ = "JWT", [case[1]] = core.base64.encode_url(case[2]) }, header)
      assert.equal(credential.message, message)
      assert.equal("\0signature\255", signature)
    end)
  end

  it("has the certificate and its chain in it where they are asked for, in plain base64 (RFC 7515, 4.1.6)", function()
    local credential = credential_of("PS256", "x")
    credential.certificate.der, credential.certificate.chain = "\255\254\253\252", { "\251\255\190", "three" }
    assert.is_nil(parts_of(assertions.make(credential, token_requests.new(), NOW)).x5c)
    credential.sends_chain = true
    assert.same({ "//79/A==", "+/++", "dGhyZWU=" },
      parts_of(assertions.make(credential, token_requests.new(), NOW)).x5c)
  end)

  it("is about the application, for one token endpoint, for ten minutes from a whole second on", function()
    local _, claims = parts_of(assertions.make(credential_of("PS256", "x"), token_requests.new(), NOW))
    local jti = claims.jti
    claims.jti = nil
    assert.same({ aud = "https://login.example/t/oauth2/v2.0/token", iss = "c", sub = "c", nbf = 1770113472,
      iat = 1770113472, exp = 1770114072 }, claims)
    assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", jti)
  end)

  it("is never the same", function()
    local seen, credential = {}, credential_of("PS256", "x")
    for _ = 1, 100 do
      local _, claims = parts_of(assertions.make(credential, token_requests.new(), NOW))
      assert.is_nil(seen[claims.jti])
      seen[claims.jti] = true
    end
  end)

  it("that cannot be signed is an error, with the reason made fit to be shown", function()
    local request = token_requests.new()
    request.show = function(text) return "[" .. text .. "]" end
    local assertion, err = assertions.make(credential_of("PS256", nil, "the token was pulled out"), request, NOW)
    assert.is_nil(assertion)
    assert.equal("auth", err.kind)
    assert.matches("[the token was pulled out]", err.message, 1, true)
    assert.is_string(err.hint)
  end)
end)
