--- value: what a parameter of a hunting query is worth: the literal that the core makes of it.
--
-- A text is a string, a whole number a long, another number a real, true and false a bool, and a list is what `in`
-- takes. The functions here name another type where one is meant. A time needs one: Unix seconds are a number as any
-- other.

local core = require "mde.core"
local errors = require "mde.base.error"
local operators = require "mde.query.operators"
local options_of = require "mde.base.options"
local times = require "mde.query.times"

---@class mde.KqlValue a value of a type that is named
---@field type mde.kql_type
---@field value any
local Value = { __name = "mde.kql" }

function Value:__tostring() return ("mde.kql.%s(%s)"):format(self.type, errors.show(self.value)) end

---@alias mde.KqlScalar string|number|boolean|mde.KqlValue
---@alias mde.KqlParameter mde.KqlScalar|mde.KqlScalar[]

local M = {}

-- What each type takes, in words.
local wanted = {
  datetime = "a time: Unix seconds, a text like \"2026-02-03T10:11:12Z\", or mde.ago \"2h\"",
  timespan = "a span of time: seconds, or a text like \"90m\"",
  guid = "a GUID, 74be27de-1e4e-49d9-b579-fe0b013d3642 say",
  long = "a whole number that Lua holds exactly",
  real = "a number",
  string = "a text in UTF-8",
}

local function refuse(kind, value, what)
  errors.invalid("parameter_malformed", ("%s: %s is not %s"):format(what, errors.got(value), wanted[kind]))
end

local units = { s = 1, m = 60, h = 3600, d = 86400 }

local function seconds_of(span)
  if type(span) ~= "string" then return span end
  local count, unit = span:match "^(%d+%.?%d*)([smhd])$"
  return count and core.number.read(count) * units[unit]
end

-- The whole numbers up to which a double holds every one, and the integers of a Lua that has them.
local function is_whole(number)
  local subtype = rawget(math, "type")
  return subtype and subtype(number) == "integer" or number % 1 == 0 and math.abs(number) <= 2 ^ 53
end

-- The value that the core takes for each type; nil if it is another.
local readers = {
  string = function(value) return type(value) == "string" and value or nil end,
  guid = function(value) return type(value) == "string" and value or nil end,
  real = function(value) return type(value) == "number" and value or nil end,
  long = function(value) return type(value) == "number" and is_whole(value) and value or nil end,
  bool = function(value) if type(value) == "boolean" then return value end end,
  timespan = function(value)
    local seconds = seconds_of(value)
    return type(seconds) == "number" and seconds or nil
  end,
  datetime = function(value, what)
    if operators.is_ago(value) then return value end
    return (select(2, times.read(value, 0, what)))
  end,
}

local function named(kind)
  return function(value)
    if value == nil then
      errors.invalid("missing_value", ("mde.kql.%s was given nil"):format(kind), "Find out why the value is missing.")
    end
    return setmetatable({ type = kind, value = value }, Value)
  end
end

--- Values whose types are named: `mde.kql.datetime(1770113472)`. What is wrong with one is told by mde.hunt.
---@class mde.Kql
---@field string fun(text: string): mde.KqlValue
---@field long fun(number: number): mde.KqlValue
---@field real fun(number: number): mde.KqlValue
---@field datetime fun(time: mde.Time): mde.KqlValue
---@field timespan fun(span: number|string): mde.KqlValue seconds, or "90s", "30m", "2h", "7d"
---@field guid fun(text: string): mde.KqlValue
M.types = {}
for kind in pairs(wanted) do M.types[kind] = named(kind) end

local function is_typed(value)
  return type(value) == "table" and getmetatable(value) == Value
end

-- The type that a value has by itself; nil if it has none.
local function type_of(value)
  if is_typed(value) then return value.type, value.value end
  if type(value) == "string" then return "string", value end
  if type(value) == "boolean" then return "bool", value end
  if type(value) == "number" then return is_whole(value) and "long" or "real", value end
end

local function read(value, what)
  local kind, bare = type_of(value)
  if operators.is_ago(value) then
    -- In a run it is a number, which nobody could tell from others.
    errors.invalid("parameter_malformed", ("%s: %s has no type"):format(what, errors.show(value)),
      ("Write mde.kql.datetime(%s)."):format(errors.show(value)))
  elseif not kind then
    errors.invalid("parameter_malformed", ("%s: %s is no value of a query"):format(what, errors.got(value)),
      "Give a text, a number, true, false, mde.kql.datetime(time) and the like, or a list of one of these.")
  end
  local ready = readers[kind](bare, what)
  if ready == nil then refuse(kind, bare, what) end
  return kind, ready, bare
end

-- The type that all values of a list have; whole numbers among others are as these.
local function read_list(list, what)
  options_of.check_list(list, what)
  if #list == 0 then
    errors.invalid("empty_list", ("%s: the list is empty"):format(what),
      "Nothing is in an empty list, and everything is not: do not ask then.")
  end
  local of, values = nil, {}
  for i, value in ipairs(list) do
    local kind, ready = read(value, ("%s[%d]"):format(what, i))
    if of == "long" and kind == "real" then of = "real" end
    if of == "real" and kind == "long" then kind = "real" end
    if operators.is_ago(ready) then
      errors.invalid("parameter_malformed", ("%s[%d]: %s cannot be in a list"):format(what, i, errors.show(value)),
        "Write ago(...) in the query, or give times.")
    end
    of = of or kind
    if kind ~= of then
      errors.invalid("parameter_malformed", ("%s: the list has values of the types %s and %s"):format(what, of, kind),
        "Give values of one type.")
    end
    values[i] = ready
  end
  return of, values
end

--- The literal of a parameter's value. Raises for what cannot be one.
---@param value mde.KqlParameter
---@param what string whose value it is, for errors
---@return string
function M.literal(value, what)
  local is_list = type(value) == "table" and not is_typed(value) and not operators.is_ago(value)
  local kind, ready, bare, literal, flaw, place
  if is_list then
    kind, ready = read_list(value, what)
    literal, flaw, place = core.kql.list(kind, ready)
  else
    kind, ready, bare = read(value, what)
    if operators.is_ago(ready) then return ("ago(%s)"):format(core.kql.literal("timespan", ready.seconds)) end
    literal, flaw = core.kql.literal(kind, ready)
  end
  if flaw then refuse(kind, place and ready[place] or bare, place and ("%s[%d]"):format(what, place) or what) end
  return literal
end

return M
