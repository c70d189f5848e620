--- filter: which machines, actions, alerts or incidents a query means, and the OData that says the same.
--
--   { riskScore = "High", osPlatform = { "Windows10", "Windows11" } }       all of these, any of those
--   { lastSeen = mde.ge(mde.ago "2h"), machineTags = mde.has "laptop" }     operators for the rest
--   "riskScore eq 'High' and not startswith(computerDnsName,'lab-')"        OData, passed as it is
--   "all"                                                                   no condition
--
-- Whatever could select more than was meant raises: an empty table, an operator that is given nil or an
-- empty text, a field or a value that does not exist. One thing cannot be seen from here: in
-- `{ computerDnsName = nil, riskScore = "High" }` Lua leaves no trace of the nil, so a value that comes
-- from outside belongs in an operator, `mde.eq(value)`.
--
-- Fields that the service cannot filter by are for an `if` in Lua; values that it has added since this was written
-- are asked for in OData.
--
-- Names and tags are compared without regard to case and blanks around, and names without a dot at the end, whatever
-- the service does: see names.lua. What is asked for and in no machine costs one more reading, of all that the other
-- fields select. A service that regards case may know a beginning, an end or a part of names in mixed letters beside
-- one in plain letters; those it leaves out, since the plain ones were found. Other texts, and all in OData, are
-- compared as the service does it.

local alert_fields = require "mde.query.alert_fields"
local condition = require "mde.query.condition"
local core = require "mde.core"
local errors = require "mde.base.error"
local fields = require "mde.query.fields"
local kinds = require "mde.query.kinds"
local names = require "mde.query.names"
local operators = require "mde.query.operators"

local odata = core.odata

-- What one filter may be long in a URL of 8 KB; the rest is for the host, the path and a range of times.
local MAX_FILTER_BYTES = 7500
-- Filters by name or tag, above which all machines are read instead.
local MAX_FILTERS = 5

---@alias mde.Query "all"|string|mde.MachineQuery|mde.ActionQuery|mde.IndicatorQuery|mde.AlertQuery|mde.IncidentQuery
--- see the top of this file

---@alias mde.QueryOf "machines"|"actions"|"indicators"|"alerts"|"graph_alerts"|"incidents"

---@type table<mde.QueryOf, mde.query.Schema>
local schemas = { machines = fields.machines, actions = fields.actions, indicators = fields.indicators,
  alerts = alert_fields.alerts, graph_alerts = alert_fields.graph_alerts, incidents = alert_fields.incidents }

local M = {}

local function join(clauses)
  local parts = {}
  for i, alternatives in ipairs(clauses) do
    parts[i] = clauses[2] and condition.any_of(alternatives) or table.concat(alternatives, " or ")
  end
  return table.concat(parts, " and ")
end

local function size_of(alternatives)
  return #odata.encode(table.concat(alternatives, " or "))
end

