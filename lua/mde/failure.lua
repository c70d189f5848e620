--- failure: what a request that failed is told as.
--
-- The core has judged; here the verdict gets its kind, the words for a person and a hint. Whatever came
-- from outside is redacted, escaped and cut before it is part of them.

local audience = require "mde.audience"
local core = require "mde.core"
local json = require "mde.json"
local refusal = require "mde.credential.refusal"

-- When to come back if an answer that throttles does not say it.
local THROTTLED_SECONDS = { service = 60, sign_in = 5 }

---@class mde.Failure what is known of a request that failed
---@field host string who was asked
---@field verdict string the core's
---@field delay number seconds to stay away, 0 if nobody said
---@field attempts integer
---@field response? table
---@field message? string why there is no response, or why a 2xx one is not what was asked for
---@field refusal? { code?: string, message?: string, request_id?: string, foreign: boolean } what another says
---@field kind "read"|"token"|"action"
---@field permission? string the application permission it needs
---@field credential? string the kind of the credential
---@field claims? mde.Claims of the token that was refused
---@field show fun(text: string): string makes a text from outside fit to be shown

local M = {}

local function text(value)
  if type(value) == "string" and value ~= "" then return value end
  if type(value) == "number" then return core.number.write(value) end
end

--- What the service says in an answer that is not a success. `message` is as it came; the rest is fit to be shown.
---@param response table
---@param show fun(text: string): string
---@return { code?: string, message?: string, request_id?: string, foreign: boolean } refusal `foreign`: it has a body
--- that is not the service's, a proxy's page say
function M.read(response, show)
  local body, headers = response.body, response.headers
  local answer = body:find "^%s*{" and json.decode(body)
  local e = type(answer) == "table" and type(answer.error) == "table" and answer.error or {}
  local code = text(e.code)
  local request_id = text(e.target) or text(headers["mise-correlation-id"]) or text(headers["x-ms-request-id"])
    or text(headers["request-id"])
  return {
    code = code and show(code),
    message = text(e.message),
    request_id = request_id and show(request_id),
    foreign = body:find "%S" ~= nil and type(answer) ~= "table",
  }
end

--- The error of a call that has to wait longer than it may.
---@param host string who wants it
---@param seconds number
---@return table fields
function M.throttled(host, seconds)
  return {
    kind = "throttled", retry_at = core.system.time() + seconds,
    message = ("%s asks to wait for %.0f seconds, longer than the time there is"):format(host, seconds),
    hint = "Try again then, or give it a longer timeout.",
  }
end

local function is_redirect(status)
  return status >= 300 and status <= 399
end

local function is_success(status)
  return status >= 200 and status <= 299
end

local function redirected(failure, hint)
  local location = text(failure.response.headers.location)
  return {
    kind = "protocol", hint = hint,
    message = ("%s answered with a redirect (HTTP %d)%s, which is not followed"):format(failure.host,
      failure.response.status, location and (' to "%s"'):format(failure.show(location)) or ""),
  }
end

-- Whether a list of roles has one of those that a hint names.
local function has_one_of(roles, needed)
  for _, role in ipairs(roles) do
    for name in needed:gmatch "[A-Za-z0-9.]+" do
      if name == role then return true end
    end
  end
  return false
end

local function permission_hint(failure)
  local message = failure.refusal.message or ""
  if message:find("Account mode is inactive", 1, true) or message:find("not provisioned", 1, true) then
    return "The tenant has not been set up for Defender for Endpoint."
  end
  local required, present = message:match "API required roles: (.-), application roles: ?(.-)%.?$"
  local needed = required and failure.show((required:gsub(",%s*", " or "))) or failure.permission
  local claims = failure.claims or {}
  local roles = not claims.opaque and failure.claims and (claims.roles or {})
  if roles and has_one_of(roles, needed) then
    if not audience.is_of_the_service(claims.aud) then
      return ("Its token has the permission %s, but is for %s: check MDE_SCOPE and MDE_CLOUD."):format(needed,
        failure.show(claims.aud or "nobody"))
    end
    return ("Its token has the permission %s. Where Defender's own access control by roles is on, the application "
      .. "needs a role for the device's group, too."):format(needed)
  end
  local has = roles and table.concat(roles, ", ") or present and present:gsub(",%s*", ", ")
  has = has and (" (its token has %s)"):format(has == "" and "none" or failure.show(has)) or ""
  if failure.credential == "managed identity" then
    return ("Give the managed identity the permission %s%s: an administrator assigns it that role of "
      .. "WindowsDefenderATP by Microsoft Graph; it can take a day until its tokens have it."):format(needed, has)
  end
  return ("Give the application the permission %s%s and let an administrator consent; a token from before that lacks "
    .. "it for up to an hour."):format(needed, has)
