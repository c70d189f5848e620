--- incidents: the incidents that an option or an argument names, checked before anything is asked for their sake.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

--- Raises for what cannot be an incident.
---@param option string what names them, for the error
---@param incidents string[]
function M.check(option, incidents)
  for _, incident in ipairs(incidents) do
    if not core.comment.incident_valid(incident) then
      errors.invalid("incident_malformed", ("%s: %s is not an incident: 1 to 64 of A-Z a-z 0-9 . _ # / -")
        :format(option, errors.quote(incident)), "An empty one is what a shell makes of a variable that is not set.")
    end
  end
end

return M
