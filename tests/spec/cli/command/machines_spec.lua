-- mde machines: what a query of machines finds.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde machines", function()
  it("lists those that its conditions select", function()
    local r = rehearsal.new { machines = {
      { id = ("a"):rep(40), computerDnsName = "desk-1.corp.example", riskScore = "High", machineTags = { "lab" } },
      { id = ("b"):rep(40), computerDnsName = "desk-2.corp.example", riskScore = "Low" } } }
    local told = console.run({ "machines", "riskScore=High", "--csv" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.matches("^id,computerDnsName,osPlatform,healthStatus,riskScore,lastSeen,machineTags,lastIpAddress\r\n"
      .. ("a"):rep(40) .. ",desk%-1%.corp%.example,Windows11,Active,High,[^,]+,lab,[^\r]+\r\n$", told.out)
    told = console.run({ "machines", "riskScore=Hihg" }, { client = r.client })
    assert.equal(1, told.status)
    assert.matches('Did you mean "High"%?', told.err)
  end)
end)
