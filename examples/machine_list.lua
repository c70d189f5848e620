--- Restricts the devices of a list that meet conditions, and says the outcome of each.
--
--   usage: machine_list.lua FILE INCIDENT [COLUMN]
--
-- FILE has one device a line, or is a CSV with a heading. Left alone: what is tagged "keep", what was not seen
-- for a week, and whatever the guard protects.

local mde = require "mde"

local file, incident = assert(arg[1], "no file was given"), assert(arg[2], "no incident was given")
local devices = assert(mde.read_list(file, { column = tonumber(arg[3]) or arg[3] }))
assert(devices.column, "the file is empty")
for _, remark in ipairs(devices.remarks) do print("Note: " .. remark) end
local client = assert(mde.client { cap = 300 })

-- By the service's clock, which the answers have told.
local function week_ago() return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(client:now()) - 7 * 86400) end

local results = client:each(devices, function(device)
  local machine, err = client:machine(device)
  if not machine then return nil, err end
  if machine:has_tag "keep" then return "left: tagged keep" end
  if (machine.lastSeen or "") < week_ago() then return "left: not seen for a week" end
  local action, problem = machine:restrict("on the list of " .. incident, { incident = incident })
  return action and action.outcome, problem
end)

for _, result in ipairs(results) do
  print(("%-40s %s"):format(mde.show(result.item), result.value or tostring(result.err)))
end
print(("%d devices, %d could not be restricted"):format(#results, results.failed))
os.exit(results.failed == 0 and 0 or 2, true)
