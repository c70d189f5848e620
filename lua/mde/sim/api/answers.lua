-- What every answer of the API has: its headers, and the shape of a refusal.
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local lists = require "mde.sim.odata.lists"

local M = {}

local function headers_for(tenant)
  return {
    ["content-type"] = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
    ["odata-version"] = "4.0",
    ["strict-transport-security"] = "max-age=31536000; includeSubDomains",
    ["mise-correlation-id"] = tenant:guid(),
  }
end

---@param tenant mde.sim.tenant
---@param status integer
---@param body string
---@return table response
function M.with_body(tenant, status, body)
  return { status = status, headers = headers_for(tenant), body = body }
end

---@param tenant mde.sim.tenant
---@param status integer
---@return table response
function M.empty(tenant, status)
  local response = M.with_body(tenant, status, "")
  response.headers["content-type"] = nil
  return response
end

--- A refusal in the service's shape.
---@param tenant mde.sim.tenant
---@param status integer
---@param code string for programs
---@param message string
---@param target string? what the service's support asks for; made up if absent
---@return table response
function M.refusal(tenant, status, code, message, target)
  target = target or ("|%s.%s."):format(encoding.hex(tenant.random(8)), encoding.hex(tenant.random(4)))
  return M.with_body(tenant, status, ('{"error":%s}'):format(json.object({ "code", "message", "target" },
    { code = code, message = message, target = target })))
end

--- A list, as the options of the request want it.
---@param tenant mde.sim.tenant
---@param request table
---@param kind table one of odata/schema.lua
---@param records table[]
---@param manners table? how the list behaves; as the tenant's setting `lists` says if absent
---@return table response
function M.list(tenant, request, kind, records, manners)
  local body, message = lists.answer(manners or tenant.lists, request, kind, records, tenant.comparison == "caseless")
  if not body then return M.refusal(tenant, 400, "ODataError", message) end
  return M.with_body(tenant, 200, body)
end

--- The refusal of an id that no machine has.
---@param tenant mde.sim.tenant
---@param id string
---@return table response
function M.no_such_machine(tenant, id)
  return M.refusal(tenant, 404, "ResourceNotFound", ("Machine %s was not found"):format(id))
end

return M
