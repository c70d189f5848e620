-- mde alert: one alert, and which of its devices may be acted on.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP, SERVER = "1f00000000000000000000000000000000000017", ("c"):rep(40)

describe("mde alert", function()
  local r, raised

  before_each(function()
    r = rehearsal.new { roles = { "Machine.Read.All", "Alert.Read.All" }, graph_roles = { "SecurityAlert.Read.All" } }
    r.tenant:put_machine { id = SERVER, computerDnsName = "srv.corp.example" }
    raised = r.tenant:raise_alert { title = "beacon\27[2J", severity = "high",
      comments = { { comment = "seen", createdByDisplayName = "kai" } },
      evidence = { { kind = "device", machineId = LAPTOP, roles = { "compromised" } },
        { kind = "device", machineId = SERVER, roles = { "contextual" } },
        { kind = "device", deviceDnsName = "printer", roles = { "attacked" } },
        { kind = "user", accountName = "a.obrien", domainName = "CORP" },
        { kind = "file", fileName = "x.dll", sha1 = ("5"):rep(40) },
        { kind = "process", fileName = "rundll32.exe", processCommandLine = "rundll32.exe x.dll,Start" },
        { kind = "ip", ipAddress = "203.0.113.7" }, { kind = "url", url = "https://x.example/" } } }
  end)

  local function run(...)
    return console.run({ "alert", ... }, { client = r.client })
  end

  it("shows what it is about, and why a device cannot be acted on", function()
    local told = run(raised.id, "--source", "graph")
    assert.equal(0, told.status, told.err)
    for _, part in ipairs { "title                  beacon\\x1b[2J\n", "severity               high\n",
        "  " .. LAPTOP .. "  laptop-17.corp.example (compromised): may be acted on\n",
        "  " .. SERVER .. "  srv.corp.example (contextual): only seen nearby\n",
        "  no machine id  printer (attacked): Defender for Endpoint does not know it",
        "Users:\n  CORP\\a.obrien\n", "Files:\n  " .. ("5"):rep(40) .. "  x.dll\n",
        "Processes:\n  rundll32.exe x.dll,Start\n", "Addresses:\n  203.0.113.7\n", "URLs:\n  https://x.example/\n",
        "kai: seen\n" } do
      assert.truthy(told.out:find(part, 1, true), part .. "\nin\n" .. told.out)
    end
  end)

  it("writes JSON and CSV", function()
    local told = run(raised.id, "--json")
    assert.matches('"key":"' .. raised.id:gsub("%-", "%%-") .. '"', told.out)
    assert.is_nil(told.out:find('"row"', 1, true))
    assert.matches("^id,severity,", run(raised.id, "--csv").out)
  end)

  it("says that there is none", function()
    local told = run "da1_2"
    assert.equal(2, told.status)
    assert.matches('^mde alert: alert "da1_2": the service knows no alert', told.err)
    assert.equal("", told.out)
  end)
end)
