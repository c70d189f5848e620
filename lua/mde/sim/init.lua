--- mde.sim: a simulated tenant of Microsoft Defender for Endpoint, to rehearse a playbook in.
--
-- It answers as the service answers, and refuses what the service refuses; its history tells what it really did. It is
-- reached as a driver in the same process, or over HTTPS (`mde sim`), with the same behaviour.
--
--   local tenant = require("mde.sim").new()
--   local driver = tenant:driver()
local clouds = require "mde.base.cloud"
local core = require "mde.core"
local validation = require "mde.sim.base.validation"
local driver = require "mde.sim.driver"
local encoding = require "mde.sim.base.encoding"
local faults = require "mde.sim.faults"
local graph = require "mde.sim.graph.routes"
local managed_identity = require "mde.sim.identity.managed_identity"
local openid = require "mde.sim.identity.openid"
local routes = require "mde.sim.routes"
local sign_in = require "mde.sim.identity.sign_in"
local tenant = require "mde.sim.model.tenant"
local time = require "mde.sim.base.time"

local M = {}

-- Bytes of path and query.
local MAX_TARGET_BYTES = 8192

-- What must be percent-encoded wherever it stands.
local not_in_urls = '["<>\\^`{|}]'

-- Whether Microsoft Graph answers under an origin; nil: both sides of the service do.
local graph_hosts = { ["https://api.securitycenter.microsoft.com"] = false }
for _, cloud in pairs(clouds) do
  graph_hosts[cloud.base_url], graph_hosts[cloud.graph_url] = false, true
end

local function lower_case_names(headers)
  local copy = {}
  for name, value in pairs(headers or {}) do copy[core.text.lower(name)] = value end
  return copy
end

-- Path and query of a request, whether its URL is whole or begins with the path.
local function split(url)
  local target = url:gsub("^https?://[^/?#]*", ""):gsub("#.*$", "")
  local path, query = target:match "^([^?]*)%??(.*)$"
  return path, query
end

-- Scheme and host that were asked.
local function origin_of(url, headers)
  return url:match "^https?://[^/?#]*" or "https://" .. (headers.host or "api.security.microsoft.com")
end

