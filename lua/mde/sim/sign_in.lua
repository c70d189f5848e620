-- The sign-in service: the v2 token endpoint for applications with a client secret, and its refusals.
local encoding = require "mde.sim.encoding"
local json = require "mde.sim.json"
local time = require "mde.sim.time"

local sign_in = {}

--- The audiences that the API accepts.
sign_in.audiences = {
  ["https://api.securitycenter.microsoft.com"] = true,
  ["https://api.securitycenter.windows.com"] = true,
  ["https://securitycenter.onmicrosoft.com/windowsatpservice"] = true,
}

-- Resources of other services. They exist in every tenant, so tokens for them are issued; the API refuses those.
local other_resources = {
  ["https://api.security.microsoft.com"] = true,
  ["https://graph.microsoft.com"] = true,
}

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
  assertion = { 700027, 401, "invalid_client", "The client assertion was not signed by a key of application '%s'." },
  malformed_scope = { 70011, 400, "invalid_scope", "The value '%s' given for 'scope' is not valid." },
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

local function refuse(tenant, name, detail, client_id)
  local refusal = refusals[name]
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
local function audience_of(scope)
  local audience = scope:match "^%s*(%S+)/%.default%s*$"
  if not audience or not audience:find "^%a[%w+.-]*:" then return nil, "malformed_scope", scope end
  if sign_in.audiences[audience] or other_resources[audience] then return audience end
  return nil, "unknown_resource", audience
end

-- Looks like the service's tokens, and like them all of one beginning.
local function make_token(tenant, application, audience, now, expires)
  local claims = {
    aud = audience, iss = ("https://sts.windows.net/%s/"):format(tenant.tenant_id), iat = now, nbf = now,
    exp = expires, appid = application.client_id, appidacr = "1", app_displayname = application.name, idtyp = "app",
    roles = application.roles[1] and application.roles or nil, tid = tenant.tenant_id,
    uti = encoding.base64url(tenant.random(16)), ver = "1.0",
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

local function issue(tenant, application, audience)
  local now = math.floor(tenant.clock.now())
  local token = make_token(tenant, application, audience, now, now + math.floor(tenant.lifetime))
  tenant.tokens[token] = {
    application = application,
    audience = audience,
    roles = copy(application.roles),
    expires = tenant.clock.now() + tenant.lifetime,
  }
  tenant:record("token_issued", { client_id = application.client_id, audience = audience,
    lifetime = tenant.lifetime })
  return {
    status = 200,
    headers = headers_for(tenant),
    body = json.object({ "token_type", "expires_in", "ext_expires_in", "access_token" }, {
      token_type = "Bearer", expires_in = math.floor(tenant.lifetime),
      ext_expires_in = math.floor(tenant.lifetime), access_token = token,
    }),
  }
end

local function read_form(request)
  local content_type = (request.headers["content-type"] or ""):lower()
  if not content_type:find "^%s*application/x%-www%-form%-urlencoded%s*;?" then return {} end
  return encoding.form(request.body or "")
end

local function present(value)
  return value ~= nil and value ~= ""
end

--- Answers `POST /{tenant}/oauth2/v2.0/token`.
---@param tenant mde.sim.tenant
---@param request { method: string, headers: table<string, string>, body: string? } header names in lower case
---@param named string the tenant that the path names
---@return table response
function sign_in.answer(tenant, request, named)
  if request.method ~= "POST" then return refuse(tenant, "not_post", request.method) end
  local lower = named:lower()
  if lower == "common" or lower == "organizations" or lower == "consumers" then
    return refuse(tenant, "no_tenant", named)
  elseif lower ~= tenant.tenant_id:lower() then
    return refuse(tenant, "unknown_tenant", named)
  end
  local form, problem = read_form(request)
  if not form then return refuse(tenant, "malformed", problem) end
  local client_id, secret = basic_credential(request.headers["authorization"])
  client_id, secret = client_id or form.client_id, secret or form.client_secret

  if not present(form.grant_type) then return refuse(tenant, "missing_field", "grant_type", client_id) end
  if form.grant_type ~= "client_credentials" then
    return refuse(tenant, "grant_type", form.grant_type, client_id)
  end
  if not present(client_id) then return refuse(tenant, "missing_field", "client_id") end
  if not present(form.scope) then return refuse(tenant, "missing_field", "scope", client_id) end
  local audience, refusal, detail = audience_of(form.scope)
  if refusal == "malformed_scope" then return refuse(tenant, refusal, detail, client_id) end
  local application = tenant.applications[client_id:lower()]
  if not application then return refuse(tenant, "unknown_application", client_id, client_id) end
  if not present(secret) then
    return refuse(tenant, form.client_assertion and "assertion" or "missing_credential", client_id, client_id)
  end
  if secret ~= application.client_secret then return refuse(tenant, "wrong_secret", client_id, client_id) end
  if not audience then return refuse(tenant, refusal, detail, client_id) end
  return issue(tenant, application, audience)
end

return sign_in
