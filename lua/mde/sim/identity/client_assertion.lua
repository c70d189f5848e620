-- Client assertions (RFC 7523): the statement that an application with a certificate signs, and the token of another
-- identity provider that stands in its place. Each is checked as the sign-in service does: who signed it, whom it is
-- for, whom it speaks of, and when.
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local openssl_command = require "mde.sim.identity.openssl_command"

local M = {}

-- By how much two clocks may differ.
local SKEW_SECONDS = 300

local algorithms = { PS256 = true, RS256 = true }

local function decoded(part)
  local bytes = encoding.unbase64((part:gsub("-", "+"):gsub("_", "/")))
  return bytes and json.decode_object(bytes)
end

--- The parts of a JSON Web Token; nil for another text.
---@param text string
---@return table? token `header`, `claims`, `message` (what was signed) and `signature`
function M.read(text)
  local head, body, tail = text:match "^([A-Za-z0-9_-]+)%.([A-Za-z0-9_-]+)%.([A-Za-z0-9_-]+)$"
  local header, claims = head and decoded(head), body and decoded(body)
  if not header or not claims or not algorithms[header.alg] then return nil end
  return { header = header, claims = claims, message = head .. "." .. body,
    signature = encoding.unbase64((tail:gsub("-", "+"):gsub("_", "/"))) or "" }
end

local function is_in_time(claims, now)
  local from, till = claims.nbf or claims.iat, claims.exp
  return type(till) == "number" and now < till + SKEW_SECONDS
    and (from == nil or (type(from) == "number" and now > from - SKEW_SECONDS))
end

-- The certificate that the header names, among those of an application.
local function named(header, certificates)
  for _, certificate in ipairs(certificates) do
    local sha256, sha1 = header["x5t#S256"], header.x5t
    if type(sha256) == "string" and openssl_command.thumbprint(sha256) == certificate.sha256 then return certificate end
    if sha256 == nil and type(sha1) == "string" and openssl_command.thumbprint(sha1) == certificate.sha1 then
      return certificate
    end
  end
end

local function pem_of(text)
  return ("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"):format(text:gsub(("."):rep(64), "%0\n"))
end

-- The certificate that the header brings along, if an application trusts its subject and the authority over it.
local function brought(header, application)
  local pems = {}
  for i, text in ipairs(type(header.x5c) == "table" and header.x5c or {}) do
    if type(text) ~= "string" or text:find "[^A-Za-z0-9+/=]" then return nil end
    pems[i] = pem_of(text)
  end
  local certificate = pems[1] and openssl_command.certificate(pems[1])
  if not certificate or not named(header, { certificate }) then return nil end
  for _, trust in ipairs(application.trusted_subjects) do
    if openssl_command.subject_under(pems, trust.authority) == trust.subject then return certificate end
  end
end

-- The name of the refusal of what a certificate's key has signed, and a detail; nil: there is nothing against it.
local function refuse_certificate(token, application, endpoint, now)
  local claims = token.claims
  local certificate = named(token.header, application.certificates) or brought(token.header, application)
  if not certificate and token.header.x5c and application.trusted_subjects[1] then
    return "assertion_subject", "it brings no certificate of a subject that the application trusts"
  elseif not certificate then return "assertion_key", "no registered certificate has the thumbprint that it names" end
  if not openssl_command.verifies(certificate.key, token.header.alg, token.message, token.signature) then
    return "assertion_key", "its signature is not that of the certificate that it names"
  end
  if now >= certificate.till then return "assertion_key", "the certificate has expired" end
  if claims.aud ~= endpoint then return "assertion_malformed", "its audience is not this endpoint" end
  if claims.iss ~= application.client_id or claims.sub ~= application.client_id then
    return "assertion_malformed", "its issuer and its subject must be the application"
  end
  if type(claims.jti) ~= "string" or claims.jti == "" then return "assertion_malformed", "it has no jti" end
  if not is_in_time(claims, now) then return "assertion_time", "it is over, or has not begun" end
end

local function speaks_to(audience, wanted)
  if type(audience) ~= "table" then return audience == wanted end
  return #audience == 1 and audience[1] == wanted
end

-- The same of a token of another identity provider.
local function refuse_federated(token, application, now)
  local claims, of_issuer, of_subject = token.claims, nil, nil
  for _, trust in ipairs(application.federated) do
    if trust.issuer == claims.iss then
      of_issuer = of_issuer or trust
      if trust.subject == claims.sub then of_subject = of_subject or trust end
    end
  end
  if not of_issuer then return "federated_issuer", tostring(claims.iss) end
  if not of_subject then return "federated_subject", tostring(claims.sub) end
  if not speaks_to(claims.aud, of_subject.audience) then return "federated_audience", tostring(claims.aud) end
  if now < of_subject.effective then return "federated_unknown", tostring(claims.iss) end
  if token.header.alg ~= "RS256"
    or not openssl_command.verifies(of_subject.key, "RS256", token.message, token.signature) then
    return "assertion_key", "its signature is not that of its issuer"
  end
  if not is_in_time(claims, now) then return "assertion_time", "it is over, or has not begun" end
end

--- Whether an assertion proves that an application asks.
---@param text string
---@param application table
---@param endpoint string the URL of the token endpoint
---@param now number
---@return "certificate"|"federated"|nil kind
---@return string? refusal its name
---@return string? detail
function M.check(text, application, endpoint, now)
  local token = M.read(text)
  if not token then return nil, "assertion_malformed", "it is no JSON Web Token signed with PS256 or RS256" end
  local of_other = token.claims.iss ~= application.client_id and application.federated[1] ~= nil
  local refusal, detail
  if of_other then
    refusal, detail = refuse_federated(token, application, now)
  else
    refusal, detail = refuse_certificate(token, application, endpoint, now)
  end
  if refusal then return nil, refusal, detail end
  return of_other and "federated" or "certificate"
end

return M
