-- $filter, read and evaluated for real: comparisons, and/or/not, parentheses, startswith, contains and endswith,
-- over the properties that a schema allows. What the service would refuse is refused, with a message that names it.
--
--   expression  = conjunction { "or" conjunction }
--   conjunction = factor { "and" factor }
--   factor      = "not" factor | "(" expression ")" | comparison | call
--   comparison  = operand ("eq" | "ne" | "gt" | "ge" | "lt" | "le") operand
--   call        = ("startswith" | "contains" | "endswith") "(" operand "," operand ")"
--   operand     = property | string | GUID | date | number | true | false | null
local time = require "mde.sim.time"

local filter = {}

local maximum_depth = 100

local hex4 = ("%x"):rep(4)
local guid_pattern = "^" .. hex4 .. hex4 .. ("%-" .. hex4):rep(4) .. hex4 .. hex4

-- Failures travel as tables, so that a mistake in this file is not taken for one in a filter.
local refusal = {}

local function refuse(...)
  error(setmetatable({ message = string.format(...) }, refusal), 0)
end

---- text to tokens

local function literal(type, value) return { kind = "literal", type = type, value = value } end

local words = {
  ["true"] = literal("Edm.Boolean", true),
  ["false"] = literal("Edm.Boolean", false),
  ["null"] = literal("null", nil),
}

-- Whether a token that began as a GUID, date or number also ends there.
local function ends(text, position)
  return not text:find("^[%w_.:+-]", position)
end

