--- settings: which application of which tenant a client is, in which cloud: from options, or else from the environment
-- variables that every Azure SDK reads.
--
-- A wrong option raises; so does a wrong environment here, and the maker of a client returns that as an error.

local authorities = require "mde.auth.authority"
local clouds = require "mde.base.cloud"
local core = require "mde.core"
local environment = require "mde.auth.credential.environment"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local secret = require "mde.auth.credential.secret"
local stores = require "mde.sync.store"
local token_function = require "mde.auth.credential.token_function"
local urls = require "mde.base.url"
local variables = require "mde.base.environment"

local M = {}

-- Each check returns the value as the client uses it, or raises with the name by which the user set it.

local function check_tenant(value, name)
  if not core.device.is_guid(value) and not core.url.is_domain(value) then
    errors.invalid("tenant_malformed",
      ("%s is %s, which is neither a GUID nor a domain"):format(name, errors.quote(value)),
      "Give the tenant's id as the portal shows it.")
  end
  return value
end

local function check_client_id(value, name)
  if not core.device.is_guid(value) then
    errors.invalid("client_id_malformed", ("%s is %s, which is not a GUID"):format(name, errors.quote(value)),
      "Give the application (client) id as the portal shows it.")
  end
  return value
end

-- Checks the URL of what has a root of its own, which is not part of the setting.
local function without_root(root, pattern)
  return function(value, name)
    local url = urls.check_https(value, name)
    if core.text.lower(core.url.parse(url).path):find(pattern) then
      errors.invalid("url_malformed", ("%s is %s; the path %s is added by this library"):format(name,
        urls.shown(value), root), ("Leave %s away."):format(root))
    end
    return url
  end
end

local function check_scope(value, name)
  if not value:find "^%S+/%.default$" then
    errors.invalid("scope_malformed",
      ("%s is %s, which does not end in \"/.default\""):format(name, errors.quote(value)),
      "Write the resource followed by /.default.")
  end
  return value
end

local function check_cloud(value, name)
  local cloud = clouds[core.text.lower(value)]
  if not cloud then
    local near = options_of.nearest(value, clouds)
    errors.invalid("unknown_cloud",
      ("%s is %s; there are %s"):format(name, errors.quote(value), options_of.listed(clouds)),
      near and ("Did you mean %q?"):format(near) or "Those of the US government are gcc, gcc_high and dod.")
  end
  return cloud
end

local function check_credential(value, name)
  if type(value) == "string" then return errors.under_name(name, secret.new, value) end
  if type(value) == "function" then return token_function.new(value) end
  if type(value) ~= "table" or type(value.ask) ~= "function" or type(value.secrets) ~= "function" then
    errors.invalid("wrong_type",
      ("%s must be the client secret's value, a credential or a function that gets tokens, not a %s")
      :format(name, type(value)), "Make a credential by mde.credential.certificate(path), say.")
  end
  return value
end

---@type { option: string, variable: string, check: fun(value: any, name: string): any }[]
local sources = {
  { option = "cloud", variable = "MDE_CLOUD", check = check_cloud },
  { option = "tenant_id", variable = "AZURE_TENANT_ID", check = check_tenant },
  { option = "client_id", variable = "AZURE_CLIENT_ID", check = check_client_id },
  { option = "credential", check = check_credential },
  { option = "authority", variable = "AZURE_AUTHORITY_HOST", check = authorities.check },
  { option = "base_url", variable = "MDE_BASE_URL", check = without_root("/api", "/api$") },
  { option = "scope", variable = "MDE_SCOPE", check = check_scope },
  { option = "graph_url", variable = "MDE_GRAPH_URL", check = without_root("/v1.0", "/v1%.0$") },
  { option = "graph_scope", variable = "MDE_GRAPH_SCOPE", check = check_scope },
  { option = "store", variable = "MDE_STORE", check = stores.check },
}

--- The settings that options give. Raises for one that is wrong.
---@param options mde.ClientOptions
---@return table settings and which of them were `given` in the place of a variable
function M.of_options(options)
  local settings = { given = {} }
  for _, source in ipairs(sources) do
    local value, name = options[source.option], ("option %q"):format(source.option)
    if value ~= nil then
      settings[source.option] = source.check(value, name)
      if source.variable then settings.given[source.variable] = name end
    end
  end
  if settings.authority and settings.tenant_id then
    settings.authority = authorities.without_tenant(settings.authority, settings.tenant_id, 'option "authority"')
  end
  return settings
end

