-- The application roles of the service that have to do with machines and what is done to them, and the others that a
-- tenant may grant beside these.
local validation = require "mde.sim.base.validation"

local M = {}

local known = {}
for name in ([[
  Machine.Read.All Machine.ReadWrite.All Machine.RestrictExecution Machine.Isolate Machine.Scan
  Machine.StopAndQuarantine Machine.CollectForensics Machine.Offboard Machine.LiveResponse Library.Manage
  Alert.Read.All Alert.ReadWrite.All AdvancedQuery.Read.All File.Read.All Ti.ReadWrite Ti.ReadWrite.All User.Read.All
  Software.Read.All Vulnerability.Read.All SecurityRecommendation.Read.All]]):gmatch "%S+" do known[name] = true end

--- Raises unless a value is a list of roles that exist.
---@param value any
function M.check(value)
  validation.check_list("roles", value, "string")
  for _, role in ipairs(value) do
    if not known[role] then error("roles: " .. validation.unknown("role ", role, known), 0) end
  end
end

return M
