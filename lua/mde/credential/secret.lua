--- credential.secret: an application that signs in with a client secret.
--
-- A credential knows how to ask for a token and nothing else: `form(client_id)` gives the fields of
-- the token request that are its own, `secrets()` what must never be seen in a log. Lua strings cannot
-- be wiped from memory; where that matters, another kind of credential is the better choice.

local core = require "mde.core"
local errors = require "mde.error"

---@class mde.Credential
---@field kind string
---@field form fun(self: mde.Credential): table<string, string> fields of the token request
---@field secrets fun(self: mde.Credential): (string|userdata)[] texts and mde.core secrets to keep out of every log
local Secret = { __name = "mde.credential.secret" }
Secret.__index = Secret

function Secret.__tostring()
  return "mde.credential.secret: [secret]"
end

function Secret:form()
  return { client_secret = self.value:reveal() }
end

function Secret:secrets()
  return { self.value }
end

--- A credential of a client secret's value (not its id). Raises if it cannot be one.
---@param value string
---@return mde.Credential
local function new(value)
  if type(value) ~= "string" or value == "" then
    errors.invalid("the client secret is empty", "Set it to the secret's value as the portal showed it once.")
  end
  if value:find "[%c]" then
    errors.invalid("the client secret has a line break or another control character in it",
      "Copy the value alone, without a line end.")
  end
  if #value > 4096 then
    errors.invalid("the client secret is longer than 4,096 bytes", "Give the secret's value, not a file.")
  end
  return setmetatable({ kind = "secret", value = core.secret.new(value) }, Secret)
end

return { new = new }
