--- alert: what a program can do with an alert.

local alerts = require "mde.alert.alert"
local errors = require "mde.base.error"
local methods_of = require "mde.base.method"

local M = {}

--- The metatable of a client's alerts.
---@param client mde.Client
---@return table
function M.metatable(client)
  ---@class mde.Alert
  local methods = {}

  --- The devices that may be acted on: each has a machine id, is onboarded and not only contextual.
  ---@return mde.AlertDevice[]
  function methods:targets() return alerts.targets(self) end

  --- The options of a change that is made because of this alert: { decided_at, key, incident }, and what else is given,
  --- which goes before these: mde.restrict(device, comment, alert:options()).
  ---@param more? mde.ChangeOptions
  ---@return mde.ChangeOptions
  function methods:options(more) return alerts.options(self, more) end

  --- Changes it where it was read; see mde.update_alert.
  ---@param changes mde.AlertChanges
  ---@param options? { timeout?: number }
  ---@return mde.Alert? alert as it is now
  ---@return mde.Error? err
  function methods:update(changes, options) return client:update_alert(self, changes, options) end

  local metatable = { __name = "mde.alert", __index = methods, __tostring = function(alert)
    return ("%s (%s, %s)"):format(errors.show(alert.title or alert.id), errors.show(alert.severity or "no severity"),
      errors.show(alert.status or "no status"))
  end }
  methods_of.check_object(methods, "alert", metatable, "id")
  return metatable
end

return M
