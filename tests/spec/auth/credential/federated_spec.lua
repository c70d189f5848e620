-- credential.federated: a token of another identity provider.
-- Labels: not-lua5.3

local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"
local posted = require("tests.spec.support.token_request").posted

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
    assert.matches(("Check the file %q:"):format(path), err.hint, 1, true)
    shell.write_file(path, "\255\254t\0w\0o\0")
    _, err = r.client:machine "desk-5"
    assert.matches("UTF-16", err.message, 1, true)
    assert.matches("Save it as UTF-8", err.hint, 1, true)
    shell.write_file(path, "two words")
    _, err = r.client:machine "desk-5"
    assert.matches("no JSON Web Token", err.message)
    assert.equal(0, r:count "token_refused")
  end)

  it("may have a byte order mark and white space around it", function()
    local r = rehearse()
    local token = shell.read_file(path)
    shell.write_file(path, "\239\187\191\r\n" .. token .. "\r\n")
    assert.truthy(r.client:machine "desk-5")
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
