--- The nightly job: restricts Active machines of high risk, ten an hour at the most, never a server.
--
--   usage: nightly.lua INCIDENT
--
-- What the cap or the guard refuses is reported for the morning; a machine that is restricted already costs
-- nothing. Run it as often as you like.

local mde = require "mde"

local incident = assert(arg[1], "no incident was given")
local client = assert(mde.client { cap = 10, protect = { tags = { "tier0", "vip" } } })

local results = client:each(client:machines { riskScore = "High", healthStatus = "Active" }, function(machine)
  local action, err = machine:restrict("nightly: risk is high", { incident = incident })
  return action and action.outcome, err
end, { parallel = 4 })

local refused, failed = {}, 0
for _, result in ipairs(results) do
  local name = tostring(result.item)
  if result.value then
    print(("%-40s %s"):format(name, result.value))
  elseif result.err.kind == "protected" then
    refused[#refused + 1] = ("%-40s %s"):format(name, result.err.rule)
  else
    failed = failed + 1
    print(("%-40s %s"):format(name, tostring(result.err)))
  end
end
print(("for the morning (%d):"):format(#refused))
print(table.concat(refused, "\n"))
os.exit(failed == 0 and 0 or 2, true)
