--- The ladder: restrict a device, verify; if that was not carried out, isolate it, verify; else call a person. Each
--- step is recorded under the incident, so morning_release.lua takes all of them back.
--
--   usage: escalation.lua INCIDENT DEVICE...

local mde = require "mde"

local incident = assert(table.remove(arg, 1), "no incident was given")
local client = assert(mde.client { cap = { restrict = 25, isolate = 5 } })

-- Where the next step may help. A device that is protected, or unknown, is not touched in another way.
local goes_on = { failed = true, pending = true, refused = true }

local results = client:each(arg, function(device)
  local problems = {}
  for _, step in ipairs { "restrict", "isolate" } do
    local done, err = client[step](client, device, "escalation", { incident = incident })
    if done then done, err = done:wait { timeout = 300 } end
    if done then return ("%s %s"):format(step, done) end
    problems[#problems + 1] = tostring(err)
    if not goes_on[err.kind] then break end
  end
  return nil, table.concat(problems, "\n  ")
end, { parallel = 8 })

for _, result in ipairs(results) do
  print(("%-40s %s"):format(tostring(result.item), result.value or "CALL A PERSON\n  " .. tostring(result.err)))
end
os.exit(results.failed == 0 and 0 or 4, true)