end

-- What to do about the service's own codes.
local hints = {
  OsPlatformNotSupported = "No repetition helps: code can be restricted on Windows 10 1709 or later, Windows 11 and "
    .. "Windows Server 2019 or later. Leave this device out, or isolate it in the portal.",
  ClientVersionNotSupported = "No repetition helps before Windows is updated on the device; it needs Windows 10 1709 "
    .. "or later. Until then isolate it in the portal.",
  DisabledFeature = "No permission helps: turn the feature on in the portal, in Settings, Endpoints, Advanced "
    .. "features.",
  DisallowedOperation = "No permission helps: a setting of the tenant or of the device's group forbids it; an "
    .. "administrator can change it in the portal.",
  ODataError = "Correct the query: the service does not take it as it is.",
}

-- What to do about a refusal that nothing else is known of.
local function general_hint(said)
  if said.request_id and #said.request_id <= 64 then
    return ("Repeated as it is, it will be refused again; Microsoft's support asks for request %s.")
      :format(said.request_id)
  end
  return "Repeated as it is, it will be refused again: change what the service names."
end

local function refused(failure)
  local status, said = failure.response.status, failure.refusal
  if is_redirect(status) then
    return redirected(failure, "Check MDE_BASE_URL, and whether a proxy stands in between.")
  elseif said.foreign then
    return {
      kind = "protocol",
      message = ("%s refused it (HTTP %d) with a page that is not the service's"):format(failure.host, status),
      hint = "Check MDE_BASE_URL, and whether a proxy stands in between.",
    }
  end
  local fields = {
    kind = "refused",
    message = ("the service refused it (HTTP %d%s)%s"):format(status, said.code and " " .. said.code or "",
      said.message and ": " .. failure.show(said.message) or ""),
  }
  if status == 401 then
    fields.kind = "auth"
    fields.message = "the service did not accept a fresh token (HTTP 401)"
      .. (said.message and ": " .. failure.show(said.message) or "")
    fields.hint = "Check that MDE_CLOUD, MDE_BASE_URL and MDE_SCOPE belong together."
  elseif hints[said.code] then
    fields.hint = hints[said.code]
  elseif status == 403 then
    fields.kind = "permission"
    fields.hint = permission_hint(failure)
  elseif status == 404 then
    fields.kind = "not_found"
    fields.hint = "Check the id, and that it is one of the tenant that AZURE_TENANT_ID names."
  else
    fields.hint = general_hint(said)
  end
  return fields
end

local function with_attempts(message, failure)
  return failure.attempts > 1 and ("%s (%d attempts)"):format(message, failure.attempts) or message
end

-- Why the service gave no answer of use.
local function no_answer(failure)
  local response = failure.response
  if not response then
    return { kind = "unavailable",
      message = with_attempts(("no answer from %s: %s"):format(failure.host, failure.message), failure),
      hint = failure.kind ~= "action" and "Try again when that is mended." or nil }
  elseif response.status == 429 then
    local wait = failure.delay > 0 and failure.delay or THROTTLED_SECONDS.service
    return { kind = "throttled", message = with_attempts("the service is throttling this application", failure),
      retry_at = core.system.time() + wait,
      hint = ("Try again in %.0f seconds, with fewer calls at a time."):format(wait) }
  elseif is_success(response.status) then
    return { kind = "protocol",
      message = with_attempts(("the answer of %s makes no sense: %s"):format(failure.host, failure.message), failure),
      hint = "Check MDE_BASE_URL, and whether a proxy stands in between." }
  end
  local said = failure.refusal.message
  if response.status == 401 then
    return { kind = "unavailable", message = "the token was not accepted (HTTP 401), and the time was up for another",
      hint = "Give it a longer timeout." }
  end
  return { kind = "unavailable", hint = failure.kind ~= "action" and "Try again in a minute." or nil,
    message = with_attempts(("the service failed (HTTP %d)"):format(response.status), failure)
      .. (said and ": " .. failure.show(said) or "") }
end

--- The fields of the error that a call of the service ends with.
---@param failure mde.Failure
---@return table fields
function M.service(failure)
  local verdict = failure.verdict
  if verdict == "refused" then return refused(failure) end
  if verdict == "throttled" then return M.throttled(failure.host, failure.delay) end
  if verdict == "active" then
    return { kind = "conflict", message = "the service says that such an action is already in progress",
      hint = "Wait until it has ended, or look at it: mde.state(device) names it." }
  end
  local fields = no_answer(failure)
  if verdict == "unknown" then
    fields.kind = "unknown"
    fields.message = "it was sent, but what became of it is not known: " .. fields.message
    fields.hint = "Do not repeat it blindly: mde.find_action(err) asks the service again."
  elseif failure.kind == "action" then
    fields.hint = fields.hint or "Nothing was changed; it can be tried again."
  end
  return fields
