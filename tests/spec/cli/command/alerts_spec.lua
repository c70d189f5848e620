-- mde alerts: what a query of alerts finds, of either source.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP = "1f00000000000000000000000000000000000017"

describe("mde alerts", function()
  local r, raised

  before_each(function()
    r = rehearsal.new { roles = { "Machine.Read.All", "Alert.Read.All" }, graph_roles = { "SecurityAlert.Read.All" } }
    raised = r.tenant:raise_alert { title = "beacon \27[2J", severity = "high", assignedTo = "kai",
      evidence = { { kind = "device", machineId = LAPTOP, roles = { "compromised" } },
        { kind = "device", deviceDnsName = "printer", roles = { "attacked" } } } }
    r.tenant:raise_alert { title = "lone", severity = "low", is_standalone = true }
  end)

  local function run(...)
    return console.run({ "alerts", ... }, { client = r.client })
  end

  it("lists those that its conditions select", function()
    local told = run("severity>=medium", "createdDateTime>=2h ago")
    assert.equal(0, told.status, told.err)
    assert.equal("id\tseverity\tstatus\tcreatedDateTime\ttitle\tdevices\tassignedTo\tincidentId\n"
      .. ("%s\thigh\tnew\t%s\tbeacon \\x1b[2J\tlaptop-17.corp.example\tkai\t%s\n"):format(raised.id,
        raised.createdDateTime, raised.incidentId), told.out)
    told = console.run({ "alerts", "severity=high" }, { client = r.client, columns = 120 })
    assert.matches("\nhigh +new +%d+s ago +beacon \\x1b%[2J +laptop%-17.corp.example", told.out)
  end)

  it("asks the source that is named", function()
    assert.matches("\tlone\t", run("--all").out)
    local told = run("--all", "--source", "graph")
    assert.is_nil(told.out:find("lone", 1, true))
    assert.matches("\tlaptop%-17.corp.example, %(printer%)\t", told.out)
    assert.equal("GET /v1.0/security/alerts_v2?$top=1000", r:requests()[#r:requests()])
    assert.equal(1, run("--all", "--source", "sentinel").status)
  end)

  it("writes JSON without the service's own row, and CSV", function()
    local told = run("severity=high", "--json")
    assert.matches('"devices":%[{"computerDnsName":"laptop%-17.corp.example"', told.out)
    assert.matches('"is_target":true', told.out)
    assert.is_nil(told.out:find('"row"', 1, true))
    told = run("severity=high", "--csv", "--columns", "id,title")
    assert.equal(("id,title\n%s,beacon \\x1b[2J\n"):format(raised.id), (told.out:gsub("\r", "")))
  end)

  it("refuses what the source cannot filter by, and asks nothing", function()
    local told = run("classification=truePositive")
    assert.equal(1, told.status)
    assert.matches('source = "graph"', told.err)
    told = run("severity=High")
    assert.equal(1, told.status)
    assert.matches('Did you mean "high"', told.err)
    assert.equal(1, run().status)
    assert.same({}, r:requests())
  end)

  it("names the permission that is missing", function()
    r = rehearsal.new { roles = { "Machine.Read.All" } }
    local told = run("--all")
    assert.equal(2, told.status)
    assert.matches("Alert.Read.All", told.err)
  end)
end)
