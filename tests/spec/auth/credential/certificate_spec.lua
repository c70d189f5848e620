-- credential.certificate: an assertion that the certificate's private key has signed.

local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local mde = require "mde"
local openssl = require "mde.sim.identity.openssl_command"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"
local token_requests = require "tests.spec.support.token_request"

local posted = token_requests.posted

-- The header of an assertion, what was signed, and the signature.
local function parts_of(assertion)
  local head, body, signature = assertion:match "^([^.]+)%.([^.]+)%.([^.]+)$"
  return json.decode(core.base64.decode(head)), head .. "." .. body, core.base64.decode(signature)
end

describe("a certificate", function()
  local one

  setup(function() one = certificates.new() end)
  teardown(certificates.remove)

  for _, algorithm in ipairs { "PS256", "RS256" } do
    it("signs an assertion that the command openssl verifies: " .. algorithm, function()
      local credential = mde.credential.certificate { path = one.path, algorithm = algorithm }
      local form = posted(credential)
      assert.equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", form.client_assertion_type)
      local header, message, signature = parts_of(form.client_assertion)
      assert.equal(algorithm, header.alg)
      assert.is_true(openssl.verifies(one.public_key, algorithm, message, signature))
      local other = certificates.new { name = "another" }
      assert.is_false(openssl.verifies(other.public_key, algorithm, message, signature))
    end)
  end

  it("never makes the same assertion twice", function()
    local credential = mde.credential.certificate(one.path)
    assert.not_equal(posted(credential).client_assertion, posted(credential).client_assertion)
  end)

  it("may be a text, have a password, and its key may live elsewhere", function()
    posted(mde.credential.certificate { pem = one.pem })
    certificates.openssl(one, "rsa -in key.pem -aes256 -passout pass:made-up -out locked.pem")
    local locked = shell.read_file(one.directory .. "/locked.pem") .. one.certificate
    posted(mde.credential.certificate { pem = locked, password = "made-up" })
    local key = require("mde.crypto").private_key(one.key)
    local asked
    local form = posted(mde.credential.certificate { pem = one.certificate, sign = function(message, algorithm)
      asked = algorithm
      return key:sign(algorithm, message)
    end })
    assert.equal("PS256", asked)
    local _, message, signature = parts_of(form.client_assertion)
    assert.is_true(openssl.verifies(one.public_key, "PS256", message, signature))
  end)

  it("that cannot be used says why, and what to do", function()
    local short, elliptic = certificates.new { bits = 1024 }, certificates.new { algorithm =
      "EC -pkeyopt ec_paramgen_curve:P-256" }
    certificates.openssl(one, "pkcs12 -export -in both.pem -out client.pfx -passout pass:")
    os.execute(("chmod 600 %s/client.pfx"):format(one.directory))
    certificates.openssl(one, "rsa -in key.pem -aes256 -passout pass:made-up -out locked.pem")
    local locked = shell.read_file(one.directory .. "/locked.pem") .. one.certificate
    for _, case in ipairs {
      { { path = "/nonexistent.pem" }, "No such file", "path", "credential_unreadable" },
      { { path = one.directory .. "/client.pfx" }, "PKCS#12", "openssl pkcs12 -in " .. one.directory .. "/client.pfx",
        "private_key_binary" },
      { { pem = locked }, "no password was given", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "private_key_password" },
      { { pem = locked, password = "other" }, "password of the private key is wrong", "AZURE_CLIENT_CERTIFICATE",
        "private_key_password" },
      { { pem = one.certificate }, "no private key", "RSA", "private_key_missing" },
      { { pem = one.key }, "no certificate", "registered", "certificate_unusable" },
      { { pem = one.key .. certificates.new({ name = "another" }).certificate }, "none of the certificates",
        "registered", "certificate_unusable" },
      { { pem = short.pem }, "shorter than 2048 bits", "2048", "private_key_kind" },
      { { pem = elliptic.pem }, "not an RSA key", "RSA", "private_key_kind" },
      { { pem = "nothing" }, "no PEM", "RSA", "private_key_missing" },
    } do
      local ok, err = pcall(mde.credential.certificate, case[1])
      assert.is_false(ok)
      assert.equal("auth", err.kind, tostring(err))
      assert.matches(case[2], err.message, 1, true)
      assert.matches(case[3], err.hint, 1, true)
      assert.equal(case[4], err.code)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.is_nil(tostring(err):find("PRIVATE KEY", 1, true))
    end
    for _, options in ipairs { {}, { path = "a", pem = "b" }, { pem = one.pem, algorithm = "ES256" }, { key = 1 } } do
      rehearsal.refused(mde.credential.certificate, options)
    end
  end)

  it("that has expired is not sent", function()
    local old = certificates.new { days = -1 }
    local request = token_requests.new()
    local answer, err = mde.credential.certificate(old.path):ask(request)
    assert.is_nil(answer)
    assert.is_nil(request.posted)
    assert.equal("auth", err.kind)
    assert.matches("expired on %d%d%d%d%-%d%d%-%d%d", err.message)
    assert.matches("CN=mde", err.message)
  end)

  it("that ends soon is remarked on", function()
    assert.same({}, mde.credential.certificate(one.path):remarks())
    assert.matches("ends in %d+ days", mde.credential.certificate(certificates.new({ days = 10 }).path):remarks()[1])
  end)

  it("signs in, and is read again when its file changes", function()
    local path = os.tmpname()
    local function put(which)
      shell.write_file(path, which.pem)
      os.execute("chmod 600 " .. path)
    end
    put(certificates.new { name = "another" })
    local r = rehearsal.new { client = { credential = mde.credential.certificate(path) } }
    r.tenant:put_application { client_id = r.tenant.client_id, certificates = { one.certificate },
      roles = { "Machine.Read.All" } }
    local machine, err = r.client:machine "desk-5"
    assert.is_nil(machine)
    assert.equal("AADSTS700027", err.code)
    assert.matches("AZURE_CLIENT_CERTIFICATE_PATH", err.hint)
    put(one)
    assert.truthy(r.client:machine "desk-5")
    os.remove(path)
  end)

  it("signs in where this machine's clock is two hours off", function()
    local r = rehearsal.new { start = os.time() + 7200.5,
      client = { credential = mde.credential.certificate(one.path) } }
    r.tenant:put_application { client_id = r.tenant.client_id, certificates = { one.certificate },
      roles = { "Machine.Read.All" } }
    assert.truthy(r.client:machine "desk-5")
    assert.equal(1, r:count "token_refused")
  end)
end)
