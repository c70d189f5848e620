--- state: is this device restricted?
--
-- The service has no such property; the device's actions say it, and the core reads them.

local actions = require "mde.action.action"
local core = require "mde.core"
local devices = require "mde.device.device"
local each = require "mde.sync.each"
local errors = require "mde.base.error"
local listings = require "mde.action.listing"
local options_of = require "mde.base.options"

local PAGE_SECONDS = 300

local M = {}

-- The state that a device's actions say, and the action it rests on.
local function read_state(client, rows, machine_id, asked)
  local name, row = core.history.state(rows, machine_id, client.exchange.clock:latest())
  if name == "unclear" then
    return nil, errors.new { kind = "protocol", asked = asked,
      message = "the times of the device's actions do not tell which came last",
      hint = "Look at the device's action centre in the portal." }
  end
  return name, row and actions.adopt(client, row)
end

--- The state of a device and the action it rests on.
---@param client mde.Client
---@param device mde.Device
---@param options? { timeout?: number }
---@return "restricted"|"restricting"|"releasing"|"released"|"none"|nil state
---@return mde.Action|mde.Error|nil action nil for "none"
function M.one(client, device, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.state")
  local asked = "state of " .. devices.shown(device)
  local deadline = client:deadline(client:begin(options.timeout), PAGE_SECONDS)
  local machine, err = devices.resolve(client, device, deadline)
  if not machine then return nil, errors.about(err, asked) end
  local machine_id = core.text.lower(machine.id)
  local rows, problem = actions.history(client, machine_id, deadline)
  if not rows then return nil, errors.about(problem, asked) end
  return read_state(client, rows, machine_id, asked)
end

---@class mde.StateResult : mde.Result
---@field value? "restricted"|"restricting"|"releasing"|"released"|"none"
---@field action? mde.Action the action it rests on; nil for "none"

--- The states of many devices, by one list of all actions. A machine costs nothing more; a name or an id is resolved
--- first, as in M.one. An action that does not say whose it is counts for nobody here.
---@param client mde.Client
---@param list mde.Device[]|fun(): mde.Device?
---@param options? { timeout?: number }
---@return mde.Results results of mde.StateResult, in the order of the list
function M.many(client, list, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.states")
  if type(list) == "table" and list.id == nil then
    options_of.check_list(list, "mde.states")
  elseif type(list) ~= "function" then
    errors.invalid(("mde.states needs a list of devices or an iterator, not %s"):format(
      type(list) == "table" and "one machine" or errors.got(list)), list ~= nil and "Write mde.states { device }."
      or "Find out why it is nil.")
  end
  local call = client:begin(options.timeout)
  local results = each(client.driver, list, function(device)
    return devices.resolve(client, device, client:deadline(call, PAGE_SECONDS))
  end)
  local wanted = results.failed < #results
  local machines, problem
  if wanted then machines, problem = listings.read(client, actions.is_row, client:deadline(call, PAGE_SECONDS)) end
  for _, result in ipairs(results) do
    local asked = "state of " .. devices.shown(result.item)
    local machine = result.value
    result.value = nil
    if machine and machines then
      local machine_id = core.text.lower(machine.id)
      local state, action = read_state(client, machines[machine_id] or {}, machine_id, asked)
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
