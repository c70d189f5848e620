-- The application roles of the service that have to do with machines and what is done to them, and the others that a
-- tenant may grant beside these.
local validation = require "mde.sim.base.validation"

local M = {}

local known = {}
for name in ([[
  Machine.Read.All Machine.ReadWrite.All Machine.RestrictExecution Machine.Isolate Machine.Scan
  Machine.StopAndQuarantine Machine.CollectForensics Machine.Offboard Machine.LiveResponse Library.Manage
  Alert.Read.All Alert.ReadWrite.All AdvancedQuery.Read.All File.Read.All Ti.ReadWrite Ti.ReadWrite.All User.Read.All
  Score.Read.All
  Software.Read.All Vulnerability.Read.All SecurityRecommendation.Read.All]]):gmatch "%S+" do known[name] = true end

-- Those of Microsoft Graph that have to do with security.
local of_graph = {}
for name in ([[
  ThreatHunting.Read.All SecurityAlert.Read.All SecurityAlert.ReadWrite.All SecurityIncident.Read.All
  SecurityIncident.ReadWrite.All SecurityIdentitiesActions.ReadWrite.All SecurityIdentitiesAccount.Read.All
  Device.Read.All]]):gmatch "%S+" do of_graph[name] = true end

local function check(what, value, names)
  validation.check_list(what, value, "string")
  for _, role in ipairs(value) do
    if not names[role] then error(what .. ": " .. validation.unknown("role ", role, names), 0) end
  end
end

--- Raises unless a value is a list of roles that exist.
---@param value any
function M.check(value)
  check("roles", value, known)
end

--- Raises unless a value is a list of roles of Microsoft Graph.
---@param value any
function M.check_graph(value)
  check("graph_roles", value, of_graph)
end

return M
