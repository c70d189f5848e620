--- kinds: what a field can hold: which values fit it, how one is written in OData, which operators it knows.

local core = require "mde.core"
local errors = require "mde.base.error"
local operators = require "mde.query.operators"
local options_of = require "mde.base.options"
local times = require "mde.query.times"

local odata = core.odata

local MAX_NUMBER = 2 ^ 31 - 1

---@class mde.query.Kind
---@field literal fun(value: any, field: mde.query.Field, context: table, operator?: string): string, any the value in
---OData, and to compare it by; raises where it does not fit
---@field part? fun(value: any, field: mde.query.Field): string a part of a value, where that need not look like one
---@field operators table<string, boolean> those that it knows, beside the ones that join conditions

local M = {}

local function set_of(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

local function wrong_value(field, value, wanted, hint, code)
  if type(value) == "table" and value[1] ~= nil then
    hint = "For a list there are mde.any_of and mde.none_of."
  elseif operators.is(value) then
    hint = "An operator stands alone; several of one field go into mde.any_of, mde.all_of or mde.none_of."
  elseif operators.is_ago(value) then
    hint = "Only times can be compared with it."
  end
  errors.invalid(code or "wrong_value", ("%s is %s, not %s"):format(field.name, wanted, errors.got(value)), hint)
end

--- Raises unless a text could reach the service as it is.
---@param text string
---@param shown string what the user knows it as
---@param what string which text it is, for the error
function M.check_text(text, shown, what)
  local flaw, code = odata.flaw(text)
  if not flaw then return end
  errors.invalid("text_malformed", ("%s %s %s"):format(what, errors.quote(shown), flaw), code == "not_utf8"
    and "Convert it to UTF-8 first." or "Find out where that comes from, and take it out.")
end

--- What one of the known values of a field is called by the service.
---@param field mde.query.Field
---@param value string
---@return string
function M.spelled(field, value)
  return field.spelled and field.spelled[value] or value
end

local function text_literal(value, field)
  if type(value) ~= "string" then
    wrong_value(field, value, "a text", type(value) == "number" and ("Write %q."):format(tostring(value)) or nil)
  end
  M.check_text(value, value, field.name .. ": the text")
  return odata.literal(value), value
end

-- Whether a platform is, begins with, ends with or contains a text, letter by letter.
local has_exactly = {
  eq = function(platform, text) return platform == text end,
  startswith = function(platform, text) return platform:sub(1, #text) == text end,
  endswith = function(platform, text) return platform:sub(-#text) == text end,
  contains = function(platform, text) return platform:find(text, 1, true) ~= nil end,
}

-- What differs from a known platform in case alone would select nothing, if the service regards case.
local function platform_literal(value, field, _, asked)
  local literal, relation = text_literal(value, field), asked == "ne" and "eq" or asked
  local meant
  for _, platform in ipairs(field.order) do
    if has_exactly[relation](platform, value) then return literal, value end
    if core.name.matches(platform, relation, value) then meant = meant or platform end
  end
  if meant then
    wrong_value(field, value, "a platform as the service writes it",
      (relation == "eq" and "Did you mean %q?" or "It writes %q."):format(meant))
  end
  return literal, value
end

local function choice_literal(value, field)
  if type(value) ~= "string" or not field.choices[value] then
    local hint
    if type(value) == "string" then
      local near = options_of.nearest(value, field.choices)
      hint = (near and ("Did you mean %q? "):format(near) or "")
        .. ('One that the service has added since is asked for in a text: "%s eq \'...\'".'):format(field.name)
    end
    wrong_value(field, value, "one of " .. table.concat(field.order, ", "), hint)
  end
  return odata.literal(M.spelled(field, value)), field.choices[value]
end

-- An id of the kind that is wanted, in lower case; or raises.
local function id_of(value, field, wanted, words, example)
  local kind, canonical
  if type(value) == "string" then kind, canonical = core.device.kind(value) end
  if kind == wanted then return canonical end
  local reason = type(value) == "string" and not kind and canonical
  wrong_value(field, value, words, reason and ("It %s: write %s."):format(reason, example)
    or ("Write %s."):format(example), wanted == "guid" and "guid_malformed" or "machine_id_malformed")
end

local function guid_literal(value, field)
  local canonical = id_of(value, field, "guid", "a GUID", "8-4-4-4-12 hex digits with dashes between")
  return canonical, canonical
end

local function machine_id_literal(value, field)
  local canonical = id_of(value, field, "machine_id", "the id of a machine",
    field.name == "id" and "40 hex digits, or ask for the name by computerDnsName"
      or "40 hex digits; mde.machine(name).id has it")
  return odata.literal(canonical), canonical
end

local function number_literal(value, field)
  if type(value) ~= "number" or value % 1 ~= 0 or math.abs(value) > MAX_NUMBER then
    wrong_value(field, value, "a whole number",
      type(value) == "string" and core.number.read(value) and ("Write %s without quotes."):format(value)
        or "Write the number that the service gives it, 140 say.")
  end
  return ("%d"):format(value), value
end

-- The number of an incident, which Graph writes as a text and Defender for Endpoint as a number.
local function incident_literal(value, field)
  local text = type(value) == "number" and value % 1 == 0 and value >= 0 and value < 1e15 and ("%d"):format(value)
    or value
  if type(text) ~= "string" or #text > 15 or not text:find "^%d+$" then
    wrong_value(field, value, "the number of an incident", "Write the id that the service gives it, 28282 say.")
  end
  return text, text
end

local function time_literal(value, field, context)
  return times.read(value, context.now, field.name)
end

local function truth_literal(value, field)
  if type(value) ~= "boolean" then wrong_value(field, value, "true or false") end
  return tostring(value), value
end

local of_texts = set_of("eq", "ne", "startswith", "endswith", "contains")
local of_choices = set_of("eq", "ne")
local of_ordered = set_of("eq", "ne", "gt", "ge", "lt", "le", "between")

---@type mde.query.Kind
M.text = { literal = text_literal, operators = of_texts }

--- A text of which the service has its own spelling.
---@type mde.query.Kind
M.platform = { literal = platform_literal, operators = of_texts }

--- An action's type: one of the known ones, or a part of it.
---@type mde.query.Kind
M.type = { literal = choice_literal, part = text_literal, operators = of_texts }

---@type mde.query.Kind
M.machine_id = { literal = machine_id_literal, part = text_literal, operators = of_texts }

---@type mde.query.Kind
M.guid = { literal = guid_literal, operators = of_choices }

--- One of the known values.
---@type mde.query.Kind
M.choice = { literal = choice_literal, operators = of_choices }

--- One of the known values, which stand in an order, the lowest first.
---@type mde.query.Kind
M.level = { literal = choice_literal, operators = of_ordered }

---@type mde.query.Kind
M.number = { literal = number_literal, operators = of_ordered }

---@type mde.query.Kind
M.incident = { literal = incident_literal, operators = of_choices }

---@type mde.query.Kind
M.time = { literal = time_literal, operators = of_ordered }

---@type mde.query.Kind
M.truth = { literal = truth_literal, operators = of_choices }

--- Several texts.
---@type mde.query.Kind
M.list = { literal = text_literal, operators = set_of "has" }

return M
