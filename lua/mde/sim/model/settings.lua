-- What a tenant can be told to do differently from now on: each setting, what it may be, and what it changes.
local alert_lists = require "mde.sim.model.alert_lists"
local copy = require "mde.sim.base.copy"
local hunting = require "mde.sim.model.hunting"
local limits = require "mde.sim.model.limits"
local lists = require "mde.sim.odata.lists"
local roles = require "mde.sim.identity.roles"
local schema = require "mde.sim.odata.schema"
local validation = require "mde.sim.base.validation"

local M = {}

-- Settings that are one of some words:
--
--   duplicates          what an action gets while one of its type is open on the machine: an error 400 in two forms, a
--                       second action, or the open one. A second collection is always refused
--   comparison          whether a filter compares texts with regard to case
--   repeated_isolation  how the isolation of a machine that is isolated already goes on: it may stay Pending for ever
--   bulk_tags           what one unknown id among many does: nothing is tagged, it is missing in the answer, or those
--                       before it are tagged
--   imports             in which order an import of indicators tells the results; "short" leaves the last out
--   export_links        where the links of the exports of software lead
--   package_uri         whether a link to a package stands in quotes of its own
local choices = {
  duplicates = { "active_request", "in_progress", "new", "pending" },
  comparison = { "caseless", "exact" },
  repeated_isolation = { "sticks", "succeeds" },
  bulk_tags = { "refuse_all", "skip", "stop" },
  package_uri = { "plain", "quoted" },
  imports = { "in_order", "reversed", "short" },
  export_links = { "foreign", "looping", "whole" },
}

local setters = {}

for name, words in pairs(choices) do
  setters[name] = function(tenant, value)
    for _, word in ipairs(words) do
      if value == word then
        tenant[name] = value
        return
      end
    end
    error(validation.mismatch(name, "one of " .. table.concat(words, ", "), value), 0)
  end
end

local function is_duration(value) return type(value) == "number" and value >= 0 and value < math.huge end

function setters.lifetime(tenant, value)
  if not is_duration(value) then error(validation.mismatch("lifetime", "a number of seconds", value), 0) end
  tenant.lifetime = value
end

local function check_delay(name, seconds)
  if not is_duration(seconds) then error("delays: " .. validation.mismatch(name, "a number of seconds", seconds), 0) end
end

local function is_documented(property, text)
  return schema.undocumented(schema.action, property, text) == nil
end

-- Whether a name is a type of actions, or a type and a scope.
local function is_type(name)
  local kind, scope = tostring(name):match "^([^.]+)%.?(.*)$"
  return kind ~= nil and is_documented("type", kind) and (name == kind or is_documented("scope", scope))
end

-- Seconds of each state, and for a type, "RunAntiVirusScan", or a type and a scope, "RunAntiVirusScan.Full", others.
function setters.delays(tenant, value)
  if type(value) ~= "table" then error(validation.mismatch("delays", "a table", value), 0) end
  local delays = copy.deep(tenant.delays)
  for name, delay in pairs(value) do
    if is_type(name) and type(delay) == "table" then
      for state, seconds in pairs(delay) do
        if state ~= "pending" and state ~= "running" then
          error(("delays: there is no '%s' of %s; there are pending and running"):format(tostring(state), name), 0)
        end
        check_delay(state, seconds)
      end
      delays[name] = copy.deep(delay)
    elseif name == "pending" or name == "running" then
      check_delay(name, delay)
      delays[name] = delay
    else
      error(("delays: there is no '%s'; there are pending and running, in seconds, and types of actions, each a table "
        .. "with these"):format(tostring(name)), 0)
    end
  end
  tenant.delays = delays
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
  graph_roles = "table", system = "boolean" }

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
    roles.check_graph(one.graph_roles or {})
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

function setters.alert_lists(tenant, value)
  tenant.alert_lists = alert_lists.settings(value, tenant.alert_lists)
end

function setters.hunting(tenant, value)
  tenant.hunting = hunting.settings(tenant, value, tenant.hunting)
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
