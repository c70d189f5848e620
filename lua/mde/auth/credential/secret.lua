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
---@field private flawed? boolean what was read of it last is of no use
local Secret = { __name = "mde.credential.secret" }
Secret.__index = Secret

function Secret.__tostring()
  return "mde.credential.secret: [secret]"
end

local COPY = "Copy the value alone, as the portal showed it once."

-- What is wrong with a value, and what to do: it came with something around it. Entra's secrets are of printable
-- characters of ASCII, without blanks, quotes and backslashes.
local function flaw_of(value)
  if value:find "%z" or value:find "^\255\254" or value:find "^\254\255" then
    return "is UTF-16, or has a NUL or another control character in it",
      "Save it as UTF-8: PowerShell needs -Encoding ascii."
  elseif core.text.has_control(value) then
    return "has a line break or another control character in it", "Copy the value alone, without a line end."
  elseif value:find "^\239\187\191" then
    return "begins with a byte order mark", "Save it as UTF-8 without one."
  elseif core.text.trim(value) ~= value then
    return "begins or ends with a blank", COPY
  elseif value:find "^\226\128" or value:find "\226\128[\128-\191]$" then
    -- Where the typographic quotes stand, and blanks without a width: U+2000 to U+203F
    return "begins or ends with a typographic quote, or with a blank of a web page that does not show", COPY
  elseif value:find "\\[nr]$" then
    return "ends in a line end that is written as a backslash and a letter", "Leave the \\n away. " .. COPY
  elseif value:find "^\".*\"$" or value:find "^'.*'$" then
    return "stands between quotes", "Leave the quotes away. " .. COPY
  end
end

-- Takes the file's value into use, if it has changed; true, or nil and an error.
local function refresh(self)
  local value, err, is_new = self.file:read()
  if not value then return nil, err end
  local problem, hint
  if is_new or self.flawed then problem, hint = flaw_of(value:reveal()) end
  self.flawed = problem ~= nil
  if problem then
    return nil, errors.new { kind = "auth", code = "secret_malformed", hint = hint,
      message = ("the client secret in %s %s"):format(errors.show(self.file.path), problem) }
  end
  self.value = value
  return true
end

---@param request mde.TokenRequest
function Secret:ask(request)
  if self.file then
    local ok, err = refresh(self)
    if not ok then return nil, err end
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
  local source = self.file and "from " .. self.source or "given as it is"
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
  local problem, hint = flaw_of(value)
  if problem then errors.invalid("secret_malformed", "the client secret " .. problem, hint) end
  if #value > MAX_SECRET_BYTES then
    errors.invalid("credential_too_long", "the client secret is longer than 4,096 bytes",
      "Give the secret's value, not a file.")
  end
  return setmetatable({ kind = "secret", value = core.secret.new(value), source = 'the option "credential"' }, Secret)
end

--- A credential of a file with a client secret's value alone, which is read again when it changes. Raises if it cannot
--- be read.
---@param path string
---@return mde.Credential
function M.from_file(path)
  local file = secret_files.new(path, "the file with the client secret", MAX_SECRET_BYTES)
  local self = setmetatable({ kind = "secret", file = file, source = file:name() }, Secret)
  local ok, err = refresh(self)
  if not ok then error(err, 0) end
  return self
end

return M
