--- drift: what is otherwise when a change leaves than its plan showed.
--
-- A device that is not the one that was shown is refused. What others have done to it since, and what else has changed
-- of it, stops nothing, and is told by its name.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local errors = require "mde.base.error"
local results = require "mde.action.change.result"

local M = {}

--- Why a device is not the one that was shown.
---@param device mde.PlanDevice? as it was
---@param record mde.Record as it is
---@return mde.Error?
function M.refusal(device, record)
  if not device or not device.name then return nil end
  local name = record.computerDnsName
  if type(name) == "string" and core.name.normal(name) == core.name.normal(device.name) then return nil end
  return errors.new { kind = "protected", code = "device_drifted", rule = "drift", machine_id = device.id,
    message = ("machine %s was called %s when the plan was made and is called %s now"):format(device.id,
      errors.quote(device.name), name and errors.quote(name) or "nothing"),
    hint = "Look which device it is; a new plan shows it." }
end

--- What else has changed of a device, in words.
---@param device mde.PlanDevice? as it was
---@param record mde.Record as it is
---@return string? words
function M.of_record(device, record)
  local health = record.healthStatus
  if not device or not device.health or type(health) ~= "string" or health == device.health then return nil end
  if core.text.lower(health) == "active" then return nil end
  return ("the service calls it %s, which it did not when the plan was made; its action may stay pending"):format(
    errors.show(health))
end

local function planned_change(device, intent)
  for _, change in ipairs(device and device.changes or {}) do
    if change.verb == intent.verb and change.incident == intent.incident and change.subject == intent.subject then
      return change
    end
  end
end

-- Those of a list that neither the plan showed nor the plan itself makes.
local function new_among(holders, device, change)
  local known, list = {}, {}
  for _, holder in ipairs(change.also_held or {}) do known[core.text.lower(holder)] = true end
  for _, own in ipairs(device.changes) do known[own.incident] = true end
  for _, holder in ipairs(holders or {}) do
    if not known[core.text.lower(holder)] then list[#list + 1] = errors.show(holder) end
  end
  return list[1] and table.concat(list, ", ")
end

local function span(seconds)
  return seconds and ("for %s seconds"):format(core.number.write(seconds)) or "until it is released"
end

--- In what a change that went well is otherwise than its plan showed, in words.
---@param device mde.PlanDevice? as it was
---@param intent { verb: string, subject?: string, incident: string, hold_seconds?: number } the incident in lower case
---@param action mde.Action what it came to
---@param has_acted boolean the run has done this, or the opposite, to the device before
---@return string? words
function M.of_action(device, intent, action, has_acted)
  local verb, change = intent.verb, planned_change(device, intent)
  local done = deeds.done(verb)
  if not change then
    return action.outcome == "accepted" and ("it is %s, which the plan did not show"):format(done) or nil
  elseif has_acted then
    return nil
  elseif change.decision == verb and action.outcome == "already_active" then
    return ("nothing was sent; since the plan was made it was %s%s"):format(done, results.decided_by(action))
  elseif action.outcome ~= "accepted" then
    return nil
  elseif change.decision == "already_active" then
    return ("it is %s; when the plan was made it was so already"):format(done)
  end
  -- A plan of an older version does not say it.
  if change.release_after ~= nil and (change.release_after or nil) ~= intent.hold_seconds then
    return ("it is meant to hold %s, and the plan showed it %s"):format(span(intent.hold_seconds),
      span(change.release_after))
  end
  local held = new_among(action.also_held, device, change)
  if held then return ("since the plan was made it was %s for others, too: %s"):format(done, held) end
  local ended = new_among(action.also_ended, device, change)
  return ended and ("others held it, too, which ends with this release: %s"):format(ended) or nil
end

return M
