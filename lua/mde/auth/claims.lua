--- claims: what an access token says of itself.
--
-- A token is the service's own affair, and may be anything. Where it is a JSON Web Token its claims tell what is wrong
-- with it, and what time it was when it was issued; nothing else is decided by them.

local core = require "mde.core"
local json = require "mde.base.json"

---@class mde.Claims
---@field opaque? boolean it is no JSON Web Token
---@field aud? string whom it is for
---@field tid? string the tenant
---@field appid? string the application, or `azp`
---@field roles? string[] the application permissions; nil: nothing was consented
---@field exp? number Unix seconds

local M = {}

local function text(value)
  return type(value) == "string" and value or nil
end

local function number(value)
  return type(value) == "number" and value or nil
end

-- A list of texts, or nil.
local function texts(value)
  if type(value) ~= "table" then return nil end
  for _, item in ipairs(value) do
    if type(item) ~= "string" then return nil end
  end
  return value
end

--- The claims of an access token.
---@param token string
---@return mde.Claims
function M.of_token(token)
  local payload = token:match "^[A-Za-z0-9_-]+%.([A-Za-z0-9_-]+)%.[A-Za-z0-9_-]*$"
  local bytes = payload and core.base64.decode(payload)
  local claims = bytes and json.object(bytes)
  if not claims then return { opaque = true } end
  return { aud = text(claims.aud), tid = text(claims.tid), appid = text(claims.appid) or text(claims.azp),
    roles = texts(claims.roles), exp = number(claims.exp) }
end

return M
