--- decision: what a change that follows from an alert says of it.
--
-- The alert is the decision: a device that somebody has released since is left alone (`decided_at`), and an alert that
-- is handed over again, since the process died, leads to no second action (`key`).

local core = require "mde.core"

local M = {}

-- A key has 8 to 64 of A-Za-z0-9._- ; what an id has of others is written as their codes.
local function key_of(id)
  if core.comment.key_valid(id) then return id end
  local key = "alert-id." .. id:gsub("[^A-Za-z0-9-]", function(character) return ("_%02X"):format(character:byte()) end)
  return core.comment.key_valid(key) and key or nil
end

--- Options for mde.restrict and the other response actions: `key` is the alert's id, `decided_at` when it was created.
---@param alert table
---@return { key?: string, decided_at?: number } options a new table, to which others may be added; no key: the id is
--- too long for one
function M.options(alert)
  return { key = key_of(alert.id),
    decided_at = core.timestamp.read(alert.createdDateTime) or core.timestamp.read(alert.lastUpdateDateTime) }
end

return M
