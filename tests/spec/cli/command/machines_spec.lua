-- mde machines: what a query of machines finds.
-- Labels: only-lua5.4
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

  it("asks for no further page once there are as many as are wanted", function()
    local r = rehearsal.new { fleet = { count = 12000 }, limits = false }
    local function requests(...)
      local before = #r:requests()
      local told = console.run({ "machines", "--all", "--csv", ... }, { client = r.client })
      assert.equal(0, told.status, told.err)
      return #r:requests() - before, select(2, told.out:gsub("\n", "")) - 1
    end
    assert.same({ 1, 10000 }, { requests("--limit", "10000") })
    local sorted, written = requests("--limit", "5", "--sort", "id")
    assert.is_true(sorted > 2)
    assert.equal(5, written)
  end)
end)
