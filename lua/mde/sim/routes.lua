-- The API: from a request to an answer, in the order in which the service checks. Which request goes where; what can be
-- done to devices stands in model/responses.lua.
local access = require "mde.sim.api.access"
local actions = require "mde.sim.api.actions"
local alerts = require "mde.sim.api.alerts"
local answers = require "mde.sim.api.answers"
local core = require "mde.core"
local details = require "mde.sim.api.details"
local hunting = require "mde.sim.api.hunting"
local indicators = require "mde.sim.api.indicators"
local machines = require "mde.sim.api.machines"
local responses = require "mde.sim.model.responses"

local M = {}

local reading = { "Machine.Read.All", "Machine.ReadWrite.All" }

local reading_alerts, writing_alerts = { "Alert.Read.All", "Alert.ReadWrite.All" }, { "Alert.ReadWrite.All" }

local indicators_of_all, software, vulnerabilities = { "Ti.ReadWrite.All" }, { "Software.Read.All" },
  { "Vulnerability.Read.All" }

local of_exports = { per_minute = 30, per_hour = 1000 }

-- Segments are compared without case, but for the last one of a row of the responses and of a route that `is_exact`; *
-- stands for any, and name(*) for a function's arguments. Of several that fit the first counts.
local routes = {
  { method = "GET", path = { "machines" }, roles = reading, has_options = true, run = machines.list },
  { method = "GET", path = { "machines", "findbyip(*)" }, roles = reading, run = machines.find_by_address },
  { method = "GET", path = { "machines", "findbytag" }, roles = reading, has_options = true,
    run = machines.find_by_tag },
  { method = "GET", path = { "machineactions" }, roles = reading, has_options = true, run = actions.list },
  { method = "GET", path = { "machineactions", "*" }, roles = reading, run = actions.get },
  { method = "GET", path = { "machines", "*", "alerts" }, roles = reading_alerts, has_options = true, is_exact = true,
    run = alerts.list_of_machine },
  { method = "GET", path = { "machines", "*", "alerts", "$count" }, roles = reading_alerts, has_options = true,
    is_exact = true, run = alerts.count_of_machine },
  { method = "GET", path = { "alerts" }, roles = reading_alerts, has_options = true, run = alerts.list },
  { method = "GET", path = { "alerts", "*" }, roles = reading_alerts, run = alerts.get },
  { method = "PATCH", path = { "alerts", "*" }, roles = writing_alerts, run = alerts.update },
  { method = "POST", path = { "alerts", "batchUpdate" }, roles = writing_alerts, is_exact = true,
    limits = { per_minute = 10, per_hour = 500 }, run = alerts.update_many },
  { method = "POST", path = { "alerts", "CreateAlertByReference" }, roles = writing_alerts, is_exact = true,
    limits = { per_minute = 15 }, run = alerts.create },
  { method = "POST", path = { "advancedqueries", "run" }, roles = { "AdvancedQuery.Read.All" },
    limits = { per_minute = 45 }, run = hunting.run },
  { method = "GET", path = { "alerts", "*", "machine" }, roles = reading, is_exact = true, run = alerts.get_machine },
  { method = "GET", path = { "alerts", "*", "user" }, roles = { "User.Read.All" }, is_exact = true,
    run = alerts.get_user },
  { method = "GET", path = { "alerts", "*", "files" }, roles = { "File.Read.All" }, is_exact = true,
    run = alerts.list_files },
  { method = "GET", path = { "indicators" }, roles = indicators_of_all, has_options = true, run = indicators.list },
  { method = "POST", path = { "indicators" }, roles = indicators_of_all, run = indicators.create },
  { method = "POST", path = { "indicators", "import" }, roles = indicators_of_all, is_exact = true,
    limits = { per_minute = 30 }, run = indicators.import },
  { method = "POST", path = { "indicators", "BatchDelete" }, roles = indicators_of_all, is_exact = true,
    limits = { per_minute = 30 }, run = indicators.delete_many },
  { method = "DELETE", path = { "indicators", "*" }, roles = indicators_of_all, run = indicators.delete },
  { method = "GET", path = { "machines", "*", "logonusers" }, roles = { "User.Read.All" }, is_exact = true,
    run = details.of_machine "logonusers" },
  { method = "GET", path = { "machines", "*", "software" }, roles = software, is_exact = true,
    run = details.of_machine "software" },
  { method = "GET", path = { "machines", "*", "vulnerabilities" }, roles = vulnerabilities, is_exact = true,
    limits = { per_minute = 50 }, run = details.of_machine "vulnerabilities" },
  { method = "GET", path = { "machines", "*", "recommendations" }, roles = { "SecurityRecommendation.Read.All" },
    is_exact = true, run = details.of_machine "recommendations" },
  { method = "GET", path = { "machines", "*", "getmissingkbs" }, roles = software, is_exact = true,
    run = details.of_machine "getmissingkbs" },
  { method = "GET", path = { "machines", "SoftwareInventoryByMachine" }, roles = software, is_exact = true,
    limits = of_exports, has_options = true, run = details.export "software" },
  { method = "GET", path = { "machines", "SoftwareVulnerabilitiesByMachine" }, roles = vulnerabilities,
    is_exact = true, limits = of_exports, has_options = true, run = details.export "vulnerabilities" },
  { method = "GET", path = { "exposurescore", "ByMachineGroups" }, roles = { "Score.Read.All" }, is_exact = true,
    has_options = true, run = details.list_groups },
}

