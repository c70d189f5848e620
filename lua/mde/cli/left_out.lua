--- left_out: commands that somebody may look for and that there are not, on purpose: each says why, and what to do.
--
-- No help and no completion shows them.

local errors = require "mde.base.error"
local mde = require "mde"

local M = {}

M["start-investigation"] = function()
  local _, err = errors.try(mde.start_investigation)
  return errors.derive(err, { message = err.message:gsub("^mde%.start_investigation: ", ""),
    hint = err.hint:gsub("mde%.scan%b()", "mde scan --scan-type Full <device>") })
end

M.offboard = function()
  return errors.new { kind = "invalid", code = "left_out",
    message = "this is left out on purpose: nothing takes it back over the API, and a device that is off-boarded is "
      .. "out of sight, so that nobody can contain it any more",
    hint = "To cut a device off, use mde isolate; to retire one, off-board it in the portal." }
end

return M