end

-- What the sign-in service says in a refusal.
local function sign_in_refused(failure)
  local host, status = failure.host, failure.response.status
  local code, description, hint, request_id = refusal.read(failure.response.body)
  if not code then
    return {
      kind = "protocol",
      message = ("%s refused to sign the application in (HTTP %d), and does not answer like a sign-in service")
        :format(host, status),
      hint = "Check AZURE_AUTHORITY_HOST and AZURE_TENANT_ID, and whether a proxy stands in between.",
    }
  end
  code = failure.show(code)
  return {
    kind = "auth", code = code, request_id = request_id and failure.show(request_id),
    message = ("%s refused to sign the application in (HTTP %d): %s"):format(host, status,
      description and failure.show(description) or code),
    hint = hint or "Check AZURE_TENANT_ID, AZURE_CLIENT_ID, the credential and AZURE_AUTHORITY_HOST.",
  }
end

--- The fields of the error that a token request ends with.
---@param failure mde.Failure
---@return table fields
function M.sign_in(failure)
  local host, response, delay = failure.host, failure.response, failure.delay
  if not response then
    return { kind = "unavailable",
      message = with_attempts(("signing in at %s failed: %s"):format(host, failure.message), failure),
      hint = "Check AZURE_AUTHORITY_HOST, and try again when that is mended." }
  elseif failure.verdict == "throttled" or response.status == 429 then
    delay = delay > 0 and delay or THROTTLED_SECONDS.sign_in
    return { kind = "throttled", retry_at = core.system.time() + delay,
      message = ("%s asks to wait for %.0f seconds before signing in again"):format(host, delay),
      hint = "Try again then." }
  elseif is_redirect(response.status) then
    return redirected(failure, "Check AZURE_AUTHORITY_HOST, and whether a proxy stands in between.")
  elseif is_success(response.status) then
    return { kind = "protocol",
      message = with_attempts(("%s gave an answer that is no token: %s"):format(host, failure.message), failure),
      hint = "Check AZURE_AUTHORITY_HOST, and whether a proxy stands in between." }
  elseif failure.verdict == "refused" then
    return sign_in_refused(failure)
  end
  local code, _, hint, request_id = refusal.read(response.body)
  return { kind = "unavailable", code = code and failure.show(code), hint = hint or "Try again in a minute.",
    request_id = request_id and failure.show(request_id),
    message = with_attempts(("the sign-in service %s failed (HTTP %d%s)"):format(host, response.status,
      code and " " .. failure.show(code) or ""), failure) }
end

-- What an endpoint of a managed identity says; App Service has fields of its own for it.
local function said_by_identity(response)
  local answer = json.decode(response.body)
  if type(answer) ~= "table" then return nil, nil end
  return text(answer.error_description) or text(answer.message), text(answer.error)
end

--- The fields of the error that a request to a managed identity's endpoint ends with.
---@param failure mde.Failure
---@param name string what the endpoint is called
---@param advice { absent: string, unassigned: string, refused: string } what to do where there is no endpoint, no
--- identity, or where it says no
---@return table fields
function M.identity(failure, name, advice)
  local response = failure.response
  if not response then
    return { kind = "unavailable", hint = advice.absent,
      message = with_attempts(("%s (%s) does not answer: %s"):format(name, failure.host, failure.message), failure) }
  end
  local status = response.status
  local said, code = said_by_identity(response)
  local message = ("%s gave no token (HTTP %d)%s"):format(name, status, said and ": "
    .. failure.show(said:match "^[^\r\n]*") or "")
  if is_success(status) then
    return { kind = "protocol", hint = advice.absent,
      message = with_attempts(("%s gave an answer that is no token: %s"):format(name, failure.message), failure) }
  elseif failure.verdict == "throttled" or status == 429 then
    return { kind = "throttled", hint = "Try again then.", message = message,
      retry_at = core.system.time() + math.max(failure.delay, THROTTLED_SECONDS.sign_in) }
  elseif failure.verdict ~= "refused" then
    return { kind = "unavailable", hint = status == 404 and advice.absent or "Try again in a minute.",
      message = with_attempts(message, failure) }
  end
  local unassigned = status == 400 and said and (core.text.lower(said):find("identity not found", 1, true)
    or core.text.lower(said):find("no managed identity", 1, true))
  return { kind = "auth", code = code and failure.show(code), message = message,
    hint = unassigned and advice.unassigned or advice.refused }
end

return M
