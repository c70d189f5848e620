--- machine: a device's record, as the service tells it.

local core = require "mde.core"
local errors = require "mde.base.error"
local reserved_names = require "mde.base.reserved_names"
local row_fields = require "mde.base.row_fields"

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

--- What no property of the service's may hide: the methods of a machine, and the fields of mde.Restricted.
M.reserved_names = reserved_names.new { "has_tag", "restrict", "release", "state", "action", "releasing", "incidents",
  "others" }

--- Whether the machine has a tag, compared as the guard compares: without regard to case and to blanks around.
---@param machine mde.Machine
---@param tag string
---@return boolean
function M.has_tag(machine, tag)
  if type(tag) ~= "string" then errors.invalid("wrong_type", "machine:has_tag needs a tag, a string") end
  tag = core.guard.tag(tag)
  for _, own in ipairs(machine.machineTags or {}) do
    if type(own) == "string" and core.guard.tag(own) == tag then return true end
  end
  return false
end

--- Takes out of a row what is no part of a record: our own names, and texts that say nothing.
---@param row table changed in place
function M.clean(row)
  row["@odata.context"] = nil
  M.reserved_names:drop(row)
  for _, name in ipairs { "mergedIntoMachineId", "onboardingStatus" } do
    if row[name] == "" then row[name] = nil end
  end
  -- Whatever it says, the machine was merged.
  local was_merged = row.mergedIntoMachineId ~= nil
  row_fields.make_texts(row, { "mergedIntoMachineId" })
  if was_merged then row.mergedIntoMachineId = row.mergedIntoMachineId or "unknown" end
end

local words = { "computerDnsName", "osPlatform", "aadDeviceId", "healthStatus", "onboardingStatus", "riskScore",
  "exposureLevel", "deviceValue", "firstSeen", "lastSeen", "lastIpAddress" }

--- Makes a row what a program expects: what is a text is one, or is absent, and tags are a list. The guard judges what
--- the service said, before that.
---@param row table changed in place
function M.mend(row)
  row_fields.keep_texts(row, words)
  row_fields.make_list(row, "machineTags")
end

--- When a machine was last seen, as the service writes it; nil where it says "never".
---@param machine mde.Machine
---@return string?
function M.last_seen(machine)
  return core.timestamp.read(machine.lastSeen) and machine.lastSeen or nil
end

return M
