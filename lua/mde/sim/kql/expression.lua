-- Expressions of a query, read once into a function of a row.
--
--   expression  = conjunction { "or" conjunction }
--   conjunction = relation { "and" relation }
--   relation    = sum [ sign sum | word sum | "between" "(" sum ".." sum ")" | "in" list ]
--   sum         = product { ("+" | "-") product }
--   product     = factor { ("*" | "/" | "%") factor }
--   factor      = "-" factor | primary { "." name | "[" expression "]" }
--   primary     = literal | string | name | name "(" [ expression { "," expression } ] ")" | "(" expression ")"
--               | "dynamic" "(" value ")"
local core = require "mde.core"
local functions = require "mde.sim.kql.functions"
local json = require "mde.sim.base.json"
local lexer = require "mde.sim.kql.lexer"
local refusal = require "mde.sim.kql.refusal"
local values = require "mde.sim.kql.value"

---@class mde.sim.kql.node
---@field type string
---@field read fun(row: table): any
---@field name string? of a column
---@field is_constant boolean? it reads no row

---@class mde.sim.kql.parser
---@field text string
---@field tokens mde.sim.kql.token[]
---@field at integer
---@field scope mde.sim.kql.scope
---@field variables table<string, mde.sim.kql.node> what `let` has defined
---@field operator string the operator that is being read, for messages
---@field now number Unix seconds
local M = {}
M.__index = M

local MAX_DEPTH = 100

---- tokens

function M:peek() return self.tokens[self.at] end

function M:take()
  local token = self.tokens[self.at]
  if token.kind ~= "end" then self.at = self.at + 1 end
  return token
end

function M:refuse(token)
  token = token or self:peek()
  lexer.refuse(self.text, token.at, token.kind == "end" and "" or token.text)
end

function M:accept(kind)
  if self:peek().kind == kind then return self:take() end
end

function M:expect(kind)
  return self:accept(kind) or self:refuse()
end

function M:peek_word(word)
  local token = self:peek()
  return token.kind == "name" and token.name == word
end

function M:accept_word(word)
  if self:peek_word(word) then return self:take() end
end

function M:expect_word(word)
  return self:accept_word(word) or self:refuse()
end

function M:expect_name()
  return self:expect("name").name
end

---- primaries

local function constant(kind, value)
  return { type = kind, is_constant = true, read = function() return value end }
end

local dynamic_words = { ["null"] = json.null }

