--- operators: what a query says of a field besides a plain value: `mde.eq`, `mde.between`, `mde.any_of`, `mde.ago`.
--
-- Each raises where it is given nil or an empty text, since a condition that is missing would select more than was
-- meant. Whether a field knows the operator, and what the value is worth, is checked when the query is compiled.

local core = require "mde.core"
local errors = require "mde.base.error"

-- Seconds: from 1970 to the end of the year 9999.
local MAX_SPAN_SECONDS = 253402300799

---@class mde.Operator a condition on one field
---@field name string
---@field value? any of the operators of one value
---@field from? any of mde.between
---@field to? any of mde.between
---@field items? any[] of those that join conditions

---@class mde.Ago a time that lies so long before the query is asked
---@field seconds number

local Operator = { __name = "mde.operator" }
local Ago = { __name = "mde.ago" }

function Operator:__tostring() return "mde." .. self.name end

function Ago:__tostring() return ("mde.ago(%s)"):format(core.number.write(self.seconds)) end

local M = {}

-- ---- operators

local function needs_value(name, value)
  if value == nil then
    errors.invalid("missing_value", ("mde.%s was given nil"):format(name),
      "A value that is missing would select more than was meant: find out why it is.")
  elseif value == "" then
    errors.invalid("empty_text", ("mde.%s was given an empty text"):format(name), "Find out why it is empty.")
  end
end

local function operator(name, fields)
  fields.name = name
  return setmetatable(fields, Operator)
end

local function of_one(name)
  return function(value)
    needs_value(name, value)
    return operator(name, { value = value })
  end
end

-- The items of a list without gaps; raises for anything else.
local function items_of(list, what)
  if type(list) ~= "table" or getmetatable(list) ~= nil or type(list.id) == "string" then
    errors.invalid("wrong_type", ("%s needs a list, not %s"):format(what, errors.got(list)),
      type(list) == "table" and type(list.id) == "string" and "Of a machine or an action write its id." or nil)
  end
  local count = 0
  for _ in pairs(list) do count = count + 1 end
  if count == 0 then
    errors.invalid("empty_list", ("%s was given an empty list"):format(what), "A list of nothing would select nothing.")
  end
  local items = {}
  for i = 1, count do
    if list[i] == nil then
      errors.invalid("list_with_gaps", ("%s needs a list without gaps; there is no item %d"):format(what, i),
        "Leave out what is nil before, or find out why it is.")
    end
    if list[i] == "" then
      errors.invalid("empty_text",
        ("%s: item %d of the list is an empty text"):format(what, i), "Find out why it is empty.")
    end
    items[i] = list[i]
  end
  return items
end

local function of_list(name)
  return function(list)
    return operator(name, { items = items_of(list, "mde." .. name) })
  end
end

---@alias mde.OfOne fun(value: any): mde.Operator

--- The field has this value. The same as the value alone, but raises where the value is nil.
---@type mde.OfOne
M.eq = of_one "eq"

--- The field does not have this value; it may have none.
---@type mde.OfOne
M.ne = of_one "ne"

--- Later, or more, than this. Of riskScore, exposureLevel and deviceValue: higher.
---@type mde.OfOne
M.gt = of_one "gt"

--- This or later, this or more, this or higher.
---@type mde.OfOne
M.ge = of_one "ge"

--- Earlier, less or lower than this.
---@type mde.OfOne
M.lt = of_one "lt"

--- This or earlier, this or less, this or lower.
---@type mde.OfOne
M.le = of_one "le"

--- The text begins with this.
---@type mde.OfOne
M.startswith = of_one "startswith"

--- The text ends with this.
---@type mde.OfOne
M.endswith = of_one "endswith"

--- The text has this somewhere.
---@type mde.OfOne
M.contains = of_one "contains"

--- The list, `machineTags`, has this item.
---@type mde.OfOne
M.has = of_one "has"

--- From the first to the second, both included.
---@param from any
---@param to any
---@return mde.Operator
function M.between(from, to)
  needs_value("between", from)
  needs_value("between", to)
  return operator("between", { from = from, to = to })
end

--- Any of these holds: values, or operators. The same as the list alone.
---@type fun(list: any[]): mde.Operator
M.any_of = of_list "any_of"

--- All of these hold: operators, as a rule.
---@type fun(list: any[]): mde.Operator
M.all_of = of_list "all_of"

--- None of these holds: values, or operators.
---@type fun(list: any[]): mde.Operator
M.none_of = of_list "none_of"

local unit_seconds = { s = 1, m = 60, h = 3600, d = 86400 }

--- A span of time in seconds: "90s", "30m", "2h", "7d", or a number of them; nil for anything else.
---@param span any
---@return number? seconds
function M.span(span)
  local number, unit
  if type(span) == "string" then number, unit = span:match "^(%d+%.?%d*)([smhd])$" end
  local seconds = type(span) == "number" and span or number and core.number.read(number) * unit_seconds[unit]
  return seconds and seconds >= 0 and seconds < MAX_SPAN_SECONDS and seconds or nil
end

--- So long ago: "90s", "30m", "2h", "7d", or seconds as a number. Counted by the service's clock, as its answers tell
--- it, from when the first page is asked for.
---@param span string|number
---@return mde.Ago
function M.ago(span)
  needs_value("ago", span)
  local seconds = M.span(span)
  if not seconds then
    errors.invalid("time_malformed", ("mde.ago was given %s, which is not a span of time"):format(errors.got(span)),
      'Write "90s", "30m", "2h" or "7d".')
  end
  return setmetatable({ seconds = seconds }, Ago)
end

--- Whether a value is an operator.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Operator
end

--- Whether a value is what mde.ago returns.
---@param value any
---@return boolean
function M.is_ago(value)
  return getmetatable(value) == Ago
end

--- What a query says of a field, as an operator: a list means any of its items, another value that the field has it.
---@param value any
---@param field string its name, for the error
---@return mde.Operator
function M.of(value, field)
  if M.is(value) then return value end
  if type(value) == "table" and not M.is_ago(value) and value.year == nil then
    return operator("any_of", { items = items_of(value, field) })
  end
  if value == "" then
    errors.invalid("empty_text", ("%s is compared with an empty text"):format(field), "Find out why it is empty.")
  end
  return M.eq(value)
end

--- The names of the functions that `mde` has from here.
M.names = { "eq", "ne", "gt", "ge", "lt", "le", "between", "startswith", "endswith", "contains", "has", "any_of",
  "all_of", "none_of", "ago" }

return M
