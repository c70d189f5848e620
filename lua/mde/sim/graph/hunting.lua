-- Advanced hunting by Microsoft Graph.
local answers = require "mde.sim.graph.answers"
local bodies = require "mde.sim.graph.body"
local core = require "mde.core"
local hunting = require "mde.sim.model.hunting"
local json = require "mde.sim.base.json"
local timespans = require "mde.sim.graph.timespan"
local values = require "mde.sim.kql.value"

local guid_pattern = "^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

local members_by_name = { query = "Query", timespan = "Timespan", workspaceid = "workspaceId" }

-- The members of the body, whose names are taken in any case; or what is wrong.
local function read_members(object)
  local members = {}
  for name, value in pairs(object) do
    local known = members_by_name[core.text.lower(name)]
    if not known then
      return nil, ("The parameter '%s' in the request payload is not a valid parameter for the operation "
        .. "'runHuntingQuery'."):format(name)
    end
    if value ~= json.null and type(value) ~= "string" then return nil, ("%s must be a string."):format(known) end
    members[known] = value ~= json.null and value or nil
  end
  if not members.Query or not members.Query:find "%S" then return nil, "Missing query." end
  if members.workspaceId and not members.workspaceId:find(guid_pattern) then
    return nil, "workspaceId must be a GUID."
  end
  return members
end

local function in_camel_case(name)
  return core.text.lower(name:sub(1, 1)) .. name:sub(2)
end

-- The reply's text. By the older spelling the schema has Name and Type, and rows begin their names small.
local function write(result, spelling)
  local name, kind = "name", "type"
  if spelling == "older" then name, kind = "Name", "Type" end
  local schema, names, keys = {}, {}, {}
  for i, column in ipairs(result.columns) do
    schema[i] = json.object({ name, kind }, { [name] = column.name, [kind] = values.wire_types[column.type] })
    names[i] = column.name
    keys[i] = spelling == "older" and in_camel_case(column.name) or column.name
  end
  local rows = {}
  for i, row in ipairs(result.rows) do
    local told = {}
    for j, key in ipairs(keys) do told[key] = row[names[j]] end
    rows[i] = json.object(keys, told)
  end
  return ('{"@odata.context":%s,"schema":[%s],"results":[%s]}'):format(
    json.encode "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults",
    table.concat(schema, ","), table.concat(rows, ","))
end

local function run(tenant, request)
  local object, refusal = bodies.read(tenant, request)
  if not object then return refusal end
  local members, message = read_members(object)
  if not members then return answers.refusal(tenant, request, 400, "BadRequest", message) end
  local from, to
  if members.Timespan then
    from, to = timespans.read(members.Timespan, tenant.clock.now())
    if not from then
      return answers.refusal(tenant, request, 400, "BadRequest", ("The timespan '%s' is not valid. It must be in the "
        .. "format of ISO 8601."):format(members.Timespan))
    end
  end
  -- Retry-After is not promised, and does not come.
  if hunting.spend(tenant) then
    return answers.refusal(tenant, request, 429, "TooManyRequests", "The query was not run: your tenant has used its "
      .. "CPU resources for advanced hunting. Run it after the current 15-minute cycle.")
  end
  local result
  result, message = hunting.run(tenant, members.Query, from, to)
  if not result then return answers.refusal(tenant, request, 400, "BadRequest", message) end
  local body = write(result, tenant.hunting.spelling)
  message = hunting.excess(tenant, body)
  if message then return answers.refusal(tenant, request, 400, "BadRequest", message) end
  return answers.with_body(tenant, request, 200, body)
end

---@type mde.sim.graph.endpoint[]
return {
  { method = "POST", path = { "security", "runhuntingquery" }, roles = { "ThreatHunting.Read.All" }, api = "hunting",
    per_minute = 45, run = run },
}
