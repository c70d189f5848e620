-- $filter, read once into a function and evaluated for real: comparisons, lists, and/or/not, parentheses, startswith,
-- contains and endswith, any, over the properties that a schema allows. What the service would refuse is refused, with
-- a message that names it.
--
--   expression  = conjunction { "or" conjunction }
--   conjunction = factor { "and" factor }
--   factor      = negation | "(" expression ")" | comparison | call | any
--   negation    = "not" ( negation | "(" expression ")" | call | any )
--   comparison  = operand ("eq" | "ne" | "gt" | "ge" | "lt" | "le") operand | operand "in" list
--   list        = "(" literal { "," literal } ")"
--   call        = ("startswith" | "contains" | "endswith") "(" operand "," operand ")"
--   any         = collection "/" "any" "(" [ variable ":" expression ] ")"
--   operand     = property | variable [ path ] | literal
--   path        = "/" type "/" property { "/" property }
--   literal     = string | GUID | date | number | true | false | null
--
-- `and`, `or` and `not` may stand in capitals, and in a list a GUID may be a string: a large vendor's connector sends
-- both.
local core = require "mde.core"
local time = require "mde.sim.base.time"

local M = {}

local MAX_DEPTH = 100

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
  return not text:find("^[A-Za-z0-9_.:+-]", position)
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

