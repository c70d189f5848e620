--- authority: where an application signs in. Its tenant is named elsewhere, and many write it behind the host as well,
-- since Microsoft's pages show it there.

local clouds = require "mde.base.cloud"
local core = require "mde.core"
local errors = require "mde.base.error"
local urls = require "mde.base.url"

-- What stands for no tenant, or for all.
local ANY = { common = true, organizations = true, consumers = true }

local M = {}

-- Of an endpoint that was copied as a whole; nobody's place to sign in ends like that.
local function is_endpoint(path)
  path = core.text.lower(path) .. "/"
  return path:find("/oauth2/", 1, true) or path:find("/.well-known/", 1, true) or path:find "/v2%.0/$"
end

local function origin_of(url)
  return "https://" .. core.url.authority(url)
end

local function refuse(code, url, name, problem, hint)
  errors.invalid(code, ("%s is %s, %s"):format(name, errors.quote(url), problem),
    hint or ("Write %s, and the tenant as AZURE_TENANT_ID."):format(origin_of(url)))
end

--- The URL of where to sign in, in the form that its token endpoint has for itself, since an assertion has to name it
--- so. Raises for what cannot be one.
---@param value string
---@param name string by which the user set it
---@return string url
function M.check(value, name)
  local url = urls.check_https(value, name)
  if is_endpoint(core.url.parse(url).path) then
    refuse("url_malformed", url, name, "which is an endpoint and not the place to sign in")
  end
  return url
end

local function is_of_microsoft(url)
  for _, cloud in pairs(clouds) do
    if core.url.same_origin(url, cloud.authority) then return true end
  end
  return false
end

-- Whether the last part of a path is a tenant: an id, or, right behind the host, a domain.
local function names_a_tenant(last, before)
  return core.device.is_guid(last) or before == "" and core.url.is_domain(last)
end

--- The same URL without the tenant at its end. Raises if that is another one.
---@param url string as `check` returns it
---@param tenant_id? string nil: the credential needs none, and nothing is asked there
---@param name string by which the user set it
---@return string url
function M.without_tenant(url, tenant_id, name)
  local path, last = core.url.parse(url).path:match "^(.-)/+([^/]+)$"
  if not path then return url end
  local before, own = origin_of(url) .. path, core.text.lower(last)
  if ANY[own] or tenant_id and own == core.text.lower(tenant_id) then
    return M.without_tenant(before, tenant_id, name)
  elseif names_a_tenant(last, path) then
    if not tenant_id then return before end
    refuse("authority_of_another_tenant", url, name, ("which names a tenant, and %s is set"):format(
      errors.quote(tenant_id)), ("Write %s alone, if %s is the tenant."):format(before, errors.quote(tenant_id)))
  elseif is_of_microsoft(url) then
    refuse("url_malformed", url, name, "and nobody signs in below that path")
  end
  return url
end

return M
