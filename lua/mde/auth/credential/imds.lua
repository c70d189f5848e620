--- credential.imds: the managed identity of a virtual machine, from Azure's instance metadata service.

local endpoints = require "mde.auth.credential.identity_endpoint"
local variables = require "mde.base.environment"

local HOST = "http://169.254.169.254"
local PATH = "/metadata/identity/oauth2/token"
local NAMES = { client_id = "client_id", object_id = "object_id", resource_id = "msi_res_id" }

local M = {}

local failure = endpoints.failure("Azure's instance metadata service", {
  absent = "Only a virtual machine in Azure has it: elsewhere set AZURE_CLIENT_SECRET, "
    .. "AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE.",
  unassigned = "Assign a managed identity to the virtual machine in the portal (Identity), or name one that it has.",
  refused = "Check the identity that AZURE_CLIENT_ID names, and MDE_SCOPE.",
})

local function ask(self, request)
  local answer, err = request:get { url = self.url, headers = { Metadata = "true" }, failure = failure,
    query = endpoints.query("2018-02-01", request, self.options, NAMES) }
  if not answer then return nil, err end
  return endpoints.check_identity(answer, self.options)
end

local Imds = endpoints.class { kind = "imds", name = "instance metadata service", ask = ask }

---@param options mde.credential.ManagedIdentityOptions
---@return mde.Credential
function M.new(options)
  local name = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
  local host = variables.get(name)
  host = host and endpoints.check_url(host, name):gsub("/+$", "") or HOST
  return setmetatable({ kind = "managed identity", needs_application = false, options = options,
    url = host .. PATH }, Imds)
end

return M