-- The clause to be split: one with more alternatives than it may have; the largest, if all are too long for a URL.
local function to_split(clauses, is_too_long)
  local largest
  for i, alternatives in ipairs(clauses) do
    if alternatives.max and #alternatives > alternatives.max then return i, alternatives.max end
    if alternatives[2] and (not largest or size_of(alternatives) > size_of(clauses[largest])) then largest = i end
  end
  if is_too_long and largest then return largest, math.floor(#clauses[largest] / 2) end
end

-- Splits a clause in two until every filter may be sent.
local function split(clauses, filters, what)
  local text = join(clauses)
  local is_too_long = #odata.encode(text) > MAX_FILTER_BYTES
  local largest, place = to_split(clauses, is_too_long)
  if not largest and not is_too_long then
    filters[#filters + 1] = text
    return filters
  elseif not largest then
    errors.invalid("query_too_long",
      ("mde.%s: the query is too long for a URL"):format(what), "Test a part of it in Lua.")
  end
  local alternatives = clauses[largest]
  for _, range in ipairs { { 1, place }, { place + 1, #alternatives } } do
    local part, whole = { max = alternatives.max }, {}
    for i = range[1], range[2] do part[#part + 1] = alternatives[i] end
    for i, clause in ipairs(clauses) do whole[i] = i == largest and part or clause end
    split(whole, filters, what)
  end
  return filters
end

-- Raises unless a text could be a condition in OData, which has a blank or a parenthesis in it.
local function check_odata(text, of)
  if #odata.encode(text) > MAX_FILTER_BYTES then
    errors.invalid("query_too_long",
      ("mde.%s: the query is too long for a URL"):format(of.what), "Test a part of it in Lua.")
  end
  local word, shown = core.text.trim(text), errors.quote(text)
  if word == "" then
    errors.invalid("query_empty", ("mde.%s: the query is an empty text"):format(of.what),
      ('Say mde.%s "all" if you mean all.'):format(of.what))
  elseif core.text.lower(word) == "all" then
    errors.invalid("query_malformed", ("mde.%s: %s is no query"):format(of.what, shown), 'Did you mean "all"?')
  elseif core.text.lower(word):find "^%??%$?filter=" then
    errors.invalid("query_malformed",
      ("mde.%s: the query is %s"):format(of.what, shown), "Leave $filter= away; the text is what follows.")
  elseif not word:find "[ \t\r\n(]" then
    errors.invalid("query_malformed", ("mde.%s: %s is no condition in OData"):format(of.what, shown),
      ("Write a table, %s, or \"all\"."):format(fields.in_a_table(word, of) or of.example))
  end
  kinds.check_text((text:gsub("[\t\r\n]", " ")), text, ("mde.%s: the query"):format(of.what))
end

-- Whether each alternative is one comparison.
local function are_single(alternatives)
  for _, text in ipairs(alternatives) do
    if text:find "^%(" or text:find "^not " then return false end
  end
  return true
end

-- The clauses of the conditions; of those on what is compared here only if they are `asked`, and not if they cannot be
-- split and are more than one filter may have.
local function clauses_of(conditions, now, asked)
  local clauses = {}
  for _, one in ipairs(conditions) do
    local tally = { comparisons = 0 }
    local alternatives = condition.render(one.field, one.condition, { now = now, tally = tally })
    local is_compared = names.compares(one.field.name)
    if is_compared and are_single(alternatives) then alternatives.max = names.MAX_COMPARISONS end
    if not is_compared or asked and (alternatives.max or tally.comparisons <= names.MAX_COMPARISONS) then
      clauses[#clauses + 1] = alternatives
    end
  end
  return clauses
end

-- The conditions of a query that is a table, in the order of their fields' names; raises unless it is well formed.
local function conditions_of(query, of)
  if type(query) ~= "table" or getmetatable(query) ~= nil then
    errors.invalid(query == nil and "missing_value" or "wrong_type",
      ("mde.%s needs a query, a table or a text, not %s"):format(of.what,
        operators.is(query) and "an operator alone" or errors.got(query)),
      query == nil and ('Say mde.%s "all" if you mean all.'):format(of.what)
        or ("Write %s, say."):format(of.example))
  end
  local conditions = {}
  for name in pairs(query) do conditions[#conditions + 1] = { field = fields.find(name, of) } end
  if not conditions[1] then
    errors.invalid("query_empty", ("mde.%s: the query is an empty table"):format(of.what),
      ('A field that is nil leaves nothing behind: write mde.eq(value). Say mde.%s "all" if you mean all.')
        :format(of.what))
  end
  table.sort(conditions, function(a, b) return core.text.before(a.field.name, b.field.name) end)
  for _, one in ipairs(conditions) do
    one.condition = operators.of(query[one.field.name], one.field.name)
  end
  return conditions
end

---@class mde.CompiledQuery
---@field filters fun(now: number): string[], boolean the OData filters, not yet percent-encoded, that together select
---what it means when it is `now` (Unix seconds), from which mde.ago counts; one, as a rule; the empty one selects all.
---What two of them select may overlap. Raises for a value that does not fit its field. The second is true where
---nothing but the fields that are compared here is left out
---@field filters_apart? fun(now: number): string[] the same without those fields; nil if there are none
---@field judge? fun(): mde.names.Judge what tells which of the rows are meant, as far as those fields go

-- A query that does not depend on the time and is judged by the service alone.
local function as_they_are(filters)
  return { filters = function() return filters, false end }
end

--- A query, ready to be asked. Raises if it is not well formed.
---@param name mde.QueryOf
---@param query mde.Query
---@return mde.CompiledQuery
function M.compile(name, query)
  local of = schemas[name]
  local what = of.what
  if query == "all" then return as_they_are { "" } end
  if type(query) == "string" then
    check_odata(query, of)
    return as_they_are { query }
  end
  local conditions, compared = conditions_of(query, of), {}
  for _, one in ipairs(conditions) do
    if names.compares(one.field.name) then compared[#compared + 1] = one end
  end
  local function filters_apart(now) return split(clauses_of(conditions, now, false), {}, what) end
  if not compared[1] then return { filters = function(now) return filters_apart(now), false end } end
  return {
    filters = function(now)
      local filters, apart = split(clauses_of(conditions, now, true), {}, what), filters_apart(now)
      local is_apart = table.concat(filters, "\n") == table.concat(apart, "\n")
      if is_apart or #filters > math.max(MAX_FILTERS, #apart) then return apart, true end
      return filters, false
    end,
    filters_apart = filters_apart,
    judge = function() return names.judge(compared) end,
  }
end

return M