local function read_string(text, position)
  local parts, from = {}, position + 1
  while true do
    local quote = text:find("'", from, true)
    if not quote then refuse("There is an unterminated string literal at position %d.", position - 1) end
    parts[#parts + 1] = text:sub(from, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= "'" then
      return literal("Edm.String", table.concat(parts)), quote + 1
    end
    parts[#parts + 1] = "'"
    from = quote + 2
  end
end

local function read_token(text, position)
  local character = text:sub(position, position)
  if character == "'" then return read_string(text, position) end
  if character:find "[(),]" then return { kind = character }, position + 1 end
  local guid = text:match(guid_pattern, position)
  if guid and ends(text, position + #guid) then
    return literal("Edm.Guid", guid:lower()), position + #guid
  end
  local date = text:match("^%d%d%d%d%-%d%d%-[%w:.+-]*", position)
  if date then
    local key = time.sort_key(date)
    if not key then refuse("'%s' is not a date.", date) end
    return literal("Edm.DateTimeOffset", key), position + #date
  end
  local number = text:match("^[+-]?%d+%.?%d*", position)
  if number and ends(text, position + #number) and tonumber(number) then
    return literal("Edm.Double", tonumber(number)), position + #number
  end
  local name = text:match("^[%a_][%w_]*", position)
  if name then
    return words[name] or { kind = "name", name = name }, position + #name
  end
  refuse("Syntax error: character '%s' is not valid at position %d in '%s'.", character, position - 1, text)
end

local function tokenize(text)
  local tokens, position = {}, 1
  while true do
    position = text:find("%S", position)
    if not position then break end
    local token, next_position = read_token(text, position)
    token = setmetatable({ position = position - 1 }, { __index = token })
    tokens[#tokens + 1], position = token, next_position
  end
  tokens[#tokens + 1] = { kind = "end", position = #text }
  return tokens
end

---- operands

local numeric = { ["Edm.Int32"] = true, ["Edm.Int64"] = true, ["Edm.Double"] = true }

local function comparable(left, right)
  if left.type == "null" or right.type == "null" then return true end
  return left.type == right.type or (numeric[left.type] and numeric[right.type])
end

local function describe(operand)
  if operand.name then return ("property '%s' of type %s"):format(operand.name, operand.type) end
  return "a literal of type " .. operand.type
end

-- The value of a property in the form in which its literals are.
local function reader(property)
  local name = property.name
  if property.type == "Edm.DateTimeOffset" then
    return function(record) return record[name] and time.sort_key(record[name]) end
  elseif property.type == "Edm.Guid" then
    return function(record) return record[name] and record[name]:lower() end
  end
  return function(record) return record[name] end
end

local parser = {}
parser.__index = parser

function parser:peek() return self.tokens[self.at] end

function parser:take()
  local token = self.tokens[self.at]
  self.at = self.at + 1
  return token
end

function parser:accept_word(word)
  local token = self:peek()
  if token.kind == "name" and token.name == word then return self:take() end
end

function parser:expect(kind)
  local token = self:take()
  if token.kind ~= kind then
    refuse("Syntax error at position %d in '%s': '%s' expected.", token.position, self.text, kind)
  end
end

function parser:operand()
  local token = self:take()
  if token.kind == "literal" then
    local value = token.value
    return { type = token.type, read = function() return value end }
  end
  if token.kind ~= "name" then
    refuse("Syntax error at position %d in '%s': a property or a literal expected.", token.position, self.text)
  end
  local property = self.schema.properties[token.name]
  if not property then
    refuse("Could not find a property named '%s' in %s.", token.name, self.schema.set)
  end
  if not property.filterable then
    refuse("The property '%s' cannot be used in the $filter query option.", token.name)
  end
  return { type = property.type, name = property.name, read = reader(property) }
end

---- comparisons and calls

local function ordered(compare)
  return function(a, b) return a ~= nil and b ~= nil and compare(a, b) end
end

local operators = {
  eq = function(a, b) return a == b end,
  ne = function(a, b) return a ~= b end,
  gt = ordered(function(a, b) return a > b end),
  ge = ordered(function(a, b) return a >= b end),
  lt = ordered(function(a, b) return a < b end),
  le = ordered(function(a, b) return a <= b end),
}

local unordered = { ["Edm.Boolean"] = true, ["Edm.Guid"] = true }

function parser:comparison()
  local left = self:operand()
  local token = self:take()
  local compare = token.kind == "name" and operators[token.name]
  if not compare then
    refuse("Syntax error at position %d in '%s': a comparison operator expected.", token.position, self.text)
  end
  local right = self:operand()
  if not comparable(left, right) then
    refuse("Operator '%s' cannot compare %s with %s.", token.name, describe(left), describe(right))
  end
  if token.name ~= "eq" and token.name ~= "ne" and (unordered[left.type] or unordered[right.type]) then
    refuse("Operator '%s' is not defined for %s.", token.name, describe(left))
  end
  local read_left, read_right = left.read, right.read
  return function(record) return compare(read_left(record), read_right(record)) end
end

local functions = {
  startswith = function(text, part) return text:sub(1, #part) == part end,
  endswith = function(text, part) return part == "" or text:sub(-#part) == part end,
  contains = function(text, part) return text:find(part, 1, true) ~= nil end,
}

function parser:call(name)
  local test = functions[name]
  if not test then refuse("An unknown function with name '%s' was found.", name) end
  self:expect "("
  local text = self:operand()
  self:expect ","
  local part = self:operand()
  self:expect ")"
  for _, operand in ipairs { text, part } do
    if operand.type ~= "Edm.String" then
      refuse("Function '%s' takes texts and was given %s.", name, describe(operand))
    end
  end
  return function(record)
    local a, b = text.read(record), part.read(record)
    return a ~= nil and b ~= nil and test(a, b)
  end
end

---- and, or, not

function parser:factor(depth)
  if depth > maximum_depth then refuse("The filter is nested more than %d deep.", maximum_depth) end
  if self:accept_word "not" then
    local inner = self:factor(depth + 1)
    return function(record) return not inner(record) end
  end
  local token, following = self:peek(), self.tokens[self.at + 1]
  if token.kind == "(" then
    self:take()
    local inner = self:expression(depth + 1)
    self:expect ")"
    return inner
  end
  if token.kind == "name" and following.kind == "(" then
    self:take()
    return self:call(token.name)
  end
  return self:comparison()
end

function parser:conjunction(depth)
  local left = self:factor(depth)
  while self:accept_word "and" do
    local first, second = left, self:factor(depth)
    left = function(record) return first(record) and second(record) end
  end
  return left
end

function parser:expression(depth)
  local left = self:conjunction(depth)
  while self:accept_word "or" do
    local first, second = left, self:conjunction(depth)
    left = function(record) return first(record) or second(record) end
  end
  return left
end

--- Reads a filter over records of this schema.
---@param text string
---@param schema table
---@return (fun(record: table): boolean)? matches
---@return string? message why the filter is refused
function filter.parse(text, schema)
  local ok, result = pcall(function()
    local self = setmetatable({ text = text, schema = schema, tokens = tokenize(text), at = 1 }, parser)
    local matches = self:expression(1)
    self:expect "end"
    return matches
  end)
  if ok then return result end
  if getmetatable(result) == refusal then return nil, result.message end
  error(result, 0)
end

return filter
