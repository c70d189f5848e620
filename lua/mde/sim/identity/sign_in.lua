-- The sign-in service: the v2 token endpoint for applications with a client secret, a certificate or a token of another
-- identity provider, and its refusals.
local core = require "mde.core"
local client_assertion = require "mde.sim.identity.client_assertion"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local resources = require "mde.sim.identity.resources"
local time = require "mde.sim.base.time"

local M = {}

local refusals = {
  unknown_tenant = { 90002, 400, "invalid_request",
    "There is no tenant '%s'. Check the tenant id, and that it belongs to this cloud." },
  no_tenant = { 50059, 400, "invalid_request", "The request names no tenant: '%s' is not one." },
  missing_field = { 900144, 400, "invalid_request", "The request body lacks the required parameter '%s'." },
  malformed = { 9000410, 400, "invalid_request", "The request is malformed: %s." },
  grant_type = { 70003, 400, "unsupported_grant_type", "The grant type '%s' is not supported." },
  unknown_application = { 700016, 400, "unauthorized_client",
    "There is no application '%s' in this directory. It may not be installed here, or this is the wrong tenant." },
  missing_credential = { 7000218, 401, "invalid_client",
    "The request body must hold either 'client_assertion' or 'client_secret'." },
  wrong_secret = { 7000215, 401, "invalid_client",
    "The client secret is not valid for application '%s'. Send the secret's value, not its id." },
  expired_secret = { 7000222, 401, "invalid_client", "The client secret of application '%s' has expired." },
  assertion_key = { 700027, 401, "invalid_client",
    "The client assertion is not signed by a key of the application: %s." },
  assertion_subject = { 700030, 401, "invalid_client", "Invalid certificate - subject name or issuer: %s." },
  assertion_time = { 700024, 401, "invalid_client", "The client assertion is not within its valid time range: %s." },
  assertion_malformed = { 50027, 400, "invalid_request", "The client assertion is not valid: %s." },
  assertion_type = { 900144, 400, "invalid_request",
    "The request body lacks the required parameter 'client_assertion_type', or it is not '%s'." },
  federated_unknown = { 70021, 400, "invalid_client", "No matching federated identity record was found for '%s'." },
  federated_issuer = { 700211, 400, "invalid_client",
    "No matching federated identity record was found for the presented assertion issuer '%s'." },
  federated_audience = { 700212, 400, "invalid_client",
    "No matching federated identity record was found for the presented assertion audience '%s'." },
  federated_subject = { 700213, 400, "invalid_client",
    "No matching federated identity record was found for the presented assertion subject '%s'." },
  disabled = { 7000112, 400, "unauthorized_client", "Application '%s' is disabled." },
  public = { 700025, 401, "invalid_client", "Application '%s' is a public client, so it must not present a secret." },
  claims = { 9000411, 400, "invalid_request", "The parameter 'claims' is not a JSON object%s." },
  malformed_scope = { 70011, 400, "invalid_scope", "The value '%s' given for 'scope' is not valid." },
  several_resources = { 700022, 400, "invalid_scope",
    "The value '%s' given for 'scope' is not valid: .default of one resource alone can be asked for." },
  unknown_resource = { 500011, 400, "invalid_resource", "There is no resource '%s' in this tenant." },
  not_post = { 900561, 405, "invalid_request", "This endpoint takes POST requests only, not %s." },
}

local function headers_for(tenant)
  return {
    ["content-type"] = "application/json; charset=utf-8",
    ["cache-control"] = "no-store, no-cache",
    ["pragma"] = "no-cache",
    ["strict-transport-security"] = "max-age=31536000; includeSubDomains",
    ["x-content-type-options"] = "nosniff",
    ["x-ms-request-id"] = tenant:guid(),
  }
end

-- OAuth errors of the reasons that an application can be told to be refused for, where it is not invalid_client.
local errors_of = { [90006] = "temporarily_unavailable", [90012] = "temporarily_unavailable",
  [90024] = "temporarily_unavailable", [90033] = "temporarily_unavailable", [90055] = "temporarily_unavailable" }

-- Refuses by a number alone, whatever it stands for.
local function reason(number)
  return { number, 400, errors_of[number] or "invalid_client", "The application '%s' is refused for this reason." }
end

