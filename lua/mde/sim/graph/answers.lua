-- What every answer of Microsoft Graph has: its headers with the ids of the request, and the shape of a refusal.
local core = require "mde.core"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"

local M = {}

-- The client's own id of a request, if it names one, is told again.
local function ids_of(tenant, request)
  local id = tenant:guid()
  return id, request.headers["client-request-id"] or id
end

--- An answer with a body of JSON.
---@param tenant mde.sim.tenant
---@param request table
---@param status integer
---@param body string
---@return table response
function M.with_body(tenant, request, status, body)
  local id, own = ids_of(tenant, request)
  return { status = status, body = body, headers = {
    ["content-type"] = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
      .. "charset=utf-8",
    ["odata-version"] = "4.0",
    ["strict-transport-security"] = "max-age=31536000",
    ["request-id"] = id,
    ["client-request-id"] = own,
  } }
end

--- A refusal in Graph's shape. `inner`: further members of its `innerError`.
---@param tenant mde.sim.tenant
---@param request table
---@param status integer
---@param code string for programs
---@param message string
---@param inner table<string, string>?
---@return table response
function M.refusal(tenant, request, status, code, message, inner)
  local response = M.with_body(tenant, request, status, "")
  response.headers["content-type"] = "application/json"
  local members = { date = time.iso(math.floor(tenant.clock.now())):gsub("Z$", ""),
    ["request-id"] = response.headers["request-id"], ["client-request-id"] = response.headers["client-request-id"] }
  for name, value in pairs(inner or {}) do members[name] = value end
  response.body = ('{"error":%s}'):format(json.object({ "code", "message", "innerError" },
    { code = code, message = message, innerError = members }))
  return response
end

--- Whether the client understands members that an enumeration has got lately. Without that they are told as
--- "unknownFutureValue".
---@param request table
---@return boolean
function M.includes_unknown_members(request)
  for preference in core.text.lower(request.headers.prefer or ""):gmatch "[^,;%s]+" do
    if preference == "include-unknown-enum-members" then return true end
  end
  return false
end

return M
