--- names: how devices are asked for by name and by tag, and compared.
--
-- Nobody knows whether the service regards case when it compares texts. So a text is asked for in three spellings, as
-- it was written, in small letters and in capitals, and what comes is compared here: names without regard to the case
-- of A to Z, to blanks around and a dot at the end (see the core's name), tags as the guard compares them. Where
-- something is excluded, one spelling is excluded by the service and the others here.
--
-- A service that regards case finds none of the three where another is stored, `Laptop-17` say. So if a value was not
-- found in any machine, the machines are read once more without the conditions on names and tags, which are then judged
-- here alone.

local core = require "mde.core"
local operators = require "mde.query.operators"

local odata = core.odata

local M = {}

--- Comparisons of texts in one filter: a service may limit how many there are.
M.MAX_COMPARISONS = 20

local function tags_of(row)
  local tags = {}
  for i, tag in ipairs(type(row.machineTags) == "table" and row.machineTags or {}) do
    tags[i] = type(tag) == "string" and core.guard.tag(tag) or false
  end
  return tags
end

local function name_of(row)
  local name = row.computerDnsName
  return { type(name) == "string" and core.name.normal(name) or nil }
end

-- Of each field that is compared here: its values in a row, and the form in which a value is compared with them.
local fields = {
  computerDnsName = { values_of = name_of, form = core.name.normal },
  machineTags = { values_of = tags_of, form = core.guard.tag },
}

--- Whether the values of a field are compared here.
---@param field string
---@return boolean
function M.compares(field)
  return fields[field] ~= nil
end

local function comparison(field, operator, text)
  local literal = odata.literal(text)
  if operator == "has" then return ("%s/any(t: t eq %s)"):format(field, literal) end
  if operator == "eq" or operator == "ne" then return ("%s %s %s"):format(field, operator, literal) end
  return ("%s(%s,%s)"):format(operator, field, literal)
end

-- What is looked for, as it was written.
local function asked(operator, text)
  if operator == "has" then return text end
  return core.name.asked(text, operator == "ne" and "eq" or operator)
end

--- A condition in OData: alternatives, any of which makes it true for the service. What they select holds all that is
--- meant, as far as spellings tell, and may hold more.
---@param field "computerDnsName"|"machineTags"
---@param operator "eq"|"ne"|"startswith"|"endswith"|"contains"|"has"
---@param text string
---@param negated? boolean whether it stands in a `not`
---@return string[] alternatives
---@return integer count how many comparisons they have
function M.render(field, operator, text, negated)
  text = asked(operator, text)
  -- Of what is excluded one spelling must do.
  local is_narrow = (negated or false) ~= (operator == "ne")
  local comparisons = {}
  for i, spelling in ipairs(is_narrow and { text } or core.name.spellings(text)) do
    comparisons[i] = comparison(field, operator, spelling)
  end
  local count = #comparisons
  if operator == "ne" and count > 1 then comparisons = { "(" .. table.concat(comparisons, " and ") .. ")" } end
  return comparisons, count
end

-- ---- judging

---@class mde.names.Judge tells which rows a query means, as far as names and tags go
---@field private conditions (fun(row: table): boolean)[]
---@field private values { found: boolean }[] what was asked for, and whether some row has it
local Judge = {}
Judge.__index = Judge

local function note(self, is_wide)
  local value = { found = false }
  if is_wide then self.values[#self.values + 1] = value end
  return value
end

-- Every value is compared, also where one holds already, so that it is known of each whether it was found.
local function judge_any(self, field, items, negated)
  local of, by_form, others = fields[field.name], {}, {}
  for _, item in ipairs(items) do
    local condition = operators.of(item, field.name)
    if condition.name == "eq" or condition.name == "has" then
      local form = of.form(condition.value)
      by_form[form] = by_form[form] or note(self, not negated)
    else
      others[#others + 1] = self:judge(field, condition, negated)
    end
  end
  return function(row)
    local holds = false
    for _, own in ipairs(of.values_of(row)) do
      local value = by_form[own]
      if value then value.found, holds = true, true end
    end
    for _, other in ipairs(others) do holds = other(row) or holds end
    return holds
  end
end

local function judge_all(self, field, items, negated)
  local parts = {}
  for i, item in ipairs(items) do parts[i] = self:judge(field, operators.of(item, field.name), negated) end
  return function(row)
    local holds = true
    for _, part in ipairs(parts) do holds = part(row) and holds end
    return holds
  end
end

local function opposite(holds)
  return function(row) return not holds(row) end
end

function Judge:judge(field, condition, negated)
  local operator = condition.name
  if operator == "any_of" then return judge_any(self, field, condition.items, negated) end
  if operator == "all_of" then return judge_all(self, field, condition.items, negated) end
  if operator == "none_of" then
    return opposite(judge_any(self, field, condition.items, not negated))
  elseif operator == "eq" or operator == "has" then
    return judge_any(self, field, { condition }, negated)
  elseif operator == "ne" then
    return opposite(judge_any(self, field, { operators.eq(condition.value) }, not negated))
  end
  local text, value = condition.value, note(self, not negated)
  return function(row)
    local name = row[field.name]
    local holds = type(name) == "string" and core.name.matches(name, operator, text)
    if holds then value.found = true end
    return holds
  end
end

--- Those of some rows that are meant.
---@param rows table[]
---@return table[]
function Judge:select(rows)
  local meant = {}
  for _, row in ipairs(rows) do
    local holds = true
    for _, condition in ipairs(self.conditions) do holds = condition(row) and holds end
    if holds then meant[#meant + 1] = row end
  end
  return meant
end

--- Whether something that was asked for was in no row so far.
---@return boolean
function Judge:misses()
  for _, value in ipairs(self.values) do
    if not value.found then return true end
  end
  return false
end

--- What judges the conditions on names and tags. They are well formed.
---@param conditions { field: mde.query.Field, condition: mde.Operator }[]
---@return mde.names.Judge
function M.judge(conditions)
  local self = setmetatable({ conditions = {}, values = {} }, Judge)
  for i, one in ipairs(conditions) do
    self.conditions[i] = self:judge(one.field, one.condition, false)
  end
  return self
end

return M