-- What runs a response that makes no action.
local runners = {
  cancel = actions.cancel, getPackageUri = actions.get_package_uri, startInvestigation = actions.refuse_retired,
  tags = machines.change_tag, AddOrRemoveTagForMultipleMachines = machines.change_tag_of_many,
  setDeviceValue = machines.set_device_value,
}

for _, row in ipairs(responses.rows) do
  local path = {}
  for segment in row.path:gmatch "[^/]+" do path[#path + 1] = segment == "{id}" and "*" or segment end
  routes[#routes + 1] = { method = row.method, path = path, roles = row.roles, limits = row.limits, row = row,
    run = row.type and actions.start or runners[row.name] }
end

-- Behind what is no machine's name.
routes[#routes + 1] = { method = "GET", path = { "machines", "*" }, roles = reading, run = machines.get }

for _, route in ipairs(routes) do route.api = route.method .. " " .. table.concat(route.path, "/") end

-- What stands for the star, or "" if there is none; nil if the path is another.
local function matches(route, segments)
  local path = route.path
  if #path ~= #segments then return nil end
  local captured = ""
  for i, wanted in ipairs(path) do
    local name = wanted:match "^(.*)%(%*%)$"
    if wanted == "*" then
      captured = segments[i]
    elseif name and core.text.lower(segments[i]:sub(1, #name + 1)) == name .. "(" and segments[i]:sub(-1) == ")" then
      captured = segments[i]:sub(#name + 2, -2)
    elseif (route.row or route.is_exact) and i == #path then
      if wanted ~= segments[i] then return nil end
    elseif wanted ~= core.text.lower(segments[i]) then
      return nil
    end
  end
  return captured
end

local function find(method, segments)
  local allowed
  for _, route in ipairs(routes) do
    local captured = matches(route, segments)
    if captured and route.method == method then return route, captured end
    if captured then allowed = route.method end
  end
  return nil, allowed
end

local function refuse_options(tenant, request)
  if request.query == "" then return nil end
  return answers.refusal(tenant, 400, "ODataError", ("The query option '%s' is not supported.")
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
    local response = answers.empty(tenant, id and 405 or 404)
    response.headers["allow"] = id
    return response
  end
  local grant, refusal = access.authenticate(tenant, request)
  if refusal then return refusal end
  return access.throttle(tenant, grant, route.api, route.limits)
    or access.authorize(tenant, grant, route.roles)
    or (not route.has_options and refuse_options(tenant, request))
    or route.run(tenant, request, grant, id, route.row)
end

return M
