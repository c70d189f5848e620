-- The endpoints of managed identities, which a machine or a service in Azure asks for tokens over plain http: the
-- instance metadata service of virtual machines, App Service's, and that of Azure Arc's agent, which asks for a proof.
--
-- `identities` of the tenant is a list: `client_id`, `object_id`, `resource_id`, `roles`, `graph_roles`, and
-- `system = true` for the machine's own. `arc` says how the agent behaves: `directory`, where it puts its
-- key files, and `challenge`, what is wrong with the path that it names: "outside", "extension", "missing", "large",
-- "none". `app_header` is the value that App Service wants to see.
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local resources = require "mde.sim.identity.resources"
local sign_in = require "mde.sim.identity.sign_in"

local M = {}

local function answer(status, body, headers)
  headers = headers or {}
  headers["content-type"] = "application/json; charset=utf-8"
  return { status = status, headers = headers, body = json.encode(body) }
end

local function refuse(tenant, status, code, text)
  tenant:record("token_refused", { code = status, error = code })
  return answer(status, { error = code, error_description = text })
end

-- The parameters of a query.
local function read_query(query)
  return encoding.form(query) or {}
end

-- The identity that a query names under these names; or the machine's own.
local function find(tenant, parameters, names)
  local wanted = false
  for field, name in pairs(names) do
    local value = parameters[name]
    if value then
      wanted = true
      for _, one in ipairs(tenant.identities) do
        if one[field] and core.text.lower(one[field]) == core.text.lower(value) then return one end
      end
    end
  end
  if wanted then return nil end
  for _, one in ipairs(tenant.identities) do
    if one.system then return one end
  end
end

local function token_of(tenant, one, resource)
  local application = { client_id = one.client_id, name = "managed identity", roles = one.roles or {},
    graph_roles = one.graph_roles or {} }
  local grant = sign_in.grant(tenant, application, resource, "managed_identity")
  return { access_token = grant.token, refresh_token = "", expires_in = ("%d"):format(grant.lifetime),
    expires_on = ("%d"):format(grant.expires), not_before = ("%d"):format(grant.issued), resource = resource,
    token_type = "Bearer", client_id = one.client_id }
end

local function by_resource(tenant, parameters, names, unassigned)
  if not parameters.resource or parameters.resource == "" then
    return refuse(tenant, 400, "invalid_request", "The parameter resource is missing.")
  end
  local one = find(tenant, parameters, names)
  if not one then return refuse(tenant, 400, "invalid_request", unassigned) end
  if not resources.exists(parameters.resource, tenant) then
    return refuse(tenant, 400, "invalid_resource", "AADSTS500011: There is no resource of that name in this tenant.")
  end
  return token_of(tenant, one, parameters.resource)
end

local machine_names = { client_id = "client_id", object_id = "object_id", resource_id = "msi_res_id" }
local app_names = { client_id = "client_id", object_id = "principal_id", resource_id = "mi_res_id" }

local function finish(result)
  return result.status and result or answer(200, result)
end

local function imds(tenant, request, parameters)
  if request.headers.metadata ~= "true" then
    return refuse(tenant, 400, "bad_request_102", "The header Metadata with the value true is missing.")
  elseif request.headers["x-forwarded-for"] then
    return refuse(tenant, 400, "bad_request_103", "The request came through a proxy.")
  end
  return finish(by_resource(tenant, parameters, machine_names, "Identity not found"))
end

local function app_service(tenant, request, parameters)
  local function refuse_app(status, message)
    tenant:record("token_refused", { code = status, error = message })
    return answer(status, { statusCode = status, message = message })
  end
  if request.headers["x-identity-header"] ~= tenant.app_header then
    return refuse_app(401, "The header X-IDENTITY-HEADER is missing or wrong.")
  elseif parameters["api-version"] ~= "2019-08-01" then
    return refuse_app(400, "This api-version is not supported.")
  elseif parameters.msi_res_id then
    return refuse_app(400, "There is no parameter msi_res_id.")
  end
  local result = by_resource(tenant, parameters, app_names, "No managed identity found for the given parameters.")
  if result.status then
    return answer(result.status, { statusCode = result.status,
      message = json.decode(result.body).error_description })
  end
  -- There is no expires_in here.
  return answer(200, { access_token = result.access_token, expires_on = result.expires_on,
    not_before = result.not_before, resource = result.resource, token_type = result.token_type,
    client_id = result.client_id })
end

local function write(path, bytes)
  local file = io.open(path, "wb")
  if not file then return false end
  file:write(bytes)
  file:close()
  os.execute(("chmod 640 '%s'"):format(path))
  return true
end

-- A path with a key in it, made for this one answer, and the key; with what is wrong about it.
local function new_key(tenant)
  local key = encoding.hex(tenant.random(16))
  local challenge, directory = tenant.arc.challenge, tenant.arc.directory
  local path = ("%s/%s.key"):format(directory, encoding.hex(tenant.random(8)))
  if challenge == "outside" then return "/etc/passwd.key", key end
  if challenge == "extension" then path = path:gsub("key$", "txt") end
  if challenge == "large" then key = key:rep(200) end
  if challenge ~= "missing" and not write(path, key) then return nil end
  return path, key
end

local function arc(tenant, request, parameters)
  if request.headers.metadata ~= "true" then
    return refuse(tenant, 400, "invalid_request", "The header Metadata with the value true is missing.")
  end
  local proof = (request.headers.authorization or ""):match "^Basic (.*)$"
  local path = proof and tenant.arc.keys[proof]
  if not path then
    if not tenant.arc.directory then
      return refuse(tenant, 500, "server_error", "The agent has no place for its keys.")
    end
    local key
    path, key = new_key(tenant)
    if not path then return refuse(tenant, 500, "server_error", "The agent cannot write its key.") end
    tenant.arc.keys[key] = path
    local realm = tenant.arc.challenge ~= "none" and ("Basic realm=%s"):format(path) or nil
    return answer(401, { error = "unauthorized_client", error_description = "A proof is needed." },
      { ["www-authenticate"] = realm })
  end
  tenant.arc.keys[proof] = nil
  os.remove(path)
  return finish(by_resource(tenant, parameters, machine_names, "Identity not found"))
end

--- Answers what came over plain http; nil: nothing of it is here.
---@param tenant mde.sim.tenant
---@param request { method: string, path: string, query: string, headers: table<string, string> }
---@return table? response
function M.answer(tenant, request)
  local parameters = read_query(request.query)
  local path = core.text.lower(request.path)
  if path ~= "/metadata/identity/oauth2/token" and path ~= "/msi/token" then return nil end
  if request.method ~= "GET" then return { status = 405, headers = { allow = "GET" }, body = "" } end
  if path == "/msi/token" then return app_service(tenant, request, parameters) end
  if parameters["api-version"] == "2020-06-01" then return arc(tenant, request, parameters) end
  if not (parameters["api-version"] or ""):find "^20%d%d%-%d%d%-%d%d$" then
    return refuse(tenant, 400, "bad_request_100", "The parameter api-version is missing.")
  end
  return imds(tenant, request, parameters)
end

return M
