-- Indicators: a list of them, a new one, many at once, and away with them.
local answers = require "mde.sim.api.answers"
local body = require "mde.sim.api.body"
local indicator_schema = require "mde.sim.odata.indicator_schema"
local indicator_value = require "mde.sim.api.indicator_value"
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

local M = {}

local refusal = answers.refusal

-- The most of one import.
local MOST_ROWS = 500

--- A list of indicators.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.list(tenant, request)
  return answers.list(tenant, request, indicator_schema.indicator, tenant.indicator_book:listed())
end

local function text(name, required)
  return { name = name, required = required, kind = "text", can_be_null = not required }
end

local function value(name, required, values)
  return { name = name, required = required, kind = "value", values = values, can_be_null = not required }
end

local fields = {
  text("indicatorValue", true),
  value("indicatorType", true, { "FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint", "IpAddress",
    "DomainName", "Url" }),
  -- The first two have ended, and the documents list them still.
  value("action", true, { "Alert", "AlertAndBlock", "Allowed", "Audit", "Block", "BlockAndRemediate", "Warn" }),
  text("title", true), text("description", true), text "application", text "recommendedActions", text "educateUrl",
  text "externalId",
  value("severity", false, { "Informational", "Low", "Medium", "High" }),
  { name = "expirationTime", kind = "time", can_be_null = true },
  { name = "generateAlert", kind = "truth", can_be_null = true },
  { name = "rbacGroupNames", kind = "list", element = "string", can_be_null = true },
  { name = "rbacGroupIds", kind = "list", element = "number", can_be_null = true },
}

-- Adds what an object says. Returns the indicator; or nil, a code and a message.
local function put(tenant, object, by)
  local members, code, message = body.members(object, fields)
  if not members then return nil, code, message end
  code, message = indicator_value.problem(members.indicatorType, members.indicatorValue)
  if code then return nil, code, message end
  if members.action == "Audit" and members.generateAlert ~= true then
    return nil, "InvalidInput", "generateAlert must be true if the action is Audit."
  elseif members.educateUrl and members.action ~= "Block" and members.action ~= "Warn" then
    return nil, "InvalidInput", "educateUrl is for the actions Block and Warn."
  elseif members.expirationTime and time.parse(members.expirationTime) <= tenant.clock.now() then
    return nil, "InvalidInput", ("The expirationTime '%s' is over."):format(members.expirationTime)
  end
  local indicator
  indicator, message = tenant.indicator_book:put(members, by)
  return indicator, not indicator and "BadRequest" or nil, message
end

--- Adds an indicator, or changes the one of its value and type.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@return table response
function M.create(tenant, request, grant)
  local object, response = body.read_object(tenant, request)
  if not object then return response end
  local indicator, code, message = put(tenant, object, grant.application.name)
  if not indicator then return refusal(tenant, 400, code, message) end
  return answers.with_body(tenant, 200, schema.entity(indicator_schema.indicator, indicator))
end

-- The results of an import as the setting `imports` has them.
local manners = {
  in_order = function(results) return results end,
  reversed = function(results)
    local list = {}
    for i = #results, 1, -1 do list[#list + 1] = results[i] end
    return list
  end,
  short = function(results)
    results[#results] = nil
    return results
  end,
}

local imported = { { name = "Indicators", required = true, kind = "list", element = "table" } }

--- Adds many. What is wrong with one is told in its result, and the answer is 200.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@return table response
function M.import(tenant, request, grant)
  local members, response = body.read(tenant, request, imported)
  if not members then return response end
  local rows = members.Indicators
  if #rows == 0 then
    return refusal(tenant, 400, "MissingRequiredParameter", "Indicators is a required parameter and is missing.")
  elseif #rows > MOST_ROWS then
    return refusal(tenant, 400, "MaximumBatchSizeExceeded",
      ("%d indicators are more than the limit of %d."):format(#rows, MOST_ROWS))
  end
  local results = {}
  for i, row in ipairs(rows) do
    local indicator, _, message = put(tenant, row, grant.application.name)
    results[i] = { id = indicator and indicator.id, indicator = row.indicatorValue, isFailed = indicator == nil,
      failureReason = message }
  end
  local pieces = {}
  for i, result in ipairs(manners[tenant.imports](results)) do
    pieces[i] = json.object({ "id", "indicator", "isFailed", "failureReason" }, result)
  end
  return answers.with_body(tenant, 200, ('{"@odata.context":"https://api.security.microsoft.com/api/$metadata'
    .. '#Collection(microsoft.windowsDefenderATP.api.ImportIndicatorResult)","value":[%s]}')
    :format(table.concat(pieces, ",")))
end

local function no_such(tenant, id)
  return refusal(tenant, 404, "ResourceNotFound", ("Indicator %s was not found"):format(id))
end

--- Deletes an indicator.
---@param tenant mde.sim.tenant
---@param grant table
---@param id string
---@return table response
function M.delete(tenant, _, grant, id)
  local indicator = tenant.indicator_book:find(id)
  if not indicator then return no_such(tenant, id) end
  tenant.indicator_book:remove(indicator, grant.application.name)
  return answers.empty(tenant, 204)
end

local deleted = { { name = "IndicatorIds", required = true, kind = "ids", most = MOST_ROWS } }

--- Deletes many. Of one that is not there, none is deleted.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@return table response
function M.delete_many(tenant, request, grant)
  local members, response = body.read(tenant, request, deleted)
  if not members then return response end
  local found = {}
  for i, id in ipairs(members.IndicatorIds) do
    found[i] = tenant.indicator_book:find(id)
    if not found[i] then return no_such(tenant, id) end
  end
  for _, indicator in ipairs(found) do
    if tenant.indicator_book:find(indicator.id) then
      tenant.indicator_book:remove(indicator, grant.application.name)
    end
  end
  return answers.empty(tenant, 204)
end

return M
