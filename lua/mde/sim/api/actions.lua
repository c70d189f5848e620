-- Actions: lists of them, one of them, a new one, its end, and the package that one has collected.
local access = require "mde.sim.api.access"
local answers = require "mde.sim.api.answers"
local body = require "mde.sim.api.body"
local responses = require "mde.sim.model.responses"
local schema = require "mde.sim.odata.schema"

local M = {}

local refusal = answers.refusal

---- reading

--- A list of actions.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.list(tenant, request)
  return answers.list(tenant, request, schema.action, tenant:listed_actions())
end

-- The action that a path names, or the refusal.
local function find(tenant, id)
  if #id ~= 36 or not id:find "^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$" or id:sub(9, 9) ~= "-" then
    return nil, refusal(tenant, 400, "BadRequest", ("The key value (%s) from request is not valid. The key value "
      .. "should be format of type 'Edm.Guid'."):format(id))
  end
  local action = tenant:find_action(id)
  if action then return action end
  return nil, refusal(tenant, 404, "ResourceNotFound", ("Machine action %s was not found"):format(id))
end

--- One action.
---@param tenant mde.sim.tenant
---@param id string of the action
---@return table response
function M.get(tenant, _, _, id)
  local action, response = find(tenant, id)
  if not action then return response end
  return answers.with_body(tenant, 200, schema.entity(schema.action, action))
end

--- The link to the package that an action has collected.
---@param tenant mde.sim.tenant
---@param id string of the action
---@param row mde.sim.response
---@return table response
function M.get_package_uri(tenant, _, _, id, row)
  local action, response = find(tenant, id)
  if not action then return response end
  if action.type ~= "CollectInvestigationPackage" then
    return refusal(tenant, 400, "InvalidInput",
      "Provided Guid is not a valid id for a CollectInvestigationPackage action")
  elseif action.status ~= "Succeeded" then
    return refusal(tenant, 404, "ResourceNotFound", ("Machine action %s has no package: its status is %s")
      :format(action.id, action.status))
  end
  return answers.with_body(tenant, row.status, schema.text(tenant:package_uri_of(action)))
end

---- writing

-- The answer to an action while one of its type is open.
local function repetition(tenant, row, open)
  if row.duplicate ~= "refused" and tenant.duplicates == "pending" then
    return answers.with_body(tenant, row.status, schema.entity(schema.action, open))
  end
  local code = tenant.duplicates == "in_progress" and "BadRequest" or "ActiveRequestAlreadyExists"
  return refusal(tenant, 400, code, "Action is already in progress")
end

--- Queues an action on a machine.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param id string of the machine
---@param row mde.sim.response
---@return table response
function M.start(tenant, request, grant, id, row)
  local members, response = body.read(tenant, request, row.fields)
  if not members then return response end
  local machine = tenant:find_machine(id)
  if not machine then return answers.no_such_machine(tenant, id) end
  local scope = row.scope and members[row.scope]
  local code, message = responses.problem(row, scope, machine)
  if code then return refusal(tenant, 400, code, message) end
  local is_repeatable = tenant.duplicates == "new" and row.duplicate ~= "refused"
  local open = not is_repeatable and tenant:open_action(machine, row.type)
  if open then return repetition(tenant, row, open) end
  local action = tenant:create_action(machine, row.type, members.Comment, grant.application.name, {
    scope = not (row.without_scope and row.without_scope[scope]) and scope or nil,
    file = row.file and members[row.file],
    around = row.around and machine.onboardingStatus ~= "Onboarded",
  })
  return answers.with_body(tenant, row.status, schema.entity(schema.action, action))
end

--- Cancels an action.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param id string of the action
---@param row mde.sim.response
---@return table response
function M.cancel(tenant, request, grant, id, row)
  local members, response = body.read(tenant, request, row.fields)
  if not members then return response end
  local action
  action, response = find(tenant, id)
  if not action then return response end
  local role = responses.role_of_type(action.type)
  if not role then
    return refusal(tenant, 400, "BadRequest", ("Machine actions of type %s cannot be cancelled."):format(action.type))
  end
  response = access.authorize(tenant, grant, { role })
  if response then return response end
  if not tenant:cancel_action(action, members.Comment, grant.application.name) then
    return refusal(tenant, 400, "BadRequest", ("Machine action %s has ended with status %s and cannot be cancelled.")
      :format(action.id, action.status))
  end
  return answers.with_body(tenant, row.status, schema.entity(schema.action, action))
end

--- What the service had once.
--- The answer of what the service has no longer.
---@param tenant mde.sim.tenant
---@param row mde.sim.response
---@return table response
function M.refuse_retired(tenant, _, _, _, row)
  return refusal(tenant, row.status, "NotFound", ("%s is retired. Use %s."):format(row.name, row.replacement))
end

return M
