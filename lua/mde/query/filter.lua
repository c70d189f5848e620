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
-- Fields that the service cannot filter by are for an `if` in Lua; values that it has added since this was written
-- are asked for in OData.
--
-- Names and tags are compared without regard to case, and names without blanks around and a dot at the end, whatever
-- the service does: see names.lua. What is asked for and in no machine costs one more reading, of all that the other
-- fields select. A service that regards case may know a beginning, an end or a part of names in mixed letters beside
-- one in plain letters; those it leaves out, since the plain ones were found. Other texts, and all in OData, are
-- compared as the service does it.

local core = require "mde.core"
local errors = require "mde.base.error"
local compared = require "mde.query.names"
local options_of = require "mde.base.options"

local odata = core.odata

-- What one filter may be long in a URL of 8 KB; the rest is for the host, the path and a range of times.
local LONGEST_FILTER = 7500
local EARLIEST_TIME = 1e9 -- in 2001; as a span, 31 years
local LATEST_TIME = 253402300799 -- the last second of the year 9999
local MILLISECONDS = 1e11 -- in seconds the year 5138, in milliseconds 1973
local LARGEST_NUMBER = 2 ^ 31 - 1
local DEEPEST = 50 -- lists in lists
-- Filters by name or tag, above which all machines are read instead.
local MOST_FILTERS = 5

---@class mde.Operator a condition on one field
---@class mde.Ago a time that lies so long before the query is asked
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
---@alias mde.ActionType "RestrictCodeExecution"|"UnrestrictCodeExecution"|"Isolate"|"Unisolate"
---| "RunAntiVirusScan"|"StopAndQuarantineFile"|"CollectInvestigationPackage"|"LiveResponse"|"Offboard"
---@alias mde.ActionStatus "Pending"|"InProgress"|"Succeeded"|"Failed"|"TimeOut"|"Cancelled"

---@class mde.ActionQuery
---@field id? string|string[]|mde.Operator
---@field machineId? string|string[]|mde.Operator
---@field type? mde.ActionType|mde.ActionType[]|mde.Operator
---@field requestor? string|string[]|mde.Operator
---@field status? mde.ActionStatus|mde.ActionStatus[]|mde.Operator
---@field creationDateTimeUtc? mde.Time|mde.Operator

---@alias mde.Query "all"|string|mde.MachineQuery|mde.ActionQuery see the top of this file

local Operator = { __name = "mde.operator" }
local Ago = { __name = "mde.ago" }

function Operator:__tostring() return "mde." .. self.name end

function Ago:__tostring() return ("mde.ago(%s)"):format(core.number.write(self.seconds)) end

local M = {}

-- ---- operators

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
  if type(list) ~= "table" or getmetatable(list) ~= nil or type(list.id) == "string" then
    errors.invalid(("%s needs a list, not %s"):format(what, errors.got(list)),
      type(list) == "table" and type(list.id) == "string" and "Of a machine or an action write its id." or nil)
  end
  local count = 0
  for _ in pairs(list) do count = count + 1 end
  if count == 0 then
    errors.invalid(("%s was given an empty list"):format(what), "A list of nothing would select nothing.")
  end
  local items = {}
  for i = 1, count do
    if list[i] == nil then
      errors.invalid(("%s needs a list without gaps; there is no item %d"):format(what, i),
        "Leave out what is nil before, or find out why it is.")
    end
    if list[i] == "" then
      errors.invalid(("%s: item %d of the list is an empty text"):format(what, i), "Find out why it is empty.")
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

--- So long ago: "90s", "30m", "2h", "7d", or seconds as a number. Counted by the service's clock, as its answers tell
--- it, from when the first page is asked for.
---@param span string|number
---@return mde.Ago
function M.ago(span)
  needs_value("ago", span)
  local number, unit
  if type(span) == "string" then number, unit = span:match "^(%d+%.?%d*)([smhd])$" end
  local seconds = type(span) == "number" and span or number and core.number.read(number) * unit_seconds[unit]
  if not seconds or not (seconds >= 0 and seconds < LATEST_TIME) then
    errors.invalid(("mde.ago was given %s, which is not a span of time"):format(errors.got(span)),
      'Write "90s", "30m", "2h" or "7d".')
  end
  return setmetatable({ seconds = seconds }, Ago)
