--- leave: a device that is left as it is, on purpose, with the reason: what says so is checked, and nothing is sent.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"

local M = {}

--- Raises unless this can name a device, and the reason is a text that can be recorded.
---@param device mde.Device
---@param reason string
---@return string kind as of devices.check
---@return string canonical the id or name to look for
function M.check(device, reason)
  local kind, canonical = devices.check(device)
  if type(reason) ~= "string" then
    errors.invalid("wrong_type", ("mde.leave needs a reason, a text, not %s"):format(errors.got(reason)),
      "Say why the device is left.")
  elseif not reason:find "%S" then
    errors.invalid("empty_text", "mde.leave: the reason is empty", "Say why the device is left.")
  elseif not core.text.is_utf8(reason) then
    errors.invalid("text_malformed", ("mde.leave: the reason is not UTF-8: %s"):format(errors.quote(reason)),
      "For bytes from outside: mde.comment(text).")
  end
  return kind, canonical
end

return M
