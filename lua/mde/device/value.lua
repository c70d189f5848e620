--- value: says what a machine is worth to its owner, which the guard asks too (device_values).
--
-- A change of the harmless kind: done twice it is done once. If its outcome is not known, the machine's record tells,
-- and it is sent once more if it did not take place.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"

local ACTION_SECONDS, READ_SECONDS = 120, 300
local MAX_SENDS = 2

local response = core.response_actions.set_device_value
local field = response.fields[1]

local M = {}

local function send(inventory, machine_id, value, context)
  return inventory.exchange:call {
    method = "POST", path = ("/machines/%s/%s"):format(core.odata.encode(machine_id), response.path), kind = "action",
    api = "device_value", permission = response.permission, context = context, body = { [field.name] = value },
    usable = function(row)
      return type(row.id) == "string" and core.text.lower(row.id) == machine_id,
        "it is not the machine that was asked for"
    end,
  }
end

local function change(inventory, machine_id, value, context)
  local row, err
  context = context:within(ACTION_SECONDS)
  for _ = 1, MAX_SENDS do
    row, err = send(inventory, machine_id, value, context)
    inventory:note_change(machine_id)
    if row and row.deviceValue == value then
      row.id = machine_id
      return inventory:adopt(row)
    elseif row then
      return nil, errors.new { kind = "protocol", code = "value_unchanged", machine_id = machine_id,
        message = ("the service took it, but by its answer the value of the machine is %s"):format(
          errors.quote(row.deviceValue)), hint = "Read the machine again; if it is so, do it again." }
    elseif err.kind ~= "unknown" then
      return nil, err
    end
    local machine = inventory:read(machine_id, context)
    if machine and machine.deviceValue == value then return machine end
  end
  err.hint = "Do it again: twice does no harm."
  return nil, err
end

--- Sets the value of a device. Raises for what is no device or no value.
---@param inventory mde.Inventory
---@param device mde.Device
---@param value "Low"|"Normal"|"High"
---@param context mde.Context
---@return mde.Machine? machine its record, as it is now
---@return mde.Error? err
function M.set(inventory, device, value, context)
  devices.check(device)
  if type(value) ~= "string" or not field.takes(value) then
    errors.invalid("wrong_value", ("mde.set_device_value: the value must be %s, not %s"):format(
      table.concat(field.words, ", "), errors.got(value)))
  end
  local asked = ("set the value of %s to %s"):format(devices.shown(device), value)
  local machine, err = inventory:resolve(device, context:within(READ_SECONDS))
  if not machine then return nil, errors.about(err, asked) end
  machine, err = inventory.exchange.single_flight:run_detached(context, change, inventory, core.text.lower(machine.id),
    value, context)
  if not machine then return nil, errors.about(err, asked) end
  return machine
end

return M
