-- credential.certificate: an assertion that the certificate's private key has signed.
-- Labels: not-lua5.3

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
    local renewed = certificates.of_key(one.key, { till = 400 })
    certificates.openssl(one, "pkcs12 -export -in both.pem -out client.pfx -passout pass:")
    os.execute(("chmod 600 %s/client.pfx"):format(one.directory))
    certificates.openssl(one, "rsa -in key.pem -aes256 -passout pass:made-up -out locked.pem")
    local locked = shell.read_file(one.directory .. "/locked.pem") .. one.certificate
    certificates.openssl(one, "rsa -in key.pem -aes256 -traditional -passout pass:made-up -out traditional.pem")
    local traditional = shell.read_file(one.directory .. "/traditional.pem")
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
      { { pem = one.pem .. certificates.new({ name = "another" }).key }, "two private keys", "a file of its own",
        "private_key_several" },
      { { pem = one.key:gsub("%-%-%-%-%-END.*", "") }, "has no line -----END", "BEGIN", "pem_malformed" },
      { { pem = one.pem:gsub("%-%-%-%-%-END CERT.*", "") }, "has no line -----END", "BEGIN", "pem_malformed" },
      { { pem = one.pem .. renewed:gsub("%-%-%-%-%-END CERT.*", "") }, "no line -----END", "BEGIN", "pem_malformed" },
      { { pem = one.pem .. renewed:gsub("MII", "MIX") .. renewed }, "cannot be read", "BEGIN", "pem_malformed" },
      { { pem = one.pem .. renewed:gsub("MII", "M!I") .. renewed }, "cannot be read", "BEGIN", "pem_malformed" },
      { { pem = one.pem:gsub(".", "%0\0") }, "UTF-16", "UTF-8", "pem_malformed" },
      { { pem = "\255\254" .. one.pem:gsub(".", "%0\0") }, "UTF-16", "UTF-8", "pem_malformed" },
      { { pem = core.base64.encode(one.pem) }, "base64 of a PEM text", "BEGIN", "pem_malformed" },
      { { pem = "0 private keys" }, "there is no PEM text in it", "PEM file", "private_key_missing" },
      { { pem = traditional:gsub("\n", " ") }, "have become one", "BEGIN", "pem_malformed" },
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

  -- The thumbprint, as openssl tells it, of what an assertion names.
  local function used(credential)
    local header = parts_of(posted(credential).client_assertion)
    return (core.base64.decode(header["x5t#S256"]))
  end

  local function thumbprint(pem)
    return openssl.certificate(pem).sha256
  end

  describe("of several of its key", function()
    local old, renewed, early

    setup(function()
      old = certificates.of_key(one.key, { from = -400, till = -1, subject = "old" })
      renewed = certificates.of_key(one.key, { from = -2, till = 400, subject = "renewed" })
      early = certificates.of_key(one.key, { from = 10, till = 800, subject = "early" })
    end)

    it("is the valid one that ends last, wherever it stands", function()
      local stranger = certificates.new({ name = "another" }).certificate
      for _, texts in ipairs {
        { one.key, old, renewed }, { one.key, renewed, old }, { old, one.key, renewed }, { old, renewed, one.key },
        { one.key, one.certificate, renewed }, { one.key, renewed, one.certificate }, { one.key, early, renewed, old },
        { stranger, old, one.key, stranger, renewed, stranger }, { one.key, old, one.key, renewed },
        { one.key:gsub("\n$", ""), old:gsub("\n$", ""), (renewed:gsub("\n$", "")) },
      } do
        local credential = mde.credential.certificate { pem = table.concat(texts) }
        assert.equal(thumbprint(renewed), used(credential))
        local facts = {}
        for _, fact in ipairs(credential:about()) do facts[fact.name] = fact.value end
        assert.equal("/CN=renewed", facts.certificate)
        assert.equal(openssl.certificate(renewed).sha1, (facts.thumbprint:gsub("%x%x", function(pair)
          return string.char(tonumber(pair, 16))
        end)))
        assert.equal(os.date("!%Y-%m-%dT%H:%M:%SZ", openssl.certificate(renewed).till), facts["certificate ends"])
        assert.matches("^%d of this key$", facts["chosen from"])
        assert.same({}, credential:remarks())
      end
    end)

    it("is the same for a key that lives elsewhere", function()
      local key = require("mde.crypto").private_key(one.key)
      local credential = mde.credential.certificate { pem = old .. renewed .. certificates.new({ name = "another" })
        .certificate, sign = function(message, algorithm) return key:sign(algorithm, message) end }
      assert.equal(thumbprint(renewed), used(credential))
    end)

    it("is chosen for every request, by the service's time", function()
      local credential = mde.credential.certificate { pem = one.key .. renewed .. early }
      assert.equal(thumbprint(renewed), used(credential))
      local request = token_requests.new()
      request.time = function() return os.time() + 20 * 86400 end
      assert(credential:ask(request))
      local header = parts_of(request.posted.client_assertion)
      assert.equal(thumbprint(early), core.base64.decode(header["x5t#S256"]))
    end)

    it("is none if none is valid, and the error says when each ended or begins", function()
      local older = certificates.of_key(one.key, { from = -800, till = -400, subject = "older" })
      local function refused(pem)
        local request = token_requests.new()
        local credential = mde.credential.certificate { pem = pem }
        local answer, err = credential:ask(request)
        assert.is_nil(answer)
        assert.is_nil(request.posted)
        assert.equal("auth", err.kind)
        assert.is_true(rehearsal.is_one_line(tostring(err)))
        assert.equal(err.message, credential:remarks()[1])
        return err
      end
      local function day(pem) return os.date("!%Y%%-%m%%-%d", openssl.certificate(pem).till) end
      assert.matches("^the certificate %(/CN=old%) expired on", refused(one.key .. old .. old).message)
      local err = refused(one.key .. older .. old .. older)
      assert.equal("certificate_expired", err.code)
      assert.matches("none of the 2", err.message)
      assert.matches("/CN=older, thumbprint %x+%) expired on " .. day(older), err.message)
      assert.matches("/CN=old, thumbprint %x+%) expired on " .. day(old), err.message)
      err = refused(one.key .. early)
      assert.equal("certificate_not_yet_valid", err.code)
      assert.matches("/CN=early%) is not valid before %d%d%d%d", err.message)
      assert.matches("clock", err.hint)
      err = refused(one.key .. old .. early)
      assert.equal("certificate_expired", err.code)
      assert.matches("expired on .*is not valid before", err.message)
      assert.matches("clock", err.hint)
    end)

    it("is not said to end soon where another follows", function()
      local soon = certificates.of_key(one.key, { till = 12.5 })
      assert.matches("ends in 12 days", mde.credential.certificate { pem = one.key .. soon }:remarks()[1])
      assert.same({}, mde.credential.certificate { pem = one.key .. soon .. early }:remarks())
      early = certificates.of_key(one.key, { from = 20, till = 800, subject = "early" })
      assert.matches("ends in 12 days", mde.credential.certificate { pem = one.key .. soon .. early }:remarks()[1])
    end)

    it("signs in with a renewed one behind the one that has expired", function()
      local credential = mde.credential.certificate { pem = one.key .. old .. renewed }
      local r = rehearsal.new { client = { credential = credential } }
      r.tenant:put_application { client_id = r.tenant.client_id, certificates = { renewed },
        roles = { "Machine.Read.All" } }
      assert.truthy(r.client:machine "desk-5")
    end)
  end)

  describe("whose text was flattened on its way", function()
    local function flattened(change)
      posted(mde.credential.certificate { pem = change(one.pem) })
      posted(mde.credential.certificate { pem = change(certificates.new({ name = "another" }).certificate .. one.pem) })
    end

    for what, change in pairs {
      ["with \\n for its line ends"] = function(text) return (text:gsub("\n", "\\n")) end,
      ["with \\\\n for its line ends"] = function(text) return (text:gsub("\n", "\\\\n")) end,
      ["with \\r\\n for its line ends"] = function(text) return (text:gsub("\n", "\\r\\n")) end,
      ["into one line"] = function(text) return (text:gsub("\n", " ")) end,
      ["into one line without blanks"] = function(text) return (text:gsub("\n", "")) end,
      ["with quotes around it"] = function(text) return '"' .. text:gsub("\n", "\\n") .. '"' end,
      ["with line ends of Windows"] = function(text) return (text:gsub("\n", "\r\n")) end,
      ["with a byte order mark before it"] = function(text) return "\239\187\191" .. text end,
      ["with an END glued to a BEGIN"] = function(text) return (text:gsub("%-\n%-", "--")) end,
      ["with its lines indented"] = function(text) return (text:gsub("[^\n]+", "    %0 ")) end,
    } do
      it("is understood " .. what, function() flattened(change) end)
    end

    it("is understood with a password", function()
      certificates.openssl(one, "rsa -in key.pem -aes256 -traditional -passout pass:made-up -out traditional.pem")
      for _, ends in ipairs { "\\n", "\r\n", "\n  " } do
        local pem = (shell.read_file(one.directory .. "/traditional.pem") .. one.certificate):gsub("\n", ends)
        posted(mde.credential.certificate { pem = pem, password = "made-up" })
      end
    end)

    it("is understood in a file, too, but for UTF-16", function()
      local path = os.tmpname()
      finally(function() os.remove(path) end)
      shell.write_file(path, "\239\187\191" .. one.pem:gsub("\n", "\\n") .. "\r\n")
      posted(mde.credential.certificate(path))
      shell.write_file(path, "\255\254" .. one.pem:gsub(".", "%0\0"))
      local ok, err = pcall(mde.credential.certificate, path)
      assert.is_false(ok)
      assert.equal("credential_unreadable", err.code)
      assert.matches("UTF-16", err.message, 1, true)
      assert.matches("Save it as UTF-8", err.hint, 1, true)
    end)
  end)

  it("is sent along with what leads to its root, if that is asked for", function()
    local root = certificates.new { name = "root" }
    local middle = certificates.new { name = "middle" }
    local of_root = certificates.of_key(root.key, { subject = "root", ca = true })
    local old_middle = certificates.of_key(middle.key, { subject = "middle", issuer = "root", issuer_key = root.key,
      ca = true, from = -20, till = -1 })
    local of_middle = certificates.of_key(middle.key, { subject = "middle", issuer = "root", issuer_key = root.key,
      ca = true })
    local leaf = certificates.of_key(one.key, { issuer = "middle", issuer_key = middle.key })
    local function x5c_of(options)
      local list = parts_of(posted(mde.credential.certificate(options)).client_assertion).x5c
      for i, der in ipairs(list or {}) do
        assert.is_nil(der:find "[^A-Za-z0-9+/=]")
        list[i] = core.base64.decode(der)
      end
      return list
    end
    local function der_of(...)
      local list = {}
      for i, pem in ipairs { ... } do
        list[i] = core.base64.decode((pem:match("%-\n(.-)\n%-"):gsub("\n", "")))
      end
      return list
    end
    local pem = of_root .. old_middle .. one.key .. of_middle .. leaf .. root.certificate
    assert.is_nil(x5c_of { pem = pem })
    assert.is_nil(x5c_of { pem = pem, send_certificate_chain = false })
    assert.same(der_of(leaf, of_middle, of_root), x5c_of { pem = pem, send_certificate_chain = true })
    assert.same(der_of(leaf, of_middle), x5c_of { pem = one.key .. leaf .. of_middle, send_certificate_chain = true,
      algorithm = "RS256" })
    assert.same(der_of(one.certificate), x5c_of { pem = one.pem, send_certificate_chain = true })
    local ok, err = pcall(mde.credential.certificate, { pem = pem, send_certificate_chain = "yes" })
    assert.is_false(ok)
    assert.equal("wrong_type", err.code)
  end)

  it("signs in by its subject and the authority over it, where its chain is sent", function()
    local root = certificates.new { name = "root" }
    local of_root = certificates.of_key(root.key, { subject = "root", ca = true })
    local function issued(subject, key)
      return certificates.of_key(one.key, { subject = subject, issuer = "root", issuer_key = key or root.key })
    end
    local function sign_in(leaf, sends)
      local credential = mde.credential.certificate { pem = one.key .. leaf .. of_root, send_certificate_chain = sends }
      local r = rehearsal.new { client = { credential = credential } }
      r.tenant:put_application { client_id = r.tenant.client_id, roles = { "Machine.Read.All" },
        trusted_subjects = { { subject = "CN=mde", authority = of_root } } }
      local machine, err = r.client:machine "desk-5"
      return machine and "in" or err.code, err
    end
    assert.equal("in", (sign_in(issued "mde", true)))
    assert.equal("in", (sign_in(certificates.of_key(one.key, { from = -9, till = -1, issuer = "root",
      issuer_key = root.key }) .. issued "mde", true)))
    assert.equal("AADSTS700027", (sign_in(issued "mde", false)))
    local code, err = sign_in(issued "another", true)
    assert.equal("AADSTS700030", code)
    assert.matches("subject or the issuer", err.hint, 1, true)
    assert.equal("AADSTS700030", (sign_in(issued("mde", one.key), true)))
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
    assert.matches(('check the file %q and option "client_id"'):format(path), err.hint, 1, true)
    put(one)
    assert.truthy(r.client:machine "desk-5")
    os.remove(path)
  end)

  it("that has changed into one that is of no use is refused until it is mended", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    shell.write_file(path, one.pem)
    local credential = mde.credential.certificate(path)
    posted(credential)
    shell.write_file(path, one.certificate)
    for _ = 1, 3 do
      local answer, err = credential:ask(token_requests.new())
      assert.is_nil(answer)
      assert.equal("private_key_missing", err.code)
    end
    shell.write_file(path, one.pem)
    posted(credential)
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
