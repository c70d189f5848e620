--- failure: what a call of the service that failed is told as.

local audience = require "mde.auth.audience"
local core = require "mde.core"
local failures = require "mde.request.failure"

local is_redirect, is_success, with_attempts = failures.is_redirect, failures.is_success, failures.with_attempts

local M = {}

-- When to come back if an answer that throttles does not say it.
local THROTTLED_SECONDS = 60

---@class mde.ServiceFailure : mde.Failure
---@field permission string the application permission it needs
---@field credential string the kind of the credential
---@field claims? mde.Claims of the token that was refused

-- Whether a list of roles has one of those that a hint names.
local function has_one_of(roles, needed)
  if not needed then return false end
  for _, role in ipairs(roles) do
    for name in (needed .. " or "):gmatch "(.-) or " do
      if name == role then return true end
    end
  end
  return false
end

-- What to do about a 403, a code for why it came, and the permission that the token lacks, if that is certain.
local function permission_hint(failure)
  local said = failure.refusal
  if said.not_provisioned then return "The tenant has not been set up for Defender for Endpoint.", "not_provisioned" end
  local required, present = said.required_roles, said.present_roles
  local needed = required and failure.show((required:gsub(",%s*", " or "))) or failure.permission
  local claims = failure.claims or {}
  local roles = not claims.opaque and failure.claims and (claims.roles or {})
  if roles and has_one_of(roles, needed) then
    if not audience.is_of_the_service(claims.aud) then
      return ("Its token has the permission %s, but is for %s: check MDE_SCOPE and MDE_CLOUD."):format(needed,
        failure.show(claims.aud or "nobody")), "wrong_audience"
    end
    return ("Its token has the permission %s. Where Defender's own access control by roles is on, the application "
      .. "needs a role for the device's group, too."):format(needed), "group_role_missing"
  end
  local has = roles and table.concat(roles, ", ") or present and present:gsub(",%s*", ", ")
  local lacks = has and needed or nil
  needed = needed or "that this action needs"
  has = has and (" (its token has %s)"):format(has == "" and "none" or failure.show(has)) or ""
  if failure.credential == "managed identity" then
    return ("Give the managed identity the permission %s%s: an administrator assigns it that role of "
      .. "WindowsDefenderATP by Microsoft Graph; it can take a day until its tokens have it."):format(needed, has),
      "permission_missing", lacks
  end
  return ("Give the application the permission %s%s and let an administrator consent; a token from before that lacks "
    .. "it for up to an hour."):format(needed, has), "permission_missing", lacks
end

-- What to do about the service's own codes.
local hints = {
  OsPlatformNotSupported = "No repetition helps: what the device runs cannot do this. Leave this device out.",
  ClientVersionNotSupported = "No repetition helps before the device is updated. Leave this device out until then.",
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
    return failures.redirected(failure, "Check MDE_BASE_URL, and whether a proxy stands in between.")
  elseif said.foreign then
    return {
      kind = "protocol", code = "foreign_answer",
      message = ("%s refused it (HTTP %d) with a page that is not the service's"):format(failure.host, status),
      hint = "Check MDE_BASE_URL, and whether a proxy stands in between.",
    }
  end
  local fields = {
    kind = "refused", code = "refused",
    message = ("the service refused it (HTTP %d%s)%s"):format(status, said.code and " " .. said.code or "",
      said.message and ": " .. failure.show(said.message) or ""),
  }
  if status == 401 then
    fields.kind, fields.code = "auth", "token_refused"
    fields.message = "the service did not accept a fresh token (HTTP 401)"
      .. (said.message and ": " .. failure.show(said.message) or "")
    fields.hint = "Check that MDE_CLOUD, MDE_BASE_URL and MDE_SCOPE belong together."
  elseif hints[said.code] then
    fields.hint = hints[said.code]
  elseif status == 403 then
    fields.kind = "permission"
    fields.hint, fields.code, fields.permission = permission_hint(failure)
  elseif status == 404 then
    fields.kind, fields.code = "not_found", "no_such_resource"
    fields.hint = "Check the id, and that it is one of the tenant that AZURE_TENANT_ID names."
  else
    fields.hint = general_hint(said)
  end
  return fields
end

-- Why the service gave no answer of use.
local function no_answer(failure)
  local response = failure.response
  if not response then
    return { kind = "unavailable", code = failure.code or "no_answer",
      message = with_attempts(("no answer from %s: %s"):format(failure.host, failure.message), failure),
      hint = failure.proxy_hint or failure.kind ~= "action" and "Try again when that is mended." or nil }
  elseif response.status == 429 then
    local wait = failure.delay > 0 and failure.delay or THROTTLED_SECONDS
    return { kind = "throttled", code = "throttled", retry_at = failure.at + wait,
      message = with_attempts("the service is throttling this application", failure),
      hint = ("Try again in %s seconds, with fewer calls at a time."):format(core.number.whole(wait)) }
  elseif is_success(response.status) then
    return { kind = "protocol", code = failure.code or "not_as_asked",
      message = with_attempts(("the answer of %s makes no sense: %s"):format(failure.host, failure.message), failure),
      hint = "Check MDE_BASE_URL, and whether a proxy stands in between." }
  end
  local said = failure.refusal.message
  if response.status == 401 then
    return { kind = "unavailable", code = "time_is_up", hint = "Give it a longer timeout.",
      message = "the token was not accepted (HTTP 401), and the time was up for another" }
  end
  return { kind = "unavailable", code = "service_failed",
    hint = failure.kind ~= "action" and "Try again in a minute." or nil,
    message = with_attempts(("the service failed (HTTP %d)"):format(response.status), failure)
      .. (said and ": " .. failure.show(said) or "") }
end

--- The fields of the error that a call of the service ends with.
---@param failure mde.ServiceFailure
---@return table fields
function M.describe(failure)
  local verdict = failure.verdict
  if verdict == "refused" then return refused(failure) end
  if verdict == "throttled" then return failures.throttled(failure.host, failure.delay, failure.at) end
  if verdict == "active" then
    return { kind = "conflict", code = "already_in_progress",
      message = "the service says that such an action is already in progress",
      hint = "Wait until it has ended, or look at it: mde.state(device) names it." }
  end
  local fields = no_answer(failure)
  if verdict == "unknown" then
    fields.kind = "unknown"
    fields.message = "it was sent, but its outcome is not known: " .. fields.message
    fields.hint = "Do not repeat it blindly: mde.find_action(err) asks the service again."
  elseif failure.kind == "action" then
    fields.hint = failure.proxy_hint and "Nothing was changed. " .. failure.proxy_hint
      or fields.hint or "Nothing was changed; it can be tried again."
  end
  return fields
end

return M
