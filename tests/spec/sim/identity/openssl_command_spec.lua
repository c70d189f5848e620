-- What the command openssl says of certificates and signatures.
-- Labels: only-lua5.4
local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local openssl_command = require "mde.sim.identity.openssl_command"

describe("the command openssl", function()
  local one

  setup(function() one = certificates.new { days = 30 } end)
  teardown(certificates.remove)

  it("reads a certificate", function()
    local facts = assert(openssl_command.certificate(one.certificate))
    assert.equal(one.public_key, facts.key)
    assert.same({ 32, 20 }, { #facts.sha256, #facts.sha1 })
    assert.is_true(math.abs(facts.from - os.time()) < 3600)
    assert.equal(30 * 86400, facts.till - facts.from)
    assert.is_nil(openssl_command.certificate "no certificate")
  end)

  it("tells whether a signature is that of a message", function()
    local key = assert(require("mde.crypto").private_key(one.key))
    for _, algorithm in ipairs { "PS256", "RS256" } do
      local signature = assert(key:sign(algorithm, "a message"))
      assert.is_true(openssl_command.verifies(one.public_key, algorithm, "a message", signature))
      assert.is_false(openssl_command.verifies(one.public_key, algorithm, "another", signature))
      local other = algorithm == "PS256" and "RS256" or "PS256"
      assert.is_false(openssl_command.verifies(one.public_key, other, "a message", signature))
    end
  end)

  it("tells the subject of a certificate that leads to an authority", function()
    local root, middle = certificates.new { name = "root" }, certificates.new { name = "middle" }
    local of_root = certificates.of_key(root.key, { subject = "root", ca = true })
    local of_middle = certificates.of_key(middle.key, { subject = "middle", issuer = "root", issuer_key = root.key,
      ca = true })
    local leaf = certificates.of_key(one.key, { subject = "leaf", issuer = "middle", issuer_key = middle.key })
    assert.equal("CN=leaf", openssl_command.subject_under({ leaf, of_middle }, of_root))
    assert.equal("CN=leaf", openssl_command.subject_under({ leaf, of_middle, of_root }, of_root))
    assert.is_nil(openssl_command.subject_under({ leaf }, of_root))
    assert.is_nil(openssl_command.subject_under({ leaf, of_middle }, one.certificate))
    assert.is_nil(openssl_command.subject_under({ one.certificate }, of_root))
  end)

  it("is given thumbprints in whatever base64", function()
    local bytes = ("\251\255\191"):rep(8)
    for _, text in ipairs { core.base64.encode(bytes), core.base64.encode_url(bytes) } do
      assert.equal(bytes, openssl_command.thumbprint(text))
    end
    assert.is_nil(openssl_command.thumbprint "no thumbprint")
  end)
end)
