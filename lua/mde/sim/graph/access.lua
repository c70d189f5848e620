-- Who asks Microsoft Graph, how often, and may they: the token, the limits and the roles.
local answers = require "mde.sim.graph.answers"
local bearer = require "mde.sim.identity.bearer"
local resources = require "mde.sim.identity.resources"

local M = {}

local flaws = {
  absent = "The request carries no access token.",
  invalid = "The access token cannot be read.",
  expired = "The access token is past its lifetime.",
  revoked = "The access token was revoked: continuous access evaluation asks for another.",
  audience = "The access token was not validated: it has another audience.",
}

--- The grant that a request's token stands for, or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@return table? grant
---@return table? response nil if the token is good
function M.authenticate(tenant, request)
  local grant, flaw = bearer.check(tenant, request, resources.audiences("graph", tenant.cloud))
  if not flaw then return grant end
  local response = answers.refusal(tenant, request, 401, "InvalidAuthenticationToken", flaws[flaw])
  response.headers["www-authenticate"] = flaw == "revoked" and grant.can_be_challenged and bearer.challenge(tenant)
    or 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
      .. 'client_id="00000003-0000-0000-c000-000000000000"'
  return grant, response
end

--- Counts a call. Graph's limits are its own, and nothing to do with those of the API.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param api string which calls are counted together
---@param per_minute integer
---@return table? response nil if it is not one too many
function M.throttle(tenant, request, grant, api, per_minute)
  if not tenant.limits then return nil end
  local refused = tenant.limits:count_alone("graph " .. api .. " " .. grant.application.client_id, tenant.clock.now(),
    { per_minute = per_minute })
  if not refused then return nil end
  local response = answers.refusal(tenant, request, 429, "TooManyRequests", "Try again after a while.",
    { code = "429", message = "Too many requests", status = "429" })
  response.headers["retry-after"] = ("%d"):format(math.max(1, math.ceil(refused.wait)))
  return response
end

--- Whether a grant has a role. Which one is missing is not told.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param accepted string[] roles, each of which is enough
---@return table? response nil if it has one
function M.authorize(tenant, request, grant, accepted)
  if bearer.has_one_of(grant, accepted) then return nil end
  return answers.refusal(tenant, request, 403, "Forbidden", "The application lacks a permission for this request.")
end

return M
