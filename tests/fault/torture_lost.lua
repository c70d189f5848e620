-- Two restricts whose answers are lost: one that is found in the device's list, and one that was never carried out and
-- is sent again.

local tortured = require "tests.spec.support.tortured"

local FIRST, SECOND = ("1"):rep(40), ("2"):rep(40)
local world = tortured.new {
  machines = { { id = FIRST }, { id = SECOND } },
  faults = {
    { match = { method = "POST", path = FIRST }, fault = "gone" },
    { match = { method = "POST", path = SECOND }, fault = "gone", processed = false },
  },
}

return function()
  local action, err = world.client:restrict(FIRST, "why", { look = false })
  local well, problem = tortured.expect(action and action.reconciled, true, err)
  if not well then return nil, problem end
  action, err = world.client:restrict(SECOND, "why", { look = false })
  return tortured.expect(action and action.attempts, 2, err)
end, world.renew
