--- credential.environment: the credential that the environment describes, by the names that every Azure SDK reads and
-- in the order in which they look: secret, certificate, federated token, managed identity.
--
-- What is set is what counts: nothing is tried out, and nothing falls through to the next when a sign-in fails.

local core = require "mde.core"
local errors = require "mde.base.error"
local managed_identity = require "mde.auth.credential.managed_identity"
local variables = require "mde.base.environment"

local M = {}

-- A credential that a variable describes: its value, or the path of its file.
local function from(variable, make, source)
  local credential = errors.under_name(variable, make, source)
  credential.source = credential.source:find "^the file" and ("%s (%s)"):format(credential.source, variable) or variable
  return credential
end

local function secret()
  local value = variables.get "AZURE_CLIENT_SECRET"
  if value then return from("AZURE_CLIENT_SECRET", require("mde.auth.credential.secret").new, value) end
  local path = variables.get "MDE_CLIENT_SECRET_FILE"
  return path and from("MDE_CLIENT_SECRET_FILE", require("mde.auth.credential.secret").from_file, path)
end

local flags = { ["1"] = true, ["true"] = true, ["0"] = false, ["false"] = false }

-- What the SDKs make of other values differs, so these are refused.
local function flag(name)
  local value = variables.get(name)
  local set = flags[value and core.text.lower(value) or "0"]
  if set == nil then
    errors.invalid("wrong_value", ("%s is %s"):format(name, errors.quote(core.redact.text(value))),
      "Write 1 or true, 0 or false, or leave it unset.")
  end
  return set
end

local function certificate()
  local path = variables.get "AZURE_CLIENT_CERTIFICATE_PATH"
  return path and from("AZURE_CLIENT_CERTIFICATE_PATH", require("mde.auth.credential.certificate").new,
    { path = path, password = variables.get "AZURE_CLIENT_CERTIFICATE_PASSWORD",
      send_certificate_chain = flag "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" })
end

local function federated()
  local path = variables.get "AZURE_FEDERATED_TOKEN_FILE"
  return path and from("AZURE_FEDERATED_TOKEN_FILE", require("mde.auth.credential.federated").new, path)
end

local function identity(client_id, must)
  if not must and not managed_identity.detect() then return nil end
  local credential = managed_identity.new { client_id = client_id }
  credential.identity_source = nil
  return credential
end

-- AZURE_TOKEN_CREDENTIALS narrows the choice, to one or to those that are fit for production, which all of ours are.
local chosen = {
  EnvironmentCredential = function() return secret() or certificate() end,
  WorkloadIdentityCredential = federated,
  ManagedIdentityCredential = function(client_id) return identity(client_id, true) end,
}

--- The credential that the environment describes; nil if it describes none. Raises for one that cannot be used.
---@param client_id? string
---@return mde.Credential?
function M.credential(client_id)
  local choice = variables.get "AZURE_TOKEN_CREDENTIALS"
  if choice and core.text.lower(choice) ~= "prod" then
    for name, make in pairs(chosen) do
      if core.text.lower(name) == core.text.lower(choice) then return make(client_id) end
    end
    errors.invalid("wrong_value", ("AZURE_TOKEN_CREDENTIALS is %s"):format(errors.quote(core.redact.text(choice))),
      "There are prod, EnvironmentCredential, WorkloadIdentityCredential and ManagedIdentityCredential.")
  end
  return secret() or certificate() or federated() or identity(client_id)
end

return M
