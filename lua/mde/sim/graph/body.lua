-- The body of a request to Microsoft Graph: one object of JSON.
local answers = require "mde.sim.graph.answers"
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"

local M = {}

local function is_json(content_type)
  return core.text.lower(content_type):match "^%s*([^%s;]+)" == "application/json"
end

--- The members of a request's body, null as `json.null`; or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@return table<string, any>? members
---@return table? response
function M.read(tenant, request)
  local body = request.body or ""
  if not is_json(request.headers["content-type"] or "") then
    return nil, answers.refusal(tenant, request, 415, "UnsupportedMediaType", "The body must be application/json.")
  end
  local object = encoding.characters(body) and body:find "^%s*{" and not json.control_character(body)
    and json.decode(body)
  if type(object) ~= "table" then
    return nil, answers.refusal(tenant, request, 400, "BadRequest", "The body is not a JSON object.")
  end
  return object
end

return M
