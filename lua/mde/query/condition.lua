--- condition: one condition on one field, as the alternatives in OData any of which makes it true.
--
-- They stay apart, since a query with many of them may have to be split into several filters: see filter.lua.

local core = require "mde.core"
local errors = require "mde.base.error"
local kinds = require "mde.query.kinds"
local names = require "mde.query.names"
local operators = require "mde.query.operators"
local options_of = require "mde.base.options"

local odata = core.odata

local MAX_DEPTH = 50 -- lists in lists

---@class mde.query.Context where a condition stands
---@field now number Unix seconds, from which mde.ago counts
---@field tally { comparisons: integer } how many comparisons of names and tags there are so far
---@field depth? integer in how many lists
---@field negated? boolean whether in an odd number of `not`

local M = {}

-- What the service calls a field.
local function column_of(field)
  return field.column or field.name
end

-- Of a field whose values stand in an order: a comparison for each value whose place is meant.
local function choices_where(field, holds)
  local alternatives = {}
  for i, choice in ipairs(field.order) do
    if holds(i) then alternatives[#alternatives + 1] = ("%s eq %s"):format(column_of(field),
        odata.literal(kinds.spelled(field, choice)))
    end
  end
  if not alternatives[1] then
    errors.invalid("empty_range", ("%s: no value lies there"):format(field.name),
      ("From the lowest to the highest there are %s."):format(table.concat(field.order, ", ")))
  end
  return alternatives
end

local comparisons = {
  gt = function(a, b) return a > b end,
  ge = function(a, b) return a >= b end,
  lt = function(a, b) return a < b end,
  le = function(a, b) return a <= b end,
}

local function render_comparison(field, condition, context)
  local literal, place = field.kind.literal(condition.value, field, context)
  if field.kind == kinds.level then
    local compare = comparisons[condition.name]
    return choices_where(field, function(i) return compare(i, place) end)
  end
  return { ("%s %s %s"):format(column_of(field), condition.name, literal) }
end

local function render_between(field, condition, context)
  local from, low = field.kind.literal(condition.from, field, context)
  local to, high = field.kind.literal(condition.to, field, context)
  if low > high then
    errors.invalid("empty_range", ("%s: nothing lies between %s and %s, in that order"):format(field.name, from, to),
      "Give the smaller one first.")
  end
  if field.kind == kinds.level then
    return choices_where(field, function(i) return i >= low and i <= high end)
  end
  return { ("(%s ge %s and %s le %s)"):format(column_of(field), from, column_of(field), to) }
end

-- A condition on what is compared here.
local function render_compared(field, condition, context)
  field.kind.literal(condition.value, field, context)
  local alternatives, count = names.render(field.name, condition.name, condition.value, context.negated)
  context.tally.comparisons = context.tally.comparisons + count
  return alternatives
end

local function render_equality(field, condition, context)
  if field.kind == kinds.time and operators.is_ago(condition.value) then
    errors.invalid("operator_not_applicable", ("%s is hardly ever exactly so long ago"):format(field.name),
      'Write mde.ge(mde.ago "2h") for the last two hours, mde.lt(mde.ago "2h") for what was before.')
  end
  if names.compares(field.name) then return render_compared(field, condition, context) end
  return { ("%s %s %s"):format(column_of(field), condition.name,
    (field.kind.literal(condition.value, field, context, condition.name))) }
end

local function render_call(field, condition, context)
  if names.compares(field.name) then return render_compared(field, condition, context) end
  local literal = field.kind.part or field.kind.literal
  return { ("%s(%s,%s)"):format(condition.name, column_of(field),
    (literal(condition.value, field, context, condition.name))) }
end

--- Alternatives as one condition.
---@param alternatives string[]
---@return string
function M.any_of(alternatives)
  return alternatives[2] and "(" .. table.concat(alternatives, " or ") .. ")" or alternatives[1]
end

-- The context within a list.
local function enter(field, context)
  local inner = { now = context.now, depth = (context.depth or 0) + 1, negated = context.negated,
    tally = context.tally }
  if inner.depth > MAX_DEPTH then
    errors.invalid("lists_too_deep",
      ("%s: more than %d lists in lists"):format(field.name, MAX_DEPTH), "Does a list hold itself?")
  end
  return inner
end

local function render_any_of(field, condition, context)
  local alternatives, present = {}, {}
  context = enter(field, context)
  for _, item in ipairs(condition.items) do
    for _, text in ipairs(M.render(field, item, context)) do
      if not present[text] then alternatives[#alternatives + 1] = text end
      present[text] = true
    end
  end
  return alternatives
end

local function render_all_of(field, condition, context)
  local parts = {}
  context = enter(field, context)
  for i, item in ipairs(condition.items) do parts[i] = M.any_of(M.render(field, item, context)) end
  return { parts[2] and "(" .. table.concat(parts, " and ") .. ")" or parts[1] }
end

local function render_none_of(field, condition, context)
  local inside = { now = context.now, depth = context.depth, negated = not context.negated, tally = context.tally }
  return { ("not (%s)"):format(table.concat(render_any_of(field, condition, inside), " or ")) }
end

local renderers = {
  eq = render_equality, ne = render_equality,
  gt = render_comparison, ge = render_comparison, lt = render_comparison, le = render_comparison,
  between = render_between,
  startswith = render_call, endswith = render_call, contains = render_call,
  has = render_compared,
  any_of = render_any_of, all_of = render_all_of, none_of = render_none_of,
}

local joins_conditions = { any_of = true, all_of = true, none_of = true }

-- What can be done instead of asking a field for what it does not know.
local function instead_of(name, field)
  if field.kind == kinds.list then return "Write mde.has(value)." end
  if comparisons[name] or name == "between" then return "The service promises no order of these: test it in Lua." end
  local known = {}
  for known_name in pairs(field.kind.operators) do known["mde." .. known_name] = true end
  return ("It knows %s, and lists."):format(options_of.listed(known))
end

--- The alternatives, in OData, any of which makes a condition true. Raises for what the field does not know, and for
--- a value that does not fit it.
---@param field mde.query.Field
---@param value any what is asked of it: a value, a list or an operator
---@param context mde.query.Context
---@return string[]
function M.render(field, value, context)
  local condition = operators.of(value, field.name)
  local name = condition.name
  if not joins_conditions[name] and not field.kind.operators[name] then
    errors.invalid("operator_not_applicable",
      ("mde.%s cannot be asked of %s"):format(name, field.name), instead_of(name, field))
  end
  return renderers[name](field, condition, context)
end

return M
