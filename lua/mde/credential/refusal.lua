--- credential.refusal: what the sign-in service's refusals mean to the person who set the application up.
--
-- Entra numbers its reasons (AADSTS...). The numbers may change, so they only choose a hint; whether a
-- request is repeated is decided by the HTTP status alone.

local json = require "mde.json"

local hints = {}

local function hint(text, ...)
  for _, number in ipairs { ... } do hints[number] = text end
end

hint("Check AZURE_CLIENT_SECRET: it must be the secret's value; the portal shows the secret's id beside it.",
  7000215, 70002)
hint("The client secret has expired: make a new one for the application and set AZURE_CLIENT_SECRET.", 7000222)
hint("The application is registered as a public client, which cannot have a secret.", 700025)
hint("Check AZURE_CLIENT_ID and AZURE_TENANT_ID: this tenant has no application of that id, or nobody consented to it.",
  700016, 700011)
hint("Check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST if the tenant is in a national cloud.",
  90002, 50059, 50128, 90019)
hint("The tenant is in another national cloud: set MDE_CLOUD.", 90038, 900382, 900432)
hint("Check MDE_SCOPE, and that the tenant has Defender for Endpoint (the service principal WindowsDefenderATP).",
  500011, 50001, 650057, 650052)
hint("Check MDE_SCOPE: it must be one resource followed by \"/.default\".", 70011, 28002, 700022, 700023)
hint("An administrator must grant consent to the application's permissions.", 65001, 650056, 90094, 90008)
hint("The application is disabled in this tenant.", 70001, 7000112, 1000031)
hint("The application requires assignment, and it has no role.", 50105)
hint("Conditional Access blocks the application.", 53003, 530032, 530035)
hint("Too many identical token requests: something signs in anew for every call.", 50196)

-- The digits of the reason; nil if there are none that make sense.
local function digits_of(answer, description)
  local listed = type(answer.error_codes) == "table" and answer.error_codes[1]
  local digits = type(listed) == "number" and listed % 1 == 0 and ("%.0f"):format(listed)
    or description and description:match "^AADSTS(%d+)"
  if digits and digits:find "^%d+$" and #digits <= 12 then return digits end
end

local function text(value)
  if type(value) == "string" and value ~= "" then return value end
end

local M = {}

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
  return code, description and description:match "^[^\r\n]*", digits and hints[tonumber(digits)], text(answer.trace_id)
end

return M
