-- The authority of a tenant, and the server certificates that it signs or should have.
-- Labels: only-lua5.4
local certificates = require "mde.sim.server.certificates"
local x509 = require "openssl.x509"

describe("an authority", function()
  it("is one of its own each time", function()
    local one, other = certificates.make_authority(), certificates.make_authority()
    assert.is_true(x509.new(one.certificate):isIssuedBy(x509.new(one.certificate)))
    assert.are_not.equal(one.certificate, other.certificate)
    assert.are_not.equal(tostring(x509.new(one.certificate):getSubject()),
      tostring(x509.new(other.certificate):getSubject()))
  end)

  it("is good for a server's certificate of each kind", function()
    local authority = certificates.make_authority()
    for _, kind in ipairs(certificates.kinds) do
      assert.equal("userdata", type(certificates.server_context(authority, kind)))
    end
    assert.equal("userdata", type(certificates.server_context(authority, nil, "1.1")))
  end)
end)
