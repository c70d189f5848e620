-- mde incidents: what a query of incidents finds.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde incidents", function()
  it("lists those that its conditions select", function()
    local r = rehearsal.new { story = true, graph_roles = { "SecurityIncident.Read.All" } }
    local told = console.run({ "incidents", "--all" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.equal("id\tseverity\tstatus\tlastUpdateDateTime\tdisplayName\tassignedTo\tcustomTags\tredirectIncidentId",
      told.out:match "^[^\n]*")
    local survivor = told.out:match "\n(%d+)\thigh\tactive\t"
    assert.equal(survivor, told.out:match "\tredirected\t.-\t(%d+)\n")
    told = console.run({ "incidents", "status=active", "--json" }, { client = r.client })
    assert.matches('^{[^\n]*"id":"' .. survivor .. '"[^\n]*}\n$', told.out)
    assert.is_nil(told.out:find('"row"', 1, true))
  end)
end)
