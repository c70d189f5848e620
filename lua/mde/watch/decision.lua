--- decision: what a change that follows from an alert says of it.
--
-- The alert is the decision: a device that somebody has released since is left alone (`decided_at`), and an alert that
-- is handed over again, since the process died, leads to no second action (`key`).

local alerts = require "mde.alert.alert"

local M = {}

--- Options for mde.restrict and the other response actions, as alert:options() gives them.
---@param alert table
---@return { key: string, decided_at?: number, incident?: string } options a new table, to which others may be added
function M.options(alert)
  return alerts.options(alert)
end

return M
