--- action: what a program can do with an action.

local errors = require "mde.base.error"
local methods_of = require "mde.base.method"
local options_of = require "mde.base.options"
local wait = require "mde.action.wait"

local M = {}

--- The metatable of a client's actions.
---@param client mde.Client
---@return table
function M.metatable(client)
  ---@class mde.Action
  local methods = {}

  --- Waits until the action is final.
  ---@param options? { timeout?: number } seconds, default 600
  ---@return "Succeeded"?
  ---@return mde.Error? err of kind failed, cancelled or pending, or why it could not be read
  function methods:wait(options)
    local seconds = options_of.check(options, { timeout = "seconds" }, "action:wait").timeout or wait.seconds { self }
    return wait.one(client.action_center, self, seconds, client:context(seconds))
  end

  --- Cancels it; see mde.cancel.
  ---@param comment string
  ---@param options? { timeout?: number }
  ---@return mde.Action? action
  ---@return mde.Error? err
  function methods:cancel(comment, options) return client:cancel(self, comment, options) end

  local metatable = { __name = "mde.action", __index = methods, __tostring = function(action)
    return ("%s of %s: %s"):format(errors.show(action.type),
      errors.show(action.computerDnsName or action.machineId or "a machine"), errors.show(action.status))
  end }
  methods_of.check_object(methods, "action", metatable, "id")
  return metatable
end

return M
