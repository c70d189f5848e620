-- Advanced hunting by the API of Defender, which is retired on 1 February 2027.
local answers = require "mde.sim.api.answers"
local bodies = require "mde.sim.api.body"
local hunting = require "mde.sim.model.hunting"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"
local values = require "mde.sim.kql.value"

local M = {}

-- The first moment at which it is no more.
local RETIRED_AT = time.parse "2027-02-01"

local fields = { { name = "Query", kind = "text", required = true } }

local function write(result, seconds)
  local schema, names, rows = {}, {}, {}
  for i, column in ipairs(result.columns) do
    schema[i] = json.object({ "Name", "Type" }, { Name = column.name, Type = values.wire_types[column.type] })
    names[i] = column.name
  end
  for i, row in ipairs(result.rows) do rows[i] = json.object(names, row) end
  return ('{"Stats":{"ExecutionTime":%s,"dataset_statistics":[{"table_row_count":%d}]},"Schema":[%s],"Results":[%s]}')
    :format(json.encode(seconds), #rows, table.concat(schema, ","), table.concat(rows, ","))
end

--- Runs a query.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.run(tenant, request)
  if tenant.clock.now() >= RETIRED_AT then
    return answers.refusal(tenant, 404, "NotFound", "advancedqueries/run is retired. Use Microsoft Graph: POST "
      .. "/v1.0/security/runHuntingQuery.")
  end
  local members, response = bodies.read(tenant, request, fields)
  if not members then return response end
  local wait = hunting.spend(tenant)
  if wait then
    response = answers.refusal(tenant, 429, "429", "API calls quota exceeded! The tenant has used its run time.")
    response.headers["retry-after"] = ("%d"):format(math.ceil(wait))
    return response
  end
  local result, message = hunting.run(tenant, members.Query)
  if not result then return answers.refusal(tenant, 400, "BadRequest", message) end
  local body = write(result, tenant.hunting.cost)
  message = hunting.excess(tenant, body)
  if message then return answers.refusal(tenant, 400, "BadRequest", message) end
  return answers.with_body(tenant, 200, body)
end

return M
