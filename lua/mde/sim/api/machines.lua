-- Machines: lists of them, one of them, and what is written to them.
local answers = require "mde.sim.api.answers"
local body = require "mde.sim.api.body"
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

local M = {}

local ADDRESS_TOLERANCE_SECONDS, MAX_ADDRESS_AGE_SECONDS = 15 * 60, 30 * 86400

local refusal = answers.refusal

---- reading

--- A list of machines.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.list(tenant, request)
  return answers.list(tenant, request, schema.machine, tenant:listed_machines())
end

--- One machine, by its id or its name.
---@param tenant mde.sim.tenant
---@param id string of the machine
---@return table response
function M.get(tenant, _, _, id)
  local machine = tenant:find_machine(id, true)
  if not machine then return answers.no_such_machine(tenant, id) end
  return answers.with_body(tenant, 200, schema.entity(schema.machine, machine))
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

--- The machines that had an address at a time.
---@param tenant mde.sim.tenant
---@param text string the arguments
---@return table response
function M.find_by_address(tenant, _, _, text)
  local address, at_text = read_arguments(text)
  if not address then
    return refusal(tenant, 400, "BadRequest", "findbyip takes ip='...' and timestamp=..., and nothing else.")
  elseif not is_address(address) then
    return refusal(tenant, 400, "InvalidIpAddress", ("'%s' is not an IP address."):format(address))
  end
  local at, now = at_text:find "T.*Z$" and time.parse(at_text), tenant.clock.now()
  if not at then
    return refusal(tenant, 400, "InvalidInput", ("'%s' is not a time in UTC."):format(at_text))
  elseif at < now - MAX_ADDRESS_AGE_SECONDS or at > now + ADDRESS_TOLERANCE_SECONDS then
    return refusal(tenant, 400, "InvalidInput", "The timestamp must be within the last 30 days.")
  end
  return answers.with_body(tenant, 200, schema.list(schema.machine,
    tenant:machines_by_address(address, at, ADDRESS_TOLERANCE_SECONDS)))
end

local truth_values = { ["true"] = true, ["false"] = false }

--- The machines with a tag.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.find_by_tag(tenant, request)
  local options, message = encoding.form(request.query)
  for name in pairs(options or {}) do
    if name ~= "tag" and name ~= "useStartsWithFilter" then
      options, message = nil, ("The query option '%s' is not supported."):format(name)
      break
    end
  end
  if not options then return refusal(tenant, 400, "ODataError", message) end
  local from_start = truth_values[core.text.lower(options.useStartsWithFilter or "false")]
  if not options.tag or options.tag == "" then
    return refusal(tenant, 400, "MissingRequiredParameter", "tag is a required parameter and is missing.")
  elseif from_start == nil then
    return refusal(tenant, 400, "InvalidInput", "useStartsWithFilter must be true or false.")
  end
  local wanted, found = options.tag, {}
  for _, machine in ipairs(tenant.machines) do
    local has = false
    for _, tag in ipairs(machine.machineTags or {}) do
      has = has or (from_start and tag:sub(1, #wanted) or tag) == wanted
    end
    if has then found[#found + 1] = machine end
  end
  return answers.with_body(tenant, 200, schema.list(schema.machine, found))
end

---- writing

--- Gives one machine a tag, or takes it away.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param id string of the machine
---@param row mde.sim.response
---@return table response
function M.change_tag(tenant, request, grant, id, row)
  local members, response = body.read(tenant, request, row.fields)
  if not members then return response end
  local machine = tenant:find_machine(id)
  if not machine then return answers.no_such_machine(tenant, id) end
  tenant:tag_machine(machine, members.Value, members.Action, grant.application.name)
  return answers.with_body(tenant, 200, schema.entity(schema.machine, machine))
end

-- The machines that a change of many reaches, as the setting `bulk_tags` has it, and the first id that no machine has.
local function reached(tenant, ids)
  local machines, unknown = {}, nil
  for _, id in ipairs(ids) do
    local machine = tenant:find_machine(id)
    if not machine and tenant.bulk_tags == "stop" then return machines, id end
    if machine then machines[#machines + 1] = machine else unknown = unknown or id end
  end
  if unknown and tenant.bulk_tags == "refuse_all" then machines = {} end
  return machines, unknown
end

--- Gives many machines a tag, or takes it away.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param row mde.sim.response
---@return table response
function M.change_tag_of_many(tenant, request, grant, _, row)
  local members, response = body.read(tenant, request, row.fields)
  if not members then return response end
  local machines, unknown = reached(tenant, members.MachineIds)
  for _, machine in ipairs(machines) do
    tenant:tag_machine(machine, members.Value, members.Action, grant.application.name)
  end
  if unknown and tenant.bulk_tags ~= "skip" then return answers.no_such_machine(tenant, unknown) end
  return answers.with_body(tenant, 200, schema.list(schema.machine, machines))
end

--- Sets what a machine is worth.
---@param tenant mde.sim.tenant
---@param request table
---@param grant table
---@param id string of the machine
---@param row mde.sim.response
---@return table response
function M.set_device_value(tenant, request, grant, id, row)
  local members, response = body.read(tenant, request, row.fields)
  if not members then return response end
  local machine = tenant:find_machine(id)
  if not machine then return answers.no_such_machine(tenant, id) end
  tenant:set_device_value(machine, members.DeviceValue, grant.application.name)
  return answers.with_body(tenant, 200, schema.entity(schema.machine, machine))
end

return M
