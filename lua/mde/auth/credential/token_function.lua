--- credential.token_function: tokens that a function of the user's own gets.

local errors = require "mde.base.error"
local sign_in = require "mde.auth.sign_in"

local M = {}

---@class mde.TokenWanted
---@field scope string what it is for, "https://api.securitycenter.microsoft.com/.default" or Microsoft Graph's: a token
--- of one is of no use for the other
---@field resource string the same as older endpoints want it, without /.default
---@field tenant_id? string
---@field client_id? string
---@field claims? table what the service asks to have in it

---@alias mde.TokenGiver fun(wanted: mde.TokenWanted): string|table|nil, number|string|nil

---@class mde.credential.TokenFunction: mde.Credential
---@field private give mde.TokenGiver
local TokenFunction = { __name = "mde.credential.token" }
TokenFunction.__index = TokenFunction

function TokenFunction.__tostring()
  return "mde.credential.token: a function"
end

local HINT = "It has to return the token and the seconds that it lives, or the token endpoint's answer as a table."

---@param request mde.TokenRequest
function TokenFunction:ask(request)
  local ok, given, more = pcall(self.give, { scope = request.scope, resource = request:resource(),
    tenant_id = request.tenant_id, client_id = request.client_id, claims = request.claims })
  if not ok then given, more = nil, given end
  if given == nil then
    if errors.is(more) then return nil, more end
    return nil, errors.new { kind = "auth", code = "no_token", hint = HINT,
      message = "the function that gets tokens got none: " .. request.show(tostring(more or "it gave no reason")) }
  end
  local answer = type(given) == "table" and given or { access_token = given, expires_in = more }
  local usable, problem = sign_in.check_answer(answer)
  if usable then return usable end
  return nil, errors.new { kind = "auth", code = "not_a_token", hint = HINT,
    message = "the function that gets tokens gave something that is no token: " .. problem }
end

function TokenFunction.secrets()
  return {}
end

function TokenFunction.about()
  return { { name = "token", value = "from a function of your own" } }
end

--- A credential of a function that gets tokens: it returns the token and the seconds that it lives (default 600),
--- or a table with `access_token` and `expires_in` or `expires_on`; or nil and why there is not one. The token is kept
--- until shortly before its end. Ids of tenant and application are not needed.
---@param give mde.TokenGiver
---@return mde.Credential
function M.new(give)
  if type(give) ~= "function" then
    errors.invalid("wrong_type", ("mde.credential.token wants a function, not %s"):format(errors.got(give)))
  end
  return setmetatable({ kind = "token function", give = give, needs_application = false }, TokenFunction)
end

return M
