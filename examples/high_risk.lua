--- Restricts the machines of a risk that reported within the last day.
--
--   usage: high_risk.lua RISK INCIDENT
--
-- RISK comes from outside, so it goes through an operator: given nil, that raises, where a table would just
-- lack the field and select every machine.

local mde = require "mde"

local query = {
  riskScore = mde.eq(arg[1]),
  healthStatus = "Active",
  onboardingStatus = "Onboarded",
  lastSeen = mde.ge(mde.ago "1d"),
}
local incident = assert(arg[2], "no incident was given")

local left, failed = 0, 0
for machine in mde.machines(query) do
  local action, err
  if machine.osPlatform and machine.osPlatform:find "^Windows1[01]" then
    action, err = machine:restrict("risk is " .. arg[1], { incident = incident })
  end
  if err then failed = failed + 1 elseif not action then left = left + 1 end
  print(("%-40s %s"):format(tostring(machine),
    action and action.outcome or tostring(err or "left for review: " .. mde.show(machine.osPlatform or "no platform"))))
end
print(("%d left for review, %d could not be restricted"):format(left, failed))
os.exit(failed == 0 and 0 or 2, true)
