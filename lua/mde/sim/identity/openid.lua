-- OpenID metadata of the tenant: what a client library asks before it signs in.
local json = require "mde.sim.base.json"

local M = {}

local function answer(tenant, status, names, object)
  return { status = status, body = json.object(names, object),
    headers = { ["content-type"] = "application/json; charset=utf-8", ["x-ms-request-id"] = tenant:guid() } }
end

--- Answers `GET /{tenant}/v2.0/.well-known/openid-configuration`.
---@param tenant mde.sim.tenant
---@param origin string scheme and host that were asked
---@return table response
function M.configuration(tenant, origin)
  local base = ("%s/%s"):format(origin, tenant.tenant_id)
  return answer(tenant, 200, { "token_endpoint", "token_endpoint_auth_methods_supported", "jwks_uri",
    "response_modes_supported", "subject_types_supported", "id_token_signing_alg_values_supported",
    "response_types_supported", "scopes_supported", "issuer", "authorization_endpoint", "tenant_region_scope",
    "cloud_instance_name" }, {
    token_endpoint = base .. "/oauth2/v2.0/token",
    token_endpoint_auth_methods_supported = json.array { "client_secret_post", "private_key_jwt",
      "client_secret_basic" },
    jwks_uri = base .. "/discovery/v2.0/keys",
    response_modes_supported = json.array { "query", "fragment", "form_post" },
    subject_types_supported = json.array { "pairwise" },
    id_token_signing_alg_values_supported = json.array { "RS256" },
    response_types_supported = json.array { "code", "id_token", "code id_token", "id_token token" },
    scopes_supported = json.array { "openid", "profile", "email", "offline_access" },
    issuer = base .. "/v2.0",
    authorization_endpoint = base .. "/oauth2/v2.0/authorize",
    tenant_region_scope = "EU",
    cloud_instance_name = "microsoftonline.com",
  })
end

--- Answers `GET /{tenant}/discovery/v2.0/keys`. Access tokens are for the API alone, which keeps its own list of them,
--- so their signature is nobody's to check; the list of keys is there and empty.
---@param tenant mde.sim.tenant
---@return table response
function M.keys(tenant)
  return answer(tenant, 200, { "keys" }, { keys = json.array {} })
end

--- Answers `GET /common/discovery/instance`.
---@param tenant mde.sim.tenant
---@param origin string
---@return table response
function M.instance(tenant, origin)
  local host = origin:match "^https?://([^/:]+)"
  return answer(tenant, 200, { "tenant_discovery_endpoint", "api-version", "metadata" }, {
    tenant_discovery_endpoint = ("%s/%s/v2.0/.well-known/openid-configuration"):format(origin, tenant.tenant_id),
    ["api-version"] = "1.1",
    metadata = json.array { { preferred_network = host, preferred_cache = host, aliases = json.array { host } } },
  })
end

return M
