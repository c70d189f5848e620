--- credential.secret: an application that signs in with a client secret, given as it is or in a file.
--
-- A file is read again when it has changed. Lua strings cannot be wiped from memory; where that matters, another kind
-- of credential is the better choice.

local core = require "mde.core"
local errors = require "mde.base.error"
local secret_files = require "mde.auth.credential.secret_file"

local MAX_SECRET_BYTES = 4096

local M = {}

---@class mde.credential.Secret: mde.Credential
---@field private value userdata an mde.core secret
---@field private file? mde.SecretFile
local Secret = { __name = "mde.credential.secret" }
Secret.__index = Secret

function Secret.__tostring()
  return "mde.credential.secret: [secret]"
end

---@param request mde.TokenRequest
function Secret:ask(request)
  if self.file then
    local value, err = self.file:read()
    if not value then return nil, err end
    self.value = value
  end
  return request:post { client_secret = self.value:reveal() }
end

function Secret:secrets()
  return { self.value }
end

function Secret:changed()
  return self.file ~= nil and self.file:changed()
end

function Secret:about()
  local source = self.file and "from " .. errors.show(self.file.path) or "given as it is"
  return { { name = "client secret", value = source } }
end

function Secret:remarks()
  return { self.file and self.file.remark or nil }
end

--- A credential of a client secret's value (not its id). Raises if it cannot be one.
---@param value string
---@return mde.Credential
function M.new(value)
  if type(value) ~= "string" or value == "" then
    errors.invalid("secret_empty",
      "the client secret is empty", "Set it to the secret's value as the portal showed it once.")
  end
  if value:find "[%z\1-\31\127]" then
    errors.invalid("secret_malformed", "the client secret has a line break or another control character in it",
      "Copy the value alone, without a line end.")
  end
  if #value > MAX_SECRET_BYTES then
    errors.invalid("credential_too_long", "the client secret is longer than 4,096 bytes",
      "Give the secret's value, not a file.")
  end
  return setmetatable({ kind = "secret", value = core.secret.new(value) }, Secret)
end

--- A credential of a file with a client secret's value alone, which is read again when it changes. Raises if it cannot
--- be read.
---@param path string
---@return mde.Credential
function M.from_file(path)
  local file = secret_files.new(path, "the file with the client secret", MAX_SECRET_BYTES)
  local value, err = file:read()
  if not value then error(err, 0) end
  return setmetatable({ kind = "secret", value = value, file = file }, Secret)
end

return M
