--- resource: what an application gets tokens for and calls: Defender for Endpoint, and Microsoft Graph beside it.
--
-- Each has a host, a scope, tokens and errors of its own, and what one has issued is refused by the other. What an
-- error's hint says of MDE_BASE_URL and MDE_SCOPE it says of Graph by the names of Graph's settings.

local audience = require "mde.auth.audience"
local core = require "mde.core"
local errors = require "mde.base.error"
local origins = require "mde.base.origin"

local M = {}

---@alias mde.ResourceName "defender"|"graph"

---@class mde.ResourceKind what is the same for every client
---@field name mde.ResourceName
---@field title string
---@field subject string what an error says that has answered
---@field root string of its paths
---@field url string the setting with its host
---@field scope_setting string the setting with its scope
---@field headers? table<string, string> of every request
---@field tells_time? boolean whether its `Date` is a witness of the service's time, see service_clock.lua
---@field is_audience fun(aud: any): boolean whether a token's `aud` is this

---@class mde.Resource: mde.ResourceKind of one client
---@field base_url string
---@field scope string
---@field cloud string the name of the cloud
---@field host string of base_url
---@field named fun(hint: string): string the hint with what the settings were given by
---@field token_source mde.TokenSource
---@field authorize fun(context: mde.Context): mde.Token?, mde.Error?
---@field invalidate fun(token: mde.Token, response: table)
---@field heard? fun(response: table)

---@type table<mde.ResourceName, mde.ResourceKind>
M.kinds = {
  defender = { name = "defender", title = "Defender for Endpoint", subject = "the service", root = "/api",
    url = "base_url", scope_setting = "scope", tells_time = true, is_audience = audience.is_of_the_service },
  graph = { name = "graph", title = "Microsoft Graph", subject = "Microsoft Graph", root = "/v1.0",
    url = "graph_url", scope_setting = "graph_scope",
    -- Without it what an enumeration has got lately is told as "unknownFutureValue".
    headers = { Prefer = "include-unknown-enum-members" }, is_audience = audience.is_of_graph },
}

-- What makes a hint name the settings of this resource.
local function named_of(kind, settings)
  local given = {}
  for variable, name in pairs(settings.given or {}) do given[variable] = name end
  if kind.name == "graph" then
    given.MDE_BASE_URL = given.MDE_GRAPH_URL or "MDE_GRAPH_URL"
    given.MDE_SCOPE = given.MDE_GRAPH_SCOPE or "MDE_GRAPH_SCOPE"
  end
  return origins.new(given, settings.credential)
end

--- A resource of a client; nil and an error if nothing says where it is. Its token source is for the caller to add.
---@param name mde.ResourceName
---@param settings table a client's
---@return mde.Resource? resource
---@return mde.Error? err
function M.new(name, settings)
  local kind = M.kinds[name]
  local url = settings[kind.url]
  if not url then
    local doubt = settings.graph_doubt
    return nil, errors.new { kind = "invalid", code = "graph_url_missing", hint = doubt.hint,
      message = "Microsoft Graph was not asked: " .. doubt.message }
  end
  local resource = { base_url = url, scope = settings[kind.scope_setting], host = core.url.authority(url) or url,
    cloud = settings.cloud_name, named = named_of(kind, settings) }
  for field, value in pairs(kind) do resource[field] = value end
  return resource
end

return M