end

-- ---- times

local function not_a_time(value, what, why)
  errors.invalid(("%s: %s %s"):format(what, type(value) == "table" and "the table" or errors.got(value), why),
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
  local millionths = math.min(math.floor((seconds - whole) * 1e6 + 0.5), 999999)
  local fraction = millionths > 0 and ("." .. ("%06d"):format(millionths):gsub("0+$", "")) or ""
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. fraction .. "Z", seconds
end

local date_parts = {
  { name = "year", from = 1970, to = 9999 }, { name = "month", from = 1, to = 12 }, { name = "day", from = 1, to = 31 },
  { name = "hour", from = 0, to = 23 }, { name = "min", from = 0, to = 59 }, { name = "sec", from = 0, to = 60 },
}

-- os.time makes March 2 of February 30; nobody who asks for a day means another.
local function time_of_table(fields, what)
  local parts = { hour = 0, min = 0, sec = 0 }
  for _, one in ipairs(date_parts) do
    local part = fields[one.name]
    if part == nil then part = parts[one.name] end
    if type(part) ~= "number" or part % 1 ~= 0 or part < one.from or part > one.to then
      not_a_time(fields, what, "is not a date: see its " .. one.name)
    end
    parts[one.name] = part
  end
  local noon = os.time { year = parts.year, month = parts.month, day = parts.day, hour = 12 }
  if not noon or os.date("*t", noon).day ~= parts.day then
    errors.invalid(
      ("%s: the table is not a date: %04d-%02d has no day %d"):format(what, parts.year, parts.month, parts.day),
      "If the time that os.time makes of it is meant, give that: os.time(date).")
  end
  parts.isdst = fields.isdst
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
  elseif type(value) == "number" and value >= 0 and value < EARLIEST_TIME then
    errors.invalid(("%s: %s looks like a span of time, not like Unix seconds"):format(what, errors.show(value)),
      ("For so many seconds ago write mde.ago(%s)."):format(core.number.write(value)))
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
---@field part? fun(value: any, field: table): string a part of a value, where that need not look like one
---@field operators table<string, boolean> those that it knows, beside the ones for lists

local function names(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

local function wrong_value(field, value, wanted, hint)
  if type(value) == "table" and value[1] ~= nil then
    hint = "For a list there are mde.any_of and mde.none_of."
  elseif type(value) == "table" and getmetatable(value) == Operator then
    hint = "An operator stands alone; several of one field go into mde.any_of, mde.all_of or mde.none_of."
  elseif type(value) == "table" and getmetatable(value) == Ago then
    hint = "Only times can be compared with it."
  end
  errors.invalid(("%s is %s, not %s"):format(field.name, wanted, errors.got(value)), hint)
end

-- Raises unless a text could reach the service as it is; `shown` is what the user knows it as.
local function check_flaw(text, shown, what)
  local flaw = odata.flaw(text)
  if not flaw then return end
  errors.invalid(("%s %s %s"):format(what, errors.quote(shown), flaw), flaw:find("UTF-8", 1, true)
    and "Convert it to UTF-8 first." or "Find out where that comes from, and take it out.")
end

local function text_literal(value, field)
  if type(value) ~= "string" then
    wrong_value(field, value, "a text", type(value) == "number" and ("Write %q."):format(tostring(value)) or nil)
  end
  check_flaw(value, value, field.name .. ": the text")
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
  return odata.literal(value), field.choices[value]
end

-- An id of the kind that is wanted, in lower case; or raises.
local function id_of(value, field, wanted, words, example)
  local kind, canonical
  if type(value) == "string" then kind, canonical = odata.kind(value) end
  if kind == wanted then return canonical end
  local reason = type(value) == "string" and not kind and canonical
  wrong_value(field, value, words, reason and ("It %s: write %s."):format(reason, example)
    or ("Write %s."):format(example))
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
  if type(value) ~= "number" or value % 1 ~= 0 or math.abs(value) > LARGEST_NUMBER then
    wrong_value(field, value, "a whole number",
      type(value) == "string" and tonumber(value) and ("Write %s without quotes."):format(value)
        or "Write the number that the service gives it, 140 say.")
  end
  return ("%d"):format(value), value
end

local function time_literal(value, field, context)
  return M.time(value, context.now, field.name)
end

---@type table<string, mde.query.Kind>
local kinds = {
  machine_id = { literal = machine_id_literal, part = text_literal,
    operators = names("eq", "ne", "startswith", "endswith", "contains") },
  type = { literal = choice_literal, part = text_literal,
    operators = names("eq", "ne", "startswith", "endswith", "contains") },
  text = { literal = text_literal, operators = names("eq", "ne", "startswith", "endswith", "contains") },
  platform = { literal = platform_literal, operators = names("eq", "ne", "startswith", "endswith", "contains") },
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

local function schema(what, example, fields, others)
  local known, listed = {}, {}
  for name in pairs(others) do known[name] = true end
  for name, one in pairs(fields) do
    one.name, known[name] = name, true
    listed[#listed + 1] = name
  end
  table.sort(listed, core.text.before)
  return { what = what, example = example, fields = fields, known = known, names = listed }
end

local schemas = {
  machines = schema("machines", '{ riskScore = "High" }', {
    id = field "machine_id",
    computerDnsName = field "text",
    version = field "text",
    osPlatform = field("platform", { "Windows10", "Windows11", "WindowsServer2012R2", "WindowsServer2016",
      "WindowsServer2019", "WindowsServer2022", "WindowsServer2025", "Linux", "macOS", "Android", "iOS" }),
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
  actions = schema("actions", '{ status = "Pending" }', {
    id = field "guid",
    machineId = field "machine_id",
    type = field("type", { "RestrictCodeExecution", "UnrestrictCodeExecution", "Isolate", "Unisolate",
      "RunAntiVirusScan", "StopAndQuarantineFile", "CollectInvestigationPackage", "LiveResponse", "Offboard" }),
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
      errors.got(name)), ("Write %s, say."):format(of.example))
  end
  local found = of.fields[name]
  if found then return found end
  if of.known[name] then
    errors.invalid(("mde.%s: the service cannot filter by %s"):format(of.what, name),
      "Leave it out of the query, and test it in Lua on each that comes.")
  end
  local near = options_of.nearest(name, of.known)
  errors.invalid(("mde.%s has no field %s"):format(of.what, errors.quote(name)),
    near and ("Did you mean %q?"):format(near) or ("There are %s."):format(table.concat(of.names, ", ")))
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
    errors.invalid(("%s: no value lies there"):format(one.name),
      ("From the lowest to the highest there are %s."):format(table.concat(one.order, ", ")))
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

-- A condition on what is compared here.
local function render_compared(one, condition, context)
  kinds[one.kind].literal(condition.value, one, context)
  local alternatives, count = compared.render(one.name, condition.name, condition.value, context.negated)
  context.tally.comparisons = context.tally.comparisons + count
  return alternatives
end

local function render_equality(one, condition, context)
  if one.kind == "time" and getmetatable(condition.value) == Ago then
    errors.invalid(("%s is hardly ever exactly so long ago"):format(one.name),
      'Write mde.ge(mde.ago "2h") for the last two hours, mde.lt(mde.ago "2h") for what was before.')
  end
  if compared.are(one.name) then return render_compared(one, condition, context) end
  return { ("%s %s %s"):format(one.name, condition.name,
    (kinds[one.kind].literal(condition.value, one, context, condition.name))) }
end

local function render_call(one, condition, context)
  if compared.are(one.name) then return render_compared(one, condition, context) end
  local kind = kinds[one.kind]
  return { ("%s(%s,%s)"):format(condition.name, one.name,
    ((kind.part or kind.literal)(condition.value, one, context, condition.name))) }
end

local function any_of(alternatives)
  return alternatives[2] and "(" .. table.concat(alternatives, " or ") .. ")" or alternatives[1]
end

-- Goes into a list.
local function enter(one, context)
  local inner = { now = context.now, depth = (context.depth or 0) + 1, negated = context.negated,
    tally = context.tally }
  if inner.depth > DEEPEST then
    errors.invalid(("%s: more than %d lists in lists"):format(one.name, DEEPEST), "Does a list hold itself?")
  end
  return inner
end

local function render_any_of(one, condition, context)
  local alternatives, present = {}, {}
  context = enter(one, context)
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
  context = enter(one, context)
  for i, item in ipairs(condition.items) do parts[i] = any_of(render(one, item, context)) end
  return { parts[2] and "(" .. table.concat(parts, " and ") .. ")" or parts[1] }
end

local function render_none_of(one, condition, context)
  local inside = { now = context.now, depth = context.depth, negated = not context.negated, tally = context.tally }
  return { ("not (%s)"):format(table.concat(render_any_of(one, condition, inside), " or ")) }
end

local renderers = {
  eq = render_equality, ne = render_equality,
  gt = render_comparison, ge = render_comparison, lt = render_comparison, le = render_comparison,
  between = render_between,
  startswith = render_call, endswith = render_call, contains = render_call,
  has = render_compared,
  any_of = render_any_of, all_of = render_all_of, none_of = render_none_of,
}

local of_lists = names("any_of", "all_of", "none_of")

-- What can be done instead of asking a field for what it does not know.
local function instead_of(name, one)
  if one.kind == "list" then return "Write mde.has(value)." end
  if comparisons[name] or name == "between" then return "The service promises no order of these: test it in Lua." end
  local known = {}
  for known_name in pairs(kinds[one.kind].operators) do known["mde." .. known_name] = true end
  return ("It knows %s, and lists."):format(options_of.listed(known))
end

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
    errors.invalid(("mde.%s cannot be asked of %s"):format(name, one.name), instead_of(name, one))
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

-- The clause to be split: one with more alternatives than it may have; the largest, if all are too long for a URL.
local function to_split(clauses, is_too_long)
  local largest
  for i, alternatives in ipairs(clauses) do
    if alternatives.most and #alternatives > alternatives.most then return i, alternatives.most end
    if alternatives[2] and (not largest or size_of(alternatives) > size_of(clauses[largest])) then largest = i end
  end
  if is_too_long and largest then return largest, math.floor(#clauses[largest] / 2) end
end

-- Splits a clause in two until every filter may be sent.
local function split(clauses, filters, what)
  local text = join(clauses)
  local is_too_long = #odata.encode(text) > LONGEST_FILTER
  local largest, place = to_split(clauses, is_too_long)
  if not largest and not is_too_long then
    filters[#filters + 1] = text
    return filters
  elseif not largest then
    errors.invalid(("mde.%s: the query is too long for a URL"):format(what), "Test a part of it in Lua.")
  end
  local alternatives = clauses[largest]
  for _, range in ipairs { { 1, place }, { place + 1, #alternatives } } do
    local part, whole = { most = alternatives.most }, {}
    for i = range[1], range[2] do part[#part + 1] = alternatives[i] end
    for i, clause in ipairs(clauses) do whole[i] = i == largest and part or clause end
    split(whole, filters, what)
  end
  return filters
end

-- The field of which a word is a value, or which a word names, as it would be written in a table.
local function in_a_table(word, of)
  for _, name in ipairs(of.names) do
    local one = of.fields[name]
    if core.text.lower(name) == core.text.lower(word) then return ("{ %s = ... }"):format(name) end
    for _, choice in ipairs(one.order or {}) do
      if core.text.lower(choice) == core.text.lower(word) then return ("{ %s = %q }"):format(name, choice) end
    end
  end
end

-- Raises unless a text could be a condition in OData, which has a blank or a parenthesis in it.
local function check_text(text, of)
  if #odata.encode(text) > LONGEST_FILTER then
    errors.invalid(("mde.%s: the query is too long for a URL"):format(of.what), "Test a part of it in Lua.")
  end
  local word, shown = text:match "^%s*(.-)%s*$", errors.quote(text)
  if word == "" then
    errors.invalid(("mde.%s: the query is an empty text"):format(of.what),
      ('Say mde.%s "all" if you mean all.'):format(of.what))
  elseif core.text.lower(word) == "all" then
    errors.invalid(("mde.%s: %s is no query"):format(of.what, shown), 'Did you mean "all"?')
  elseif core.text.lower(word):find "^%??%$?filter=" then
    errors.invalid(("mde.%s: the query is %s"):format(of.what, shown), "Leave $filter= away; the text is what follows.")
  elseif not word:find "[%s(]" then
    errors.invalid(("mde.%s: %s is no condition in OData"):format(of.what, shown),
      ("Write a table, %s, or \"all\"."):format(in_a_table(word, of) or of.example))
  end
  check_flaw((text:gsub("[\t\r\n]", " ")), text, ("mde.%s: the query"):format(of.what))
end

-- Whether each alternative is one comparison.
local function are_single(alternatives)
  for _, text in ipairs(alternatives) do
    if text:find "^%(" or text:find "^not " then return false end
  end
  return true
end

-- The clauses of the fields; of those that are compared here only if they are `asked`, and not if they cannot be split
-- and are more than one filter may have.
local function clauses_of(fields, conditions, now, asked)
  local clauses = {}
  for i, one in ipairs(fields) do
    local tally = { comparisons = 0 }
    local alternatives = render(one, conditions[i], { now = now, tally = tally })
    local is_compared = compared.are(one.name)
    if is_compared and are_single(alternatives) then alternatives.most = compared.MOST end
    if not is_compared or asked and (alternatives.most or tally.comparisons <= compared.MOST) then
      clauses[#clauses + 1] = alternatives
    end
  end
  return clauses
end

---@class mde.CompiledQuery
---@field filters fun(now: number): string[], boolean the OData filters, not yet percent-encoded, that together select
---what it means when it is `now` (Unix seconds), from which mde.ago counts; one, as a rule; the empty one selects all.
---What two of them select may overlap. Raises for a value that does not fit its field. The second is true where
---nothing but the fields that are compared here is left out
---@field filters_apart? fun(now: number): string[] the same without those fields; nil if there are none
---@field judge? fun(): mde.names.Judge what tells which of the rows are meant, as far as those fields go

-- What every filter stands for.
local function as_they_are(filters)
  return { filters = function() return filters, false end }
end

--- A query, ready to be asked. Raises if it is not well formed.
---@param what "machines"|"actions"
---@param query mde.Query
---@return mde.CompiledQuery
function M.compile(what, query)
  local of = schemas[what]
  if query == "all" then return as_they_are { "" } end
  if type(query) == "string" then
    check_text(query, of)
    return as_they_are { query }
  end
  if type(query) ~= "table" or getmetatable(query) ~= nil then
    errors.invalid(("mde.%s needs a query, a table or a text, not %s"):format(what,
      getmetatable(query) == Operator and "an operator alone" or errors.got(query)),
      query == nil and ('Say mde.%s "all" if you mean all.'):format(what)
        or ("Write %s, say."):format(of.example))
  end
  local fields, conditions, compared_here = {}, {}, {}
  for name in pairs(query) do fields[#fields + 1] = find_field(name, of) end
  if not fields[1] then
    errors.invalid(("mde.%s: the query is an empty table"):format(what),
      ('A field that is nil leaves nothing behind: write mde.eq(value). Say mde.%s "all" if you mean all.')
        :format(what))
  end
  table.sort(fields, function(a, b) return core.text.before(a.name, b.name) end)
  for i, one in ipairs(fields) do
    conditions[i] = condition_of(one, query[one.name])
    if compared.are(one.name) then
      compared_here[#compared_here + 1] = { field = one, condition = conditions[i] }
    end
  end
  local function filters_apart(now) return split(clauses_of(fields, conditions, now, false), {}, what) end
  if not compared_here[1] then return { filters = function(now) return filters_apart(now), false end } end
  return {
    filters = function(now)
      local filters, apart = split(clauses_of(fields, conditions, now, true), {}, what), filters_apart(now)
      local is_apart = table.concat(filters, "\n") == table.concat(apart, "\n")
      if is_apart or #filters > math.max(MOST_FILTERS, #apart) then return apart, true end
      return filters, false
    end,
    filters_apart = filters_apart,
    judge = function() return compared.judge(compared_here, condition_of) end,
  }
end

--- The filters of a query at a time; see M.compile.
---@param what "machines"|"actions"
---@param query mde.Query
---@param now number
---@return string[] filters
function M.filters(what, query, now)
  return (M.compile(what, query).filters(now))
end

M.operators = { "eq", "ne", "gt", "ge", "lt", "le", "between", "startswith", "endswith", "contains", "has", "any_of",
  "all_of", "none_of", "ago" }

return M
