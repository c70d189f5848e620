--- credential.refusal: what the sign-in service's refusals mean to the person who set the application up.
--
-- Entra numbers its reasons (AADSTS...). The numbers may change, so they only choose a hint: what is wrong, where to
-- mend it, and whether trying again is of use. It names a setting by its variable; base/origin.lua puts what was given
-- in that one's place. Only the OAuth error `temporarily_unavailable` is meant to be retried,
-- and a trust between identity providers that was made a moment ago.

local core = require "mde.core"
local json = require "mde.base.json"

local AGAIN_IS_NO_USE = " Trying again does not help before that."

local hints = {}

-- `text`: what is wrong and where to mend it; `again`: whether it may succeed by itself.
local function hint(text, again, ...)
  local whole = again and text .. " " .. again or text .. AGAIN_IS_NO_USE
  for _, number in ipairs { ... } do hints[number] = whole end
end

local SOON = "Try again in a minute."

-- The client secret
hint("The client secret is wrong: AZURE_CLIENT_SECRET must have the secret's value, which the portal shows once; its "
  .. "id stands beside it (App registrations, Certificates & secrets).", nil, 7000215, 70002)
hint("The client secret has expired: make a new one in the portal (App registrations, Certificates & secrets) and put "
  .. "its value into AZURE_CLIENT_SECRET.", nil, 7000222)
hint("The application is registered as a public client, which cannot have a secret: switch \"Allow public client "
  .. "flows\" off in the portal (App registrations, Authentication), or use another application.", nil, 700025)
hint("The token request lacks a field: something on the way changes it, or AZURE_AUTHORITY_HOST is not the sign-in "
  .. "service.", nil, 7000218, 900144, 90014)

-- The certificate
hint("The certificate is not one that this application has, or has expired: upload it in the portal (App "
  .. "registrations, Certificates & secrets), and check AZURE_CLIENT_CERTIFICATE_PATH and AZURE_CLIENT_ID.", nil,
  700027, 50012, 900384)
hint("The subject or the issuer of the certificate is not the one that the application names: renew it from the same "
  .. "authority, or upload the certificate itself in the portal.", nil, 700030, 50048)
hint("The assertion lies outside the time in which it holds: set the clock of this machine right (NTP); of a federated "
  .. "token, see that its file is renewed.", nil, 700024)

-- The federated token
hint("No federated credential of the application matches the token: its issuer, subject and audience "
  .. "(api://AzureADTokenExchange) must be those in the portal (App registrations, Certificates & secrets, Federated "
  .. "credentials).", "Made a moment ago, it takes some minutes to be known everywhere.", 70021)
hint("The issuer of the federated token is not the one that the application's federated credential names: correct it "
  .. "in the portal (App registrations, Certificates & secrets, Federated credentials).",
  "Made a moment ago, it takes some minutes to be known everywhere.", 700211)
hint("The audience of the federated token must be api://AzureADTokenExchange: correct it where the token is made.", nil,
  700212)
hint("The subject of the federated token is not the one that the application's federated credential names: correct it "
  .. "in the portal (App registrations, Certificates & secrets, Federated credentials).",
  "Made a moment ago, it takes some minutes to be known everywhere.", 700213)
hint("The federated token is a person's: it has to be that of an application or a managed identity.", nil, 700229)

-- The application and the tenant
hint("This tenant has no application of that id, or nobody consented to it: check AZURE_CLIENT_ID and "
  .. "AZURE_TENANT_ID.", nil, 700016, 700011)
hint("There is no such tenant: check AZURE_TENANT_ID, and MDE_CLOUD or AZURE_AUTHORITY_HOST if it is in a national "
  .. "cloud.", nil, 90002, 50059, 50128, 90019)
hint("The tenant is in another national cloud: set MDE_CLOUD.", nil, 90038, 900382, 900432)
hint("The application is disabled in this tenant: an administrator can enable it in the portal (Enterprise "
  .. "applications, Properties).", nil, 70001, 7000112, 1000031)
hint("The application requires assignment and has no role: assign it one in the portal (Enterprise applications, Users "
  .. "and groups), or switch \"Assignment required\" off.", nil, 50105)
hint("Conditional Access blocks the application: its policy for workload identities names where it may sign in from; "
  .. "an administrator can change it in the portal.", nil, 53003, 530032, 530035)

-- The service that the token is for
hint("The tenant has no service principal of that resource: check MDE_SCOPE and MDE_CLOUD, and that the tenant has "
  .. "Defender for Endpoint (the enterprise application WindowsDefenderATP).", nil, 500011, 50001, 650057)
hint("The tenant has no Defender for Endpoint: it needs a licence, and to be set up once in the portal.", nil, 650052)
hint("The scope is malformed or names several resources: MDE_SCOPE must be one resource followed by \"/.default\".",
  nil, 70011, 28002, 700022, 700023)
hint("Nobody consented to the application's permissions: an administrator grants that in the portal (App "
  .. "registrations, API permissions, Grant admin consent).", nil, 65001, 650056, 90094, 90008)

-- The sign-in service
hint("Too many identical token requests: something makes a new client for every call, where one is enough.", SOON,
  50196)
hint("The sign-in service is throttling the tenant.", SOON, 90055)
hint("The sign-in service is in trouble for the moment.", SOON, 90006, 90012, 90024, 90033, 90090, 50033)
hint("The sign-in service failed: Microsoft's support asks for the request's id.", SOON, 90036, 90092, 50000)

-- The digits of the reason; nil if there are none that make sense.
local function digits_of(answer, description)
  local listed = type(answer.error_codes) == "table" and answer.error_codes[1]
  local digits = type(listed) == "number" and listed % 1 == 0 and core.number.write(listed)
    or description and description:match "^AADSTS(%d+)"
  if digits and digits:find "^%d+$" and #digits <= 12 then return digits end
end

local function text(value)
  if type(value) == "string" and value ~= "" then return value end
end

local M = {}

--- The hint for a number of the sign-in service's, if it is known.
---@param number integer
---@return string?
function M.hint(number)
  return hints[number]
end

--- What a token endpoint's answer that is not a token says, as it came: it still has to be made fit to be shown.
---@param body string
---@return string? code "AADSTS7000215", or the OAuth error where there is no number; nil: no sign-in service's answer
---@return string? description its first line
---@return string? hint
---@return string? request_id
function M.read(body)
  local answer = json.decode(body)
  if type(answer) ~= "table" then return end
  local description = text(answer.error_description)
  local digits = digits_of(answer, description)
  local code = digits and "AADSTS" .. digits or text(answer.error)
  return code, description and description:match "^[^\r\n]*", digits and M.hint(core.number.read(digits)),
    text(answer.trace_id)
end

--- Whether such an answer asks to be asked again, as only this OAuth error does.
---@param body string
---@return boolean
function M.is_temporary(body)
  local answer = body:find("temporarily_unavailable", 1, true) and json.decode(body)
  return type(answer) == "table" and answer.error == "temporarily_unavailable"
end

return M
