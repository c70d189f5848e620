-- Machines and actions that queries select, and how they stand.

local tortured = require "tests.spec.support.tortured"

local world = tortured.new { machines = {
  { id = ("1"):rep(40), computerDnsName = "laptop-1.corp.example", riskScore = "High", machineTags = { "tier0" } },
  { id = ("2"):rep(40), computerDnsName = "laptop-2.corp.example", riskScore = "High" },
  { id = ("3"):rep(40), computerDnsName = "laptop-3.corp.example" },
} }

return function()
  local client, found = world.client, {}
  local listed, problem = pcall(function()
    for machine in client:machines { riskScore = "High" } do
      if not machine:has_tag "tier0" then found[#found + 1] = machine end
    end
    for action in client:actions { type = "RestrictCodeExecution" } do found[#found + 1] = action end
  end)
  if not listed then return nil, problem end
  if #found ~= 2 then return nil, ("%d were found"):format(#found) end
  local states = client:states(found[1] and { found[1], "laptop-3" })
  if states.failed > 0 then return nil, states[1].err or states[2].err end
  local state, err = client:state "laptop-2"
  return tortured.expect(state, "restricted", err)
end, function()
  world.renew()
  world.tenant:insert_action { machineId = ("2"):rep(40), type = "RestrictCodeExecution", status = "Succeeded" }
end
