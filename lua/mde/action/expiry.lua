--- expiry: which machines are still restricted although all that holds them was meant to end.
--
-- The end stands in the operation id of a restriction (src/core/comment.h), so any host finds it in the service's own
-- history, without a file. A machine is overdue only if everything that holds it has expired by the service's time. One
-- that something holds without an end, or until later, is left.

local errors = require "mde.base.error"
local incidents = require "mde.action.incident"

local PAGE_SECONDS = 300

local M = {}

M.known_options = { timeout = "seconds" }

--- The machines that are held by what has expired, and by nothing else; in `shared` those that something else holds
--- too. One list of all actions is read.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param context mde.Context
---@return mde.RestrictedList? machines
---@return mde.Error? err
function M.expired(center, inventory, context)
  local machines, err = center:histories("restrict", context:within(PAGE_SECONDS))
  if not machines then return nil, errors.about(err, "expired restrictions") end
  return incidents.collect(center, inventory, machines, { now = center.exchange.clock:time(), names = {} })
end

return M
