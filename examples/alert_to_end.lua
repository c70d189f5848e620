--- From an alert to its end: the devices of each new one that may be acted on are restricted under its incident; one
--- that could not be is isolated, or else is for a person. What was done is written to the alert.
--
--   usage: alert_to_end.lua CURSOR [once]      CURSOR: a file, which keeps what was handed over
--
-- Defender's own API names one device for each alert; source = "graph", beside alerts = ..., has all of them.

local mde = require "mde"

local client = assert(mde.client { cap = { restrict = 25, isolate = 5 } })
local holds = { restrict = "restricted", isolate = "isolated" }
local goes_on = { failed = true, pending = true, refused = true }

local function contain(device, title, options)
  local problem
  for _, verb in ipairs { "restrict", "isolate" } do
    local done, err = client[verb](client, device, mde.comment(title), options)
    if done then done, err = done:wait { timeout = 300 } end
    local state = done and client:state(device, { of = verb })
    if state == holds[verb] then return state end
    problem = err and tostring(err) or "it was carried out, and is not in force"
    if err and not goes_on[err.kind] then break end
  end
  return "CALL A PERSON: " .. problem
end

assert(client:watch { cursor = assert(arg[1], "no file for the cursor was given"), once = arg[2] == "once",
  alerts = { severity = "high", status = "new" }, since = mde.ago "1h",
  handler = function(alert, options)
    local lines = {}
    for i, device in ipairs(alert.devices) do
      lines[i] = ("%s: %s"):format(tostring(device), device.is_target and contain(device, alert.title, options)
        or "left: " .. (device.problem or "only seen nearby"))
    end
    print(tostring(alert) .. "\n  " .. table.concat(lines, "\n  "))
    return alert:update { status = "inProgress", comment = mde.comment(table.concat(lines, "; ")) }
  end })
