-- Who asks, how often, and may they: the token, the limits and the roles.
local answers = require "mde.sim.api.answers"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local sign_in = require "mde.sim.identity.sign_in"

local M = {}

local refusal = answers.refusal

-- What asks a client for a token that was issued after a moment (RFC 9470's forerunner in Entra, a claims challenge).
local function challenge(tenant)
  local claims = json.encode { access_token = { nbf = { essential = true,
    value = ("%d"):format(math.floor(tenant.revoked_at)) } } }
  return ('Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    .. 'error="insufficient_claims", claims="%s"'):format(encoding.base64url(claims))
end

--- The grant that a request's token stands for, or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@return table? grant
---@return table? response nil if the token is good
function M.authenticate(tenant, request)
  local token = (request.headers["authorization"] or ""):match "^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)%s*$"
  local grant = token and tenant.tokens[token]
  local response
  if not token then
    response = refusal(tenant, 401, "Unauthorized", "The request carries no bearer token.")
    response.headers["www-authenticate"] = "Bearer"
  elseif not grant or grant.expires <= tenant.clock.now() then
    local why = grant and "The access token has expired" or "The access token is not valid"
    response = refusal(tenant, 401, "Unauthorized", why .. ".")
    response.headers["www-authenticate"] = ('Bearer error="invalid_token", error_description="%s"'):format(why)
  elseif tenant.revoked_at and grant.issued <= tenant.revoked_at then
    response = refusal(tenant, 401, "Unauthorized", "The access token has been revoked.")
    response.headers["www-authenticate"] = grant.can_be_challenged and challenge(tenant)
      or 'Bearer error="invalid_token", error_description="The access token has been revoked"'
  elseif not sign_in.audiences[tenant.cloud][grant.audience] then
    response = refusal(tenant, 403, "Forbidden", ("The token is for '%s', not for this API."):format(grant.audience))
  end
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
  for _, has in ipairs(grant.roles) do
    for _, role in ipairs(accepted) do
      if has == role then return nil end
    end
  end
  return refusal(tenant, 403, "Forbidden", ("Missing application roles. API required roles: %s, application roles: %s.")
    :format(table.concat(accepted, ","), table.concat(grant.roles, ",")))
end

return M
