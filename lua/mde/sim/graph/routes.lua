-- Microsoft Graph: from a request to an answer. Which request goes where stands in endpoints.lua.
local access = require "mde.sim.graph.access"
local answers = require "mde.sim.graph.answers"
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local endpoints = require "mde.sim.graph.endpoints"

local M = {}

-- How many of the segments a path has in common with an endpoint's, and what stands for the first star.
local function compare(path, segments)
  local id
  for i, wanted in ipairs(path) do
    local segment = segments[i]
    if not segment or wanted ~= "*" and wanted ~= core.text.lower(segment) then return i - 1, id end
    if wanted == "*" then id = id or segment end
  end
  return #path, id
end

-- The endpoint and its id; or nil, the methods that its path has, and the first segment that nothing has.
local function find(method, segments)
  local allowed, longest = {}, 0
  for _, endpoint in ipairs(endpoints) do
    local common, id = compare(endpoint.path, segments)
    longest = math.max(longest, common)
    if common == #segments and common == #endpoint.path then
      if endpoint.method == method then return endpoint, id end
      allowed[#allowed + 1] = endpoint.method
    end
  end
  return nil, allowed, segments[longest + 1] or segments[#segments] or ""
end

-- The options of the query; or the refusal of one that the endpoint does not take.
local function read_options(tenant, request, endpoint)
  local options, message = encoding.form(request.query)
  if not options then return nil, answers.refusal(tenant, request, 400, "BadRequest", message) end
  local known = {}
  for _, name in ipairs(endpoint.options or {}) do known[name] = true end
  for name in pairs(options) do
    if not known[name] then
      return nil, answers.refusal(tenant, request, 400, "BadRequest",
        ("The query option '%s' is not supported."):format(name))
    end
  end
  return options
end

--- Answers a request below /v1.0.
---@param tenant mde.sim.tenant
---@param request { method: string, origin: string, path: string, query: string, headers: table<string, string>, body:
--- string? } header names in lower case, path and query still encoded
---@param segments string[] the path after /v1.0, decoded
---@return table response
function M.answer(tenant, request, segments)
  local grant, refusal = access.authenticate(tenant, request)
  if refusal then return refusal end
  local endpoint, id, unknown = find(request.method, segments)
  if not endpoint and id[1] then
    local response = answers.refusal(tenant, request, 405, "MethodNotAllowed",
      ("%s is not supported here."):format(request.method))
    response.headers["allow"] = table.concat(id, ", ")
    return response
  elseif not endpoint then
    return answers.refusal(tenant, request, 400, "BadRequest", ("There is no resource for the segment '%s'.")
      :format(unknown))
  end
  refusal = access.throttle(tenant, request, grant, endpoint.api, endpoint.per_minute)
    or access.authorize(tenant, request, grant, endpoint.roles)
  if refusal then return refusal end
  local options, problem = read_options(tenant, request, endpoint)
  if not options then return problem end
  return endpoint.run(tenant, request, grant, id, options)
end

return M
