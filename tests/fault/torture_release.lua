-- A release that finds a restriction pending: it cancels it, reads until it is final, and sends.

local tortured = require "tests.spec.support.tortured"

local LAPTOP = ("1"):rep(40)
local world = tortured.new { machines = { { id = LAPTOP, offline = true } } }

return function()
  local action, err = world.client:release(LAPTOP, "cleared", { incident = "INC-1" })
  return tortured.expect(action and action.outcome, "accepted", err)
end, function()
  world.renew()
  world.tenant:insert_action { machineId = LAPTOP, type = "RestrictCodeExecution", status = "Pending" }
end
