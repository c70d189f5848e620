-- credential: every way to prove who the application is, and what the sign-in service's refusals mean.
local rehearsal = require "tests.spec.support.rehearsal"

local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local managed_identity = require "mde.auth.credential.managed_identity"
local mde = require "mde"
local openssl = require "mde.sim.identity.openssl_command"
local refusal = require "mde.auth.credential.refusal"
local secret = require "mde.auth.credential.secret"
local shell = require "tests.spec.support.shell"

local VALUE = "a made-up value ~+/=%&"

-- A request that only notes what it is asked for.
local function request_of(answer)
  return {
    tenant_id = "t", client_id = "c", token_url = "https://login.example/t/oauth2/v2.0/token",
    scope = "https://api.securitycenter.microsoft.com/.default",
    post = function(self, fields)
      self.posted = fields
      return answer or { access_token = "a made-up token", expires_in = 3599 }
    end,
    time = function() return os.time() end, time_offset = function() return 0 end,
    show = tostring, keep_secret = function() end,
    resource = function() return "https://api.securitycenter.microsoft.com" end,
  }
end

-- What a credential posts to the token endpoint.
local function posted(credential)
  local request = request_of()
  assert(credential:ask(request))
  return request.posted
end

describe("a client secret", function()
  it("says what it has to send, and nothing to those who print it", function()
    local credential = secret.new(VALUE)
    assert.same({ client_secret = VALUE }, posted(credential))
    assert.is_nil(tostring(credential):find("made-up", 1, true))
    for name, value in pairs(credential) do
      assert.is_nil((tostring(name) .. tostring(value)):find("made-up", 1, true))
    end
    for _, value in ipairs(credential:secrets()) do
      assert.is_nil(tostring(value):find("made-up", 1, true))
    end
    assert.equal("say [redacted].", core.redact.known("say " .. VALUE .. ".", credential:secrets()))
  end)

  it("is the same by the face", function()
    assert.same({ client_secret = VALUE }, posted(mde.credential.secret(VALUE)))
  end)

  local wrong = {
    { "is nothing", nil, "empty" }, { "is empty", "", "empty" }, { "is a number", 7, "empty" },
    { "has a line end", "value\n", "line break" }, { "has a NUL", "val\0ue", "control character" },
    { "is a whole file", ("x"):rep(4097), "4,096" },
  }
  for _, case in ipairs(wrong) do
    it("is refused if it " .. case[1], function()
      local err = rehearsal.refused(secret.new, case[2])
      assert.matches(case[3], err.message)
      assert.is_string(err.hint)
      assert.is_nil(tostring(err):find("val", 1, true) and tostring(err):find("ue\\", 1, true))
    end)
  end

  it("reaches the sign-in service whatever characters it has", function()
    for _, value in ipairs { "~+/=%&", "a b c d", "\195\164\226\130\172 and more", [[quotes"'\]], "%41%20+" } do
      local r = rehearsal.new { client_secret = value, client = { credential = value } }
      assert.truthy(r.client:machine "desk-5")
    end
  end)

  it("may be one that the caller made", function()
    local r = rehearsal.new()
    r = rehearsal.new { client = { credential = secret.new(r.tenant.client_secret) } }
    assert.truthy(r.client:machine "desk-5")
  end)
end)

describe("a client secret in a file", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("is what the file has, without the end of its line", function()
    shell.write_file(path, VALUE .. "\n")
    assert.same({ client_secret = VALUE }, posted(mde.credential.secret_file(path)))
  end)

  it("is read again when the file has changed, which ends the memory of a failure", function()
    shell.write_file(path, "not the right one")
    local r = rehearsal.new { client = { credential = mde.credential.secret_file(path) } }
    local machine, err = r.client:machine "desk-5"
    assert.is_nil(machine)
    assert.equal("AADSTS7000215", err.code)
    machine, err = r.client:machine "desk-5"
    assert.is_nil(machine)
    assert.equal("AADSTS7000215", err.code)
    assert.is_number(err.age)
    assert.equal(1, r:count "token_refused")
    shell.write_file(path, r.tenant.client_secret .. " \n")
    assert.truthy(r.client:machine "desk-5")
    assert.equal(1, r:count "token_issued")
  end)

  it("stays what it was when the file cannot be read any more", function()
    local r = rehearsal.new()
    shell.write_file(path, r.tenant.client_secret)
    r = rehearsal.new { client = { credential = mde.credential.secret_file(path) } }
    os.remove(path)
    assert.truthy(r.client:machine "desk-5")
  end)

  it("that changes into one that cannot be read does not end the memory of a failure for good", function()
    shell.write_file(path, "not the right one")
    local r = rehearsal.new { client = { credential = mde.credential.secret_file(path) } }
    assert.is_nil(r.client:machine "desk-5")
    shell.write_file(path, "neither")
    os.execute("chmod 666 " .. path)
    for _ = 1, 5 do assert.equal("AADSTS7000215", select(2, r.client:machine "desk-5").code) end
    assert.equal(2, r:count "token_refused")
  end)

  it("that others may read is remarked on, and that everybody may write is refused", function()
    shell.write_file(path, VALUE)
    os.execute("chmod 600 " .. path)
    assert.same({}, mde.credential.secret_file(path):remarks())
    os.execute("chmod 644 " .. path)
    assert.matches("others", mde.credential.secret_file(path):remarks()[1])
    os.execute("chmod 666 " .. path)
    local ok, err = pcall(mde.credential.secret_file, path)
    assert.is_false(ok)
    assert.matches("everybody", err.message)
  end)

  it("that cannot be had is an error that names it", function()
    for _, case in ipairs { { "/nonexistent/secret", "No such file" }, { "/tmp", "regular file" } } do
      local ok, err = pcall(mde.credential.secret_file, case[1])
      assert.is_false(ok)
      assert.equal("auth", err.kind)
      assert.matches(case[1], err.message, 1, true)
      assert.matches(case[2], err.message, 1, true)
      assert.is_string(err.hint)
    end
  end)
end)

-- The parts of an assertion.
local function parts_of(assertion)
  local head, body, signature = assertion:match "^([^.]+)%.([^.]+)%.([^.]+)$"
  local decode = core.base64.decode
  return json.decode(decode(head)), json.decode(decode(body)), head .. "." .. body, decode(signature)
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
      local header, claims, message, signature = parts_of(form.client_assertion)
      assert.equal(algorithm, header.alg)
      assert.equal("JWT", header.typ)
      local crypto = require "mde.crypto"
      local certificate = crypto.certificate(one.pem)
      if algorithm == "PS256" then
        assert.equal(core.base64.encode_url(certificate.sha256), header["x5t#S256"])
      else
        assert.equal(core.base64.encode_url(certificate.sha1), header.x5t)
      end
      assert.equal("https://login.example/t/oauth2/v2.0/token", claims.aud)
      assert.equal("c", claims.iss)
      assert.equal("c", claims.sub)
      assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", claims.jti)
      assert.equal(claims.nbf, claims.iat)
      assert.equal(600, claims.exp - claims.nbf)
      assert.is_true(math.abs(claims.nbf - os.time()) < 5)
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
    local _, _, message, signature = parts_of(form.client_assertion)
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
    local request = request_of()
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

describe("a federated token", function()
  local issuer, path

  setup(function()
    issuer = certificates.new()
    path = os.tmpname()
  end)

  teardown(function()
    os.remove(path)
    certificates.remove()
  end)

  local function claims(changes)
    local all = { iss = "https://issuer.example", sub = "system:serviceaccount:a:b", aud = "api://AzureADTokenExchange",
      iat = os.time(), exp = os.time() + 600 }
    for name, value in pairs(changes or {}) do all[name] = value end
    return all
  end

  local function rehearse(changes, options)
    local r = rehearsal.new { client = { credential = mde.credential.federated(path) } }
    local trust = { issuer = "https://issuer.example", subject = "system:serviceaccount:a:b", key = issuer.public_key }
    for name, value in pairs(changes or {}) do trust[name] = value end
    r.tenant:put_application { client_id = r.tenant.client_id, federated = { trust }, roles = { "Machine.Read.All" } }
    shell.write_file(path, certificates.token(options and options.signer or issuer, claims(options and options.claims))
      .. "\n")
    return r
  end

  it("signs in, read anew for every request", function()
    local r = rehearse()
    assert.truthy(r.client:machine "desk-5")
    r.tenant:advance(3600)
    local next_one = certificates.token(issuer, claims { exp = os.time() + 7200 })
    shell.write_file(path, next_one)
    r.tenant.tokens = {}
    assert.truthy(r.client:machine "desk-5")
    assert.equal(2, r:count "token_issued")
    assert.equal("say [redacted].", core.redact.known("say " .. next_one .. ".",
      r.client.exchange.credential:secrets()))
  end)

  local refusals = {
    { "of another issuer", { issuer = "https://other.example" }, nil, "AADSTS700211", "issuer" },
    { "of another subject", { subject = "system:serviceaccount:a:c" }, nil, "AADSTS700213", "subject" },
    { "for somebody else", nil, { claims = { aud = "https://other.example" } }, "AADSTS700212", "audience" },
    { "that is over", nil, { claims = { exp = os.time() - 3600, iat = os.time() - 7200 } }, "AADSTS700024", "clock" },
    { "signed by somebody else", nil, { signer = true }, "AADSTS700027", "certificate" },
    { "whose trust was made a moment ago", { effective = os.time() + 600 }, nil, "AADSTS70021", "minutes" },
  }
  for _, case in ipairs(refusals) do
    it("is refused " .. case[1], function()
      local options = case[3]
      if options and options.signer then options = { signer = certificates.new { name = "another" } } end
      local r = rehearse(case[2], options)
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.equal(case[4], err.code)
      assert.matches(case[5], err.hint)
    end)
  end

  it("that is missing or no token is an error before anything is sent", function()
    local r = rehearse()
    os.remove(path)
    local _, err = r.client:machine "desk-5"
    assert.equal("auth", err.kind)
    assert.matches("No such file", err.message)
    assert.matches("AZURE_FEDERATED_TOKEN_FILE", err.hint)
    shell.write_file(path, "two words")
    _, err = r.client:machine "desk-5"
    assert.matches("no JSON Web Token", err.message)
    assert.equal(0, r:count "token_refused")
  end)

  it("may come from a function", function()
    rehearse()
    local token = shell.read_file(path):gsub("%s+$", "")
    local credential = mde.credential.federated(function(application)
      assert.same({ tenant_id = "t", client_id = "c" }, application)
      return token
    end)
    local form = posted(credential)
    assert.equal(token, form.client_assertion)
  end)
end)

describe("a function that gets tokens", function()
  local function of_tenant(r)
    return require("mde.sim.base.json").decode(r.tenant:handle { method = "POST",
      url = ("/%s/oauth2/v2.0/token"):format(r.tenant.tenant_id),
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      body = require("tests.spec.support.caller").form { grant_type = "client_credentials", scope =
        "https://api.securitycenter.microsoft.com/.default", client_id = r.tenant.client_id,
        client_secret = r.tenant.client_secret } }.body)
  end

  it("is asked once for as long as the token lives", function()
    local r, asked = nil, {}
    r = rehearsal.new { client = { credential = function(wanted)
      asked[#asked + 1] = wanted
      local answer = of_tenant(r)
      return answer.access_token, answer.expires_in
    end } }
    for _ = 1, 3 do assert.truthy(r.client:machine "desk-5") end
    assert.equal(1, #asked)
    assert.equal("https://api.securitycenter.microsoft.com/.default", asked[1].scope)
    r.tenant:advance(3590)
    assert.truthy(r.client:machine "desk-5")
    assert.equal(2, #asked)
  end)

  it("may return the token endpoint's answer", function()
    local r
    r = rehearsal.new { client = { credential = mde.credential.token(function() return of_tenant(r) end) } }
    assert.truthy(r.client:machine "desk-5")
  end)

  it("that gets none is an error with its reason", function()
    for _, case in ipairs {
      { function() return nil, "the vault is sealed" end, "the vault is sealed" },
      { function() error "something broke" end, "something broke" },
      { function() return "" end, "no access_token" },
      { function() return "two words" end, "characters that no token has" },
      { function() return 7 end, "no access_token" },
      { function() end, "no reason" },
    } do
      local r = rehearsal.new { client = { credential = mde.credential.token(case[1]) } }
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.matches(case[2], err.message, 1, true)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end
    rehearsal.refused(mde.credential.token, "a token")
  end)
end)

describe("a managed identity", function()
  local environment, getenv, directory

  setup(function()
    directory = shell.new_directory()
    getenv = os.getenv
    os.getenv = function(name) return environment[name] end -- luacheck: ignore
  end)

  teardown(function()
    os.getenv = getenv -- luacheck: ignore
    shell.remove(directory)
  end)

  before_each(function() environment = {} end)

  local function rehearse(source, of_credential, of_tenant)
    local template = require("mde.sim").new { machines = {} }
    environment = template:identity_env(source, "http://127.0.0.1:40342")
    of_credential = of_credential or {}
    if source == "arc" then of_credential.tokens_directory = directory end
    of_tenant = of_tenant or {}
    of_tenant.arc = of_tenant.arc or {}
    of_tenant.arc.directory = directory
    of_tenant.client = { credential = mde.credential.managed_identity(of_credential) }
    return rehearsal.new(of_tenant)
  end

  local other = { client_id = "1d000000-0000-4000-8000-0000000000a1",
    object_id = "1d000000-0000-4000-8000-0000000000a2",
    resource_id = "/subscriptions/a/resourcegroups/b/identities/c", roles = { "Machine.Read.All" } }

  for _, source in ipairs { "imds", "app_service", "arc" } do
    it("signs in: " .. source, function()
      local r = rehearse(source)
      assert.truthy(r.client:machine "desk-5")
      assert.equal(1, r:count "token_issued")
      for _, entry in ipairs(r.tenant.history) do
        if entry.event == "token_issued" then assert.equal("managed_identity", entry.credential) end
      end
    end)

    for _, name in ipairs { "client_id", "object_id", "resource_id" } do
      it(("may be one of several: %s, %s"):format(source, name), function()
        local r = rehearse(source, { [name] = other[name] }, { identities = { other } })
        assert.truthy(r.client:machine "desk-5")
      end)
    end

    it("that is not assigned is an error that says so: " .. source, function()
      local r = rehearse(source, nil, { identities = { other } })
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.matches(source == "arc" and "Connect" or "Assign a managed identity", err.hint)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)

    it("without roles is an error that names the permission: " .. source, function()
      local r = rehearse(source, nil, { identities = { { client_id = other.client_id, system = true } } })
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("permission", err.kind)
      assert.matches("Machine.Read.All", err.hint, 1, true)
      assert.matches("its token has none", err.hint, 1, true)
    end)
  end

  it("of a virtual machine is asked again while its endpoint is away", function()
    for _, status in ipairs { 404, 410, 429, 500, 503 } do
      local r = rehearse "imds"
      r:fault { fault = "answer", status = status, match = { path = "/metadata/" }, count = 2 }
      assert.truthy(r.client:machine "desk-5")
    end
    local r = rehearse "imds"
    r:fault { fault = "answer", status = 404, match = { path = "/metadata/" }, count = false }
    local _, err = r.client:machine "desk-5"
    assert.equal("unavailable", err.kind)
    assert.matches("Only a virtual machine in Azure", err.hint)
  end)

  it("of a virtual machine that is none says what else there is", function()
    local r = rehearse "imds"
    r:fault { fault = "refuse", count = false }
    local _, err = r.client:machine "desk-5"
    assert.equal("unavailable", err.kind)
    assert.matches("AZURE_CLIENT_CERTIFICATE_PATH", err.hint)
  end)

  it("of an app follows its header", function()
    local r = rehearse "app_service"
    r.tenant:set { app_header = "another made-up header" }
    local _, err = r.client:machine "desk-5"
    assert.equal("auth", err.kind)
    assert.matches("IDENTITY_HEADER", err.hint)
    environment.IDENTITY_HEADER = "another made-up header"
    r.tenant:advance(61)
    assert.truthy(r.client:machine "desk-5")
    assert.equal("say [redacted].", core.redact.known("say another made-up header.",
      r.client.exchange.credential:secrets()))
  end)

  for _, case in ipairs { { "outside", "not a .key file directly in" }, { "extension", "not a .key file" },
    { "large", "longer than 4,096 bytes" }, { "missing", "cannot be read" }, { "none", "does not name a key file" } } do
    it("of Azure Arc refuses a key file that is " .. case[1], function()
      local r = rehearse("arc", nil, { arc = { challenge = case[1] } })
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.matches(case[2], err.message, 1, true)
      assert.is_string(err.hint)
      assert.equal(0, r:count "token_issued")
    end)
  end

  it("of Azure Arc refuses a key file below its folder, above it, or with an odd name", function()
    for _, path in ipairs { directory .. "/x/a.key", directory .. "/../a.key", directory .. "/.key", "a.key", "/",
      directory .. "/a b.key", directory .. "//a.key" } do
      local r = rehearse "arc"
      r:fault { fault = "answer", status = 401, headers = { ["WWW-Authenticate"] = 'Basic realm="' .. path .. '"' },
        match = { path = "/metadata/" }, count = false }
      local _, err = r.client:machine "desk-5"
      assert.matches("not a .key file", err.message, 1, true, path)
    end
  end)

  it("is chosen by what the environment says", function()
    local sim = require("mde.sim").new { machines = {} }
    for _, source in ipairs { "imds", "app_service", "arc" } do
      environment = sim:identity_env(source, "http://127.0.0.1:40342")
      assert.equal(source, managed_identity.detect())
    end
    environment = {}
    assert.is_nil(managed_identity.detect())
    for _, of_other in ipairs {
      { IDENTITY_ENDPOINT = "https://a.example", IDENTITY_HEADER = "x", IDENTITY_SERVER_THUMBPRINT = "y" },
      { MSI_ENDPOINT = "http://localhost/x" }, { MSI_ENDPOINT = "http://localhost/x", MSI_SECRET = "y" } } do
      environment = of_other
      assert.matches("not supported", rehearsal.refused(managed_identity.detect).message)
    end
  end)

  it("is not asked for elsewhere than on this machine and beside it", function()
    for _, url in ipairs { "http://10.0.0.1/msi/token", "http://identity.example/msi/token", "ftp://127.0.0.1/",
      "http://127.0.0.1.example/", "http://user@127.0.0.1/", "http://127.0.0.1/ x", "nothing" } do
      environment = { IDENTITY_ENDPOINT = url, IDENTITY_HEADER = "a made-up header" }
      assert.matches("IDENTITY_ENDPOINT", rehearsal.refused(mde.credential.managed_identity).message, 1, true, url)
    end
  end)

  it("takes no options that contradict one another", function()
    for _, options in ipairs { { client_id = "a", object_id = "b" }, { source = "vm" }, { id = "a" },
      { source = "imds", tokens_directory = "/tmp" } } do
      rehearsal.refused(mde.credential.managed_identity, options)
    end
  end)

  it("whose agent gives another's token is an error", function()
    local r = rehearse("imds", { client_id = other.client_id })
    r:answer({ path = "/metadata/" }, 200, { access_token = "a.b.c", expires_in = "3599", token_type = "Bearer",
      client_id = "1d000000-0000-4000-8000-0000000000ff" })
    local _, err = r.client:machine "desk-5"
    assert.equal("auth", err.kind)
    assert.matches("not of " .. other.client_id, err.message, 1, true)
  end)
end)

describe("the environment", function()
  local environment, getenv, one

  setup(function()
    one = certificates.new()
    getenv = os.getenv
    os.getenv = function(name) return environment[name] end -- luacheck: ignore
  end)

  teardown(function()
    os.getenv = getenv -- luacheck: ignore
    certificates.remove()
  end)

  local ids = { AZURE_TENANT_ID = "corp.example", AZURE_CLIENT_ID = "c1000000-0000-4000-8000-0000000000c1" }

  local function kind_of(variables)
    environment = {}
    for name, value in pairs(ids) do environment[name] = value end
    for name, value in pairs(variables) do environment[name] = value end
    local client, err = mde.client { driver = { send = print } }
    return client and client.exchange.credential.kind, err
  end

  it("names credentials in the order of the SDKs", function()
    local all = { AZURE_CLIENT_SECRET = "a made-up value", MDE_CLIENT_SECRET_FILE = one.path,
      AZURE_CLIENT_CERTIFICATE_PATH = one.path, AZURE_FEDERATED_TOKEN_FILE = "/nonexistent",
      AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://127.0.0.1:1" }
    assert.equal("secret", kind_of(all))
    all.AZURE_CLIENT_SECRET = ""
    all.MDE_CLIENT_SECRET_FILE = nil
    assert.equal("certificate", kind_of(all))
    all.AZURE_CLIENT_CERTIFICATE_PATH = nil
    assert.equal("federated", kind_of(all))
    all.AZURE_FEDERATED_TOKEN_FILE = nil
    assert.equal("managed identity", kind_of(all))
  end)

  it("may narrow the choice down", function()
    local all = { AZURE_CLIENT_SECRET = "a made-up value", AZURE_FEDERATED_TOKEN_FILE = "/nonexistent" }
    for choice, kind in pairs { prod = "secret", EnvironmentCredential = "secret", managedidentitycredential =
      "managed identity", WorkloadIdentityCredential = "federated" } do
      all.AZURE_TOKEN_CREDENTIALS = choice
      assert.equal(kind, kind_of(all))
    end
    all.AZURE_TOKEN_CREDENTIALS = "AzureCliCredential"
    local client, err = kind_of(all)
    assert.is_nil(client)
    assert.matches("AZURE_TOKEN_CREDENTIALS", err.message)
  end)

  it("needs no ids for a managed identity, and all of them for the others", function()
    environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://127.0.0.1:1" }
    assert.truthy(mde.client { driver = { send = print } })
    environment = { AZURE_CLIENT_CERTIFICATE_PATH = one.path }
    local _, err = mde.client { driver = { send = print } }
    assert.matches("AZURE_TENANT_ID, AZURE_CLIENT_ID", err.message, 1, true)
    assert.is_nil(err.message:find("SECRET", 1, true))
  end)

  it("is blamed by the variable's name", function()
    local _, err = kind_of { AZURE_CLIENT_CERTIFICATE_PATH = "/nonexistent.pem" }
    assert.equal("invalid", err.kind)
    assert.matches("AZURE_CLIENT_CERTIFICATE_PATH: ", err.message, 1, true)
    _, err = kind_of { MDE_CLIENT_SECRET_FILE = "/nonexistent" }
    assert.matches("MDE_CLIENT_SECRET_FILE: ", err.message, 1, true)
  end)
end)

describe("a refusal", function()
  local function read(fields)
    return refusal.read(json.encode(fields))
  end

  it("has a code, one line, a hint and an id", function()
    local code, description, hint, id = read {
      error = "invalid_client", error_codes = { 7000215 }, trace_id = "a-trace",
      error_description = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: a-trace\r\nTimestamp: now" }
    assert.equal("AADSTS7000215", code)
    assert.equal("AADSTS7000215: Invalid client secret provided.", description)
    assert.matches("AZURE_CLIENT_SECRET", hint)
    assert.equal("a-trace", id)
  end)

  it("is known by its description where the list of numbers is missing", function()
    local code, _, hint = read { error = "invalid_client", error_description = "AADSTS7000222: Expired." }
    assert.equal("AADSTS7000222", code)
    assert.matches("expired", hint)
  end)

  it("has a hint for what people get wrong", function()
    local expected = {
      [7000215] = "AZURE_CLIENT_SECRET", [7000222] = "expired", [700016] = "AZURE_CLIENT_ID",
      [90002] = "AZURE_TENANT_ID", [900382] = "MDE_CLOUD", [500011] = "Defender", [650052] = "Defender",
      [70011] = "MDE_SCOPE", [65001] = "consent", [700025] = "public client", [7000112] = "disabled",
      [50105] = "assignment", [53003] = "Conditional Access", [700027] = "AZURE_CLIENT_CERTIFICATE_PATH",
      [700024] = "clock", [70021] = "federated credential", [700211] = "issuer", [700212] = "audience",
      [700213] = "subject", [50196] = "one is enough", [90055] = "throttling",
    }
    for number, words in pairs(expected) do
      local code, _, hint = read { error = "x", error_codes = { number } }
      assert.equal("AADSTS" .. ("%d"):format(number), code)
      assert.matches(words, hint, 1, true)
    end
  end)

  it("of every number that is known says what is wrong, where to mend it, and whether to try again", function()
    local numbers = [[7000215 70002 7000222 7000218 900144 90014 700025 700027 50012 900384 700030 50048 700024 70021
      700211 700212 700213 700229 700016 700011 90002 50059 50128 90019 90038 900382 900432 500011 50001 650057 650052
      70011 28002 700022 700023 65001 650056 90094 90008 70001 7000112 1000031 50105 53003 530032 530035 50196 90055
      90006 90012 90024 90033 90090 50033 90036 90092 50000]]
    local again = { [50196] = true, [90055] = true, [90006] = true, [90012] = true, [90024] = true, [90033] = true,
      [90090] = true, [50033] = true, [90036] = true, [90092] = true, [50000] = true }
    for number in numbers:gmatch "%d+" do
      local hint = refusal.hint(tonumber(number))
      assert.is_string(hint, number)
      assert.is_true(#hint > 40 and rehearsal.is_one_line(hint), number)
      assert.equal(again[tonumber(number)] or false, hint:find("Try again in a minute", 1, true) ~= nil, number)
    end
  end)

  it("that only asks for patience is tried again, and told apart from a no", function()
    for number, requests in pairs { [90033] = 4, [53003] = 1 } do
      local r = rehearsal.new()
      r.tenant:put_application { client_id = r.tenant.client_id, client_secret = r.tenant.client_secret,
        refuse = number }
      local _, err = r.client:machine "desk-5"
      assert.equal(requests == 4 and "unavailable" or "auth", err.kind)
      assert.equal(("AADSTS%d"):format(number), err.code)
      assert.equal(requests, r:count "token_refused")
    end
  end)

  it("without a number is known by its OAuth name, without a hint", function()
    local code, description, hint = read { error = "temporarily_unavailable" }
    assert.equal("temporarily_unavailable", code)
    assert.is_nil(description)
    assert.is_nil(hint)
  end)

  it("that is none says nothing", function()
    for _, body in ipairs { "", "<html>", "null", "7", "[]", "{}", '{"error":{}}', '{"error":7}', '{"error":""}',
        '{"error_codes":{}}', '{"error_codes":[null]}' } do
      assert.is_nil((refusal.read(body)))
    end
  end)
end)
