--- state: is this device restricted?
--
-- The service has no such property; the device's actions say it, and the core reads them.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local job_pool = require "mde.sync.job_pool"
local options_of = require "mde.base.options"

local PAGE_SECONDS = 300

local M = {}

-- The state that a device's actions say, and the action it rests on.
local function read_state(center, rows, machine_id, asked)
  local name, row = core.history.state(rows, machine_id, center.exchange.clock:latest())
  if name == "unclear" then
    return nil, errors.new { kind = "protocol", asked = asked,
      message = "the times of the device's actions do not tell which came last",
      hint = "Look at the device's action centre in the portal." }
  end
  return name, row and center:adopt(row)
end

--- The state of a device and the action it rests on.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param device mde.Device
---@param context mde.Context
---@return "restricted"|"restricting"|"releasing"|"released"|"none"|nil state
---@return mde.Action|mde.Error|nil action nil for "none"
function M.one(center, inventory, device, context)
  local asked = "state of " .. devices.shown(device)
  context = context:within(PAGE_SECONDS)
  local machine, err = inventory:resolve(device, context)
  if not machine then return nil, errors.about(err, asked) end
  local machine_id = core.text.lower(machine.id)
  local rows, problem = center:history(machine_id, context)
  if not rows then return nil, errors.about(problem, asked) end
  return read_state(center, rows, machine_id, asked)
end

---@class mde.StateResult : mde.Result
---@field value? "restricted"|"restricting"|"releasing"|"released"|"none"
---@field action? mde.Action the action it rests on; nil for "none"

--- The states of many devices, by one list of all actions. A machine costs nothing more; a name or an id is resolved
--- first, as in M.one. An action that does not say whose it is counts for nobody here.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param list mde.Device[]|fun(): mde.Device?
---@param context mde.Context
---@return mde.Results results of mde.StateResult, in the order of the list
function M.many(center, inventory, list, context)
  if type(list) == "table" and list.id == nil then
    options_of.check_list(list, "mde.states")
  elseif type(list) ~= "function" then
    errors.invalid(("mde.states needs a list of devices or an iterator, not %s"):format(
      type(list) == "table" and "one machine" or errors.got(list)), list ~= nil and "Write mde.states { device }."
      or "Find out why it is nil.")
  end
  local results = job_pool.each(center.driver, list, function(device)
    return inventory:resolve(device, context:within(PAGE_SECONDS))
  end)
  local wanted = results.failed < #results
  local machines, problem
  if wanted then machines, problem = center:histories(context:within(PAGE_SECONDS)) end
  for _, result in ipairs(results) do
    local asked = "state of " .. devices.shown(result.item)
    local machine = result.value
    result.value = nil
    if machine and machines then
      local machine_id = core.text.lower(machine.id)
      local state, action = read_state(center, machines[machine_id] or {}, machine_id, asked)
      if state then
        result.value, result.action = state, action
      else
        result.err = action
      end
    elseif machine then
      result.err = errors.about(problem, asked)
    else
      result.err = errors.about(result.err, asked)
    end
  end
  results.failed = 0
  for _, result in ipairs(results) do
    if result.err ~= nil then results.failed = results.failed + 1 end
  end
  return results
end

return M
