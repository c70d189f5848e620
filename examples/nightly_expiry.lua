--- Releases the devices whose restriction was meant to end by now (release_after), and that nothing else holds. For
--- cron, every few minutes, on any host; several at once do no harm.
--
--   usage: nightly_expiry.lua

local mde = require "mde"

local machines, err = mde.expired()
if not machines then
  io.stderr:write(tostring(err), "\n")
  os.exit(3, true)
end

for _, machine in ipairs(machines.shared) do
  print(("%-40s left: also held by %s"):format(tostring(machine), mde.show(table.concat(machine.incidents, ", "))))
end

-- What holds it is looked at once more right before it is sent.
local results = assert(mde.each(machines, function(machine)
  return mde.release(machine, "The time of the restriction is over.", { expired = true })
end))
for _, result in ipairs(results) do
  print(("%-40s %s"):format(tostring(result.item), result.value and result.value.outcome or tostring(result.err)))
end
os.exit(results.failed == 0 and 0 or 2, true)