-- The decoded segments of a path; nil and a status if it is malformed.
local function segments_of(path)
  if path:sub(1, 1) ~= "/" or path:sub(-1) == "/" or path:find("//", 1, true) then return nil, 404 end
  local segments = {}
  for segment in path:gmatch "[^/]+" do
    local decoded = encoding.unescape(segment)
    if encoding.problem(decoded) then return nil, 400 end
    segments[#segments + 1] = decoded
  end
  return segments
end

local function empty(status)
  return { status = status, headers = {}, body = "" }
end

-- What a client library asks before it signs in; nil if it is something else.
local function answer_openid(self, request, segments)
  local what = core.text.lower(table.concat(segments, "/", 2))
  if what == "discovery/instance" and core.text.lower(segments[1]) == "common" then
    return openid.instance(self, request.origin)
  elseif what == "v2.0/.well-known/openid-configuration" then
    return sign_in.refuse_tenant(self, segments[1]) or openid.configuration(self, request.origin)
  elseif what == "discovery/v2.0/keys" then
    return sign_in.refuse_tenant(self, segments[1]) or openid.keys(self)
  end
end

-- What came over plain http reaches the endpoints of managed identities, and what came over TLS does not.
local function dispatch_plain(self, request)
  return managed_identity.answer(self, request) or empty(404)
end

local function dispatch(self, request)
  local path = request.path
  if #path + #request.query + 1 > MAX_TARGET_BYTES then return empty(414) end
  if (path .. request.query):find(not_in_urls) then return empty(400) end
  local segments, status = segments_of(path)
  if not segments then return empty(status) end
  local openid_answer = request.method == "GET" and answer_openid(self, request, segments)
  if openid_answer then return openid_answer end
  if #segments == 4 and core.text.lower(path):find "^/[^/]+/oauth2/v2%.0/token$" then
    return sign_in.answer(self, request, segments[1])
  end
  local root = core.text.lower(table.remove(segments, 1) or "")
  local is_graphs = graph_hosts[core.text.lower(request.origin)]
  if root == "api" and not is_graphs then return routes.answer(self, request, segments) end
  if root == "v1.0" and is_graphs ~= false then return graph.answer(self, request, segments) end
  return empty(404)
end

--- Gives an answer the headers that every one has.
---@param response table
---@return table response
function tenant:complete(response)
  response.headers["date"] = response.headers["date"] or time.http(self.clock.now())
  return response
end

--- Puts a request into the history.
---@param request table
---@param status integer? nil if it was not acted on
---@param fault string? what hit it
function tenant:record_request(request, status, fault)
  local path, query = split(request.url)
  self:record("request", { method = request.method, path = path, query = query, status = status, fault = fault })
end

--- Answers a request: `method`, `url` (whole, or path and query), `headers`, `body`; `plain`: it came over plain http.
--- Never waits.
---@param request table
---@param fault string? for the history
---@return { status: integer, headers: table<string, string>, body: string } response
function tenant:handle(request, fault)
  self:settle()
  local path, query = split(request.url)
  local headers = lower_case_names(request.headers)
  local response = (request.plain and dispatch_plain or dispatch)(self, {
    method = request.method, origin = origin_of(request.url, headers), path = path, query = query, headers = headers,
    body = request.body,
  })
  self:record_request(request, response.status, fault)
  return self:complete(response)
end

--- The answer to a request that a rule of `tenant.faults` has hit: the rule's own, or the tenant's if it acts on the
--- request, or an empty one that nobody will see.
---@param rule table
---@param request table
---@return table response
function tenant:handle_with(rule, request)
  local response
  if rule.processed then
    response = self:handle(request, rule.fault)
  else
    self:record_request(request, nil, rule.fault)
  end
  local now, path = self.clock.now(), split(request.url)
  response = faults.canned_answer(rule, now, path) or response or { status = 200, headers = {}, body = "" }
  faults.shape(rule, response, now)
  return self:complete(response)
end

--- The faults that it was born with, in the place of all others.
function tenant:restore_faults()
  self.faults:clear()
  self:blame("faults", function()
    validation.for_each("faults", self.options.faults or {}, function(rule) self.faults:add(rule) end)
  end)
end

--- A driver that reaches this tenant in the same process (`latency`: seconds that each request takes). Its `now` and
--- `sleep` are the tenant's clock; a made-up one jumps as soon as everybody sleeps.
---@param options { latency: number? }?
---@return table driver
function tenant:driver(options)
  return driver.new(self, options)
end

--- The environment that points a client at a managed identity of this tenant.
---@param source "imds"|"app_service"|"arc"
---@param base_url string where its endpoints are served over plain http
---@return table<string, string>
function tenant:identity_env(source, base_url)
  if source == "imds" then return { AZURE_POD_IDENTITY_AUTHORITY_HOST = base_url } end
  if source == "app_service" then
    return { IDENTITY_ENDPOINT = base_url .. "/msi/token", IDENTITY_HEADER = self.app_header }
  end
  return { IDENTITY_ENDPOINT = base_url .. "/metadata/identity/oauth2/token", IMDS_ENDPOINT = base_url }
end

--- The environment that points a client at this tenant.
---@param base_url string? where it is served
---@param ca_file string?
---@return table<string, string>
function tenant:env(base_url, ca_file)
  base_url = base_url or "https://localhost:8443"
  return {
    AZURE_TENANT_ID = self.tenant_id,
    AZURE_CLIENT_ID = self.client_id,
    AZURE_CLIENT_SECRET = self.client_secret,
    AZURE_AUTHORITY_HOST = base_url .. "/",
    MDE_BASE_URL = base_url,
    MDE_GRAPH_URL = base_url,
    MDE_GRAPH_SCOPE = clouds[self.cloud].graph_scope,
    SSL_CERT_FILE = ca_file,
  }
end

--- Makes a tenant; see model/tenant.lua for the options. `tenant.faults` is what goes wrong (see faults.lua).
---@param options table?
---@return mde.sim.tenant
function M.new(options)
  local self = tenant.new(options)
  self.faults = faults.new()
  self:restore_faults()
  return self
end

return M