-- Whether a date says its zone, and no more of a second than the service keeps.
local function is_date(text)
  local digits = text:match "%.(%d*)"
  return not text:find "^%d+%-%d+%-%d+$" and (digits == nil or #digits <= 7)
end

local function read_token(text, position)
  local character = text:sub(position, position)
  if character == "'" then return read_string(text, position) end
  if character:find "[(),/:]" then return { kind = character }, position + 1 end
  local guid = text:match(guid_pattern, position)
  if guid and ends(text, position + #guid) then
    return literal("Edm.Guid", core.text.lower(guid)), position + #guid
  end
  local date = text:match("^%d%d%d%d%-%d%d%-[A-Za-z0-9:.+-]*", position)
  if date then
    local key = is_date(date) and time.sort_key(date)
    if not key then refuse("'%s' is not a date.", date) end
    return literal("Edm.DateTimeOffset", key), position + #date
  end
  local number = text:match("^[+-]?%d+%.%d+", position) or text:match("^[+-]?%d+", position)
  local value = number and ends(text, position + #number) and core.number.read((number:gsub("^%+", "")))
  if value then
    return literal("Edm.Double", value), position + #number
  end
  local name = text:match("^[A-Za-z_][A-Za-z0-9_.]*", position)
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

-- To read a date takes long, and the same ones are read for each page of a list.
local sort_keys, known, most_known = {}, 0, 100000

local function sort_key(date)
  local key = sort_keys[date]
  if key then return key end
  if known == most_known then sort_keys, known = {}, 0 end
  key = time.sort_key(date)
  sort_keys[date], known = key, known + 1
  return key
end

-- Text as it is compared without case, whatever the locale.
local fold = core.text.lower

-- The value of a property in the form in which its literals are.
local function reader(property, caseless)
  local name = property.name
  if property.type == "Edm.DateTimeOffset" then
    return function(record)
      local date = record[name]
      return date and sort_key(date)
    end
  elseif property.type == "Edm.Guid" then
    return function(record) return record[name] and core.text.lower(record[name]) end
  elseif property.type == "Edm.String" and caseless then
    return function(record) return record[name] and fold(record[name]) end
  end
  return function(record) return record[name] end
end

local parser = {}
parser.__index = parser

local in_capitals = { ["and"] = "AND", ["or"] = "OR", ["not"] = "NOT" }

local function is_word(token, word)
  return token.kind == "name" and (token.name == word or token.name == in_capitals[word])
end

function parser:peek() return self.tokens[self.at] end

function parser:take()
  local token = self.tokens[self.at]
  self.at = self.at + 1
  return token
end

function parser:accept_word(word)
  if is_word(self:peek(), word) then return self:take() end
end

function parser:expect(kind)
  local token = self:take()
  if token.kind ~= kind then
    refuse("Syntax error at position %d in '%s': '%s' expected.", token.position, self.text, kind)
  end
end

-- A literal and its value in the form in which it is compared.
function parser:literal()
  local token = self:take()
  if token.kind ~= "literal" then
    refuse("Syntax error at position %d in '%s': a literal expected.", token.position, self.text)
  end
  return token, self.caseless and token.type == "Edm.String" and fold(token.value) or token.value
end

function parser:property(name)
  local property = self.schema.properties[name]
  if not property then
    refuse("Could not find a property named '%s' in %s.", name, self.schema.set)
  end
  if not property.filterable then
    refuse("The property '%s' cannot be used in the $filter query option.", name)
  end
  return property
end

-- What a path leads to from a member of a collection of objects: those of another type have nothing there.
function parser:path(variable)
  local names = {}
  while self:peek().kind == "/" do
    self:take()
    names[#names + 1] = self:take().name or ""
  end
  local path = table.concat(names, "/")
  local read = variable.paths[path]
  if not read then
    refuse("The path '%s/%s' cannot be used in the $filter query option.", variable.name, path)
  end
  return { type = "Edm.String", name = path, read = function()
    local text = read(variable.read())
    return text and self.caseless and fold(text) or text
  end }
end

function parser:operand()
  if self:peek().kind == "literal" then
    local literal_token, value = self:literal()
    return { type = literal_token.type, literal = literal_token.value, read = function() return value end }
  end
  local token = self:take()
  if token.kind ~= "name" then
    refuse("Syntax error at position %d in '%s': a property or a literal expected.", token.position, self.text)
  end
  local variable = self.variables[token.name]
  if variable then return variable.paths and self:path(variable) or variable end
  local property = self:property(token.name)
  if property.type == "Edm.Collection" then
    refuse("The property '%s' is a collection and can be used with any() alone.", token.name)
  end
  return { type = property.type, name = property.name, is_member = property.is_member,
    read = reader(property, self.caseless) }
end

---- comparisons and calls

-- For each operator a function that makes the test; nothing is greater or less than null, or the other way round.
local operators = {}

function operators.eq(left, right) return function(record) return left(record) == right(record) end end

function operators.ne(left, right) return function(record) return left(record) ~= right(record) end end

local function is_greater(a, b)
  if type(a) == "string" then return core.text.before(b, a) end
  return a > b
end

function operators.gt(left, right)
  return function(record)
    local a, b = left(record), right(record)
    return a ~= nil and b ~= nil and is_greater(a, b)
  end
end

function operators.ge(left, right)
  return function(record)
    local a, b = left(record), right(record)
    return a ~= nil and b ~= nil and (a == b or is_greater(a, b))
  end
end

function operators.lt(left, right) return operators.gt(right, left) end

function operators.le(left, right) return operators.ge(right, left) end

local unordered = { ["Edm.Boolean"] = true, ["Edm.Guid"] = true }

local function check_comparable(operator, left, right)
  if not comparable(left, right) then
    refuse("Operator '%s' cannot compare %s with %s.", operator, describe(left), describe(right))
  end
end

-- A text that an enumeration has no member for is compared with nothing.
local function check_member(operand, text)
  if operand.is_member and text ~= nil and not operand.is_member(text) then
    refuse("'%s' is not a member of the enumeration of the property '%s'.", text, operand.name)
  end
end

-- The GUID that a string is.
local function guid_in(text)
  return #text == 36 and text:find(guid_pattern) and fold(text) or nil
end

function parser:list_of_literals(left)
  local values, has_null = {}, false
  self:expect "("
  repeat
    local token, value = self:literal()
    local guid = left.type == "Edm.Guid" and token.type == "Edm.String" and guid_in(value)
    if not guid then check_comparable("in", left, token) end
    check_member(left, token.value)
    if value == nil then has_null = true else values[guid or value] = true end
    local more = self:peek().kind == ","
    if more then self:take() end
  until not more
  self:expect ")"
  local read = left.read
  return function(record)
    local value = read(record)
    if value == nil then return has_null end
    return values[value] == true
  end
end

function parser:comparison()
  local left = self:operand()
  local token = self:take()
  if token.kind == "name" and token.name == "in" then return self:list_of_literals(left) end
  local make = token.kind == "name" and operators[token.name]
  if not make then
    refuse("Syntax error at position %d in '%s': a comparison operator expected.", token.position, self.text)
  end
  local right = self:operand()
  check_comparable(token.name, left, right)
  check_member(left, right.literal)
  check_member(right, left.literal)
  if token.name ~= "eq" and token.name ~= "ne" and (unordered[left.type] or unordered[right.type]) then
    refuse("Operator '%s' is not defined for %s.", token.name, describe(left))
  end
  return make(left.read, right.read)
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

-- The collection's name and the stroke after it are taken. The variable stands for each member in turn.
function parser:any(name, depth)
  local property = self:property(name)
  if property.type ~= "Edm.Collection" then
    refuse("The property '%s' is no collection, and any() is for collections.", name)
  end
  local token = self:take()
  if token.kind ~= "name" or token.name ~= "any" then
    refuse("Syntax error at position %d in '%s': 'any' expected.", token.position, self.text)
  end
  self:expect "("
  local field = property.name
  if self:peek().kind == ")" then
    self:take()
    return function(record) return record[field] ~= nil and record[field][1] ~= nil end
  end
  token = self:take()
  local variable = token.name
  if token.kind ~= "name" or self.variables[variable] then
    refuse("Syntax error at position %d in '%s': a new variable expected.", token.position, self.text)
  end
  self:expect ":"
  local member, caseless = nil, self.caseless
  self.variables[variable] = { type = "Edm.String", name = variable, paths = property.paths,
    read = function() return member end }
  local inner = self:expression(depth + 1)
  self.variables[variable] = nil
  self:expect ")"
  return function(record)
    for _, value in ipairs(record[field] or {}) do
      member = caseless and type(value) == "string" and fold(value) or value
      if inner(record) then return true end
    end
    return false
  end
end

---- and, or, not

-- `not` binds closer than a comparison does: what follows it must be true or false by itself.
function parser:check_negated()
  local token, following = self:peek(), self.tokens[self.at + 1]
  local is_whole = token.kind == "("
    or token.kind == "name" and (is_word(token, "not") or following.kind == "("
      or following.kind == "/" and not self.variables[token.name])
  if not is_whole then
    refuse("'not' cannot be applied to the operand at position %d in '%s': a comparison after it stands in "
      .. "parentheses.", token.position, self.text)
  end
end

function parser:factor(depth)
  if depth > MAX_DEPTH then refuse("The filter is nested more than %d deep.", MAX_DEPTH) end
  if self:accept_word "not" then
    self:check_negated()
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
  elseif token.kind == "name" and following.kind == "/" and not self.variables[token.name] then
    self.at = self.at + 2
    return self:any(token.name, depth)
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
---@param caseless boolean? whether texts are compared without regard to case
---@return (fun(record: table): boolean)? matches
---@return string? message why the filter is refused
function M.parse(text, schema, caseless)
  local ok, result = pcall(function()
    local self = setmetatable({ text = text, schema = schema, caseless = caseless, tokens = tokenize(text), at = 1,
      variables = {} }, parser)
    local matches = self:expression(1)
    self:expect "end"
    return matches
  end)
  if ok then return result end
  if getmetatable(result) == refusal then return nil, result.message end
  error(result, 0)
end

return M
