--- Restricts several devices, waits for all of them with one listing a round, and reports.
--
--   usage: wait_and_report.lua INCIDENT DEVICE...

local mde = require "mde"

local incident = assert(table.remove(arg, 1), "no incident was given")

local results = assert(mde.each(arg, function(device)
  return mde.restrict(device, "contained for " .. incident, { incident = incident })
end))

local actions, failed = {}, results.failed
for _, result in ipairs(results) do
  if result.value then
    actions[#actions + 1] = result.value
  else
    print(tostring(result.err))
  end
end

for _, result in ipairs(assert(mde.wait(actions, { timeout = 120 }))) do
  local action = result.item
  print(("%-40s %s"):format(mde.show(action.computerDnsName or action.machineId), result.value or tostring(result.err)))
  if result.err then failed = failed + 1 end
end
os.exit(failed == 0 and 0 or 4, true)
