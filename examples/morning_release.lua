--- Releases what last night's incident restricted, and nothing that somebody else holds.
--
--   usage: morning_release.lua INCIDENT [COMMENT]

local mde = require "mde"

local incident, comment = assert(arg[1], "no incident was given"), arg[2] or "cleared in the morning"

local machines, err = mde.restricted { incident = incident, since = mde.ago "14h" }
if not machines then
  io.stderr:write(tostring(err), "\n")
  os.exit(3, true)
end

for _, machine in ipairs(machines.shared) do
  print(("%-40s left: also held by %s"):format(tostring(machine),
    mde.show(table.concat(machine.incidents, ", "))))
end

local results = assert(mde.each(machines, function(machine)
  return mde.release(machine, comment, { incident = incident })
end))
for _, result in ipairs(results) do
  print(("%-40s %s"):format(tostring(result.item),
    result.value and result.value.outcome or tostring(result.err)))
end
os.exit(results.failed == 0 and 0 or 2, true)
