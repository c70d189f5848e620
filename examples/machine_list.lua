--- Restricts the devices of a CSV file that meet conditions, and says of each what became of it.
--
--   usage: machine_list.lua FILE INCIDENT
--
-- The first column of FILE is the device, a header line comes first. Left alone: what is tagged "keep", what
-- was not seen for a week, and whatever the guard protects.

local mde = require "mde"

local file, incident = assert(arg[1], "no file was given"), assert(arg[2], "no incident was given")
local client = assert(mde.client { cap = 300 })

local devices, seen, lines = {}, {}, io.lines(file)
assert(lines(), "the file is empty")
for line in lines do
  local device = line:match '^%s*"?%s*([^",\r]-)%s*[",\r]' or line:match "^%s*(.-)%s*$"
  if device ~= "" and not device:find "^#" and not seen[device:lower()] then
    seen[device:lower()] = true
    devices[#devices + 1] = device
  end
end

local week_ago = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - 7 * 86400)
local results = client:each(devices, function(device)
  local machine, err = client:machine(device)
  if not machine then return nil, err end
  if machine:has_tag "keep" then return "left: tagged keep" end
  if (machine.lastSeen or "") < week_ago then return "left: not seen for a week" end
  local action, problem = machine:restrict("on the list of " .. incident, { incident = incident })
  return action and action.outcome, problem
end)

for _, result in ipairs(results) do
  print(("%-40s %s"):format(mde.show(result.item), result.value or tostring(result.err)))
end
print(("%d devices, %d could not be restricted"):format(#results, results.failed))
os.exit(results.failed == 0 and 0 or 2, true)
