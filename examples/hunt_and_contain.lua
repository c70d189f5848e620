--- From an incident to the devices that its alerts do not name: hunts for its malicious files on every device, and
--- restricts those that have one, under the incident.
--
--   usage: hunt_and_contain.lua INCIDENT      the number of an incident of the service

local mde = require "mde"

local number = assert(arg[1], "no incident was given")
local incident = assert(mde.incident(number))

local hashes, is_known = {}, {}
assert(incident.alerts, "the service does not say which alerts it has")
for _, alert in ipairs(incident.alerts) do
  for _, file in ipairs(alert.files) do
    if file.sha1 and file.verdict == "malicious" then hashes[#hashes + 1] = file.sha1 end
  end
  for _, device in ipairs(alert:targets()) do is_known[device.id] = true end
end
assert(hashes[1], "no file of this incident is malicious")

local devices = {}
for row in mde.hunt([[
    DeviceFileEvents
    | where SHA1 in (hashes)
    | summarize first = min(Timestamp) by DeviceId, DeviceName
    | order by first asc]], { parameters = { hashes = hashes }, timespan = "7d" }) do
  devices[#devices + 1] = row.DeviceId
  print(("%-40s %s"):format(mde.show(row.DeviceName), is_known[row.DeviceId] and "known" or "found by hunting"))
end

local results = mde.each(devices, function(id)
  return mde.restrict(id, "has a malicious file of the incident", { incident = incident.id })
end)
for _, result in ipairs(results) do
  print(result.item, result.value and result.value.outcome or tostring(result.err))
end
os.exit(results.failed == 0 and 0 or 2, true)
