-- The scalar functions of a query, by name: how many arguments each takes, of which types, and what it makes of them.
local core = require "mde.core"
local json = require "mde.sim.base.json"
local literals = require "mde.sim.kql.literal"
local refusal = require "mde.sim.kql.refusal"
local values = require "mde.sim.kql.value"

local M = {}

-- Each: `from` and `to`, how many arguments; `types` of the arguments, "any" or a name ("number" for all numbers);
-- `gives`, its type, or a function of the arguments; `make(arguments, parser)`, a function of their values, or of a row
-- if it `reads_row` itself.
local functions = {}

local function define(name, from, to, types, gives, make)
  functions[name] = { from = from, to = to, types = types, gives = gives, make = make }
end

local function empty(kind, value)
  return values.text(kind, value) == ""
end

define("now", 0, 1, { "timespan" }, "datetime", function(_, parser)
  return function(offset) return parser.now + (offset or 0) end
end)

define("ago", 1, 1, { "timespan" }, "datetime", function(_, parser)
  return function(span) return span and parser.now - span end
end)

define("tolower", 1, 1, { "text" }, "string", function(arguments)
  return function(value) return core.text.lower(values.text(arguments[1].type, value)) end
end)

define("toupper", 1, 1, { "text" }, "string", function(arguments)
  return function(value) return core.text.upper(values.text(arguments[1].type, value)) end
end)

define("tostring", 1, 1, { "any" }, "string", function(arguments)
  return function(value) return values.text(arguments[1].type, value) end
end)

define("strcat", 1, 64, { "any" }, "string", function(arguments)
  return function(row)
    local parts = {}
    for i, argument in ipairs(arguments) do parts[i] = values.text(argument.type, argument.read(row)) end
    return table.concat(parts)
  end
end)
functions.strcat.reads_row = true

-- In characters.
define("strlen", 1, 1, { "text" }, "long", function(arguments)
  return function(value)
    local text = values.text(arguments[1].type, value)
    return #text - select(2, text:gsub("[\128-\191]", ""))
  end
end)

define("isempty", 1, 1, { "any" }, "bool", function(arguments)
  return function(value) return empty(arguments[1].type, value) end
end)

define("isnotempty", 1, 1, { "any" }, "bool", function(arguments)
  return function(value) return not empty(arguments[1].type, value) end
end)
functions.notempty = functions.isnotempty

define("isnull", 1, 1, { "any" }, "bool", function(arguments)
  return function(value) return value == nil and arguments[1].type ~= "string" end
end)

define("isnotnull", 1, 1, { "any" }, "bool", function(arguments)
  return function(value) return value ~= nil or arguments[1].type == "string" end
end)

define("not", 1, 1, { "bool" }, "bool", function()
  return function(value)
    if value == nil then return nil end
    return not value
  end
end)

-- iff(condition, one, other)
define("iff", 3, 3, { "bool", "any", "any" }, function(arguments)
  if arguments[2].type ~= arguments[3].type then
    refusal.semantic("iff(): the arguments are of the types %s and %s", arguments[2].type, arguments[3].type)
  end
  return arguments[2].type
end, function()
  return function(condition, one, other)
    if condition then return one end
    return other
  end
end)
functions.iif = functions.iff

local function to_number(wants_whole)
  return function(arguments)
    return function(value)
      local kind = arguments[1].type
      if type(value) == "boolean" then return value and 1 or 0 end
      if kind == "datetime" or kind == "timespan" then return nil end
      local number = type(value) == "number" and value or core.number.read(values.text(kind, value))
      if number and wants_whole then number = number < 0 and math.ceil(number) or math.floor(number) end
      return number
    end
  end
end

define("tolong", 1, 1, { "any" }, "long", to_number(true))
define("toint", 1, 1, { "any" }, "int", to_number(true))
define("todouble", 1, 1, { "any" }, "real", to_number(false))
functions.toreal = functions.todouble

define("tobool", 1, 1, { "any" }, "bool", function(arguments)
  return function(value)
    if type(value) == "boolean" then return value end
    if type(value) == "number" then return value ~= 0 end
    return select(2, literals.read("bool", values.text(arguments[1].type, value)))
  end
end)

define("todatetime", 1, 1, { "any" }, "datetime", function(arguments)
  return function(value)
    if arguments[1].type == "datetime" then return value end
    return select(2, literals.read("datetime", values.text(arguments[1].type, value)))
  end
end)

define("bin", 2, 2, { "any", "any" }, function(arguments)
  local kind, step = arguments[1].type, arguments[2].type
  local fits = (kind == "datetime" or kind == "timespan") and step == "timespan"
    or values.is_numeric(kind) and values.is_numeric(step)
  if not fits then refusal.semantic("bin(): a value of type %s cannot be rounded to one of type %s", kind, step) end
  return kind
end, function()
  return function(value, step)
    return value and step and step > 0 and math.floor(value / step) * step or nil
  end
end)

define("parse_json", 1, 1, { "text" }, "dynamic", function(arguments)
  return function(value)
    if type(value) ~= "string" then return value end
    local decoded = json.decode(value)
    if decoded == nil then return arguments[1].type == "string" and value or nil end
    return decoded ~= json.null and decoded or nil
  end
end)
functions.todynamic = functions.parse_json

define("array_length", 1, 1, { "dynamic" }, "long", function()
  return function(value) return type(value) == "table" and #value or nil end
end)

local function fits(wanted, kind)
  return wanted == "any" or wanted == kind or (wanted == "text" and (kind == "string" or kind == "dynamic"))
    or (wanted == "bool" and kind == "dynamic")
end

-- What a column is called that is made of one: tolower(DeviceName) has no name, bin(Timestamp, 1h) is Timestamp.
local keeps_name = { bin = true, tostring = true, tolong = true, toint = true, todouble = true, todatetime = true,
  parse_json = true, todynamic = true }

--- A call.
---@param name string
---@param arguments mde.sim.kql.node[]
---@param parser mde.sim.kql.parser
---@return mde.sim.kql.node
function M.call(name, arguments, parser)
  local one = functions[name]
  if not one then refusal.not_simulated(("the function %s()"):format(name)) end
  if #arguments < one.from or #arguments > one.to then
    refusal.semantic("%s(): function expects %d argument(s), %d given", name, one.from, #arguments)
  end
  local is_constant = true
  for i, argument in ipairs(arguments) do
    local wanted = one.types[i] or one.types[#one.types]
    if not fits(wanted, argument.type) then
      refusal.semantic("%s(): argument #%d is of type %s", name, i, argument.type)
    end
    is_constant = is_constant and argument.is_constant
  end
  local kind = type(one.gives) == "function" and one.gives(arguments) or one.gives
  local calculate = one.make(arguments, parser)
  local a, b, c = arguments[1], arguments[2], arguments[3]
  local function read(row)
    return calculate(a and a.read(row), b and b.read(row), c and c.read(row))
  end
  return { type = kind, read = one.reads_row and calculate or read, is_constant = is_constant,
    name = keeps_name[name] and a.name or nil }
end

return M
