--- choice: which one of the records that answer to a name is meant.
--
-- A name or an Entra device id means the onboarded records that were not merged into another; inactive ones count only
-- if there is no other; several are an error that lists them. Nothing is ever guessed.

local core = require "mde.core"
local errors = require "mde.base.error"
local machines = require "mde.device.machine"

local MAX_LISTED = 5

local M = {}

--- The error of a machine that was merged into another.
---@param machine table
---@return mde.Error
function M.merged(machine)
  return errors.new {
    kind = "not_found", code = "device_merged",
    message = ("machine %s was merged into machine %s"):format(errors.show(machine.id),
      errors.show(machine.mergedIntoMachineId)),
    hint = "Name the surviving machine: " .. errors.show(machine.mergedIntoMachineId) .. ".",
    candidates = { { id = machine.mergedIntoMachineId } },
  }
end

--- A machine that was read, unless it was merged into another.
---@param machine? mde.Machine
---@param err? mde.Error
---@return mde.Machine? machine
---@return mde.Error? err
function M.unmerged(machine, err)
  if machine and machine.mergedIntoMachineId ~= nil then return nil, M.merged(machine) end
  return machine, err
end

local function is(value, word)
  return type(value) == "string" and core.text.lower(value) == word
end

local function newest_first(list)
  table.sort(list, function(a, b)
    local x, y = machines.last_seen(a) or "", machines.last_seen(b) or ""
    if x ~= y then return core.text.before(y, x) end
    return core.text.before(a.id, b.id)
  end)
  return list
end

local function describe(machine)
  return ("%s (%s, %s, %s, last seen %s)"):format(errors.show(machine.id),
    errors.show(machine.computerDnsName or "no name"), errors.show(machine.osPlatform or "platform unknown"),
    errors.show(machine.healthStatus or "health unknown"), errors.show(machines.last_seen(machine) or "never"))
end

-- Why none of the records that were found is the device.
local function nothing_left(shown, records)
  local survivor, all_merged = nil, true
  for _, machine in ipairs(records) do
    survivor = survivor or machine.mergedIntoMachineId
    all_merged = all_merged and machine.mergedIntoMachineId ~= nil
  end
  if survivor then
    return errors.new { kind = "not_found", code = "device_merged", candidates = { { id = survivor } },
      message = ("every record of %s was merged into another machine%s"):format(shown,
        all_merged and "" or " or is not onboarded"),
      hint = "If that is the one you mean, name it: " .. errors.show(survivor) .. "." }
  end
  return errors.new { kind = "not_found", code = "not_onboarded", candidates = newest_first(records),
    message = ("%s is known to the service, but not onboarded (%s)"):format(shown,
      errors.show(records[1].onboardingStatus)),
    hint = "Only an onboarded device can be restricted or released." }
end

-- No record is the device. `similar`: those with the nearest names, which are shown in their order.
local function not_found(shown, hint, similar)
  local lines = {}
  for i, machine in ipairs(similar or {}) do lines[i] = describe(machine) end
  return errors.new { kind = "not_found", code = "no_such_device", candidates = lines[1] and similar or nil,
    message = ("the service knows no device %s"):format(shown),
    hint = lines[1] and ("If you mean one of these, give its id: %s."):format(table.concat(lines, "; "))
      or hint or "Check the spelling: a bare host name or the full DNS name, an Entra device id, or a machine id." }
end

--- Those of some records that can be acted on and are in use, and those that are not in use.
---@param records mde.Machine[]
---@return mde.Machine[] live
---@return mde.Machine[] inactive
local function usable(records)
  local live, inactive = {}, {}
  for _, machine in ipairs(records) do
    local onboarded = machine.onboardingStatus == nil or is(machine.onboardingStatus, "onboarded")
    if onboarded and machine.mergedIntoMachineId == nil then
      local group = is(machine.healthStatus, "inactive") and inactive or live
      group[#group + 1] = machine
    end
  end
  return live, inactive
end

M.usable = usable

-- One that answers to it cannot be acted on, and may be the one that is meant.
local function unidentified(shown)
  return errors.new { kind = "protocol", code = "record_unidentified",
    message = ("a record that answers to %s has no id that can be one"):format(shown),
    hint = "Give the device's machine id, from the portal; and tell Microsoft's support of it." }
end

--- The one record that a name or an Entra device id means.
---@param shown string what the caller called the device
---@param records mde.Machine[] those that answer to it
---@param hint? string what to do if there are none
---@param similar? mde.Machine[] a few to offer if there are none, the likeliest first
---@return mde.Machine? machine
---@return mde.Error? err of kind not_found or ambiguous, or protocol if one of the records has no id
function M.one(shown, records, hint, similar)
  for _, record in ipairs(records) do
    if not record.id then return nil, unidentified(shown) end
  end
  if #records == 0 then return nil, not_found(shown, hint, similar) end
  local live, inactive = usable(records)
  local candidates = #live > 0 and live or inactive
  if #candidates == 0 then return nil, nothing_left(shown, records) end
  if #candidates == 1 then return candidates[1] end
  local lines = {}
  for i, machine in ipairs(newest_first(candidates)) do
    if i <= MAX_LISTED then lines[i] = describe(machine) end
  end
  if #candidates > MAX_LISTED then lines[MAX_LISTED + 1] = ("%d more"):format(#candidates - MAX_LISTED) end
  return nil, errors.new { kind = "ambiguous", code = "several_devices", candidates = candidates,
    message = ("%d devices answer to %s: %s"):format(#candidates, shown, table.concat(lines, "; ")),
    hint = "Give the id of the one you mean." }
end

return M
