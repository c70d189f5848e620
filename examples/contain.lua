--- A playbook: restricts the workstations of a risk that reported within the last two hours.
--
--   mde plan contain.lua RISK INCIDENT        what it would do
--   mde run contain.lua RISK INCIDENT         the same, a question, and the run
--
-- Started by lua alone it does the same, without a plan, waves and a record.

local mde = require "mde"

local risk, incident = ...
assert(incident, "usage: contain.lua RISK INCIDENT")

-- What is no workstation is left, which the plan and the report of a run say, too.
local suspects = {}
for machine in mde.machines { riskScore = mde.eq(risk), healthStatus = "Active", lastSeen = mde.ge(mde.ago "2h") } do
  if machine.osPlatform and machine.osPlatform:find "^Windows1[01]" then
    suspects[#suspects + 1] = machine
  else
    mde.leave(machine, "no workstation: left for review")
  end
end

local results = mde.each(suspects, function(machine)
  local reason = "exposure " .. tostring(machine.exposureLevel)
  return machine:restrict("risk is " .. risk, { incident = incident, reason = reason })
end)

local sent = {}
for _, result in ipairs(results) do
  sent[#sent + 1] = result.value
  if not result.value then print(mde.show(tostring(result.item)), result.err) end
end

-- So that the report says what the devices have done. One that is switched off is still pending then.
for _, result in ipairs(mde.wait(sent, { timeout = 600 }) or {}) do
  if not result.value then print(mde.show(result.item.computerDnsName or result.item.machineId), result.err) end
end
