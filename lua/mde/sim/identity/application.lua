-- An application of the tenant: who it is, what it may, and what it can sign in with.
local validation = require "mde.sim.base.validation"
local openssl_command = require "mde.sim.identity.openssl_command"
local roles = require "mde.sim.identity.roles"

local M = {}

local fields = { client_id = "string", client_secret = "string", name = "string", roles = "table",
  graph_roles = "table", secrets = "table", certificates = "table", trusted_subjects = "table", federated = "table",
  disabled = "boolean", public = "boolean", refuse = "number" }

local kinds = { string = "a text", boolean = "true or false", number = "a number" }

local federated_fields = { issuer = "string", subject = "string", audience = "string", key = "string",
  effective = "number" }

local function check(record, known)
  for name, value in pairs(record) do
    if not known[name] then error(validation.unknown("", name, known), 0) end
    if type(value) ~= known[name] and known[name] ~= "table" then
      error(validation.mismatch(name, kinds[known[name]], value), 0)
    end
  end
end

local function copy(list)
  local same = {}
  for i, value in ipairs(list) do same[i] = value end
  return same
end

local function secrets_of(given)
  local list = {}
  if given.client_secret then list[1] = { value = given.client_secret } end
  validation.for_each("secrets", given.secrets or {}, function(secret)
    check(secret, { value = "string", expires = "number" })
    if not secret.value then error("a secret needs a value", 0) end
    list[#list + 1] = { value = secret.value, expires = secret.expires }
  end)
  return list
end

local function certificates_of(given)
  local list = {}
  validation.check_list("certificates", given.certificates or {}, "string")
  for i, pem in ipairs(given.certificates or {}) do
    list[i] = openssl_command.certificate(pem) or error(("certificates[%d] is no PEM certificate"):format(i), 0)
  end
  return list
end

local function trusted_subjects_of(given)
  local list = {}
  validation.for_each("trusted_subjects", given.trusted_subjects or {}, function(trust)
    check(trust, { subject = "string", authority = "string" })
    if not trust.subject or not trust.authority then error("a trusted subject needs a subject and an authority", 0) end
    list[#list + 1] = { subject = trust.subject, authority = trust.authority }
  end)
  return list
end

local function federated_of(given)
  local list = {}
  validation.for_each("federated", given.federated or {}, function(trust)
    check(trust, federated_fields)
    for _, name in ipairs { "issuer", "subject", "key" } do
      if not trust[name] then error("a federated credential needs a " .. name, 0) end
    end
    list[#list + 1] = { issuer = trust.issuer, subject = trust.subject, key = trust.key,
      audience = trust.audience or "api://AzureADTokenExchange", effective = trust.effective or 0 }
  end)
  return list
end

--- An application as the tenant keeps it. Raises a message for one that makes no sense. Beside `client_id`, `name`,
--- `roles` and `graph_roles`, those of Microsoft Graph: `client_secret`, or `secrets` (a list of `value` and `expires`,
--- seconds since 1970); `certificates` (PEM); `trusted_subjects` (a list of `subject`, as RFC 2253 writes it, and
--- `authority`, PEM); `federated` (a list of `issuer`, `subject`, `audience`, `key`, the issuer's public key in PEM,
--- and `effective`, from when it is known everywhere); `disabled`; `public`; `refuse`, the number of the reason for
--- which it never signs in.
---@param given table
---@return table
function M.new(given)
  check(given, fields)
  if not given.client_id then error("an application needs a client_id", 0) end
  roles.check(given.roles or {})
  roles.check_graph(given.graph_roles or {})
  local self = {
    client_id = given.client_id, name = given.name or given.client_id, roles = copy(given.roles or {}),
    graph_roles = copy(given.graph_roles or {}),
    secrets = secrets_of(given), certificates = certificates_of(given), federated = federated_of(given),
    trusted_subjects = trusted_subjects_of(given),
    disabled = given.disabled, public = given.public, refuse = given.refuse,
  }
  if not (self.secrets[1] or self.certificates[1] or self.federated[1] or self.trusted_subjects[1]) then
    error("an application needs a client_secret, certificates, trusted subjects or federated credentials", 0)
  end
  return self
end

return M
