-- The body of a request: JSON with the members that the operation has, in their spelling, and no others.
local answers = require "mde.sim.api.answers"
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local json = require "mde.sim.base.json"
local time = require "mde.sim.base.time"

local M = {}

local refusal = answers.refusal

local function is_json(content_type)
  local kind, parameters = core.text.lower(content_type):match "^%s*([^%s;]+)%s*(.*)$"
  if kind ~= "application/json" or (parameters ~= "" and parameters:sub(1, 1) ~= ";") then return false end
  local charset = parameters:match ';%s*charset%s*=%s*"?([^%s;"]*)'
  return charset == nil or charset == "utf-8"
end

local function is_absent(value)
  return value == nil or value == json.null or (type(value) == "string" and not value:find "%S")
end

--- The object that a body is; or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@return table? object
---@return table? response
function M.read_object(tenant, request)
  if not is_json(request.headers["content-type"] or "") then return nil, answers.empty(tenant, 415) end
  local body = request.body or ""
  if not encoding.characters(body) then
    return nil, refusal(tenant, 400, "InvalidRequestBody", "The request body is not UTF-8.")
  end
  local object = body:find "^%s*{" and not json.control_character(body) and json.decode(body)
  if not object then
    return nil, refusal(tenant, 400, "InvalidRequestBody", "The request body is not a JSON object.")
  end
  return object
end

-- Why an object does not have the members that it must have, and no others: a code and a message.
local function mismatch(object, fields)
  local known = {}
  for _, field in ipairs(fields) do
    if field.required and is_absent(object[field.name]) then
      return "MissingRequiredParameter", field.name .. " is a required parameter and is missing."
    end
    known[field.name] = true
  end
  for name in pairs(object) do
    if not known[name] then
      return "InvalidRequestBody", ("'%s' is not a parameter of this operation."):format(name)
    end
  end
end

-- Why a member is refused, for each kind: a code and a message; nil if it is taken.
local checks = {}

function checks.text(field, value)
  if type(value) ~= "string" then return "InvalidRequestBody", field.name .. " must be a text." end
end

function checks.value(field, value)
  local code, message = checks.text(field, value)
  if code then return code, message end
  for _, allowed in ipairs(field.values) do
    if value == allowed then return nil end
  end
  return "InvalidInput", ("'%s' is not a value of %s."):format(value, field.name)
end

function checks.sha1(field, value)
  local code, message = checks.text(field, value)
  if code then return code, message end
  if #value ~= 40 or value:find "%X" then return "InvalidHashValue", ("'%s' is not a SHA-1."):format(value) end
end

function checks.ids(field, value)
  if type(value) == "table" and next(value) == nil then
    return "MissingRequiredParameter", field.name .. " is a required parameter and is missing."
  elseif type(value) ~= "table" or #value == 0 then
    return "InvalidRequestBody", field.name .. " must be a list of ids."
  elseif field.most and #value > field.most then
    return "MaximumBatchSizeExceeded", ("%d ids are more than the limit of %d."):format(#value, field.most)
  end
  for i = 1, #value do
    if type(value[i]) ~= "string" then return "InvalidRequestBody", field.name .. " must be a list of ids." end
  end
end

function checks.truth(field, value)
  if type(value) ~= "boolean" then return "InvalidRequestBody", field.name .. " must be true or false." end
end

function checks.time(field, value)
  local code, message = checks.text(field, value)
  if code then return code, message end
  if not (value:find "T.*Z$" and time.parse(value)) then
    return "InvalidInput", ("'%s' is not a time in UTC."):format(value)
  end
end

-- A list, which may be empty, of `element`.
function checks.list(field, value)
  local count = 0
  for _ in pairs(type(value) == "table" and value or {}) do count = count + 1 end
  if type(value) ~= "table" or count ~= #value then return "InvalidRequestBody", field.name .. " must be a list." end
  for _, each in ipairs(value) do
    if type(each) ~= field.element then
      return "InvalidRequestBody", ("%s must be a list of %ss."):format(field.name, field.element)
    end
  end
end

--- The members of an object, each as its field has it. None is missing and none is unknown.
---@param object table as JSON was read
---@param fields mde.sim.field[]
---@return table<string, any>? members
---@return string? code why it is refused
---@return string? message
function M.members(object, fields)
  local code, message = mismatch(object, fields)
  if code then return nil, code, message end
  local members = {}
  for _, field in ipairs(fields) do
    local value = object[field.name]
    if value == json.null and field.can_be_null then value = nil end
    if value == nil then value = field.default end
    if value ~= nil then
      code, message = checks[field.kind](field, value)
      if code then return nil, code, message end
    end
    members[field.name] = value
  end
  return members
end

--- The members of a request's body, as above; or the refusal.
---@param tenant mde.sim.tenant
---@param request table
---@param fields mde.sim.field[]
---@return table<string, any>? members
---@return table? response
function M.read(tenant, request, fields)
  local object, response = M.read_object(tenant, request)
  if not object then return nil, response end
  local members, code, message = M.members(object, fields)
  if not members then return nil, refusal(tenant, 400, code, message) end
  return members
end

return M
