--- credential.app_service: the managed identity of App Service, Functions, Container Apps and Automation.

local core = require "mde.core"
local endpoints = require "mde.auth.credential.identity_endpoint"
local errors = require "mde.base.error"
local variables = require "mde.base.environment"

local NAMES = { client_id = "client_id", object_id = "principal_id", resource_id = "mi_res_id" }

local M = {}

local failure = endpoints.failure("the app's identity endpoint", {
  absent = "Check IDENTITY_ENDPOINT, which the platform sets.",
  unassigned = "Assign a managed identity to the app in the portal (Identity), or name one that it has.",
  refused = "Check the identity that AZURE_CLIENT_ID names, IDENTITY_HEADER and MDE_SCOPE.",
})

-- The platform changes the header's value now and then.
local function refresh_header(self)
  local value = variables.get "IDENTITY_HEADER"
  if value and not core.text.has_control(value) and value ~= self.secret:reveal() then
    self.secret = core.secret.new(value)
  end
  return self.secret:reveal()
end

local function ask(self, request)
  local answer, err = request:get { url = self.url, headers = { ["X-IDENTITY-HEADER"] = refresh_header(self) },
    failure = failure, query = endpoints.query("2019-08-01", request, self.options, NAMES) }
  if not answer then return nil, err end
  return endpoints.check_identity(answer, self.options)
end

local AppService = endpoints.class { kind = "app_service", name = "App Service", ask = ask }

---@param options mde.credential.ManagedIdentityOptions
---@return mde.Credential
function M.new(options)
  local url, header = variables.get "IDENTITY_ENDPOINT", variables.get "IDENTITY_HEADER"
  if not url or not header then
    errors.invalid("identity_endpoint_missing",
      "the managed identity of an app needs IDENTITY_ENDPOINT and IDENTITY_HEADER, and one is not set",
      "The platform sets both once an identity is assigned; restart the app after that.")
  end
  if core.text.has_control(header) then
    errors.invalid("secret_malformed", "IDENTITY_HEADER has a control character in it")
  end
  return setmetatable({ kind = "managed identity", needs_application = false, options = options,
    url = endpoints.check_url(url, "IDENTITY_ENDPOINT"), secret = core.secret.new(header) }, AppService)
end

return M
