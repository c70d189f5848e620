--- A playbook: restricts the workstations of a risk that reported within the last two hours.
--
--   mde plan contain.lua RISK INCIDENT        what it would do
--   mde run contain.lua RISK INCIDENT         the same, a question, and the run
--
-- Started by lua alone it does the same, without a plan, waves and a record.

local mde = require "mde"

local risk, incident = ...
assert(incident, "usage: contain.lua RISK INCIDENT")

local suspects = {}
for machine in mde.machines { riskScore = mde.eq(risk), healthStatus = "Active", lastSeen = mde.ge(mde.ago "2h") } do
  suspects[#suspects + 1] = machine
end

local results = mde.each(suspects, function(machine)
  local reason = "exposure " .. tostring(machine.exposureLevel)
  return machine:restrict("risk is " .. risk, { incident = incident, reason = reason })
end)

for _, result in ipairs(results) do
  if not result.value then print(mde.show(tostring(result.item)), result.err) end
end
