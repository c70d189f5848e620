--- machine: a device's record, as the service tells it, with what can be asked of it and done to it.

local core = require "mde.core"
local errors = require "mde.error"

---@class mde.Machine the service's own fields; null ones are absent
---@field id string 40 hex digits
---@field computerDnsName? string
---@field aadDeviceId? string
---@field osPlatform? string
---@field healthStatus? string
---@field onboardingStatus? string
---@field riskScore? string
---@field exposureLevel? string
---@field deviceValue? string
---@field machineTags? string[]
---@field firstSeen? string
---@field lastSeen? string
---@field lastIpAddress? string
---@field mergedIntoMachineId? string
local Machine = { __name = "mde.machine" }

local M = {}

--- Whether the machine has a tag, without regard to case.
---@param tag string
---@return boolean
function Machine:has_tag(tag)
  if type(tag) ~= "string" then errors.invalid("machine:has_tag needs a tag, a string") end
  tag = core.text.lower(tag)
  for _, own in ipairs(self.machineTags or {}) do
    if type(own) == "string" and core.text.lower(own) == tag then return true end
  end
  return false
end

--- The metatable of a client's machines.
---@param client mde.Client
---@return table
function M.metatable(client)
  local methods = { has_tag = Machine.has_tag }
  function methods.restrict(machine, comment, options) return client:restrict(machine, comment, options) end
  function methods.release(machine, comment, options) return client:release(machine, comment, options) end
  function methods.state(machine, options) return client:state(machine, options) end
  return { __name = Machine.__name, __index = methods, __tostring = function(machine)
    return errors.show(machine.computerDnsName or machine.id or "a machine")
  end }
end

--- A row of the service as a machine of this client, which remembers what was read, and when.
---@param client mde.Client
---@param row table
---@param read_at? number by the driver's clock; now unless told
---@return mde.Machine
function M.adopt(client, row, read_at)
  row["@odata.context"] = nil
  client.records:keep(row, read_at or client.exchange.now())
  return setmetatable(row, client.machine_metatable)
end

--- Whether a row is the record of a machine: what is compared and taken apart as text is text where it is there at
--- all, and the tags are a list.
---@param row table
---@return boolean
---@return string? why not
function M.is_row(row)
  for _, name in ipairs { "computerDnsName", "osPlatform", "healthStatus", "onboardingStatus", "riskScore",
    "deviceValue", "lastSeen", "mergedIntoMachineId" } do
    if row[name] ~= nil and type(row[name]) ~= "string" then return false, name .. " is not a text" end
  end
  return row.machineTags == nil or type(row.machineTags) == "table", "machineTags is not a list"
end

--- When a machine was last seen, as the service writes it; nil where it says "never".
---@param machine mde.Machine
---@return string?
function M.last_seen(machine)
  return core.history.time(machine.lastSeen) and machine.lastSeen or nil
end

return M
