--- Restricts a device by its Entra device id, waits, shows its state, and releases it again.
--
--   usage: quickstart.lua [ENTRA_DEVICE_ID]
--
-- The environment says which tenant (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET...). Started
-- by ./examples/quickstart it is a simulated one, served over HTTPS on this machine.

local mde = require "mde"

local device = arg[1] or "17171717-0000-4000-8000-000000000017"

local function check(value, err)
  if value then return value end
  io.stderr:write(tostring(err), "\n")
  os.exit(1, true)
end

local machine = check(mde.machine(device))
print(("device      %s\n            is %s, %s, machine id %s"):format(device, tostring(machine),
  mde.show(machine.osPlatform or "no platform"), machine.id))

local restriction = check(mde.restrict(device, "beacon to known C2", { incident = "INC-4711" }))
print(("restrict    %s: action %s"):format(restriction.outcome, restriction.id))
print(("            comment %q"):format(mde.show(restriction.requestorComment)))
print("wait        " .. check(restriction:wait { timeout = 60 }))
print("state       " .. check(mde.state(device)))

local release = check(mde.release(device, "cleared by forensics", { incident = "INC-4711" }))
print(("release     %s: action %s"):format(release.outcome, release.id))
print("wait        " .. check(release:wait { timeout = 60 }))
print("state       " .. check(mde.state(device)))

print(("done        %s was restricted and released again; both stand in the service's history under INC-4711")
  :format(tostring(machine)))
