-- The API: from a request to an answer, in the order in which the service checks.
local encoding = require "mde.sim.encoding"
local filter = require "mde.sim.filter"
local json = require "mde.sim.json"
local schema = require "mde.sim.schema"
local sign_in = require "mde.sim.sign_in"

local routes = {}

local maximum_rows = 10000

---- answers

local function headers_for(tenant)
  return {
    ["content-type"] = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
    ["odata-version"] = "4.0",
    ["strict-transport-security"] = "max-age=31536000; includeSubDomains",
    ["mise-correlation-id"] = tenant:guid(),
  }
end

local function answer(tenant, status, body)
  return { status = status, headers = headers_for(tenant), body = body }
end

local function empty(tenant, status)
  local response = answer(tenant, status, "")
  response.headers["content-type"] = nil
  return response
end

local function refuse(tenant, status, code, message, target)
  target = target or ("|%s.%s."):format(encoding.hex(tenant.random(8)), encoding.hex(tenant.random(4)))
  return answer(tenant, status, ('{"error":%s}'):format(json.object({ "code", "message", "target" },
    { code = code, message = message, target = target })))
end

---- who asks, how often, and may they

local function authenticate(tenant, request)
  local token = (request.headers["authorization"] or ""):match "^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)%s*$"
  local grant = token and tenant.tokens[token]
  local response
  if not token then
    response = refuse(tenant, 401, "Unauthorized", "The request carries no bearer token.")
    response.headers["www-authenticate"] = "Bearer"
  elseif not grant or grant.expires <= tenant.clock.now() then
    local why = grant and "The access token has expired" or "The access token is not valid"
    response = refuse(tenant, 401, "Unauthorized", why .. ".")
    response.headers["www-authenticate"] = ('Bearer error="invalid_token", error_description="%s"'):format(why)
  elseif not sign_in.audiences[grant.audience] then
    response = refuse(tenant, 403, "Forbidden", ("The token is for '%s', not for this API."):format(grant.audience))
  end
  return grant, response
end

local function throttle(tenant, grant, api)
  if not tenant.limits then return nil end
  local key = api .. " " .. grant.application.client_id
  local refused = tenant.limits:count(key, tenant.clock.now())
  if not refused then return nil end
  local seconds = math.max(1, math.ceil(refused.wait))
  local response = refuse(tenant, 429, "429", ("API calls quota exceeded! Maximum allowed %d per %s for the key "
    .. "Destination+TenantID+AppID. You can send requests again in %d seconds."):format(refused.allowed, refused.text,
    seconds), tenant.tenant_id)
  response.headers["retry-after"] = ("%d"):format(seconds)
  return response
end

local function authorize(tenant, grant, accepted)
  for _, has in ipairs(grant.roles) do
    for _, role in ipairs(accepted) do
      if has == role then return nil end
    end
  end
  return refuse(tenant, 403, "Forbidden", ("Missing application roles. API required roles: %s, application roles: %s.")
    :format(table.concat(accepted, ","), table.concat(grant.roles, ",")))
end

---- bodies

-- The parameter `Comment` of an action, or the refusal.
local function read_comment(tenant, request)
  local content_type = (request.headers["content-type"] or ""):lower()
  if not content_type:find "^%s*application/json%s*$" and not content_type:find "^%s*application/json%s*;" then
    return nil, empty(tenant, 415)
  end
  local body = request.body or ""
  if not encoding.characters(body) then
    return nil, refuse(tenant, 400, "InvalidRequestBody", "The request body is not UTF-8.")
  end
  local object = json.decode_object(body)
  if not object then
    return nil, refuse(tenant, 400, "InvalidRequestBody", "The request body is not a JSON object.")
  end
  if object.Comment == nil or object.Comment == "" then
    return nil, refuse(tenant, 400, "MissingRequiredParameter", "Comment is a required parameter and is missing.")
  elseif type(object.Comment) ~= "string" then
    return nil, refuse(tenant, 400, "InvalidRequestBody", "Comment must be a text.")
  end
  return object.Comment
end

---- lists

local supported_options = { ["$filter"] = true, ["$top"] = true, ["$skip"] = true }

