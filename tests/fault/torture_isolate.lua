-- From Selective to Full: the device's isolation of another scope is looked at, and a Full one is sent.

local tortured = require "tests.spec.support.tortured"

local LAPTOP = ("1"):rep(40)
local world = tortured.new { machines = { { id = LAPTOP } }, roles = { "Machine.Read.All", "Machine.Isolate" } }

return function()
  local action, err = world.client:isolate(LAPTOP, "beacon", { incident = "INC-1", isolation_type = "Full" })
  if action and action.scope ~= "Full" then return nil, "it is of another scope" end
  return tortured.expect(action and action.outcome, "accepted", err)
end, function()
  world.renew()
  world.tenant:insert_action { machineId = LAPTOP, type = "Isolate", scope = "Selective", status = "Succeeded",
    requestorComment = "why [mde:INC-1:operation-1]" }
end
