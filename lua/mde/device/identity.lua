--- identity: one device by several identifiers, as a line of a list gives it: its id, its Entra id, its name.
--
-- All of them must mean the same device, which the service alone can tell. So an identity is a device to every
-- function, and it is never acted on before its record was read and compared.

local core = require "mde.core"
local errors = require "mde.base.error"

---@class mde.Identity
---@field [integer] string the identifiers; the first one is looked for
local Identity = { __name = "mde.identity" }

local M = {}

--- An identity of two identifiers or more.
---@param identifiers string[]
---@return mde.Identity
function M.new(identifiers)
  local own = {}
  for i, identifier in ipairs(identifiers) do own[i] = identifier end
  return setmetatable(own, Identity)
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Identity
end

function Identity:__tostring()
  return ("%s (%s)"):format(errors.show(self[1]), errors.show(table.concat(self, ", ", 2)))
end

local function described(machine)
  local parts = { "machine " .. errors.show(machine.id) }
  parts[2] = machine.computerDnsName and "the name " .. errors.quote(machine.computerDnsName) or "no name"
  parts[3] = machine.aadDeviceId and "the Entra device id " .. errors.show(machine.aadDeviceId) or "no Entra device id"
  return ("%s, which has %s and %s"):format(parts[1], parts[2], parts[3])
end

--- The machine that was found by the first identifier, unless another one means something else.
---@param self mde.Identity
---@param machine mde.Machine its whole record
---@return mde.Machine? machine
---@return mde.Error? err
function M.check(self, machine)
  local place = core.device.differs(machine, self)
  if not place then return machine end
  return nil, errors.new { kind = "ambiguous", code = "identifiers_differ", candidates = { machine },
    message = ("%s and %s are not the same device: the first is %s"):format(errors.quote(self[1]),
      errors.quote(self[place]), described(machine)),
    hint = "Find out which one is meant, and give its id alone." }
end

return M
