-- Restricts so many devices and releases them again when that has succeeded.
local mde = require "mde"

local prefix, count = ...
local names = {}
for i = 1, tonumber(count) do names[i] = ("%s-%d.corp.example"):format(prefix, i) end

local function actions_of(results)
  local actions = {}
  for _, result in ipairs(results) do actions[#actions + 1] = assert(result.value, tostring(result.err)) end
  return actions
end

local restricted = actions_of(mde.each(names, function(name)
  return mde.restrict(name, "beacon", { incident = "INC-9" })
end))
for _, result in ipairs(mde.wait(restricted)) do assert(result.value == "Succeeded", tostring(result.err)) end
local released = actions_of(mde.each(names, function(name)
  return mde.release(name, "cleared", { incident = "INC-9" })
end))
for _, result in ipairs(mde.wait(released)) do assert(result.value == "Succeeded", tostring(result.err)) end
