--- machine: what a program can ask of a machine and do to it.

local errors = require "mde.base.error"
local machines = require "mde.device.machine"
local methods_of = require "mde.base.method"

local M = {}

--- The metatable of a client's machines.
---@param client mde.Client
---@return table
function M.metatable(client)
  ---@class mde.Machine
  local methods = { has_tag = machines.has_tag }

  --- Restricts it; see mde.restrict.
  ---@param comment string
  ---@param options? mde.ChangeOptions
  ---@return mde.Action? action
  ---@return mde.Error? err
  function methods:restrict(comment, options) return client:restrict(self, comment, options) end

  --- Releases it; see mde.release.
  ---@param comment string
  ---@param options? mde.ChangeOptions
  ---@return mde.Action? action
  ---@return mde.Error? err
  function methods:release(comment, options) return client:release(self, comment, options) end

  --- Whether it is restricted; see mde.state.
  ---@param options? { timeout?: number }
  ---@return "restricted"|"restricting"|"releasing"|"released"|"none"|nil state
  ---@return mde.Action|mde.Error|nil action
  function methods:state(options) return client:state(self, options) end

  local metatable = { __name = "mde.machine", __index = methods, __tostring = function(machine)
    return errors.show(machine.computerDnsName or machine.id or "a machine")
  end }
  methods_of.check_object(methods, "machine", metatable, "id")
  return metatable
end

return M
