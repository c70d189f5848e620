-- mde actions: what a query of actions finds.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde actions", function()
  it("lists those that its conditions select", function()
    local r = rehearsal.new { machines = { { id = ("a"):rep(40), computerDnsName = "desk-1.corp.example" } } }
    local pending = r:past(("a"):rep(40), "restrict", "Pending", 60,
      { requestor = "alice", requestorComment = "beacon" })
    r:past(("a"):rep(40), "release", "Succeeded", 3600)
    local told = console.run({ "actions", "status=Pending" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.matches("^id\ttype\t[^\n]+\n"
      .. pending.id:gsub("%-", "%%-") .. "\tRestrictCodeExecution\tPending\t[^\n]+\talice\tbeacon\t"
      .. ("a"):rep(40) .. "\n$", told.out)
    told = console.run({ "actions", "status=Pending" }, { client = r.client, columns = 100 })
    assert.matches("\n%S+  Restrict +Pending .* 1m ago", told.out)
  end)
end)
