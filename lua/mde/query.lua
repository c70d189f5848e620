--- query: which machines or actions are meant, as a table, and the OData that says the same.
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
-- Fields that the service cannot filter by are for an `if` in Lua.

local core = require "mde.core"
local errors = require "mde.error"
local options_of = require "mde.options"

local odata = core.odata

-- What one filter may be long in a URL of 8 KB; the rest is for the host, the path and a range of times.
local LONGEST_FILTER = 7500
local LATEST_TIME = 253402300799 -- the last second of the year 9999
local MILLISECONDS = 1e11 -- in seconds the year 5138, in milliseconds 1973
local LARGEST_NUMBER = 2 ^ 31 - 1

---@class mde.Operator a condition on one field
---@class mde.Ago a time that lies so long before the query is made
---@field seconds number

---@alias mde.Time number|string|table|mde.Ago Unix seconds; ISO 8601, in UTC unless it says otherwise, a date alone
---being its midnight; a table as os.date "*t" gives it, local time as os.time reads it; or mde.ago

---@class mde.MachineQuery a field's value, a list of which any will do, or an operator
---@field id? string|string[]|mde.Operator
---@field computerDnsName? string|string[]|mde.Operator
---@field osPlatform? string|string[]|mde.Operator Windows10, Windows11, WindowsServer2022, Linux, macOS and others
---@field version? string|string[]|mde.Operator 22H2, say
---@field lastIpAddress? string|string[]|mde.Operator
---@field aadDeviceId? string|string[]|mde.Operator
---@field rbacGroupId? integer|integer[]|mde.Operator
---@field lastSeen? mde.Time|mde.Operator the last full report, about one a day
---@field machineTags? mde.Operator mde.has "tag"
---@field healthStatus? mde.HealthStatus|mde.HealthStatus[]|mde.Operator
---@field onboardingStatus? mde.OnboardingStatus|mde.OnboardingStatus[]|mde.Operator
---@field riskScore? mde.RiskScore|mde.RiskScore[]|mde.Operator
---@field exposureLevel? mde.ExposureLevel|mde.ExposureLevel[]|mde.Operator
---@field deviceValue? mde.DeviceValue|mde.DeviceValue[]|mde.Operator

---@alias mde.HealthStatus "Active"|"Inactive"|"ImpairedCommunication"|"NoSensorData"
---| "NoSensorDataImpairedCommunication"|"Unknown"
---@alias mde.OnboardingStatus "Onboarded"|"CanBeOnboarded"|"Unsupported"|"InsufficientInfo"
---@alias mde.RiskScore "None"|"Informational"|"Low"|"Medium"|"High"
---@alias mde.ExposureLevel "None"|"Low"|"Medium"|"High"
---@alias mde.DeviceValue "Low"|"Normal"|"High"
---@alias mde.ActionStatus "Pending"|"InProgress"|"Succeeded"|"Failed"|"TimeOut"|"Cancelled"

---@class mde.ActionQuery
---@field id? string|string[]|mde.Operator
---@field machineId? string|string[]|mde.Operator
---@field type? string|string[]|mde.Operator RestrictCodeExecution, say
---@field requestor? string|string[]|mde.Operator
---@field status? mde.ActionStatus|mde.ActionStatus[]|mde.Operator
---@field creationDateTimeUtc? mde.Time|mde.Operator

---@alias mde.Query "all"|string|mde.MachineQuery|mde.ActionQuery see the top of this file

local Operator = { __name = "mde.operator" }
local Ago = { __name = "mde.ago" }

local M = {}

-- ---- operators

local function quoted(value)
  if type(value) == "string" then return errors.quote(value) end
  return type(value) == "table" and "a table" or errors.show(value)
end

local function needs_value(name, value)
  if value == nil then
    errors.invalid(("mde.%s was given nil"):format(name),
      "A value that is missing would select more than was meant: find out why it is.")
  elseif value == "" then
    errors.invalid(("mde.%s was given an empty text"):format(name), "Find out why it is empty.")
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
  if type(list) ~= "table" or getmetatable(list) ~= nil then
    errors.invalid(("%s needs a list, not %s"):format(what, list == nil and "nil" or quoted(list)))
  end
  local count = 0
  for _ in pairs(list) do count = count + 1 end
  if count == 0 then
    errors.invalid(("%s was given an empty list"):format(what), "A list of nothing would select nothing.")
  end
  local items = {}
  for i = 1, count do
    if list[i] == nil then errors.invalid(("%s needs a list without gaps; there is no item %d"):format(what, i)) end
    needs_value("eq", list[i])
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

