--- Restricts one device, or takes the restriction back.
--
--   usage: runbook.lua DEVICE [RELEASE] [COMMENT]
--
--   DEVICE   the Entra device id (a name or a machine id will do too)
--   RELEASE  true to take the restriction back; default false
--   COMMENT  why; recorded in the service

local mde = require "mde"

local device, release, comment = arg[1], arg[2] or "false", arg[3] or "Possible security risk."
if not device or (release ~= "true" and release ~= "false") then
  io.stderr:write("usage: runbook.lua DEVICE [true|false] [COMMENT]\n")
  os.exit(1, true)
end

local change = release == "true" and mde.release or mde.restrict
local action, err = change(device, comment)
if not action then
  io.stderr:write(tostring(err), "\n")
  os.exit(2, true)
end
print(("%s: %s, action %s, %s"):format(device, action.outcome, action.id, action.status))

local ended, problem = action:wait { timeout = 600 }
print(ended or tostring(problem))
os.exit(ended and 0 or 4, true)
