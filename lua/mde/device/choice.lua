--- choice: which one of the records that answer to a device is meant, in words.
--
-- The core decides (src/core/device.h): here is said what it decided.

local core = require "mde.core"
local errors = require "mde.base.error"
local machines = require "mde.device.machine"

local MAX_LISTED = 5

local M = {}

---@class mde.AddressQuestion who had an address: all that the service lists answer
---@field shown string for errors
---@field hint string what to do if none answers

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
  if machine and core.device.standing(machine) == "merged" then return nil, M.merged(machine) end
  return machine, err
end

--- Whether one of some records is in use. If not, one that is may be stored in another spelling of the name.
---@param records mde.Machine[]
---@return boolean
function M.has_live(records)
  for _, record in ipairs(records) do
    if core.device.standing(record) == "live" then return true end
  end
  return false
end

local function describe(machine)
  return ("%s (%s, %s, %s, last seen %s)"):format(errors.show(machine.id),
    errors.show(machine.computerDnsName or "no name"), errors.show(machine.osPlatform or "platform unknown"),
    errors.show(machine.healthStatus or "health unknown"), errors.show(machines.last_seen(machine) or "never"))
end

-- Each machine was merged into another, which is told once.
local function survivors(merged)
  local list, named, seen = {}, {}, {}
  for _, machine in ipairs(merged) do
    local id = machine.mergedIntoMachineId
    if not seen[id] then list[#list + 1], named[#named + 1] = { id = id }, errors.show(id) end
    seen[id] = true
  end
  return list, named
end

-- `also`: what the other records are.
local function all_merged(question, merged, also)
  if question.kind == "machine_id" then return M.merged(merged[1]) end
  local list, named = survivors(merged)
  return errors.new { kind = "not_found", code = "device_merged", candidates = list,
    message = ("every record of %s was merged into another machine%s"):format(question.shown, also or ""),
    hint = ("If %s the one you mean, name it: %s."):format(#named == 1 and "that is" or "one of these is",
      table.concat(named, ", ")) }
end

local function merged_or_not_onboarded(question, merged)
  return all_merged(question, merged, " or is not onboarded")
end

local function not_onboarded(question, records)
  return errors.new { kind = "not_found", code = "not_onboarded", candidates = records,
    message = ("%s is known to the service, but not onboarded (%s)"):format(question.shown,
      errors.show(records[1].onboardingStatus)),
    hint = "It takes no actions. mde.contain (mde contain) has the onboarded devices block it." }
end

-- No record answers. `similar`: those with the nearest names, which are shown in their order.
local function none(question, similar)
  local lines = {}
  for i, machine in ipairs(similar or {}) do lines[i] = describe(machine) end
  return errors.new { kind = "not_found", code = "no_such_device", candidates = lines[1] and similar or nil,
    message = ("the service knows no device %s"):format(question.shown),
    hint = lines[1] and ("If you mean one of these, give its id: %s."):format(table.concat(lines, "; "))
      or question.hint
      or "Check the spelling: a bare host name or the full DNS name, an Entra device id, or a machine id." }
end

-- One that answers cannot be acted on, and may be the one that is meant.
local function unidentified(question)
  return errors.new { kind = "protocol", code = "record_unidentified",
    message = ("a record that answers to %s has no id that can be one"):format(question.shown),
    hint = "Give the device's machine id, from the portal; and tell Microsoft's support of it." }
end

local function several(question, records)
  local lines = {}
  for i = 1, math.min(#records, MAX_LISTED) do lines[i] = describe(records[i]) end
  if #records > MAX_LISTED then lines[MAX_LISTED + 1] = ("%d more"):format(#records - MAX_LISTED) end
  return errors.new { kind = "ambiguous", code = "several_devices", candidates = records,
    message = ("%d devices answer to %s: %s"):format(#records, question.shown, table.concat(lines, "; ")),
    hint = "Give the id of the one you mean." }
end

-- By what the core decided.
local problems = { several = several, unidentified = unidentified, merged = all_merged,
  merged_or_not_onboarded = merged_or_not_onboarded, not_onboarded = not_onboarded }

--- The one record that is meant.
---@param question mde.Question|mde.AddressQuestion
---@param records mde.Machine[] what was found
---@param similar? mde.Machine[] a few to offer if none answers, the likeliest first
---@return mde.Machine? machine
---@return mde.Error? err of kind not_found or ambiguous, or protocol if one of the records has no id
function M.one(question, records, similar)
  local decision, places = core.device.choose(question.canonical, records)
  local listed = {}
  for i, place in ipairs(places) do listed[i] = records[place] end
  if decision == "one" then return listed[1] end
  if decision == "none" then return nil, none(question, similar) end
  return nil, problems[decision](question, listed)
end

return M
