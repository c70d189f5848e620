--- machine: a device's record, as the service tells it, with what can be asked of it and done to it.

local core = require "mde.core"
local errors = require "mde.base.error"
local own_names = require "mde.base.own_names"

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

local M = {}

local methods = {}

-- The fields are those of mde.Restricted.
local ours = own_names.new(methods, { "action", "releasing", "incidents", "others" })

--- Whether the machine has a tag, without regard to case.
---@param machine mde.Machine
---@param tag string
---@return boolean
local function has_tag(machine, tag)
  if type(tag) ~= "string" then errors.invalid("machine:has_tag needs a tag, a string") end
  tag = core.text.lower(tag)
  for _, own in ipairs(machine.machineTags or {}) do
    if type(own) == "string" and core.text.lower(own) == tag then return true end
  end
  return false
end

function methods.has_tag(_, machine, tag) return has_tag(machine, tag) end

function methods.restrict(client, machine, comment, options) return client:restrict(machine, comment, options) end

function methods.release(client, machine, comment, options) return client:release(machine, comment, options) end

function methods.state(client, machine, options) return client:state(machine, options) end

--- The metatable of a client's machines.
---@param client mde.Client
---@return table
function M.metatable(client)
  return { __name = "mde.machine", __index = own_names.bind(methods, client), __tostring = function(machine)
    return errors.show(machine.computerDnsName or machine.id or "a machine")
  end }
end

--- A row of the service as a machine of this client, which remembers what was read, and when.
---@param client mde.Client
---@param row table
---@param read_at? number by the driver's clock; default now
---@return mde.Machine
function M.adopt(client, row, read_at)
  row["@odata.context"] = nil
  ours:drop(row)
  for _, name in ipairs { "mergedIntoMachineId", "onboardingStatus" } do
    if row[name] == "" then row[name] = nil end
  end
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