local function row_count(options, name, default)
  local text = options[name]
  if not text then return default end
  local number = text:find "^%d+$" and #text < 10 and tonumber(text)
  if not number then return nil, ("The value '%s' of %s is not a number of rows."):format(text, name) end
  return number
end

-- What the query string asks for: `matches`, `top` and `skip`; or why it is refused.
local function read_options(query, kind)
  local options, message = encoding.form(query)
  if not options then return nil, message end
  for name in pairs(options) do
    if name:sub(1, 1) == "$" and not supported_options[name] then
      return nil, ("The query option '%s' is not supported."):format(name)
    end
  end
  local top, skip, matches
  top, message = row_count(options, "$top", maximum_rows)
  if not top then return nil, message end
  if top > maximum_rows then
    return nil, ("The value %d of $top is above the limit of %d."):format(top, maximum_rows)
  end
  skip, message = row_count(options, "$skip", 0)
  if not skip then return nil, message end
  if options["$filter"] then
    matches, message = filter.parse(options["$filter"], kind)
    if not matches then return nil, message end
  end
  return { matches = matches, top = top, skip = skip }
end

local function list(tenant, request, kind, records, first, last, step)
  local options, message = read_options(request.query, kind)
  if not options then return refuse(tenant, 400, "ODataError", message) end
  local rows, skipped = {}, 0
  for i = first, last, step do
    if #rows == options.top then break end
    if not options.matches or options.matches(records[i]) then
      if skipped < options.skip then skipped = skipped + 1 else rows[#rows + 1] = records[i] end
    end
  end
  return answer(tenant, 200, schema.list(kind, rows))
end

---- machines

local function list_machines(tenant, request)
  return list(tenant, request, schema.machine, tenant.machines, 1, #tenant.machines, 1)
end

local function no_such_machine(tenant, id)
  return refuse(tenant, 404, "ResourceNotFound", ("Machine %s was not found"):format(id))
end

local function get_machine(tenant, _, _, id)
  local machine = tenant:find_machine(id, true)
  if not machine then return no_such_machine(tenant, id) end
  return answer(tenant, 200, schema.entity(schema.machine, machine))
end

local restrictable = {
  Windows10 = true, Windows11 = true, WindowsServer2019 = true, WindowsServer2022 = true, WindowsServer2025 = true,
}

-- Windows 10 names its first releases by year and month.
local function too_old(machine)
  local release = machine.osPlatform == "Windows10" and tonumber(machine.version)
  return release and release < 1709
end

local function duplicate(tenant, action)
  if tenant.duplicates == "pending" then
    return answer(tenant, 201, schema.entity(schema.action, action))
  end
  local code = tenant.duplicates == "active_request" and "ActiveRequestAlreadyExists" or "BadRequest"
  return refuse(tenant, 400, code, "Action is already in progress")
end

local function start_action(kind)
  return function(tenant, request, grant, id)
    local comment, refusal = read_comment(tenant, request)
    if not comment then return refusal end
    local machine = tenant:find_machine(id)
    if not machine then return no_such_machine(tenant, id) end
    if not restrictable[machine.osPlatform] then
      return refuse(tenant, 400, "OsPlatformNotSupported", ("The operating system %s of machine %s does not support "
        .. "this action."):format(machine.osPlatform or "(unknown)", machine.id))
    elseif too_old(machine) then
      return refuse(tenant, 400, "ClientVersionNotSupported", ("Version %s of machine %s is too old for this action.")
        :format(machine.version, machine.id))
    end
    local pending = tenant.duplicates ~= "new" and tenant:open_action(machine, kind)
    if pending then return duplicate(tenant, pending) end
    local action = tenant:create_action(machine, kind, comment, grant.application.name)
    return answer(tenant, 201, schema.entity(schema.action, action))
  end
end

---- actions

local function list_actions(tenant, request)
  return list(tenant, request, schema.action, tenant.actions, #tenant.actions, 1, -1)
end

-- The action that a path names, or the refusal.
local function find_action(tenant, id)
  if #id ~= 36 or not id:find "^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$" or id:sub(9, 9) ~= "-" then
    return nil, refuse(tenant, 400, "BadRequest", ("The key value (%s) from request is not valid. The key value "
      .. "should be format of type 'Edm.Guid'."):format(id))
  end
  local action = tenant:find_action(id)
  if action then return action end
  return nil, refuse(tenant, 404, "ResourceNotFound", ("Machine action %s was not found"):format(id))
end

local function get_action(tenant, _, _, id)
  local action, refusal = find_action(tenant, id)
  if not action then return refusal end
  return answer(tenant, 200, schema.entity(schema.action, action))
end

local role_of_type = {
  RestrictCodeExecution = "Machine.RestrictExecution", UnrestrictCodeExecution = "Machine.RestrictExecution",
  Isolate = "Machine.Isolate", Unisolate = "Machine.Isolate", RunAntiVirusScan = "Machine.Scan",
  StopAndQuarantineFile = "Machine.StopAndQuarantine", Offboard = "Machine.Offboard",
  CollectInvestigationPackage = "Machine.CollectForensics", LiveResponse = "Machine.LiveResponse",
}

local cancelling_roles = {
  "Machine.CollectForensics", "Machine.Isolate", "Machine.RestrictExecution", "Machine.Scan", "Machine.Offboard",
  "Machine.StopAndQuarantine", "Machine.LiveResponse",
}

local function cancel_action(tenant, request, grant, id)
  local comment, refusal = read_comment(tenant, request)
  if not comment then return refusal end
  local action
  action, refusal = find_action(tenant, id)
  if not action then return refusal end
  local role = role_of_type[action.type]
  refusal = authorize(tenant, grant, role and { role } or cancelling_roles)
  if refusal then return refusal end
  if not tenant:cancel_action(action, comment, grant.application.name) then
    return refuse(tenant, 400, "BadRequest", ("Machine action %s has ended with status %s and cannot be cancelled.")
      :format(action.id, action.status))
  end
  return answer(tenant, 200, schema.entity(schema.action, action))
end

---- which request goes where

local reading = { "Machine.Read.All", "Machine.ReadWrite.All" }
local restricting = { "Machine.RestrictExecution" }

-- Segments are compared without case; * stands for any.
local table_of_routes = {
  { method = "GET", path = { "machines" }, roles = reading, run = list_machines },
  { method = "GET", path = { "machines", "*" }, roles = reading, run = get_machine },
  { method = "POST", path = { "machines", "*", "restrictcodeexecution" }, roles = restricting,
    run = start_action "RestrictCodeExecution" },
  { method = "POST", path = { "machines", "*", "unrestrictcodeexecution" }, roles = restricting,
    run = start_action "UnrestrictCodeExecution" },
  { method = "GET", path = { "machineactions" }, roles = reading, run = list_actions },
  { method = "GET", path = { "machineactions", "*" }, roles = reading, run = get_action },
  { method = "POST", path = { "machineactions", "*", "cancel" }, roles = cancelling_roles, run = cancel_action },
}
for _, route in ipairs(table_of_routes) do route.api = route.method .. " " .. table.concat(route.path, "/") end

-- What stands for the star, or "" if there is none; nil if the path is another.
local function matches(path, segments)
  if #path ~= #segments then return nil end
  local captured = ""
  for i, wanted in ipairs(path) do
    if wanted == "*" then
      captured = segments[i]
    elseif wanted ~= segments[i]:lower() then
      return nil
    end
  end
  return captured
end

local function find(method, segments)
  local allowed
  for _, route in ipairs(table_of_routes) do
    local captured = matches(route.path, segments)
    if captured and route.method == method then return route, captured end
    if captured then allowed = route.method end
  end
  return nil, allowed
end

--- Answers a request below /api.
---@param tenant mde.sim.tenant
---@param request { method: string, query: string, headers: table<string, string>, body: string? } header names in
--- lower case, the query still encoded
---@param segments string[] the path after /api, decoded
---@return table response
function routes.answer(tenant, request, segments)
  if segments[1] and segments[1]:lower() == "v1.0" then table.remove(segments, 1) end
  local route, id = find(request.method, segments)
  if not route then
    local response = empty(tenant, id and 405 or 404)
    response.headers["allow"] = id
    return response
  end
  local grant, refusal = authenticate(tenant, request)
  if refusal then return refusal end
  return throttle(tenant, grant, route.api)
    or authorize(tenant, grant, route.roles)
    or route.run(tenant, request, grant, id)
end

return routes
