-- The application roles that a tenant may grant.
-- Labels: not-lua5.3
local roles = require "mde.sim.identity.roles"

describe("roles", function()
  it("are those of the service", function()
    roles.check {}
    roles.check { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution", "Machine.Isolate",
      "Machine.Scan", "Machine.StopAndQuarantine", "Machine.CollectForensics", "Machine.Offboard",
      "Machine.LiveResponse", "Alert.Read.All", "AdvancedQuery.Read.All" }
  end)

  it("of Graph are others", function()
    roles.check_graph { "ThreatHunting.Read.All", "SecurityAlert.Read.All", "SecurityIncident.ReadWrite.All" }
    local ok, message = pcall(roles.check_graph, { "Machine.Read.All" })
    assert.is_false(ok)
    assert.matches("graph_roles: there is no role 'Machine.Read.All'", message, 1, true)
    assert.is_false(pcall(roles.check, { "ThreatHunting.Read.All" }))
  end)

  for what, case in pairs {
    ["one that does not exist"] = { { "Machine.Read.All", "Machine.Restrict" }, "there is no role 'Machine.Restrict'" },
    ["a misspelt one, with the one that was meant"] = { { "Machine.Isolated" }, "Did you mean 'Machine.Isolate'?" },
    ["one in another case"] = { { "machine.read.all" }, "there is no role 'machine.read.all'" },
    ["one that is no text"] = { { "Machine.Read.All", 5 }, "roles[2] must be a text" },
    ["names for keys"] = { { ["Machine.Read.All"] = true }, "roles must be a list of texts" },
    ["a text"] = { "Machine.Read.All", "roles must be a list of texts" },
    ["nothing"] = { nil, "roles must be a list of texts" },
  } do
    it("are refused with " .. what, function()
      local ok, message = pcall(roles.check, case[1])
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
