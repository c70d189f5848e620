--- failure: what a request for a token that failed is told as.

local core = require "mde.core"
local failures = require "mde.request.failure"
local json = require "mde.base.json"
local refusal = require "mde.auth.credential.refusal"

local is_redirect, is_success, with_attempts = failures.is_redirect, failures.is_success, failures.with_attempts

-- When to come back if an answer that throttles does not say it.
local THROTTLED_SECONDS = 5

local M = {}

-- What the sign-in service says in a refusal.
local function sign_in_refused(failure)
  local host, status = failure.host, failure.response.status
  local code, description, hint, request_id = refusal.read(failure.response.body)
  if not code then
    return {
      kind = "protocol", code = "foreign_answer",
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
    return { kind = "unavailable", code = failure.code or "no_answer",
      message = with_attempts(("signing in at %s failed: %s"):format(host, failure.message), failure),
      hint = failure.proxy_hint or failure.code == "tls_authorities" and "Try again when that is mended."
        or "Check AZURE_AUTHORITY_HOST, and try again when that is mended." }
  elseif failure.verdict == "throttled" or response.status == 429 then
    delay = delay > 0 and delay or THROTTLED_SECONDS
    return { kind = "throttled", code = "throttled", retry_at = failure.at + delay,
      message = ("%s asks to wait for %s seconds before signing in again"):format(host, core.number.whole(delay)),
      hint = "Try again then." }
  elseif is_redirect(response.status) then
    return failures.redirected(failure, "Check AZURE_AUTHORITY_HOST, and whether a proxy stands in between.")
  elseif is_success(response.status) then
    return { kind = "protocol", code = failure.code or "not_a_token",
      message = with_attempts(("%s gave an answer that is no token: %s"):format(host, failure.message), failure),
      hint = "Check AZURE_AUTHORITY_HOST, and whether a proxy stands in between." }
  elseif failure.verdict == "refused" then
    return sign_in_refused(failure)
  end
  local code, _, hint, request_id = refusal.read(response.body)
  return { kind = "unavailable", code = code and failure.show(code) or "sign_in_failed",
    hint = hint or "Try again in a minute.",
    request_id = request_id and failure.show(request_id),
    message = with_attempts(("the sign-in service %s failed (HTTP %d%s)"):format(host, response.status,
      code and " " .. failure.show(code) or ""), failure) }
end

-- That there is no such identity an endpoint says in its message alone.
local function says_unassigned(said)
  local message = core.text.lower(said)
  return message:find("identity not found", 1, true) ~= nil or message:find("no managed identity", 1, true) ~= nil
end

-- What an endpoint of a managed identity says; App Service has fields of its own for it.
local function said_by_identity(response)
  local answer = json.decode(response.body)
  if type(answer) ~= "table" then return nil, nil end
  return failures.text(answer.error_description) or failures.text(answer.message), failures.text(answer.error)
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
    return { kind = "unavailable", code = failure.code or "no_answer", hint = advice.absent,
      message = with_attempts(("%s (%s) does not answer: %s"):format(name, failure.host, failure.message), failure) }
  end
  local status = response.status
  local said, code = said_by_identity(response)
  local message = ("%s gave no token (HTTP %d)%s"):format(name, status, said and ": "
    .. failure.show(said:match "^[^\r\n]*") or "")
  if is_success(status) then
    return { kind = "protocol", code = failure.code or "not_a_token", hint = advice.absent,
      message = with_attempts(("%s gave an answer that is no token: %s"):format(name, failure.message), failure) }
  elseif failure.verdict == "throttled" or status == 429 then
    return { kind = "throttled", code = "throttled", hint = "Try again then.", message = message,
      retry_at = failure.at + math.max(failure.delay, THROTTLED_SECONDS) }
  elseif failure.verdict ~= "refused" then
    return { kind = "unavailable", code = "identity_failed",
      hint = status == 404 and advice.absent or "Try again in a minute.",
      message = with_attempts(message, failure) }
  end
  local unassigned = status == 400 and said and says_unassigned(said)
  return { kind = "auth", code = code and failure.show(code) or unassigned and "identity_unassigned"
    or "identity_refused", message = message, hint = unassigned and advice.unassigned or advice.refused }
end

return M
