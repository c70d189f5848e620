-- The simulator's own requests, below /sim/ and without a token. The service has nothing like them; they are there for
-- tests and rehearsals that reach the tenant over the wire.
--
--   GET    /sim/history       {"history": [...]}: what the tenant really did, oldest first
--   POST   /sim/faults        a rule (see faults.lua)
--   GET    /sim/faults        {"faults": [...]}: the rules, with how often each was `seen` and `applied`
--   DELETE /sim/faults        forgets all rules
--   POST   /sim/machines      adds a machine, or changes the one with that id; answers with the id
--   POST   /sim/actions       inserts an action of somebody else's; answers with the id
--   POST   /sim/alerts        raises an alert; answers with the id and the incidentId
--   POST   /sim/incidents     adds an incident; answers with the id
--   POST   /sim/incidents/merge   {"from": id, "into": id}: merges an incident into another
--   POST   /sim/applications  registers an application (see identity/application.lua)
--   POST   /sim/revoke        takes back all tokens that were issued until now
--   POST   /sim/settings      lifetime, delays, duplicates, comparison, repeated_isolation, bulk_tags, package_uri,
--                             imports, export_links, completion, limits, comment_limit, lists, alert_lists,
--                             hunting, identities, arc, app_header (see model/tenant.lua)
--   POST   /sim/clock         {"advance": seconds}; answers with the time
--   POST   /sim/reset         back to birth; the clock goes on
--
-- An answer is 200 with a JSON object, or 400 with {"message": ...}.
local json = require "mde.sim.base.json"

local M = {}

local requests = {}

requests["GET /sim/history"] = function(tenant)
  tenant:settle()
  return { history = json.array(tenant.history) }
end

requests["POST /sim/faults"] = function(tenant, body)
  tenant.faults:add(body)
  return {}
end

requests["GET /sim/faults"] = function(tenant)
  local list = json.array {}
  for i, rule in ipairs(tenant.faults.rules) do
    list[i] = { fault = rule.fault, match = rule.match, seen = rule.seen, applied = rule.applied }
  end
  return { faults = list }
end

requests["DELETE /sim/faults"] = function(tenant)
  tenant.faults:clear()
  return {}
end

requests["POST /sim/machines"] = function(tenant, body)
  return { id = tenant:put_machine(body).id }
end

requests["POST /sim/actions"] = function(tenant, body)
  return { id = tenant:insert_action(body).id }
end

requests["POST /sim/alerts"] = function(tenant, body)
  local alert = tenant:raise_alert(body)
  return { id = alert.id, incidentId = alert.incidentId }
end

requests["POST /sim/incidents"] = function(tenant, body)
  return { id = tenant:put_incident(body).id }
end

requests["POST /sim/incidents/merge"] = function(tenant, body)
  tenant:merge_incidents(body.from, body.into)
  return {}
end

requests["POST /sim/applications"] = function(tenant, body)
  tenant:put_application(body)
  return {}
end

requests["POST /sim/revoke"] = function(tenant)
  tenant:revoke()
  return {}
end

requests["POST /sim/settings"] = function(tenant, body)
  tenant:set(body)
  return {}
end

requests["POST /sim/clock"] = function(tenant, body)
  if type(body.advance) ~= "number" then error("advance must be a number of seconds", 0) end
  tenant:advance(body.advance)
  return { now = tenant.clock.now() }
end

requests["POST /sim/reset"] = function(tenant)
  tenant:reset()
  tenant:restore_faults()
  return {}
end

local function answer(status, value)
  return { status = status, headers = { ["content-type"] = "application/json; charset=utf-8" },
    body = json.encode(value) }
end

--- Whether a target belongs to the simulator itself.
---@param target string
---@return boolean
function M.owns(target)
  return target:find "^/sim/" ~= nil
end

--- Answers one of the simulator's own requests.
---@param tenant mde.sim.tenant
---@param request { method: string, url: string, body: string? }
---@return table response
function M.answer(tenant, request)
  local run = requests[request.method .. " " .. request.url:match "^[^?]*"]
  if not run then return answer(404, { message = "the simulator has no such request" }) end
  local body = {}
  if request.method == "POST" and request.body and request.body ~= "" then
    body = json.decode(request.body)
    if type(body) ~= "table" or not request.body:find "^%s*{" then
      return answer(400, { message = "the body is not a JSON object" })
    end
  end
  local ok, result = pcall(run, tenant, body)
  if not ok then return answer(400, { message = tostring(result) }) end
  return answer(200, result)
end

return M
