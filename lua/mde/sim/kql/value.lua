-- Values of a query: how they are compared, sorted, searched in and written, each by its type. A null is nil; a string
-- has none and is empty instead. A datetime is Unix seconds, a timespan seconds, and what is dynamic a value of JSON.
local core = require "mde.core"
local json = require "mde.sim.base.json"
local refusal = require "mde.sim.kql.refusal"
local time = require "mde.sim.base.time"

local M = {}

-- The types as a reply names them.
M.wire_types = { string = "String", long = "Int64", int = "Int32", real = "Double", bool = "SByte",
  datetime = "DateTime", timespan = "TimeSpan", guid = "Guid", dynamic = "Object" }

-- The types as getschema names them.
M.system_types = { string = "System.String", long = "System.Int64", int = "System.Int32", real = "System.Double",
  bool = "System.SByte", datetime = "System.DateTime", timespan = "System.TimeSpan", guid = "System.Guid",
  dynamic = "System.Object" }

local numeric = { long = true, int = true, real = true }

---@param kind string
---@return boolean
function M.is_numeric(kind)
  return numeric[kind] or false
end

--- Whether values of two types can be compared.
---@param left string
---@param right string
---@return boolean
function M.comparable(left, right)
  if left == right or left == "dynamic" or right == "dynamic" then return true end
  if numeric[left] and numeric[right] then return true end
  return (left == "bool" and numeric[right]) or (right == "bool" and numeric[left]) or false
end

local function span(seconds)
  local ticks = math.floor(math.abs(seconds) * 1e6 + 0.5)
  local whole = math.floor(ticks / 1e6)
  local days = math.floor(whole / 86400)
  local text = ("%02d:%02d:%02d"):format(math.floor(whole / 3600) % 24, math.floor(whole / 60) % 60, whole % 60)
  if days > 0 then text = ("%d.%s"):format(days, text) end
  if ticks % 1e6 > 0 then text = ("%s.%06d0"):format(text, ticks % 1e6) end
  return (seconds < 0 and "-" or "") .. text
end

-- A time to the microsecond, which is all that a double holds.
local function instant(seconds)
  local whole = math.floor(seconds)
  local micros = math.floor((seconds - whole) * 1e6 + 0.5)
  if micros == 1e6 then whole, micros = whole + 1, 0 end
  local text = time.iso(whole)
  return micros == 0 and text or text:sub(1, -2) .. ("." .. ("%06d"):format(micros)):gsub("0+$", "") .. "Z"
end

local function decimal(number)
  if number == math.floor(number) and math.abs(number) < 2 ^ 53 then return ("%d"):format(number) end
  return core.number.write(number)
end

--- A value as text.
---@param kind string
---@param value any
---@return string
function M.text(kind, value)
  if value == nil then return "" end
  if kind == "string" or kind == "guid" then return value end
  if kind == "datetime" then return instant(value) end
  if kind == "timespan" then return span(value) end
  if type(value) == "number" then return decimal(value) end
  if type(value) == "table" then return json.encode(value) end
  return tostring(value)
end

--- A value as a reply has it.
---@param kind string
---@param value any
---@return any
function M.wire(kind, value)
  if kind == "string" then return value or "" end
  if value == nil then return json.null end
  if kind == "bool" then return value and 1 or 0 end
  if kind == "datetime" or kind == "timespan" then return M.text(kind, value) end
  return value
end

-- What is compared: a number for a truth value, a text for a list or a bag.
local function normal(kind, value)
  if kind == "dynamic" and type(value) == "table" then return json.encode(value) end
  if type(value) == "boolean" then return value and 1 or 0 end
  if kind == "string" and value == nil then return "" end
  return value
end

--- Whether two values are equal; nil if both are null.
---@return boolean?
function M.equal(left_kind, left, right_kind, right)
  left, right = normal(left_kind, left), normal(right_kind, right)
  if left == nil and right == nil then return nil end
  return left == right
end

--- Whether one value is less than another; nil if one is null or they have no order.
---@return boolean?
function M.less(left_kind, left, right_kind, right)
  left, right = normal(left_kind, left), normal(right_kind, right)
  if type(left) ~= "number" or type(right) ~= "number" then return nil end
  return left < right
end

--- Whether one value is sorted before another; null is the least.
---@param kind string
---@return boolean
function M.before(kind, left, right)
  left, right = normal(kind, left), normal(kind, right)
  if left == nil or right == nil then return left == nil and right ~= nil end
  if type(left) ~= type(right) then left, right = tostring(left), tostring(right) end
  if type(left) == "string" then return core.text.before(left, right) end
  return left < right
end

--- A text that is the same for equal values, and another one for others.
---@param kind string
---@param value any
---@return string
function M.key(kind, value)
  if value == nil then return kind == "string" and "=" or "null" end
  return "=" .. M.text(kind, value)
end

-- Whether a byte is part of a term: letters and digits, and all that is not ASCII.
local function is_of_term(byte)
  return byte ~= nil and (byte >= 128 or (byte >= 48 and byte <= 57) or (byte >= 65 and byte <= 90)
    or (byte >= 97 and byte <= 122))
end

--- Whether a text has another one as a whole term, or as several. Letters count as given.
---@param text string
---@param term string
---@return boolean
function M.has(text, term)
  if term == "" then return true end
  local from = 1
  while true do
    local first, last = text:find(term, from, true)
    if not first then return false end
    local begins = not is_of_term(term:byte(1)) or not is_of_term(text:byte(first - 1))
    local ends = not is_of_term(term:byte(-1)) or not is_of_term(text:byte(last + 1))
    if begins and ends then return true end
    from = first + 1
  end
end

--- Refuses values of two types where they cannot be compared.
---@param left string
---@param right string
function M.check_comparable(left, right)
  if not M.comparable(left, right) then
    refusal.semantic("Cannot compare values of types %s and %s. Try adding explicit casts", left, right)
  end
end

return M
