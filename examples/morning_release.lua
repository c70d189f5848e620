--- Takes back what last night's incident restricted and isolated, and nothing that somebody else holds.
--
--   usage: morning_release.lua INCIDENT [COMMENT]

local mde = require "mde"

local incident, comment = assert(arg[1], "no incident was given"), arg[2] or "cleared in the morning"

local machines, err = mde.held { incident = incident, since = mde.ago "14h" }
if not machines then
  io.stderr:write(tostring(err), "\n")
  os.exit(3, true)
end

-- In the order in which it is taken back: onto the network first.
local function take_back(machine)
  local outcomes = {}
  for _, by in ipairs(machine.held) do
    local outcome = "left: also held by " .. mde.show(table.concat(by.incidents or {}, ", "))
    if not by.incidents then
      local action, problem = mde[by.opposite](machine, comment, { incident = incident })
      if not action then return nil, problem end
      outcome = action.outcome
    end
    outcomes[#outcomes + 1] = ("%s: %s"):format(by.opposite, outcome)
  end
  return table.concat(outcomes, ", ")
end

local results = assert(mde.each(machines, take_back))
for _, result in ipairs(results) do
  print(("%-40s %s"):format(tostring(result.item), result.value or tostring(result.err)))
end
os.exit(results.failed == 0 and 0 or 2, true)
