-- Which values an indicator of each type may have.
-- Labels: only-lua5.4
local indicator_value = require "mde.sim.api.indicator_value"

describe("the value of an indicator", function()
  local taken = {
    FileSha1 = ("aB"):rep(20), CertificateThumbprint = ("0"):rep(40), FileSha256 = ("f"):rep(64),
    FileMd5 = ("1"):rep(32),
    IpAddress = "203.0.113.7", DomainName = "a-1.bad.example", Url = "https://bad.example/x?y=1",
  }
  for type, value in pairs(taken) do
    it("is taken as " .. type, function() assert.is_nil(indicator_value.problem(type, value)) end)
  end

  for _, case in ipairs {
    { "FileSha1", ("a"):rep(64), "InvalidHashValue" }, { "FileSha1", ("g"):rep(40), "InvalidHashValue" },
    { "FileMd5", "", "InvalidHashValue" }, { "IpAddress", "203.0.113.0/24", "InvalidIpAddress" },
    { "IpAddress", "203.0.113.256", "InvalidIpAddress" }, { "IpAddress", "bad.example", "InvalidIpAddress" },
    { "DomainName", "example", "InvalidDomainName" }, { "DomainName", "*.bad.example", "InvalidDomainName" },
    { "DomainName", "https://bad.example", "InvalidDomainName" }, { "DomainName", "203.0.113.7", "InvalidDomainName" },
    { "Url", "https://bad .example/", "InvalidUrl" }, { "Url", "https:///x", "InvalidUrl" },
  } do
    it(("%s is refused as %s"):format(case[2], case[1]), function()
      assert.equal(case[3], (indicator_value.problem(case[1], case[2])))
    end)
  end

  it("may be an IPv6 address, and a URL of an address", function()
    assert.is_nil(indicator_value.problem("IpAddress", "2001:db8::7"))
    assert.is_nil(indicator_value.problem("Url", "http://203.0.113.7/x"))
  end)
end)
