-- The API: from a request to an answer, in the order in which the service checks.
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local lists = require "mde.sim.odata.lists"
local schema = require "mde.sim.odata.schema"
local sign_in = require "mde.sim.identity.sign_in"
local time = require "mde.sim.base.time"

local M = {}

local MAX_TAGGED_MACHINES = 500
local ADDRESS_TOLERANCE_SECONDS, MAX_ADDRESS_AGE_SECONDS = 15 * 60, 30 * 86400

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

-- What asks a client for a token that was issued after a moment (RFC 9470's forerunner in Entra, a claims challenge).
local function challenge(tenant)
  local claims = json.encode { access_token = { nbf = { essential = true,
    value = ("%d"):format(math.floor(tenant.revoked_at)) } } }
  return ('Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    .. 'error="insufficient_claims", claims="%s"'):format(encoding.base64url(claims))
end

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
  elseif tenant.revoked_at and grant.issued <= tenant.revoked_at then
    response = refuse(tenant, 401, "Unauthorized", "The access token has been revoked.")
    response.headers["www-authenticate"] = grant.can_be_challenged and challenge(tenant)
      or 'Bearer error="invalid_token", error_description="The access token has been revoked"'
  elseif not sign_in.audiences[tenant.cloud][grant.audience] then
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

local function is_json(content_type)
  local kind, parameters = core.text.lower(content_type):match "^%s*([^%s;]+)%s*(.*)$"
  if kind ~= "application/json" or (parameters ~= "" and parameters:sub(1, 1) ~= ";") then return false end
  local charset = parameters:match ';%s*charset%s*=%s*"?([^%s;"]*)'
  return charset == nil or charset == "utf-8"
end

local function is_absent(value)
  return value == nil or value == json.null or (type(value) == "string" and not value:find "%S")
end

-- The body's members, which must be these and no others; or the refusal.
local function read_body(tenant, request, names)
  if not is_json(request.headers["content-type"] or "") then return nil, empty(tenant, 415) end
  local body = request.body or ""
  if not encoding.characters(body) then
    return nil, refuse(tenant, 400, "InvalidRequestBody", "The request body is not UTF-8.")
  end
  local object = body:find "^%s*{" and not json.control_character(body) and json.decode(body)
  if not object then
    return nil, refuse(tenant, 400, "InvalidRequestBody", "The request body is not a JSON object.")
  end
  local known = {}
  for _, name in ipairs(names) do
    if is_absent(object[name]) then
      return nil, refuse(tenant, 400, "MissingRequiredParameter", name .. " is a required parameter and is missing.")
    end
    known[name] = true
  end
  for name in pairs(object) do
    if not known[name] then
      return nil, refuse(tenant, 400, "InvalidRequestBody", ("'%s' is not a parameter of this operation.")
        :format(name))
    end
  end
  return object
end

-- A parameter that must be a text, one of those that are allowed if that is told; or the refusal.
local function read_text(tenant, object, name, allowed)
  local value = object[name]
  if type(value) ~= "string" then
    return nil, refuse(tenant, 400, "InvalidRequestBody", name .. " must be a text.")
  elseif allowed and not allowed[value] then
    return nil, refuse(tenant, 400, "InvalidInput", ("'%s' is not a value of %s."):format(value, name))
  end
  return value
end

-- The parameter `Comment` of an action, or the refusal.
local function read_comment(tenant, request)
  local object, refusal = read_body(tenant, request, { "Comment" })
  if not object then return nil, refusal end
  return read_text(tenant, object, "Comment")
end

---- machines

local function list(tenant, request, kind, records)
  local body, message = lists.answer(tenant.lists, request, kind, records, tenant.comparison == "caseless")
  if not body then return refuse(tenant, 400, "ODataError", message) end
  return answer(tenant, 200, body)
end

local function list_machines(tenant, request)
  return list(tenant, request, schema.machine, tenant:listed_machines())
end

local function no_such_machine(tenant, id)
  return refuse(tenant, 404, "ResourceNotFound", ("Machine %s was not found"):format(id))
end

local function get_machine(tenant, _, _, id)
  local machine = tenant:find_machine(id, true)
  if not machine then return no_such_machine(tenant, id) end
  return answer(tenant, 200, schema.entity(schema.machine, machine))
end

-- The arguments of findbyip: a text and a bare time, in either order.
local function read_arguments(text)
  local address, at = text:match "^%s*ip%s*=%s*'([^']*)'%s*,%s*timestamp%s*=%s*([^,')%s]+)%s*$"
  if address then return address, at end
  at, address = text:match "^%s*timestamp%s*=%s*([^,')%s]+)%s*,%s*ip%s*=%s*'([^']*)'%s*$"
  return address, at
end

local function is_address(text)
  local a, b, c, d = text:match "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$"
  if a then
    for _, digits in ipairs { a, b, c, d } do
      if core.number.read(digits) > 255 then return false end
    end
    return true
  end
  return text:find "^[%x:.]+$" ~= nil and text:find(":", 1, true) ~= nil
end

local function find_by_address(tenant, _, _, text)
  local address, at_text = read_arguments(text)
  if not address then
    return refuse(tenant, 400, "BadRequest", "findbyip takes ip='...' and timestamp=..., and nothing else.")
  elseif not is_address(address) then
    return refuse(tenant, 400, "InvalidIpAddress", ("'%s' is not an IP address."):format(address))
  end
  local at, now = at_text:find "T.*Z$" and time.parse(at_text), tenant.clock.now()
  if not at then
    return refuse(tenant, 400, "InvalidInput", ("'%s' is not a time in UTC."):format(at_text))
  elseif at < now - MAX_ADDRESS_AGE_SECONDS or at > now + ADDRESS_TOLERANCE_SECONDS then
    return refuse(tenant, 400, "InvalidInput", "The timestamp must be within the last 30 days.")
  end
  return answer(tenant, 200, schema.list(schema.machine,
    tenant:machines_by_address(address, at, ADDRESS_TOLERANCE_SECONDS)))
end

local truth_values = { ["true"] = true, ["false"] = false }

local function find_by_tag(tenant, request)
  local options, message = encoding.form(request.query)
  for name in pairs(options or {}) do
    if name ~= "tag" and name ~= "useStartsWithFilter" then
      options, message = nil, ("The query option '%s' is not supported."):format(name)
      break
    end
  end
  if not options then return refuse(tenant, 400, "ODataError", message) end
  local from_start = truth_values[core.text.lower(options.useStartsWithFilter or "false")]
  if not options.tag or options.tag == "" then
    return refuse(tenant, 400, "MissingRequiredParameter", "tag is a required parameter and is missing.")
  elseif from_start == nil then
    return refuse(tenant, 400, "InvalidInput", "useStartsWithFilter must be true or false.")
  end
  local wanted, found = options.tag, {}
  for _, machine in ipairs(tenant.machines) do
    local has = false
    for _, tag in ipairs(machine.machineTags or {}) do
      has = has or (from_start and tag:sub(1, #wanted) or tag) == wanted
    end
    if has then found[#found + 1] = machine end
  end
  return answer(tenant, 200, schema.list(schema.machine, found))
end

local tag_changes = { Add = true, Remove = true }

-- The parameters `Value` and `Action` of a request for tags, or the refusal.
local function read_tag(tenant, object)
  local tag, change, refusal
  tag, refusal = read_text(tenant, object, "Value")
  if not tag then return nil, nil, refusal end
  change, refusal = read_text(tenant, object, "Action", tag_changes)
  if not change then return nil, nil, refusal end
  return tag, change
end

local function change_tag(tenant, request, grant, id)
  local object, refusal = read_body(tenant, request, { "Value", "Action" })
  if not object then return refusal end
  local tag, change
  tag, change, refusal = read_tag(tenant, object)
  if not tag then return refusal end
  local machine = tenant:find_machine(id)
  if not machine then return no_such_machine(tenant, id) end
  tenant:tag_machine(machine, tag, change, grant.application.name)
  return answer(tenant, 200, schema.entity(schema.machine, machine))
end

-- The machines with these ids, or the refusal.
local function find_machines(tenant, ids)
  if type(ids) ~= "table" or ids[1] == nil then
    return nil, refuse(tenant, 400, "MissingRequiredParameter", "MachineIds is a required parameter and is missing.")
  elseif #ids > MAX_TAGGED_MACHINES then
    return nil, refuse(tenant, 400, "MaximumBatchSizeExceeded", ("%d machines are more than the limit of %d.")
      :format(#ids, MAX_TAGGED_MACHINES))
  end
  local machines = {}
  for i, id in ipairs(ids) do
    machines[i] = type(id) == "string" and tenant:find_machine(id)
    if not machines[i] then return nil, no_such_machine(tenant, tostring(id)) end
  end
  return machines
end

local function change_tag_of_many(tenant, request, grant)
  local object, refusal = read_body(tenant, request, { "Value", "Action", "MachineIds" })
  if not object then return refusal end
  local tag, change, machines
  tag, change, refusal = read_tag(tenant, object)
  if not tag then return refusal end
  machines, refusal = find_machines(tenant, object.MachineIds)
  if not machines then return refusal end
  for _, machine in ipairs(machines) do tenant:tag_machine(machine, tag, change, grant.application.name) end
  return answer(tenant, 200, schema.list(schema.machine, machines))
end

local device_values = { Low = true, Normal = true, High = true }

local function set_device_value(tenant, request, grant, id)
  local object, refusal = read_body(tenant, request, { "DeviceValue" })
  if not object then return refusal end
  local value
  value, refusal = read_text(tenant, object, "DeviceValue", device_values)
  if not value then return refusal end
  local machine = tenant:find_machine(id)
  if not machine then return no_such_machine(tenant, id) end
  tenant:set_device_value(machine, value, grant.application.name)
  return answer(tenant, 200, schema.entity(schema.machine, machine))
end

local restrictable = {
  Windows10 = true, Windows11 = true, WindowsServer2019 = true, WindowsServer2022 = true, WindowsServer2025 = true,
}

-- Windows 10 names its first releases by year and month.
local function too_old(machine)
  local release = machine.osPlatform == "Windows10" and core.number.read(machine.version or "")
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
  return list(tenant, request, schema.action, tenant:listed_actions())
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
local writing = { "Machine.ReadWrite.All" }
local restricting = { "Machine.RestrictExecution" }

-- Segments are compared without case; * stands for any, and name(*) for a function's arguments. Of several that fit the
-- first counts.
local table_of_routes = {
  { method = "GET", path = { "machines" }, roles = reading, has_options = true, run = list_machines },
  { method = "GET", path = { "machines", "findbyip(*)" }, roles = reading, run = find_by_address },
  { method = "GET", path = { "machines", "findbytag" }, roles = reading, has_options = true, run = find_by_tag },
  { method = "POST", path = { "machines", "addorremovetagformultiplemachines" }, roles = writing,
    run = change_tag_of_many },
  { method = "POST", path = { "machines", "*", "tags" }, roles = writing, run = change_tag },
  { method = "POST", path = { "machines", "*", "setdevicevalue" }, roles = writing, run = set_device_value },
  { method = "GET", path = { "machines", "*" }, roles = reading, run = get_machine },
  { method = "POST", path = { "machines", "*", "restrictcodeexecution" }, roles = restricting,
    run = start_action "RestrictCodeExecution" },
  { method = "POST", path = { "machines", "*", "unrestrictcodeexecution" }, roles = restricting,
    run = start_action "UnrestrictCodeExecution" },
  { method = "GET", path = { "machineactions" }, roles = reading, has_options = true, run = list_actions },
  { method = "GET", path = { "machineactions", "*" }, roles = reading, run = get_action },
  { method = "POST", path = { "machineactions", "*", "cancel" }, roles = cancelling_roles, run = cancel_action },
}
for _, route in ipairs(table_of_routes) do route.api = route.method .. " " .. table.concat(route.path, "/") end

-- What stands for the star, or "" if there is none; nil if the path is another.
local function matches(path, segments)
  if #path ~= #segments then return nil end
  local captured = ""
  for i, wanted in ipairs(path) do
    local name = wanted:match "^(.*)%(%*%)$"
    if wanted == "*" then
      captured = segments[i]
    elseif name and core.text.lower(segments[i]:sub(1, #name + 1)) == name .. "(" and segments[i]:sub(-1) == ")" then
      captured = segments[i]:sub(#name + 2, -2)
    elseif wanted ~= core.text.lower(segments[i]) then
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

local function refuse_options(tenant, request)
  if request.query == "" then return nil end
  return refuse(tenant, 400, "ODataError", ("The query option '%s' is not supported.")
    :format(request.query:match "^[^=&]*"))
end

--- Answers a request below /api.
---@param tenant mde.sim.tenant
---@param request { method: string, origin: string, path: string, query: string, headers: table<string, string>, body:
--- string? } header names in lower case, path and query still encoded
---@param segments string[] the path after /api, decoded
---@return table response
function M.answer(tenant, request, segments)
  if segments[1] and core.text.lower(segments[1]) == "v1.0" then table.remove(segments, 1) end
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
    or (not route.has_options and refuse_options(tenant, request))
    or route.run(tenant, request, grant, id)
end

return M
