--- credential.federated: an application that signs in with a token of another identity provider (workload identity).
--
-- The token stands in a file that its platform rewrites every now and then, so the file is read for every request;
-- or a function of the user's own returns it.

local core = require "mde.core"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local secret_files = require "mde.auth.credential.secret_file"

local MAX_TOKEN_BYTES = 65536

local M = {}

---@class mde.credential.Federated: mde.Credential
---@field private path? string
---@field private give? fun(): string?, string?
---@field private last? userdata the token that was sent last, an mde.core secret
---@field private stamp? string
local Federated = { __name = "mde.credential.federated" }
Federated.__index = Federated

function Federated.__tostring()
  return "mde.credential.federated: [secret]"
end

local function from_file(self)
  local value, stamp, hint = posix.secret_file.read(self.path)
  if value then
    self.stamp = stamp
    return value
  end
  return nil, errors.new { kind = "auth", code = "credential_unreadable",
    message = "the federated token cannot be read: " .. errors.show(stamp),
    hint = hint or ("Check %s: the platform writes the token into that file."):format(self.source) }
end

local function from_function(self, request)
  local ok, token, problem = pcall(self.give, { tenant_id = request.tenant_id, client_id = request.client_id })
  if not ok then token, problem = nil, token end
  if type(token) == "string" and token ~= "" and #token <= MAX_TOKEN_BYTES then return core.secret.new(token) end
  return nil, errors.new { kind = "auth", code = "no_federated_token",
    message = "the function that gives the federated token gave none: " .. errors.show(problem or "no reason"),
    hint = "It has to return the token as a string." }
end

---@param request mde.TokenRequest
function Federated:ask(request)
  local token, err
  if self.path then token, err = from_file(self) else token, err = from_function(self, request) end
  if not token then return nil, err end
  local previous = self.last
  self.last = token
  local text = token:reveal()
  if text:find "[^A-Za-z0-9%-_.=]" then
    return nil, errors.new { kind = "auth", code = "federated_token_malformed",
      message = "the federated token is no JSON Web Token",
      hint = "The file has to have the token in it and nothing else." }
  end
  if previous and previous:reveal() ~= text then request:keep_secret(previous:reveal()) end
  return request:post {
    client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion = text,
  }
end

function Federated:secrets()
  return { self.last }
end

function Federated:changed()
  if not self.path then return false end
  local stamp = posix.secret_file.stamp(self.path)
  return stamp ~= nil and stamp ~= self.stamp
end

function Federated:about()
  return { { name = "federated token", value = self.path and "from " .. errors.show(self.path) or "from a function" } }
end

--- A credential of a token of another identity provider.
---@param source string|fun(application: { tenant_id: string, client_id: string }): string?, string? the path of a file,
--- read for every request, or what returns the token, or nil and why there is not one
---@return mde.Credential
function M.new(source)
  if type(source) == "function" then
    return setmetatable({ kind = "federated", give = source, source = "the function that gives the token" }, Federated)
  end
  if type(source) ~= "string" or source == "" then
    errors.invalid("wrong_type", ("mde.credential.federated wants the path of a file or a function, not %s")
      :format(errors.got(source)))
  end
  local path = secret_files.check_path(source, "the file with the federated token")
  return setmetatable({ kind = "federated", path = path, source = "the file " .. errors.quote(path) }, Federated)
end

return M
