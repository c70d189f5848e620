--- credential.identity_endpoint: what the endpoints of managed identities have in common: a URL from the environment
-- that must not lead elsewhere, an identity that may be named, and errors in the same words.

local core = require "mde.core"
local errors = require "mde.base.error"
local failures = require "mde.auth.failure"
local urls = require "mde.base.url"

-- An endpoint that is being brought up to date is back within 70 s (Azure's page on the instance metadata service). It
-- is asked until then (mde.core.outcome), and each attempt takes some time.
local SECONDS = 90

local M = {}

--- The URL by which an endpoint is reached. Plain http goes to this machine and its link-local network alone, since
--- what is sent there must not be read on the way. Raises for anything else.
---@param url string
---@param name string of the variable it comes from
---@return string url without a query
function M.check_url(url, name)
  local ok, flaw = core.url.endpoint(url)
  if ok then return url end
  local hint = "Leave it as the platform sets it."
  if flaw == "insecure" then
    errors.invalid("url_insecure", ("%s is %s: http is spoken to this machine and its link-local network alone"):format(
      name, urls.shown(url)), hint)
  end
  errors.invalid("url_malformed", ("%s is %s, which is not the URL of an endpoint"):format(name, urls.shown(url)), hint)
end

--- Makes a kind of credential.
---@param of { kind: string, name: string, ask: fun(self: table, request: mde.TokenRequest): table?, mde.Error? }
---@return table metatable
function M.class(of)
  local Identity = { __name = "mde.credential." .. of.kind, ask = of.ask, seconds = SECONDS }
  Identity.__index = Identity

  function Identity.__tostring()
    return ("mde.credential.managed_identity: %s"):format(of.name)
  end

  function Identity:secrets()
    return { self.secret }
  end

  function Identity:traits()
    return { of.kind, self.options.client_id or self.options.object_id or self.options.resource_id }
  end

  function Identity:about()
    local options = self.options
    local named = options.client_id or options.object_id or options.resource_id
    return { { name = "managed identity", value = ("%s, %s"):format(of.name,
      named and "the identity " .. errors.show(named) or "the machine's own") } }
  end

  function Identity:host()
    return core.url.authority(self.url)
  end

  return Identity
end

--- What a failure of an endpoint is told as.
---@param name string of the endpoint
---@param hints { absent: string, unassigned: string, refused: string }
---@return fun(failure: mde.Failure): table fields
function M.failure(name, hints)
  return function(failure) return failures.identity(failure, name, hints) end
end

--- The query of a request, with the identity under the names that this endpoint has for it.
---@param version string
---@param request mde.TokenRequest
---@param options mde.credential.ManagedIdentityOptions
---@param names { client_id: string, object_id: string, resource_id: string }
---@return table<string, string>
function M.query(version, request, options, names)
  local query = { ["api-version"] = version, resource = request:resource() }
  for option, name in pairs(names) do query[name] = options[option] end
  return query
end

--- That the endpoint spoke for the identity that was named, where its answer says who it spoke for: an old agent
--- gives the machine's own instead, in silence.
---@param answer table
---@param options mde.credential.ManagedIdentityOptions
---@return table? answer
---@return mde.Error? err
function M.check_identity(answer, options)
  local wanted, given = options.client_id, answer.client_id
  if not wanted or type(given) ~= "string" or given == "" then return answer end
  if core.text.lower(given) == core.text.lower(wanted) then return answer end
  return nil, errors.new { kind = "auth", code = "wrong_identity",
    message = ("the endpoint gave a token of the identity %s, not of %s"):format(errors.show(given),
      errors.show(wanted)),
    hint = "Its agent knows no user-assigned identities: use the machine's own, or update the agent." }
end

return M
