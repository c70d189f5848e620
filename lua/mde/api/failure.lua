--- failure: what a call of the service that failed is told as.
--
-- The service has two sides, whose errors have much in common. What is said of MDE_BASE_URL and MDE_SCOPE is said of
-- Microsoft Graph by the names of its own settings (resource.lua).

local clouds = require "mde.base.cloud"
local core = require "mde.core"
local failures = require "mde.request.failure"
local resources = require "mde.api.resource"

local is_redirect, is_success, with_attempts = failures.is_redirect, failures.is_success, failures.with_attempts

local M = {}

-- When to come back if an answer that throttles does not say it.
local THROTTLED_SECONDS = 60

---@class mde.ServiceFailure : mde.Failure
---@field permission string the application permission it needs
---@field credential string the kind of the credential
---@field resource? mde.Resource who was asked; default Defender for Endpoint
---@field claims? mde.Claims of the token that was refused, by a 401 or 403

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

-- How an application gets a permission. `has`: what its token has instead, if that is known.
local function give_permission(failure, needed, has)
  local is_graph = failure.resource.name == "graph"
  if failure.credential == "managed identity" then
    return ("Give the managed identity the permission %s%s: an administrator assigns it that role of %s; it can take a "
      .. "day until its tokens have it."):format(needed, has,
      is_graph and "Microsoft Graph" or "WindowsDefenderATP by Microsoft Graph")
  end
  return ("Give the application the permission %s%s%s and let an administrator consent; a token from before that lacks "
    .. "it for up to an hour."):format(needed, is_graph and " of Microsoft Graph" or "", has)
end

-- What to do about a token that has the permission.
local function refused_with_permission(failure, needed)
  local aud = failure.claims.aud
  if not failure.resource.is_audience(aud) then
    return ("Its token has the permission %s, but is for %s: check MDE_SCOPE and MDE_CLOUD."):format(needed,
      failure.show(aud or "nobody")), "wrong_audience"
  elseif failure.resource.name == "graph" then
    return ("Its token has the permission %s. The tenant needs a licence for what was asked, too: Defender for "
      .. "Endpoint Plan 2, or Defender XDR."):format(needed), "licence_missing"
  end
  return ("Its token has the permission %s. Where Defender's own access control by roles is on, the application "
    .. "needs a role for the device's group, too."):format(needed), "group_role_missing"
end

-- What to do about a 403, a code for why it came, and the permission that the token lacks, if that is certain.
local function permission_hint(failure)
  local said = failure.refusal
  if said.not_provisioned then return "The tenant has not been set up for Defender for Endpoint.", "not_provisioned" end
  local required, present = said.required_roles, said.present_roles
  local needed = required and failure.show((required:gsub(",%s*", " or "))) or failure.permission
  local claims = failure.claims or {}
  local roles = not claims.opaque and failure.claims and (claims.roles or {})
  if roles and has_one_of(roles, needed) then return refused_with_permission(failure, needed) end
  local has = roles and table.concat(roles, ", ") or present and present:gsub(",%s*", ", ")
  local lacks = has and needed or nil
  needed = needed or "that this action needs"
  has = has and (" (its token has %s)"):format(has == "" and "none" or failure.show(has)) or ""
  local hint = give_permission(failure, needed, has)
  if failure.resource.name == "graph" and not lacks then
    hint = hint .. " If it has that, the tenant lacks the licence: Defender for Endpoint Plan 2, or Defender XDR."
  end
  return hint, "permission_missing", lacks
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

-- What to do about Microsoft Graph's codes, which it spells with large and small letters as it likes.
local graph_hints = {
  badrequest = "Correct what the message names: repeated as it is, it will be refused again.",
}

-- What to do about a code of the service's.
local function own_hint(failure)
  local code = failure.refusal.code
  if failure.resource.name == "graph" then return code and graph_hints[core.text.lower(code)] end
  return hints[code]
end

-- What to do where a fresh token was refused.
local function token_hint(failure)
  local resource, claims = failure.resource, failure.claims or {}
  if resource.name ~= "graph" then return "Check that MDE_CLOUD, MDE_BASE_URL and MDE_SCOPE belong together." end
  local is_of = claims.aud and ("The token is for %s. "):format(failure.show(claims.aud)) or ""
  local advice = failure.credential == "token function"
    and "the function that gets tokens has to ask for the scope that it is given."
    or "check MDE_SCOPE, MDE_BASE_URL and MDE_CLOUD."
  return ("%sIn the cloud %s Microsoft Graph takes tokens of the scope %s: %s"):format(is_of, resource.cloud,
    clouds[resource.cloud].graph_scope, advice)
end

-- What to do about a refusal that nothing else is known of.
local function general_hint(said)
  if said.request_id and #said.request_id <= 64 then
    return ("Repeated as it is, it will be refused again; Microsoft's support asks for request %s.")
      :format(said.request_id)
  end
  return "Repeated as it is, it will be refused again: change what the service names."
end

local function refused(failure)
  local status, said, subject = failure.response.status, failure.refusal, failure.resource.subject
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
    message = ("%s refused it (HTTP %d%s)%s"):format(subject, status, said.code and " " .. said.code or "",
      said.message and ": " .. failure.show(said.message) or ""),
  }
  if status == 401 then
    fields.kind, fields.code = "auth", "token_refused"
    fields.message = subject .. " did not accept a fresh token (HTTP 401)"
      .. (said.message and ": " .. failure.show(said.message) or "")
    fields.hint = token_hint(failure)
  elseif own_hint(failure) then
    fields.hint = own_hint(failure)
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
    -- Graph says in words alone which of its limits it is.
    local said = failure.resource.name == "graph" and failure.refusal and failure.refusal.message
    return { kind = "throttled", code = "throttled", retry_at = failure.at + wait,
      message = with_attempts(failure.resource.subject .. " is throttling this application"
        .. (said and ": " .. failure.show(said) or ""), failure),
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
    message = with_attempts(("%s failed (HTTP %d)"):format(failure.resource.subject, response.status), failure)
      .. (said and ": " .. failure.show(said) or "") }
end

--- The fields of the error that a call of the service ends with.
---@param failure mde.ServiceFailure
---@return table fields
function M.describe(failure)
  local verdict = failure.verdict
  failure.resource = failure.resource or resources.kinds.defender
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
    fields.hint = failure.resource.name == "graph" and "Do not repeat it blindly: read first whether it was done."
      or "Do not repeat it blindly: mde.find_action(err) asks the service again."
  elseif failure.kind == "action" then
    fields.hint = failure.proxy_hint and "Nothing was changed. " .. failure.proxy_hint
      or fields.hint or "Nothing was changed; it can be tried again."
  end
  return fields
end

return M