--- So long ago, counted from when the query is made: "90s", "30m", "2h", "7d", or seconds as a number.
---@param span string|number
---@return mde.Ago
function M.ago(span)
  needs_value("ago", span)
  local number, unit
  if type(span) == "string" then number, unit = span:match "^(%d+%.?%d*)([smhd])$" end
  local seconds = type(span) == "number" and span or number and tonumber(number) * unit_seconds[unit]
  if not seconds or not (seconds >= 0 and seconds < LATEST_TIME) then
    errors.invalid(("mde.ago was given %s, which is not a span of time"):format(quoted(span)),
      'Write "90s", "30m", "2h" or "7d".')
  end
  return setmetatable({ seconds = seconds }, Ago)
end

-- ---- times

local function not_a_time(value, what, why)
  errors.invalid(("%s: %s %s"):format(what, type(value) == "table" and "the table" or quoted(value), why),
    'Give Unix seconds, a text like "2026-02-03" or "2026-02-03T10:11:12Z", a table like os.date "*t", '
      .. 'or mde.ago "2h".')
end

-- A time as OData writes it. A fraction is cut to what the service keeps, a ten-millionth of a second.
local function time_of_text(text, what)
  local date, rest = text:match "^(%d%d%d%d%-%d%d%-%d%d)(.*)$"
  if rest == "" or rest == "Z" or rest == "z" then rest = "T00:00:00Z" end
  local clock, fraction, zone = (rest or ""):match "^[Tt](%d%d:%d%d:%d%d)(%.?%d*)(.*)$"
  if not clock or fraction == "." then return not_a_time(text, what, "is not a time") end
  if zone == "" or zone == "z" then zone = "Z" end
  local whole = date .. "T" .. clock .. fraction:sub(1, 8) .. zone
  local seconds = core.history.time(whole)
  if not seconds then not_a_time(text, what, "is not a time") end
  return whole, seconds
end

local function time_of_number(seconds, what)
  if seconds > MILLISECONDS and seconds < math.huge then
    not_a_time(seconds, what, "looks like milliseconds since 1970")
  elseif not (seconds >= 0 and seconds <= LATEST_TIME) then
    not_a_time(seconds, what, "is not a time in seconds since 1970")
  end
  local whole = math.floor(seconds)
  local fraction = ("%.6f"):format(seconds - whole):match "^0(%.%d-)0*$"
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. (fraction and fraction ~= "." and fraction or "") .. "Z", seconds
end

local function time_of_table(fields, what)
  local parts = { hour = 0, min = 0, sec = 0, isdst = fields.isdst }
  for _, name in ipairs { "year", "month", "day", "hour", "min", "sec" } do
    local part = fields[name]
    if part == nil then part = parts[name] end
    if type(part) ~= "number" or part % 1 ~= 0 then not_a_time(fields, what, "is not a date: see its " .. name) end
    parts[name] = part
  end
  local seconds = os.time(parts)
  if not seconds then not_a_time(fields, what, "is not a date") end
  return time_of_number(seconds, what)
end

--- A time, however it is given, as OData writes it and as Unix seconds. Raises if it is none.
---@param value mde.Time
---@param now number Unix seconds, from which mde.ago counts
---@param what string whose time it is, for the error
---@return string text
---@return number seconds
function M.time(value, now, what)
  if type(value) == "table" and getmetatable(value) == Ago then
    return time_of_number(math.max(0, now - value.seconds), what)
  elseif type(value) == "string" then
    return time_of_text(value, what)
  elseif type(value) == "number" then
    return time_of_number(value, what)
  elseif type(value) == "table" and value.year ~= nil then
    return time_of_table(value, what)
  end
  return not_a_time(value, what, "is not a time")
end

-- ---- fields

---@class mde.query.Kind what a field holds
---@field literal fun(value: any, field: table, context: table): string, any the value in OData, and to compare it by
---@field operators table<string, boolean> those that it knows, beside the ones for lists

