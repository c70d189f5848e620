--- device: what a caller may name a device by.
--
-- A device is a machine id, an Entra device id, a full or bare DNS name, a machine table, or several of the first three
-- that must mean one device (identity.lua). Which machine it means, inventory.lua finds.

local core = require "mde.core"
local errors = require "mde.base.error"
local identities = require "mde.device.identity"

---@alias mde.Device string|mde.Machine|mde.Identity|mde.AlertDevice

local M = {}

--- What the caller called the device, for errors.
---@param device any
---@return string
function M.shown(device)
  if type(device) == "table" and device.id == nil and (device.ip ~= nil or device.at ~= nil) then
    return ("{ ip = %s }"):format(errors.got(device.ip))
  elseif identities.is(device) then
    return errors.quote(device)
  elseif type(device) == "table" then
    return errors.quote(device.computerDnsName or device.id or "a machine")
  end
  return errors.quote(device)
end

--- Raises unless this can name a device.
---@param device any
---@return string kind "machine_id", "guid", "full_name", "bare_name", "machine" or "identity"
---@return string canonical the id or name to look for
function M.check(device)
  if type(device) == "table" then
    if identities.is(device) then return "identity", device[1] end
    local kind, id = nil, nil
    if type(device.id) == "string" then kind, id = core.device.kind(device.id) end
    if kind ~= "machine_id" and type(device.problem) == "string" then
      errors.invalid("machine_without_id", ("the device %s of an alert cannot be acted on: %s"):format(
        errors.show(tostring(device)), errors.show(device.problem)),
        "Look for it by its name or its Entra device id: mde.machine(device.computerDnsName).")
    elseif kind ~= "machine_id" then
      errors.invalid("machine_without_id", "the machine table has no id of a machine (40 hex digits)",
        device.ip ~= nil and "Find the machine first, by mde.machine { ip = ..., at = ... }."
          or "Give a machine that a query returned, or a device name.")
    end
    return "machine", id
  end
  if type(device) ~= "string" then
    local got = device == nil and "nil" or "a " .. type(device)
    errors.invalid(device == nil and "missing_value" or "wrong_type",
      ("a device is a string or a machine, not %s"):format(got),
      device == nil and "Find out why it is nil: a machine that was not found, say."
        or "Give a machine that a query returned, its id (40 hex digits), its Entra device id (GUID) or its DNS name.")
  end
  local kind, canonical, reason = core.device.kind(device)
  if not kind then
    errors.invalid("device_malformed", ("the device %s %s"):format(errors.quote(device), canonical),
      "Give a machine id (40 hex digits), an Entra device id (GUID) or a DNS name.")
  elseif kind == "ip_address" then
    errors.invalid("device_is_address",
      ("the device %s %s"):format(errors.quote(device), reason),
      "Give the device's name or id, or find who had it by mde.machine { ip = ..., at = ... }.")
  end
  return kind, canonical
end

return M
