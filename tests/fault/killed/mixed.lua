-- Isolates, restricts and scans so many devices, and waits until that has succeeded.
local mde = require "mde"

local prefix, count = ...
local names, actions = {}, {}
for i = 1, tonumber(count) do names[i] = ("%s-%d.corp.example"):format(prefix, i) end

local function do_to_all(verb, options)
  options.incident = "INC-9"
  for _, result in ipairs(mde.each(names, function(name) return mde[verb](name, "beacon", options) end)) do
    actions[#actions + 1] = assert(result.value, tostring(result.err))
  end
end

do_to_all("isolate", { isolation_type = "Selective" })
do_to_all("restrict", {})
do_to_all("scan", { scan_type = "Quick" })
for _, result in ipairs(mde.wait(actions)) do assert(result.value == "Succeeded", tostring(result.err)) end