-- The value of a dynamic literal.
function M:dynamic_value()
  local token = self:take()
  if token.kind == "string" then return token.value end
  if token.kind == "literal" then
    if token.type == "datetime" or token.type == "timespan" then return values.text(token.type, token.value) end
    return token.value == nil and json.null or token.value
  elseif token.kind == "name" and dynamic_words[token.name] then
    return dynamic_words[token.name]
  elseif token.kind == "-" then
    local number = self:expect "literal"
    if not values.is_numeric(number.type) then self:refuse(number) end
    return -number.value
  elseif token.kind == "[" then
    local list = {}
    if not self:accept "]" then
      repeat list[#list + 1] = self:dynamic_value() until not self:accept ","
      self:expect "]"
    end
    return json.array(list)
  elseif token.kind == "{" then
    local bag = {}
    if not self:accept "}" then
      repeat
        local name = self:expect("string").value
        self:expect ":"
        bag[name] = self:dynamic_value()
      until not self:accept ","
      self:expect "}"
    end
    return bag
  end
  return self:refuse(token)
end

function M:unresolved(name)
  refusal.semantic("'%s' operator: Failed to resolve table or column expression named '%s'", self.operator, name)
end

-- What a name stands for: a column hides what `let` has defined.
function M:resolve(name)
  local column = self.scope.by_name[name]
  if column then
    return { type = column.type, name = name, read = function(row) return row[name] end }
  end
  return self.variables[name] or self:unresolved(name)
end

function M:arguments()
  local list = {}
  if self:accept ")" then return list end
  repeat list[#list + 1] = self:expression() until not self:accept ","
  self:expect ")"
  return list
end

-- column_ifexists('name', default)
function M:column_if_exists()
  local name = self:expect("string").value
  self:expect ","
  local default = self:expression()
  self:expect ")"
  local column = self.scope.by_name[name]
  return column and self:resolve(name) or default
end

function M:primary()
  local token = self:take()
  if token.kind == "string" then return constant("string", token.value) end
  if token.kind == "literal" then return constant(token.type, token.value) end
  if token.kind == "(" then
    local inner = self:expression()
    self:expect ")"
    return inner
  elseif token.kind == "[" and self:peek().kind == "string" then
    local name = self:take().value
    self:expect "]"
    return self:resolve(name)
  elseif token.kind ~= "name" then
    return self:refuse(token)
  end
  if self:peek().kind ~= "(" then return self:resolve(token.name) end
  self:take()
  if token.name == "dynamic" then
    local value = self:dynamic_value()
    self:expect ")"
    return constant("dynamic", value ~= json.null and value or nil)
  elseif token.name == "column_ifexists" or token.name == "columnifexists" then
    return self:column_if_exists()
  end
  return functions.call(token.name, self:arguments(), self)
end

-- A member of a bag or an element of a list, of what is dynamic.
local function member(node, key)
  return { type = "dynamic", is_constant = node.is_constant and key.is_constant, read = function(row)
    local whole, name = node.read(row), key.read(row)
    if type(whole) ~= "table" or name == nil then return nil end
    local value = whole[type(name) == "number" and (name >= 0 and name + 1 or #whole + name + 1) or name]
    return value ~= json.null and value or nil
  end }
end

function M:factor()
  if self:accept "-" then
    if self:peek().kind == "-" then self:refuse() end
    local node = self:factor()
    if not values.is_numeric(node.type) and node.type ~= "timespan" then
      refusal.semantic("Operator '-' cannot be applied to an argument of type %s", node.type)
    end
    return { type = node.type, is_constant = node.is_constant, read = function(row)
      local value = node.read(row)
      return value and -value
    end }
  end
  local node = self:primary()
  while true do
    local kind = self:peek().kind
    if kind ~= "." and kind ~= "[" then return node end
    if node.type ~= "dynamic" then self:refuse() end
    self:take()
    if kind == "." then
      node = member(node, constant("string", self:expect_name()))
    else
      node = member(node, self:expression())
      self:expect "]"
    end
  end
end

---- arithmetic

local calculations = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
}

-- The type of a result; nil where the two have no result.
local function type_of_result(sign, left, right)
  local numbers = values.is_numeric(left) and values.is_numeric(right)
  if numbers then return (left == "real" or right == "real") and "real" or "long" end
  if sign == "+" and left == "datetime" and right == "timespan" then return "datetime" end
  if sign == "+" and left == "timespan" and right == "datetime" then return "datetime" end
  if sign == "-" and left == "datetime" and right == "timespan" then return "datetime" end
  if sign == "-" and left == "datetime" and right == "datetime" then return "timespan" end
  if sign ~= "*" and left == "timespan" and right == "timespan" then return "timespan" end
  if sign == "*" and left == "timespan" and values.is_numeric(right) then return "timespan" end
  if sign == "*" and values.is_numeric(left) and right == "timespan" then return "timespan" end
end

local function calculation(sign, left, right)
  local kind, calculate = type_of_result(sign, left.type, right.type), calculations[sign]
  if not calculate then refusal.not_simulated(("the operator %s"):format(sign)) end
  if not kind then
    refusal.semantic("Operator '%s' cannot be applied to arguments of types %s and %s", sign, left.type, right.type)
  end
  return { type = kind, is_constant = left.is_constant and right.is_constant, read = function(row)
    local a, b = left.read(row), right.read(row)
    if a == nil or b == nil then return nil end
    return calculate(a, b)
  end }
end

function M:product()
  local node = self:factor()
  while true do
    local sign = self:accept "*" or self:accept "/" or self:accept "%"
    if not sign then return node end
    node = calculation(sign.kind, node, self:factor())
  end
end

function M:sum()
  local node = self:product()
  while true do
    local sign = self:accept "+" or self:accept "-"
    if not sign then return node end
    node = calculation(sign.kind, node, self:product())
  end
end

---- relations

-- What asks two nodes, the answer being true, false or nil.
local function test(left, right, ask)
  return { type = "bool", is_constant = left.is_constant and right.is_constant, read = function(row)
    return ask(left.read(row), right.read(row))
  end }
end

local fold = core.text.lower

local function is_text(kind) return kind == "string" or kind == "dynamic" end

-- What an operator on texts asks of two of them, in lower case unless its name ends in _cs.
local text_tests = {
  contains = function(text, part) return text:find(part, 1, true) ~= nil end,
  startswith = function(text, part) return text:sub(1, #part) == part end,
  endswith = function(text, part) return part == "" or text:sub(-#part) == part end,
  has = values.has,
  ["=~"] = function(text, other) return text == other end,
}

-- The test of a word, has_cs or !contains for instance: its question, whether it folds case, whether it is negated.
local function text_test(word)
  if word == "!~" then return text_tests["=~"], true, true end
  local negated, name, cased = word:match "^(!?)([a-z=~]+)(.*)$"
  if not name or not text_tests[name] or (cased ~= "" and cased ~= "_cs") then return nil end
  return text_tests[name], cased == "", negated == "!"
end

local function text_relation(word, left, right)
  local ask, folds, is_negated = text_test(word)
  if not is_text(left.type) or not is_text(right.type) then
    refusal.semantic("Operator '%s' cannot be applied to arguments of types %s and %s", word, left.type, right.type)
  end
  return test(left, right, function(a, b)
    a, b = values.text(left.type, a), values.text(right.type, b)
    if folds then a, b = fold(a), fold(b) end
    return ask(a, b) ~= is_negated
  end)
end

local function negated(answer)
  if answer == nil then return nil end
  return not answer
end

local relations = {
  ["=="] = function(lt, l, rt, r) return values.equal(lt, l, rt, r) end,
  ["!="] = function(lt, l, rt, r) return negated(values.equal(lt, l, rt, r)) end,
  ["<"] = function(lt, l, rt, r) return values.less(lt, l, rt, r) end,
  [">"] = function(lt, l, rt, r) return values.less(rt, r, lt, l) end,
  ["<="] = function(lt, l, rt, r) return negated(values.less(rt, r, lt, l)) end,
  [">="] = function(lt, l, rt, r) return negated(values.less(lt, l, rt, r)) end,
}
relations["<>"] = relations["!="]

local function relation_of(sign, left, right)
  values.check_comparable(left.type, right.type)
  local has_order = sign == "==" or sign == "!=" or sign == "<>"
  if not has_order and (left.type == "string" or right.type == "string") then
    refusal.not_simulated(("the order of strings (%s)"):format(sign))
  end
  local ask = relations[sign]
  return test(left, right, function(a, b) return ask(left.type, a, right.type, b) end)
end

function M:between(left)
  self:expect "("
  local from = self:sum()
  self:expect ".."
  local to = self:sum()
  self:expect ")"
  if left.type == "datetime" and to.type == "timespan" then to = calculation("+", from, to) end
  local above, below = relation_of(">=", left, from), relation_of("<=", left, to)
  return test(above, below, function(a, b) return a and b end)
end

-- What a list has, read for each row: an element that is a list itself stands for its elements.
local function read_elements(nodes, row)
  local list = {}
  for _, node in ipairs(nodes) do
    local value = node.read(row)
    if node.type == "dynamic" and type(value) == "table" then
      for i = 1, #value do list[#list + 1] = { type = "dynamic", value = value[i] } end
    else
      list[#list + 1] = { type = node.type, value = value }
    end
  end
  return list
end

function M:list()
  self:expect "("
  if self.tables[self:peek().name or ""] then refusal.not_simulated "a query within in (...)" end
  local nodes = self:arguments()
  if #nodes == 0 then self:refuse() end
  return nodes
end

local function is_in(left, nodes, folds)
  for _, node in ipairs(nodes) do values.check_comparable(left.type, node.type) end
  return { type = "bool", read = function(row)
    local value = left.read(row)
    if folds and value then value = fold(values.text(left.type, value)) end
    for _, element in ipairs(read_elements(nodes, row)) do
      local other = element.value
      if folds then other = fold(values.text(element.type, other)) end
      if values.equal(left.type, value, element.type, other) then return true end
    end
    return false
  end }
end

local function has_some(left, nodes, wants_all)
  if not is_text(left.type) then refusal.semantic("has_any and has_all need a string, not %s", left.type) end
  return { type = "bool", read = function(row)
    local text = fold(values.text(left.type, left.read(row)))
    for _, element in ipairs(read_elements(nodes, row)) do
      local has = values.has(text, fold(values.text(element.type, element.value)))
      if has ~= wants_all then return has end
    end
    return wants_all
  end }
end

local function inverted(node)
  return { type = "bool", read = function(row) return negated(node.read(row)) end }
end

-- The rest of a relation that begins with a word; nil if that is no operator.
function M:word_relation(left, word)
  if word == "in" or word == "in~" then return is_in(left, self:list(), word == "in~") end
  if word == "!in" or word == "!in~" then return inverted(is_in(left, self:list(), word == "!in~")) end
  if word == "between" then return self:between(left) end
  if word == "!between" then return inverted(self:between(left)) end
  if word == "has_any" or word == "has_all" then return has_some(left, self:list(), word == "has_all") end
  if text_test(word) then return text_relation(word, left, self:sum()) end
end

local relation_words = {}
for word in ("in in~ !in !in~ between !between has_any has_all matches"):gmatch "%S+" do relation_words[word] = true end
for word in pairs(text_tests) do
  for _, cased in ipairs { "", "_cs" } do
    relation_words[word .. cased], relation_words["!" .. word .. cased] = true, true
  end
end

function M:relation()
  local left = self:sum()
  local token = self:peek()
  if relations[token.kind] then
    self:take()
    return relation_of(token.kind, left, self:sum())
  elseif token.kind == "=~" or token.kind == "!~" then
    self:take()
    return text_relation(token.kind, left, self:sum())
  elseif token.kind == "name" and relation_words[token.name] then
    self:take()
    local node = self:word_relation(left, token.name)
    if node then return node end
    refusal.not_simulated(("the operator %s"):format(token.name))
  elseif token.kind == "name" and token.name:sub(1, 1) == "!" then
    self:refuse(token)
  end
  return left
end

---- and, or

local function check_truth(node, word)
  if node.type ~= "bool" and node.type ~= "dynamic" then
    refusal.semantic("Operator '%s' needs values of type bool, not %s", word, node.type)
  end
end

function M:conjunction()
  local node = self:relation()
  while self:accept_word "and" do
    local right = self:relation()
    check_truth(node, "and")
    check_truth(right, "and")
    node = test(node, right, function(a, b)
      if a == false or b == false then return false end
      return a and b
    end)
  end
  return node
end

function M:disjunction()
  local node = self:conjunction()
  while self:accept_word "or" do
    local right = self:conjunction()
    check_truth(node, "or")
    check_truth(right, "or")
    node = test(node, right, function(a, b)
      if a or b then return true end
      if a == false and b == false then return false end
      return nil
    end)
  end
  return node
end

--- Reads an expression.
---@return mde.sim.kql.node
function M:expression()
  self.depth = (self.depth or 0) + 1
  if self.depth > MAX_DEPTH then refusal.semantic("The query is nested too deeply") end
  local node = self:disjunction()
  self.depth = self.depth - 1
  return node
end

return M
