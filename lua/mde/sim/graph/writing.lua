-- What is written to alerts and incidents of Microsoft Graph: the members of a change, each as it must be, and
-- comments.
local alert_form = require "mde.sim.graph.alert_form"
local alert_values = require "mde.sim.model.alert_values"
local answers = require "mde.sim.graph.answers"
local body = require "mde.sim.graph.body"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local lists = require "mde.sim.graph.lists"

local M = {}

---@alias mde.sim.graph.check fun(value: any): boolean, any whether it may be so, and what the model makes of it

--- One of some members of an enumeration.
---@param name string
---@param ... string
---@return mde.sim.graph.check
function M.member(name, ...)
  local allowed = {}
  for _, value in ipairs { ... } do allowed[value] = alert_values.is_listed(name, value) end
  return function(value) return allowed[value] == true, value end
end

--- Any member of an enumeration that is no sentinel.
---@param name string
---@return mde.sim.graph.check
function M.any_member(name)
  return function(value) return alert_values.is_listed(name, value), value end
end

--- A text, or null, which takes it away.
---@type mde.sim.graph.check
function M.text_or_null(value)
  if value == json.null then return true, false end
  return type(value) == "string", value
end

--- A list of texts.
---@type mde.sim.graph.check
function M.texts(value)
  if type(value) ~= "table" or value == json.null then return false end
  local count = 0
  for key, text in pairs(value) do
    if type(key) ~= "number" or type(text) ~= "string" then return false end
    count = count + 1
  end
  return count == #value, value
end

local function refuse(tenant, request, message)
  return nil, answers.refusal(tenant, request, 400, "BadRequest", message)
end

-- What a client may say of the type of what it sends.
local function is_of_type(value, wanted)
  return value == nil or type(value) == "string" and value:gsub("^#", "") == "microsoft.graph.security." .. wanted
end

--- The changes that a body asks for, as the model has them; or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@param checks table<string, mde.sim.graph.check> what may be changed
---@return table<string, any>? changes
---@return table? response
function M.read_changes(tenant, request, checks)
  local members, response = body.read(tenant, request)
  if not members then return nil, response end
  local changes = {}
  local names = {}
  for name in pairs(members) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  for _, name in ipairs(names) do
    if not checks[name] then return refuse(tenant, request, ("The property '%s' cannot be changed."):format(name)) end
    local is_good, value = checks[name](members[name])
    if not is_good then
      return refuse(tenant, request, ("The value of the property '%s' is not valid."):format(name))
    end
    changes[name] = value
  end
  if not names[1] then return refuse(tenant, request, "There is nothing to change.") end
  return changes
end

--- The comment that a body brings; or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@return string? comment
---@return table? response
function M.read_comment(tenant, request)
  local members, response = body.read(tenant, request)
  if not members then return nil, response end
  for name in pairs(members) do
    if name ~= "comment" and name ~= "@odata.type" then
      return refuse(tenant, request, ("A comment has no property '%s'."):format(name))
    end
  end
  if not is_of_type(members["@odata.type"], "alertComment") then
    return refuse(tenant, request, "The value of '@odata.type' is not that of a comment.")
  elseif type(members.comment) ~= "string" or not members.comment:find "%S" then
    return refuse(tenant, request, "The property 'comment' must be a text.")
  end
  return members.comment
end

--- All comments that there are now.
---@param tenant mde.sim.tenant
---@param request table
---@param set string as the context names it
---@param record mde.sim.alert|mde.sim.incident
---@return table response
function M.answer_comments(tenant, request, set, record)
  return answers.with_body(tenant, request, 200, ('{"@odata.context":%s,"value":%s}'):format(
    json.encode(lists.context(request, set)), json.encode(alert_form.comments(record))))
end

return M