-- The functions of nginx's Lua module, where this runs in it.
function M.nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and type(ngx.socket) == "table" and type(ngx.get_phase) == "function" and ngx or nil
end

-- The master, in which init_by_lua runs, sees the environment that nginx was started with; its workers see of that
-- only what nginx.conf names.
local function how_to_set(missing)
  if not M.nginx() then return "Set what is missing," end
  return ("Start nginx with what is missing, and make the client in init_by_lua_block; or name what the workers may "
    .. "see at the top of nginx.conf: env %s;"):format(table.concat(missing, "; env "))
end

-- Raises if the ids or the credential are not there, with all that is missing.
local function require_application(settings)
  local missing, options = {}, {}
  local function miss(name, option)
    missing[#missing + 1], options[#options + 1] = name, errors.quote(option)
  end
  local needs_ids = not settings.credential or settings.credential.needs_application ~= false
  if needs_ids and not settings.tenant_id then miss("AZURE_TENANT_ID", "tenant_id") end
  if needs_ids and not settings.client_id then miss("AZURE_CLIENT_ID", "client_id") end
  if not settings.credential then miss("AZURE_CLIENT_SECRET", "credential") end
  if not missing[1] then return end
  local other = settings.credential and "" or " Instead of a secret there may be AZURE_CLIENT_CERTIFICATE_PATH or "
    .. "AZURE_FEDERATED_TOKEN_FILE, or a managed identity: AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential."
  errors.invalid("settings_missing", "not set in the environment: " .. table.concat(missing, ", "),
    how_to_set(missing) .. " or give mde.client the option " .. table.concat(options, ", ") .. "." .. other)
end

local function same_host(url, other)
  return url ~= nil and core.url.parse(url).host == core.url.parse(other).host
end

-- A host that a national cloud alone has says that this one is meant. GCC signs in where the commercial cloud does;
-- GCC High and DoD have everything in common but Microsoft Graph. The second result is whether the cloud is certain.
local function cloud_of(settings)
  if settings.cloud then return settings.cloud, true end
  for _, name in ipairs { "gcc_high", "dod" } do
    if same_host(settings.graph_url, clouds[name].graph_url) then return clouds[name], true end
  end
  if same_host(settings.base_url, clouds.gcc.base_url) then return clouds.gcc, true end
  local high = clouds.gcc_high
  if same_host(settings.base_url, high.base_url) or same_host(settings.authority, high.authority) then
    return high, false
  end
  return clouds.commercial, true
end

-- Why nobody can tell where Microsoft Graph is; nil if the cloud tells. A setting that leads away from Microsoft, to a
-- simulated tenant say, leads there as a whole: a token must not go where nobody sent it.
local function graph_doubt(settings, is_certain)
  for _, one in ipairs { { "base_url", "MDE_BASE_URL" }, { "authority", "AZURE_AUTHORITY_HOST" } } do
    local url, variable = settings[one[1]], one[2]
    local parts = url and core.url.parse(url)
    if parts and parts.class ~= "microsoft" then
      return { message = ("%s is set to %s, which is no host of Microsoft's, and no setting says where Graph is beside "
        .. "it"):format(settings.given[variable] or variable, errors.show(parts.authority)),
        hint = "Set MDE_GRAPH_URL too; for a simulated tenant mde sim --print-env prints it." }
    end
  end
  if is_certain then return nil end
  return { message = "GCC High and DoD have Graph at hosts of their own, and no setting says which of the two is meant",
    hint = "Set MDE_CLOUD to gcc_high or dod." }
end

--- Adds what the environment says, and what follows from the cloud. Raises for what is wrong or missing in it.
---@param settings table as of_options returns them
function M.complete(settings)
  for _, source in ipairs(sources) do
    local value = source.variable and variables.get(source.variable)
    if settings[source.option] == nil and value then
      settings[source.option] = source.check(value, source.variable)
    end
  end
  if not settings.credential then settings.credential = environment.credential(settings.client_id) end
  require_application(settings)
  if settings.authority then
    settings.authority = authorities.without_tenant(settings.authority, settings.tenant_id,
      settings.given.AZURE_AUTHORITY_HOST or "AZURE_AUTHORITY_HOST")
  end
  local cloud, is_certain = cloud_of(settings)
  if not settings.graph_url then settings.graph_doubt = graph_doubt(settings, is_certain) end
  for name, value in pairs(cloud) do
    if settings[name] == nil then settings[name] = value end
  end
  if settings.graph_doubt then settings.graph_url = nil end
  for name, one in pairs(clouds) do
    if one == cloud then settings.cloud_name = name end
  end
end

return M