local function refuse(tenant, name, detail, client_id)
  local refusal = type(name) == "number" and reason(name) or refusals[name]
  local code, status, kind, text = refusal[1], refusal[2], refusal[3], refusal[4]
  local headers = headers_for(tenant)
  local trace, correlation = headers["x-ms-request-id"], tenant:guid()
  local now = time.plain(tenant.clock.now())
  local body = {
    error = kind,
    error_description = ("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s")
      :format(code, text:format(detail), trace, correlation, now),
    error_codes = { code },
    timestamp = now,
    trace_id = trace,
    correlation_id = correlation,
    error_uri = ("https://login.microsoftonline.com/error?code=%d"):format(code),
  }
  if status == 405 then headers["allow"] = "POST" end
  tenant:record("token_refused", { code = code, error = kind, client_id = client_id })
  return {
    status = status,
    headers = headers,
    body = json.object({ "error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id",
      "error_uri" }, body),
  }
end

-- The client's id and secret from the header `Authorization: Basic`, which holds both form-encoded.
local function basic_credential(header)
  local encoded = header and header:match "^[Bb][Aa][Ss][Ii][Cc] +(%S+)%s*$"
  local decoded = encoded and encoding.unbase64(encoded)
  if not decoded then return nil end
  local id, secret = decoded:match "^([^:]*):(.*)$"
  if not id then return nil end
  return encoding.unescape(id, true), encoding.unescape(secret, true)
end

-- The audience that a scope asks for, or the name of a refusal.
local function audience_of(scope, tenant)
  if scope:find "/%.default%s+%S+/%.default%s*$" then return nil, "several_resources", scope end
  local audience = scope:match "^%s*(%S+)/%.default%s*$"
  if not audience or not audience:find "^[A-Za-z][A-Za-z0-9+.-]*:" then return nil, "malformed_scope", scope end
  if resources.exists(audience, tenant) then return audience end
  return nil, "unknown_resource", audience
end

-- Looks like the service's tokens, and like them all of one beginning.
local function make_token(tenant, application, audience, now, expires, more)
  local roles = more.roles
  local claims = {
    aud = audience, iss = ("https://sts.windows.net/%s/"):format(tenant.tenant_id), iat = now, nbf = now,
    exp = expires, appid = application.client_id, app_displayname = application.name, idtyp = "app",
    roles = roles[1] and roles or nil, tid = tenant.tenant_id,
    uti = encoding.base64url(tenant.random(16)), ver = "1.0", appidacr = more.appidacr, xms_cc = more.capabilities,
  }
  local header = json.object({ "typ", "alg", "kid" }, { typ = "JWT", alg = "RS256", kid = "of the simulated tenant" })
  return table.concat({ encoding.base64url(header), encoding.base64url(json.encode(claims)),
    encoding.base64url(tenant.random(256)) }, ".")
end

local function copy(list)
  local same = {}
  for i, value in ipairs(list) do same[i] = value end
  return same
end

local class_of_credential = { secret = "1", certificate = "2", federated = "2", managed_identity = "2" }

--- Issues a token.
---@param tenant mde.sim.tenant
---@param application { client_id: string, name: string, roles: string[], graph_roles: string[] }
---@param audience string
---@param credential "secret"|"certificate"|"federated"|"managed_identity"
---@param claims table? what the request asks to have in it
---@return { token: string, issued: integer, expires: integer, lifetime: integer }
function M.grant(tenant, application, audience, credential, claims)
  local now, lifetime = math.floor(tenant.clock.now()), math.floor(tenant.lifetime)
  local of_token = claims and type(claims.access_token) == "table" and claims.access_token or {}
  local capabilities = type(of_token.xms_cc) == "table" and type(of_token.xms_cc.values) == "table"
    and json.array(copy(of_token.xms_cc.values)) or nil
  local roles = copy(resources.roles(application, audience))
  local token = make_token(tenant, application, audience, now, now + lifetime,
    { roles = roles, appidacr = class_of_credential[credential], capabilities = capabilities })
  tenant.tokens[token] = {
    application = application,
    audience = audience,
    roles = roles,
    issued = tenant.clock.now(),
    expires = tenant.clock.now() + tenant.lifetime,
    can_be_challenged = capabilities ~= nil and capabilities[1] == "cp1",
    challenged = of_token.nbf ~= nil,
  }
  tenant:record("token_issued", { client_id = application.client_id, audience = audience,
    lifetime = tenant.lifetime, credential = credential, challenged = of_token.nbf ~= nil or nil })
  return { token = token, issued = now, expires = now + lifetime, lifetime = lifetime }
end

