-- Who asks, how often, and may they: the token, the limits and the roles.
local answers = require "mde.sim.api.answers"
local bearer = require "mde.sim.identity.bearer"
local resources = require "mde.sim.identity.resources"

local M = {}

local refusal = answers.refusal

-- How each flaw of a token is told: the sentence, and the header WWW-Authenticate if that has more than it.
local flaws = {
  absent = { "The request carries no bearer token.", "Bearer" },
  invalid = { "The access token is not valid." },
  expired = { "The access token has expired." },
  revoked = { "The access token has been revoked." },
}

--- The grant that a request's token stands for, or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@return table? grant
---@return table? response nil if the token is good
function M.authenticate(tenant, request)
  local grant, flaw = bearer.check(tenant, request, resources.audiences("defender", tenant.cloud))
  if not flaw then return grant end
  if flaw == "audience" then
    return grant, refusal(tenant, 403, "Forbidden", ("The token is for '%s', not for this API."):format(grant.audience))
  end
  local text, header = flaws[flaw][1], flaws[flaw][2]
  local response = refusal(tenant, 401, "Unauthorized", text)
  response.headers["www-authenticate"] = flaw == "revoked" and grant.can_be_challenged and bearer.challenge(tenant)
    or header or ('Bearer error="invalid_token", error_description="%s"'):format(text:gsub("%.$", ""))
  return grant, response
end

--- Counts a call.
---@param tenant mde.sim.tenant
---@param grant table
---@param api string which calls are counted together
---@param own { per_minute: integer?, per_hour: integer? }? limits of its own
---@return table? response nil if it is not one too many
function M.throttle(tenant, grant, api, own)
  if not tenant.limits then return nil end
  local key = api .. " " .. grant.application.client_id
  local refused = tenant.limits:count(key, tenant.clock.now(), own)
  if not refused then return nil end
  local seconds = math.max(1, math.ceil(refused.wait))
  local response = refusal(tenant, 429, "429", ("API calls quota exceeded! Maximum allowed %d per %s for the key "
    .. "Destination+TenantID+AppID. You can send requests again in %d seconds."):format(refused.allowed, refused.text,
    seconds), tenant.tenant_id)
  response.headers["retry-after"] = ("%d"):format(seconds)
  return response
end

--- Whether a grant has a role.
---@param tenant mde.sim.tenant
---@param grant table
---@param accepted string[] roles, each of which is enough
---@return table? response nil if it has one
function M.authorize(tenant, grant, accepted)
  if bearer.has_one_of(grant, accepted) then return nil end
  return refusal(tenant, 403, "Forbidden", ("Missing application roles. API required roles: %s, application roles: %s.")
    :format(table.concat(accepted, ","), table.concat(grant.roles, ",")))
end

return M
