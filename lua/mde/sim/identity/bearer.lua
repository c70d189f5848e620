-- Whether the token of a request is good: what both sides of the service ask first. How each says no is its own.
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"

local M = {}

---@alias mde.sim.bearer.flaw "absent"|"invalid"|"expired"|"revoked"|"audience"

--- The grant that the token of a request stands for, and what is wrong with it; without either there is no token.
---@param tenant mde.sim.tenant
---@param request { headers: table<string, string> }
---@param audiences table<string, boolean> those that are taken
---@return table? grant
---@return mde.sim.bearer.flaw? flaw nil if the token is good
function M.check(tenant, request, audiences)
  local token = (request.headers["authorization"] or ""):match "^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)%s*$"
  local grant = token and tenant.tokens[token]
  if not token then return nil, "absent" end
  if not grant then return nil, "invalid" end
  if grant.expires <= tenant.clock.now() then return grant, "expired" end
  if tenant.revoked_at and grant.issued <= tenant.revoked_at then return grant, "revoked" end
  if not audiences[grant.audience] then return grant, "audience" end
  return grant
end

--- What asks a client for a token that was issued after a moment (RFC 9470's forerunner in Entra, a claims challenge).
---@param tenant mde.sim.tenant
---@return string header the value of WWW-Authenticate
function M.challenge(tenant)
  local claims = json.encode { access_token = { nbf = { essential = true,
    value = ("%d"):format(math.floor(tenant.revoked_at)) } } }
  return ('Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    .. 'error="insufficient_claims", claims="%s"'):format(encoding.base64url(claims))
end

--- Whether a grant has one of some roles.
---@param grant table
---@param accepted string[]
---@return boolean
function M.has_one_of(grant, accepted)
  for _, has in ipairs(grant.roles) do
    for _, role in ipairs(accepted) do
      if has == role then return true end
    end
  end
  return false
end

return M
