-- Whether a device has reported an event: what hunting finds and an alert can be raised on.
local hunting = require "mde.sim.model.hunting"
local telemetry = require "mde.sim.model.telemetry"
local time = require "mde.sim.base.time"
local values = require "mde.sim.kql.value"

local M = {}

-- Whether a row is the event: the time counts as a reply of hunting has it, zeros at its end aside.
local function is_event(row, machine, report_id, key)
  return row.DeviceId == machine.id and row.ReportId ~= nil and ("%d"):format(row.ReportId) == report_id
    and time.sort_key(values.text("datetime", row.Timestamp)) == key
end

--- Whether there is an event with this report and this time.
---@param tenant mde.sim.tenant
---@param machine table
---@param report_id string
---@param at string ISO 8601
---@return boolean
function M.is_reported(tenant, machine, report_id, at)
  local key, seconds, now = time.sort_key(at), time.parse(at), tenant.clock.now()
  if not key or not seconds then return false end
  local from, to = math.max(seconds - 1, now - hunting.KEPT_SECONDS), math.min(seconds + 1, now)
  for name, events in pairs(telemetry.tables(tenant, from, to)) do
    if name:find "Events$" then
      for _, row in ipairs(events.rows()) do
        if is_event(row, machine, report_id, key) then return true end
      end
    end
  end
  return false
end

return M
