-- The endpoints of the simulated Microsoft Graph.
-- Labels: not-lua5.3
local endpoints = require "mde.sim.graph.endpoints"
local roles = require "mde.sim.identity.roles"

describe("each endpoint of Graph", function()
  it("has all that it needs, and a path of its own", function()
    local seen = {}
    for _, row in ipairs(endpoints) do
      local name = row.method .. " " .. table.concat(row.path, "/")
      assert.is_nil(seen[name], name)
      seen[name] = true
      for _, segment in ipairs(row.path) do assert.equal(segment:lower(), segment) end
      roles.check_graph(row.roles)
      assert.truthy(row.roles[1] and row.api and row.per_minute > 0 and row.run, name)
    end
  end)
end)
