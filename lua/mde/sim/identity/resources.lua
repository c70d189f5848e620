-- What tokens are issued for: the two sides of the service, with the audiences that each cloud's takes, and others that
-- every tenant has.
local clouds = require "mde.base.cloud"

local M = {}

local defender = {
  commercial = {
    ["https://api.securitycenter.microsoft.com"] = true,
    ["https://api.securitycenter.windows.com"] = true,
    ["https://securitycenter.onmicrosoft.com/windowsatpservice"] = true,
  },
  gcc = { ["https://api-gcc.securitycenter.microsoft.us"] = true },
  gcc_high = { ["https://api-gov.securitycenter.microsoft.us"] = true },
  dod = { ["https://api-gov.securitycenter.microsoft.us"] = true },
}

local graph, of_any_graph = {}, {}
for name, cloud in pairs(clouds) do
  local audience = cloud.graph_scope:gsub("/%.default$", "")
  graph[name] = { [audience] = true }
  of_any_graph[audience] = true
end

local audiences = { defender = defender, graph = graph }

-- Resources of other services. They exist in every tenant, so tokens for them are issued; the API refuses those.
local others = { ["https://api.security.microsoft.com"] = true }

--- The audiences that a side of the service takes.
---@param side "defender"|"graph"
---@param cloud string
---@return table<string, boolean>
function M.audiences(side, cloud)
  return audiences[side][cloud]
end

--- Whether tokens for a resource are issued at all. Graph of the other clouds is known everywhere, and refused by the
--- Graph that is asked.
---@param resource string
---@param tenant mde.sim.tenant
---@return boolean
function M.exists(resource, tenant)
  return defender[tenant.cloud][resource] or of_any_graph[resource] or others[resource] or false
end

--- The roles that an application has of a resource.
---@param application { roles: string[]?, graph_roles: string[]? }
---@param resource string
---@return string[]
function M.roles(application, resource)
  return (of_any_graph[resource] and application.graph_roles or not of_any_graph[resource] and application.roles) or {}
end

return M
