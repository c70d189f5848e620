--- credential.managed_identity: the identity that Azure gives to a machine or a service, with no secret to keep.
--
-- Each kind of host has its own endpoint on or beside the machine, and its own manners: imds.lua (virtual machines),
-- app_service.lua (App Service, Functions, Container Apps, Automation) and arc.lua (machines elsewhere that Azure Arc
-- manages). Which one it is stands in the environment.

local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local variables = require "mde.base.environment"

---@class mde.credential.ManagedIdentityOptions which identity, where the machine has more than its own; one of
---@field client_id? string
---@field object_id? string
---@field resource_id? string the identity's own path in Azure
---@field source? "imds"|"app_service"|"arc" nil: what the environment says
---@field tokens_directory? string where Azure Arc's agent puts its key files; default /var/opt/azcmagent/tokens

local known_options = { client_id = "text", object_id = "text", resource_id = "text", source = "text",
  tokens_directory = "text" }

local sources = { imds = true, app_service = true, arc = true }

local ARC_AGENT = "/opt/azcmagent/bin/himds"

local M = {}

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Hosts whose endpoints are known of, and not spoken to.
local function unsupported(name)
  errors.invalid("identity_unsupported", ("the managed identity of %s is not supported"):format(name),
    "Use a certificate or a federated token there, or mde.credential.token with a function that asks for the token.")
end

--- Which endpoint the environment describes; nil if it describes none. Raises for one that is not supported.
---@return "imds"|"app_service"|"arc"|nil source
function M.detect()
  if variables.get "IDENTITY_ENDPOINT" and variables.get "IDENTITY_HEADER" then
    if variables.get "IDENTITY_SERVER_THUMBPRINT" then unsupported "Service Fabric" end
    return "app_service"
  elseif variables.get "MSI_ENDPOINT" then
    unsupported(variables.get "MSI_SECRET" and "Azure Machine Learning" or "Cloud Shell")
  elseif (variables.get "IDENTITY_ENDPOINT" and variables.get "IMDS_ENDPOINT") or exists(ARC_AGENT) then
    return "arc"
  elseif variables.get "AZURE_POD_IDENTITY_AUTHORITY_HOST" then
    return "imds"
  end
  -- What Azure writes into the firmware of its virtual machines.
  local file = io.open("/sys/class/dmi/id/chassis_asset_tag", "rb")
  local tag = file and file:read "*l"
  if file then file:close() end
  if tag == "7783-7084-3265-9085-8269-3286-77" then return "imds" end
end

--- A credential of the managed identity of this machine or service. Raises if the options make no sense.
---@param options? mde.credential.ManagedIdentityOptions
---@return mde.Credential
function M.new(options)
  options = options_of.check(options, known_options, "mde.credential.managed_identity")
  local named = {}
  for _, name in ipairs { "client_id", "object_id", "resource_id" } do
    if options[name] then named[#named + 1] = name end
  end
  if named[2] then
    errors.invalid("contradictory_options",
      ("mde.credential.managed_identity: options %q and %q name an identity twice"):format(named[1],
      named[2]), "Give one of them.")
  end
  if options.source and not sources[options.source] then
    errors.invalid("wrong_value",
      ("mde.credential.managed_identity: option \"source\" is %s"):format(errors.quote(options.source)),
      "There are app_service, arc and imds.")
  end
  local source = options.source or M.detect() or "imds"
  if options.tokens_directory and source ~= "arc" then
    errors.invalid("option_without_effect",
      "mde.credential.managed_identity: option \"tokens_directory\" is of Azure Arc alone")
  end
  local credential = require("mde.auth.credential." .. source).new(options)
  if named[1] then credential.identity_source = ("the option %q"):format(named[1]) end
  return credential
end

return M
