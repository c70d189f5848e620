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
    assert.matches("\ndesk%-1%.corp%.example +Restrict +Pending .* 1m ago", told.out)
  end)

  it("shows a person the machine first, and the id where there is room for all of it", function()
    local name = "a-laptop-of-somebody.corp.example"
    local r = rehearsal.new { machines = { { id = ("a"):rep(40), computerDnsName = name } } }
    local action = r:past(("a"):rep(40), "release", "Succeeded", 3600, { requestor = "alice" })
    local function shown(columns)
      return console.run({ "actions", "--all" }, { client = r.client, columns = columns }).out
    end
    assert.equal("MACHINE                            TYPE        STATUS     CREATED  REQUESTOR\n"
      .. name .. "  Unrestrict  Succeeded  1h ago   alice\n", shown(80))
    assert.truthy(shown(100):find(name .. "  Unrestrict  Succeeded  " .. action.id, 1, true))
    assert.truthy(shown(200):find("ID +CREATED +REQUESTOR +COMMENT"))
  end)
end)