local function names(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

local function wrong_value(field, value, wanted, hint)
  if type(value) == "table" and value[1] ~= nil then hint = "For a list there are mde.any_of and mde.none_of." end
  errors.invalid(("%s is %s, not %s"):format(field.name, wanted, quoted(value)), hint)
end

local function text_literal(value, field)
  if type(value) ~= "string" then
    wrong_value(field, value, "a text", type(value) == "number" and ("Write %q."):format(tostring(value)) or nil)
  elseif value:find "[%z\1-\31\127]" then
    wrong_value(field, value, "a text without control characters")
  end
  return odata.literal(value), value
end

local function choice_literal(value, field)
  if type(value) ~= "string" or not field.choices[value] then
    local near = type(value) == "string" and options_of.nearest(value, field.choices)
    wrong_value(field, value, "one of " .. table.concat(field.order, ", "),
      near and ("Did you mean %q?"):format(near) or nil)
  end
  return odata.literal(value), field.choices[value]
end

local function guid_literal(value, field)
  local kind, canonical
  if type(value) == "string" then kind, canonical = odata.kind(value) end
  if kind ~= "guid" then wrong_value(field, value, "a GUID") end
  return canonical, canonical
end

local function number_literal(value, field)
  if type(value) ~= "number" or value % 1 ~= 0 or math.abs(value) > LARGEST_NUMBER then
    wrong_value(field, value, "a whole number",
      type(value) == "string" and tonumber(value) and ("Write %s without quotes."):format(value) or nil)
  end
  return ("%d"):format(value), value
end

local function time_literal(value, field, context)
  return M.time(value, context.now, field.name)
end

---@type table<string, mde.query.Kind>
local kinds = {
  text = { literal = text_literal, operators = names("eq", "ne", "startswith", "endswith", "contains") },
  choice = { literal = choice_literal, operators = names("eq", "ne") },
  level = { literal = choice_literal, operators = names("eq", "ne", "gt", "ge", "lt", "le", "between") },
  guid = { literal = guid_literal, operators = names("eq", "ne") },
  number = { literal = number_literal, operators = names("eq", "ne", "gt", "ge", "lt", "le", "between") },
  time = { literal = time_literal, operators = names("eq", "ne", "gt", "ge", "lt", "le", "between") },
  list = { literal = text_literal, operators = names "has" },
}

local function field(kind, order)
  local choices = {}
  for i, choice in ipairs(order or {}) do choices[choice] = i end
  return { kind = kind, order = order, choices = choices }
end

local function schema(what, fields, others)
  local known, listed = {}, {}
  for name in pairs(others) do known[name] = true end
  for name, one in pairs(fields) do
    one.name, known[name] = name, true
    listed[#listed + 1] = name
  end
  table.sort(listed)
  return { what = what, fields = fields, known = known, listed = table.concat(listed, ", ") }
end

local schemas = {
  machines = schema("machines", {
    id = field "text",
    computerDnsName = field "text",
    version = field "text",
    osPlatform = field "text",
    lastIpAddress = field "text",
    aadDeviceId = field "guid",
    rbacGroupId = field "number",
    lastSeen = field "time",
    machineTags = field "list",
    healthStatus = field("choice", { "Active", "Inactive", "ImpairedCommunication", "NoSensorData",
      "NoSensorDataImpairedCommunication", "Unknown" }),
    onboardingStatus = field("choice", { "Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo" }),
    riskScore = field("level", { "None", "Informational", "Low", "Medium", "High" }),
    exposureLevel = field("level", { "None", "Low", "Medium", "High" }),
    deviceValue = field("level", { "Low", "Normal", "High" }),
  }, names("firstSeen", "rbacGroupName", "osBuild", "osVersion", "osProcessor", "osArchitecture", "agentVersion",
    "lastExternalIpAddress", "ipAddresses", "isAadJoined", "managedBy", "managedByStatus", "mergedIntoMachineId",
    "isPotentialDuplication", "isExcluded", "exclusionReason", "defenderAvStatus", "vmMetadata")),
  actions = schema("actions", {
    id = field "guid",
    machineId = field "text",
    type = field "text",
    requestor = field "text",
    creationDateTimeUtc = field "time",
    status = field("choice", { "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled" }),
  }, names("title", "scope", "requestSource", "requestorComment", "computerDnsName", "lastUpdateDateTimeUtc",
    "cancellationRequestor", "cancellationComment", "cancellationDateTimeUtc", "errorHResult", "externalId",
    "relatedFileInfo", "commands", "troubleshootInfo")),
}

local function find_field(name, of)
  if type(name) ~= "string" then
    errors.invalid(("mde.%s: a query is a table of field = value, and %s is not a field's name"):format(of.what,
      quoted(name)), 'Write { riskScore = "High" }, say.')
  end
  local found = of.fields[name]
  if found then return found end
  if of.known[name] then
    errors.invalid(("mde.%s: the service cannot filter by %s"):format(of.what, name),
      "Leave it out of the query, and test it in Lua on each that comes.")
  end
  local near = options_of.nearest(name, of.known)
  errors.invalid(("mde.%s has no field %s"):format(of.what, errors.quote(name)),
    near and ("Did you mean %q?"):format(near) or ("There are %s."):format(of.listed))
end

-- ---- conditions

local render

-- A condition that stands for any of several: some of the choices of a field that has an order.
local function choices_where(one, holds)
  local alternatives = {}
  for i, choice in ipairs(one.order) do
    if holds(i) then alternatives[#alternatives + 1] = one.name .. " eq " .. odata.literal(choice) end
  end
  if not alternatives[1] then
    errors.invalid(("%s: no value lies there; there are %s"):format(one.name, table.concat(one.order, ", ")))
  end
  return alternatives
end

local comparisons = {
  gt = function(a, b) return a > b end,
  ge = function(a, b) return a >= b end,
  lt = function(a, b) return a < b end,
  le = function(a, b) return a <= b end,
}

local function render_comparison(one, condition, context)
  local literal, place = kinds[one.kind].literal(condition.value, one, context)
  if one.kind == "level" then
    local compare = comparisons[condition.name]
    return choices_where(one, function(i) return compare(i, place) end)
  end
  return { ("%s %s %s"):format(one.name, condition.name, literal) }
end

local function render_between(one, condition, context)
  local from, low = kinds[one.kind].literal(condition.from, one, context)
  local to, high = kinds[one.kind].literal(condition.to, one, context)
  if low > high then
    errors.invalid(("%s: nothing lies between %s and %s, in that order"):format(one.name, from, to),
      "Give the smaller one first.")
  end
  if one.kind == "level" then
    return choices_where(one, function(i) return i >= low and i <= high end)
  end
  return { ("(%s ge %s and %s le %s)"):format(one.name, from, one.name, to) }
end

local function render_equality(one, condition, context)
  if one.kind == "time" and getmetatable(condition.value) == Ago then
    errors.invalid(("%s is hardly ever exactly so long ago"):format(one.name),
      'Write mde.ge(mde.ago "2h") for the last two hours, mde.lt(mde.ago "2h") for what was before.')
  end
  return { ("%s %s %s"):format(one.name, condition.name, (kinds[one.kind].literal(condition.value, one, context))) }
end

local function render_call(one, condition, context)
  return { ("%s(%s,%s)"):format(condition.name, one.name,
    (kinds[one.kind].literal(condition.value, one, context))) }
end

local function render_has(one, condition, context)
  return { ("%s/any(t: t eq %s)"):format(one.name, (kinds[one.kind].literal(condition.value, one, context))) }
end

local function any_of(alternatives)
  return alternatives[2] and "(" .. table.concat(alternatives, " or ") .. ")" or alternatives[1]
end

local function render_any_of(one, condition, context)
  local alternatives, present = {}, {}
  for _, item in ipairs(condition.items) do
    for _, text in ipairs(render(one, item, context)) do
      if not present[text] then alternatives[#alternatives + 1] = text end
      present[text] = true
    end
  end
  return alternatives
end

local function render_all_of(one, condition, context)
  local parts = {}
  for i, item in ipairs(condition.items) do parts[i] = any_of(render(one, item, context)) end
  return { parts[2] and "(" .. table.concat(parts, " and ") .. ")" or parts[1] }
end

local function render_none_of(one, condition, context)
  return { ("not (%s)"):format(table.concat(render_any_of(one, condition, context), " or ")) }
end

local renderers = {
  eq = render_equality, ne = render_equality,
  gt = render_comparison, ge = render_comparison, lt = render_comparison, le = render_comparison,
  between = render_between,
  startswith = render_call, endswith = render_call, contains = render_call,
  has = render_has,
  any_of = render_any_of, all_of = render_all_of, none_of = render_none_of,
}

local of_lists = names("any_of", "all_of", "none_of")

local missing_operators = {
  list = "Write mde.has(value).",
  text = "The service promises no order of texts: test it in Lua.",
}

-- A value as the condition it stands for.
local function condition_of(one, value)
  if getmetatable(value) == Operator then return value end
  if type(value) == "table" and getmetatable(value) ~= Ago and value.year == nil then
    return operator("any_of", { items = items_of(value, one.name) })
  end
  if value == "" then
    errors.invalid(("%s is compared with an empty text"):format(one.name), "Find out why it is empty.")
  end
  return M.eq(value)
end

--- The alternatives, in OData, any of which makes the condition true.
---@param one table the field
---@param value any what is asked of it
---@param context { now: number }
---@return string[]
function render(one, value, context)
  local condition = condition_of(one, value)
  local name = condition.name
  if not of_lists[name] and not kinds[one.kind].operators[name] then
    errors.invalid(("mde.%s cannot be asked of %s"):format(name, one.name), missing_operators[one.kind])
  end
  return renderers[name](one, condition, context)
end

-- ---- whole queries

local function join(clauses)
  local parts = {}
  for i, alternatives in ipairs(clauses) do
    parts[i] = clauses[2] and any_of(alternatives) or table.concat(alternatives, " or ")
  end
  return table.concat(parts, " and ")
end

local function size_of(alternatives)
  return #odata.encode(table.concat(alternatives, " or "))
end

-- Splits the largest clause in two until every filter fits into a URL.
local function split(clauses, filters, what)
  local text = join(clauses)
  if #odata.encode(text) <= LONGEST_FILTER then
    filters[#filters + 1] = text
    return filters
  end
  local largest
  for i, alternatives in ipairs(clauses) do
    if alternatives[2] and (not largest or size_of(alternatives) > size_of(clauses[largest])) then largest = i end
  end
  if not largest then
    errors.invalid(("mde.%s: the query is too long for a URL"):format(what), "Test a part of it in Lua.")
  end
  local alternatives = clauses[largest]
  local half = math.floor(#alternatives / 2)
  for _, range in ipairs { { 1, half }, { half + 1, #alternatives } } do
    local part, whole = {}, {}
    for i = range[1], range[2] do part[#part + 1] = alternatives[i] end
    for i, clause in ipairs(clauses) do whole[i] = i == largest and part or clause end
    split(whole, filters, what)
  end
  return filters
end

local function filters_of_text(text, what)
  if text == "all" then return { "" } end
  if not text:find "%S" then
    errors.invalid(("mde.%s: the query is an empty text"):format(what), 'Say mde.' .. what .. ' "all" if you mean all.')
  elseif #odata.encode(text) > LONGEST_FILTER then
    errors.invalid(("mde.%s: the query is too long for a URL"):format(what), "Test a part of it in Lua.")
  end
  return { text }
end

--- The OData filters, not yet percent-encoded, that together select what a query means; one, as a rule; the
--- empty one selects all. What two of them select may overlap. Raises if the query is not well formed.
---@param what "machines"|"actions"
---@param query mde.Query
---@param now number Unix seconds, from which mde.ago counts
---@return string[] filters
function M.filters(what, query, now)
  if type(query) == "string" then return filters_of_text(query, what) end
  if type(query) ~= "table" or getmetatable(query) ~= nil then
    errors.invalid(("mde.%s needs a query, a table or a text, not %s"):format(what,
      query == nil and "nil" or getmetatable(query) == Operator and "an operator alone" or "a " .. type(query)),
      query == nil and ('Say mde.%s "all" if you mean all.'):format(what) or nil)
  end
  local of, fields = schemas[what], {}
  for name in pairs(query) do fields[#fields + 1] = find_field(name, of) end
  if not fields[1] then
    errors.invalid(("mde.%s: the query is an empty table"):format(what),
      ('A field that is nil leaves nothing behind: write mde.eq(value). Say mde.%s "all" if you mean all.')
        :format(what))
  end
  table.sort(fields, function(a, b) return a.name < b.name end)
  local clauses, context = {}, { now = now }
  for i, one in ipairs(fields) do clauses[i] = render(one, query[one.name], context) end
  return split(clauses, {}, what)
end

M.operators = { "eq", "ne", "gt", "ge", "lt", "le", "between", "startswith", "endswith", "contains", "has", "any_of",
  "all_of", "none_of", "ago" }

return M