local function issue(tenant, application, audience, credential, claims)
  local grant = M.grant(tenant, application, audience, credential, claims)
  return {
    status = 200,
    headers = headers_for(tenant),
    body = json.object({ "token_type", "expires_in", "ext_expires_in", "access_token" }, {
      token_type = "Bearer", expires_in = grant.lifetime, ext_expires_in = grant.lifetime, access_token = grant.token,
    }),
  }
end

local function read_form(request)
  local content_type = core.text.lower(request.headers["content-type"] or "")
  if not content_type:find "^%s*application/x%-www%-form%-urlencoded%s*;?" then return {} end
  return encoding.form(request.body or "")
end

local function present(value)
  return value ~= nil and value ~= ""
end

local ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

-- What the application has proved to be it with: a kind; or nil, the name of the refusal and a detail.
local function check_secret(application, secret, now)
  local expired = false
  for _, known in ipairs(application.secrets) do
    if secret == known.value then
      if not known.expires or now < known.expires then return "secret" end
      expired = true
    end
  end
  return nil, expired and "expired_secret" or "wrong_secret", application.client_id
end

local function check_credential(tenant, application, form, secret, endpoint)
  local now = tenant.clock.now()
  if application.public then return nil, "public", application.client_id end
  if present(secret) then return check_secret(application, secret, now) end
  if not present(form.client_assertion) then return nil, "missing_credential", "" end
  if form.client_assertion_type ~= ASSERTION_TYPE then return nil, "assertion_type", ASSERTION_TYPE end
  return client_assertion.check(form.client_assertion, application, endpoint, now)
end

-- The claims that a form asks for; false if they are malformed.
local function claims_of(form)
  if not present(form.claims) then return nil end
  return json.decode_object(form.claims) or false
end

-- Why a form cannot be answered, whoever sends it: the name of a refusal and a detail.
local function flaw_of(form, client_id)
  if not present(form.grant_type) then return "missing_field", "grant_type" end
  if form.grant_type ~= "client_credentials" then return "grant_type", form.grant_type end
  if not present(client_id) then return "missing_field", "client_id" end
  if not present(form.scope) then return "missing_field", "scope" end
  if claims_of(form) == false then return "claims", "" end
end

-- Why the tenant that the path names does not sign applications in.
local function flaw_of_tenant(tenant, named)
  local lower = core.text.lower(named)
  if lower == "common" or lower == "organizations" or lower == "consumers" then return "no_tenant" end
  if lower ~= core.text.lower(tenant.tenant_id) then return "unknown_tenant" end
end

--- The refusal of a tenant that there is not.
---@param tenant mde.sim.tenant
---@param named string
---@return table? response
function M.refuse_tenant(tenant, named)
  local flaw = flaw_of_tenant(tenant, named)
  return flaw and refuse(tenant, flaw, named)
end

--- Answers `POST /{tenant}/oauth2/v2.0/token`.
---@param tenant mde.sim.tenant
---@param request { method: string, origin: string, path: string, headers: table<string, string>, body: string? } header
--- names in lower case
---@param named string the tenant that the path names
---@return table response
function M.answer(tenant, request, named)
  if request.method ~= "POST" then return refuse(tenant, "not_post", request.method) end
  local flaw = flaw_of_tenant(tenant, named)
  if flaw then return refuse(tenant, flaw, named) end
  local form, problem = read_form(request)
  if not form then return refuse(tenant, "malformed", problem) end
  local client_id, secret = basic_credential(request.headers["authorization"])
  client_id, secret = client_id or form.client_id, secret or form.client_secret

  local refusal, detail = flaw_of(form, client_id)
  if refusal then return refuse(tenant, refusal, detail, client_id) end
  local audience, no_audience, of_audience = audience_of(form.scope, tenant)
  if no_audience and no_audience ~= "unknown_resource" then
    return refuse(tenant, no_audience, of_audience, client_id)
  end
  local application = tenant.applications[core.text.lower(client_id)]
  if not application then return refuse(tenant, "unknown_application", client_id, client_id) end
  if application.refuse then return refuse(tenant, application.refuse, client_id, client_id) end
  if application.disabled then return refuse(tenant, "disabled", client_id, client_id) end
  local credential
  credential, refusal, detail = check_credential(tenant, application, form, secret, request.origin .. request.path)
  if not credential then return refuse(tenant, refusal, detail, client_id) end
  if not audience then return refuse(tenant, no_audience, of_audience, client_id) end
  return issue(tenant, application, audience, credential, claims_of(form))
end

return M
