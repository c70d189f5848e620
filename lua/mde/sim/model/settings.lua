-- What a tenant can be told to do differently from now on: each setting, what it may be, and what it changes.
local copy = require "mde.sim.base.copy"
local limits = require "mde.sim.model.limits"
local lists = require "mde.sim.odata.lists"
local roles = require "mde.sim.identity.roles"
local validation = require "mde.sim.base.validation"

local M = {}

local comparisons = { exact = true, caseless = true }

local ways_with_duplicates = { pending = true, active_request = true, in_progress = true, new = true }

local setters = {}

local function is_duration(value) return type(value) == "number" and value >= 0 and value < math.huge end

function setters.lifetime(tenant, value)
  if not is_duration(value) then error(validation.mismatch("lifetime", "a number of seconds", value), 0) end
  tenant.lifetime = value
end

function setters.delays(tenant, value)
  if type(value) ~= "table" then error(validation.mismatch("delays", "a table", value), 0) end
  local delays = { pending = tenant.delays.pending, running = tenant.delays.running }
  for name, seconds in pairs(value) do
    if not delays[name] then
      error(("delays: there is no '%s'; there are pending and running, in seconds"):format(tostring(name)), 0)
    elseif not is_duration(seconds) then
      error("delays: " .. validation.mismatch(name, "a number of seconds", seconds), 0)
    end
    delays[name] = seconds
  end
  tenant.delays = delays
end

function setters.duplicates(tenant, value)
  if not ways_with_duplicates[value] then
    error(validation.mismatch("duplicates", "one of active_request, in_progress, new, pending", value), 0)
  end
  tenant.duplicates = value
end

function setters.comparison(tenant, value)
  if not comparisons[value] then error(validation.mismatch("comparison", "one of caseless, exact", value), 0) end
  tenant.comparison = value
end

function setters.limits(tenant, value)
  if value == true then value = {} end
  tenant.limits = value and limits.new(value) or nil
end

function setters.comment_limit(tenant, value)
  if value and (type(value) ~= "number" or value < 1) then
    error(validation.mismatch("comment_limit", "a number of characters, or false", value), 0)
  end
  tenant.comment_limit = value or nil
end

local identity_fields = { client_id = "string", object_id = "string", resource_id = "string", roles = "table",
  system = "boolean" }

function setters.identities(tenant, value)
  local list = {}
  validation.for_each("identities", value, function(one)
    for name, field in pairs(one) do
      if not identity_fields[name] then error(validation.unknown("", name, identity_fields), 0) end
      if type(field) ~= identity_fields[name] then
        error(validation.mismatch(name, "a " .. identity_fields[name], field), 0)
      end
    end
    if not one.client_id then error("an identity needs a client_id", 0) end
    roles.check(one.roles or {})
    list[#list + 1] = copy.deep(one)
  end)
  tenant.identities = list
end

function setters.arc(tenant, value)
  if type(value) ~= "table" then error(validation.mismatch("arc", "a table", value), 0) end
  tenant.arc = { directory = value.directory or tenant.arc and tenant.arc.directory, challenge = value.challenge,
    keys = {} }
end

function setters.app_header(tenant, value)
  if type(value) ~= "string" then error(validation.mismatch("app_header", "a text", value), 0) end
  tenant.app_header = value
end

function setters.completion(tenant, value)
  if value ~= "in_order" and value ~= "reversed" then
    error(validation.mismatch("completion", "in_order or reversed", value), 0)
  end
  tenant.completion = value
end

function setters.lists(tenant, value)
  tenant.lists = lists.settings(value, tenant.lists)
  tenant.is_listed = false
end

--- Changes settings, whose names are in `changes`. Raises a message for one that does not exist or may not be so.
---@param tenant mde.sim.tenant
---@param changes table
function M.change(tenant, changes)
  for name, value in pairs(changes) do
    if not setters[name] then error(validation.unknown("setting ", name, setters), 0) end
    setters[name](tenant, value)
  end
end

return M
