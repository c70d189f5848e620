--- audience: whom a token is for, and whether that is Defender for Endpoint or Microsoft Graph.
--
-- The service has had several names, each cloud has its own, and a token may carry its application id instead.

local clouds = require "mde.base.cloud"
local core = require "mde.core"

local known = {
  ["https://api.securitycenter.windows.com"] = true,
  ["https://securitycenter.onmicrosoft.com/windowsatpservice"] = true,
  ["fc780465-2017-40d4-a0c5-307022471b92"] = true,
}
local of_graph = { ["00000003-0000-0000-c000-000000000000"] = true }
for _, cloud in pairs(clouds) do
  local audience, other = cloud.scope:gsub("/%.default$", ""), cloud.graph_scope:gsub("/%.default$", "")
  known[audience], of_graph[other] = true, true
end

local M = {}

local function is_in(names, aud)
  if type(aud) ~= "string" then return false end
  local name = core.text.lower(aud):gsub("/+$", "")
  return names[name] or false
end

--- Whether a token's `aud` is one of the service's.
---@param aud any
---@return boolean
function M.is_of_the_service(aud)
  return is_in(known, aud)
end

--- Whether a token's `aud` is Microsoft Graph's, of whichever cloud.
---@param aud any
---@return boolean
function M.is_of_graph(aud)
  return is_in(of_graph, aud)
end

return M
