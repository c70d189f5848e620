-- The operators of a query, by name. Each reads its part of the text, says by `parser.scope` which columns there are
-- behind it, and returns a function: rows -> rows.
local aggregates = require "mde.sim.kql.aggregates"
local refusal = require "mde.sim.kql.refusal"
local scopes = require "mde.sim.kql.scope"
local values = require "mde.sim.kql.value"

local M = {}

local function copy(row)
  local other = {}
  for name, value in pairs(row) do other[name] = value end
  return other
end

-- [name =] expression, with the name that its column has.
local function read_column(parser, number)
  local token, next_token = parser:peek(), parser.tokens[parser.at + 1]
  local name
  if token.kind == "name" and next_token and next_token.kind == "=" then
    name = token.name
    parser.at = parser.at + 2
  end
  local node = parser:expression()
  return { name = name or node.name or "Column" .. number, type = node.type, read = node.read, is_named = name ~= nil }
end

local function read_columns(parser)
  local columns = {}
  repeat columns[#columns + 1] = read_column(parser, #columns + 1) until not parser:accept ","
  return columns
end

local function shape_of(columns)
  local shapes = {}
  for i, column in ipairs(columns) do shapes[i] = { name = column.name, type = column.type } end
  return shapes
end

local operators = {}

function operators.where(parser)
  local node = parser:expression()
  if node.type ~= "bool" and node.type ~= "dynamic" then
    refusal.semantic("'where' operator: the predicate is of type %s, expected: bool", node.type)
  end
  return function(rows)
    local kept = {}
    for _, row in ipairs(rows) do
      if node.read(row) == true then kept[#kept + 1] = row end
    end
    return kept
  end
end
operators.filter = operators.where

function operators.project(parser)
  local columns = read_columns(parser)
  parser.scope = scopes.new(shape_of(columns))
  return function(rows)
    local result = {}
    for i, row in ipairs(rows) do
      result[i] = {}
      for _, column in ipairs(columns) do result[i][column.name] = column.read(row) end
    end
    return result
  end
end

function operators.extend(parser)
  local columns = read_columns(parser)
  local shapes, places = {}, {}
  for i, column in ipairs(parser.scope.columns) do
    shapes[i] = column
    places[column.name] = i
  end
  for _, column in ipairs(columns) do
    local place = places[column.name] or #shapes + 1
    shapes[place], places[column.name] = { name = column.name, type = column.type }, place
  end
  parser.scope = scopes.new(shapes)
  return function(rows)
    local result = {}
    for i, row in ipairs(rows) do
      result[i] = copy(row)
      for _, column in ipairs(columns) do result[i][column.name] = column.read(row) end
    end
    return result
  end
end

local function known_columns(parser)
  local names = {}
  repeat
    local name = parser:expect_name()
    names[name] = parser.scope.by_name[name] or parser:unresolved(name)
  until not parser:accept ","
  return names
end

operators["project-away"] = function(parser)
  local away, shapes = known_columns(parser), {}
  for _, column in ipairs(parser.scope.columns) do
    if not away[column.name] then shapes[#shapes + 1] = column end
  end
  parser.scope = scopes.new(shapes)
  return function(rows) return rows end
end

operators["project-rename"] = function(parser)
  local names, shapes = {}, {}
  repeat
    local new = parser:expect_name()
    parser:expect "="
    local old = parser:expect_name()
    if not parser.scope.by_name[old] then parser:unresolved(old) end
    names[old] = new
  until not parser:accept ","
  for i, column in ipairs(parser.scope.columns) do
    shapes[i] = { name = names[column.name] or column.name, type = column.type }
  end
  parser.scope = scopes.new(shapes)
  return function(rows)
    local result = {}
    for i, row in ipairs(rows) do
      result[i] = {}
      for name, value in pairs(row) do result[i][names[name] or name] = value end
    end
    return result
  end
end

local function check_groupable(columns)
  for _, column in ipairs(columns) do
    if column.type == "dynamic" then
      refusal.semantic("The key '%s' is of a 'dynamic' type. Please use an explicit cast, 'tostring(%s)' for example, "
        .. "as grouping by a 'dynamic' type is not supported", column.name, column.name)
    end
  end
end

function operators.distinct(parser)
  local columns
  if parser:accept "*" then
    columns = {}
    for i, column in ipairs(parser.scope.columns) do columns[i] = parser:resolve(column.name) end
  else
    columns = read_columns(parser)
  end
  check_groupable(columns)
  parser.scope = scopes.new(shape_of(columns))
  return function(rows)
    local seen, result = {}, {}
    for _, row in ipairs(rows) do
      local key = scopes.key(columns, row, values.key)
      if not seen[key] then
        seen[key] = true
        local one = {}
        for _, column in ipairs(columns) do one[column.name] = column.read(row) end
        result[#result + 1] = one
      end
    end
    return result
  end
end

-- The position of the word `by` of a summarize, which stands behind what it belongs to.
local function find_by(parser)
  local depth, at = 0, parser.at
  while true do
    local token = parser.tokens[at]
    if token.kind == "(" or token.kind == "[" then depth = depth + 1 end
    if token.kind == ")" or token.kind == "]" then depth = depth - 1 end
    if token.kind == "end" or depth < 0 or (depth == 0 and (token.kind == "|" or token.kind == ";")) then return nil end
    if depth == 0 and token.kind == "name" and token.name == "by" then return at end
    at = at + 1
  end
end

local function read_groups(parser)
  local by, from = find_by(parser), parser.at
  if not by then return {}, nil end
  parser.at = by + 1
  local groups = read_columns(parser)
  local behind = parser.at
  parser.at = from
  check_groupable(groups)
  return groups, behind
end

local function read_aggregates(parser)
  local list, columns = {}, {}
  repeat
    local name
    if parser.tokens[parser.at + 1].kind == "=" then
      name = parser:expect_name()
      parser:expect "="
    end
    local function_name = parser:expect_name()
    parser:expect "("
    local one = aggregates.read(function_name, parser, name)
    list[#list + 1] = one
    for _, column in ipairs(one.columns) do columns[#columns + 1] = column end
  until not parser:accept ","
  return list, columns
end

function operators.summarize(parser)
  local groups, behind = read_groups(parser)
  parser.group_names = {}
  for _, group in ipairs(groups) do parser.group_names[group.name] = true end
  local list, columns = {}, {}
  if not parser:peek_word "by" then list, columns = read_aggregates(parser) end
  if behind then
    if not parser:peek_word "by" then parser:refuse() end
    parser.at = behind
  end
  local shapes = shape_of(groups)
  for _, column in ipairs(columns) do shapes[#shapes + 1] = column end
  parser.scope = scopes.new(shapes)
  return function(rows)
    local of_key, order = {}, {}
    if #groups == 0 then order[1] = { rows = rows, result = {} } end
    for _, row in ipairs(#groups > 0 and rows or {}) do
      local key = scopes.key(groups, row, values.key)
      local group = of_key[key]
      if not group then
        group = { rows = {}, result = {} }
        for _, one in ipairs(groups) do group.result[one.name] = one.read(row) end
        of_key[key], order[#order + 1] = group, group
      end
      group.rows[#group.rows + 1] = row
    end
    local result = {}
    for i, group in ipairs(order) do
      for _, one in ipairs(list) do one.fill(group.rows, group.result) end
      result[i] = group.result
    end
    return result
  end
end

local function read_count(parser)
  local token = parser:expect "literal"
  if token.type ~= "long" then parser:refuse(token) end
  return token.value
end

local function first(rows, count)
  local result = {}
  for i = 1, math.min(count, #rows) do result[i] = rows[i] end
  return result
end

function operators.take(parser)
  local count = read_count(parser)
  return function(rows) return first(rows, count) end
end
operators.limit = operators.take

-- expression [asc | desc] [nulls first | nulls last], ...
local function read_order(parser)
  local keys = {}
  repeat
    local node = parser:expression()
    local is_ascending = parser:accept_word "asc" ~= nil
    if not is_ascending then parser:accept_word "desc" end
    local nulls_first = is_ascending
    if parser:accept_word "nulls" then
      nulls_first = parser:accept_word "first" ~= nil
      if not nulls_first then parser:expect_word "last" end
    end
    if node.type == "dynamic" then refusal.semantic("A value of type dynamic cannot be sorted by") end
    keys[#keys + 1] = { node = node, is_ascending = is_ascending, nulls_first = nulls_first }
  until not parser:accept ","
  return keys
end

-- Whether one comes before another by a key; nil if neither does.
local function precedes(key, left, right)
  if left == nil or right == nil then
    if left == nil and right == nil then return nil end
    return (left == nil) == key.nulls_first
  end
  if values.before(key.node.type, left, right) then return key.is_ascending end
  if values.before(key.node.type, right, left) then return not key.is_ascending end
end

local function sorted(rows, keys)
  local entries = {}
  for i, row in ipairs(rows) do
    entries[i] = { row = row, place = i }
    for j, key in ipairs(keys) do entries[i][j] = key.node.read(row) end
  end
  table.sort(entries, function(a, b)
    for j, key in ipairs(keys) do
      local answer = precedes(key, a[j], b[j])
      if answer ~= nil then return answer end
    end
    return a.place < b.place
  end)
  local result = {}
  for i, entry in ipairs(entries) do result[i] = entry.row end
  return result
end

function operators.sort(parser)
  parser:expect_word "by"
  local keys = read_order(parser)
  return function(rows) return sorted(rows, keys) end
end
operators.order = operators.sort

function operators.top(parser)
  local count = read_count(parser)
  parser:expect_word "by"
  local keys = read_order(parser)
  return function(rows) return first(sorted(rows, keys), count) end
end

function operators.count(parser)
  parser.scope = scopes.new { { name = "Count", type = "long" } }
  return function(rows) return { { Count = #rows } } end
end

function operators.getschema(parser)
  local rows = {}
  for i, column in ipairs(parser.scope.columns) do
    rows[i] = { ColumnName = column.name, ColumnOrdinal = i - 1, DataType = values.system_types[column.type],
      ColumnType = column.type }
  end
  parser.scope = scopes.new { { name = "ColumnName", type = "string" }, { name = "ColumnOrdinal", type = "int" },
    { name = "DataType", type = "string" }, { name = "ColumnType", type = "string" } }
  return function() return rows end
end

-- A column of both sides by which they are joined: a name, or $left.name == $right.name.
local function read_key(parser, left, right)
  local name = parser:expect_name()
  local own, others = name, name
  if name == "$left" then
    parser:expect "."
    own = parser:expect_name()
    parser:expect "=="
    if parser:expect_name() ~= "$right" then refusal.semantic("join: $left.name == $right.name expected") end
    parser:expect "."
    others = parser:expect_name()
  end
  local mine, theirs = left.by_name[own], right.by_name[others]
  if not mine then parser:unresolved(own) end
  if not theirs then parser:unresolved(others) end
  if mine.type ~= theirs.type then
    refusal.semantic("join: '%s' is of type %s and '%s' of type %s", own, mine.type, others, theirs.type)
  end
  check_groupable { mine }
  return { own = own, others = others, type = mine.type }
end

local function key_of(keys, row, side)
  local nodes = {}
  for i, key in ipairs(keys) do nodes[i] = { type = key.type, read = function() return row[key[side]] end } end
  return scopes.key(nodes, row, values.key)
end

-- join kind=inner (query) on ...
function operators.join(parser)
  local kind = parser:accept_word "kind" and parser:expect "=" and parser:expect_name() or "innerunique"
  if kind ~= "inner" then refusal.not_simulated(("join kind=%s; kind=inner is"):format(kind)) end
  local left = parser.scope
  parser:expect "("
  local read_right, right = parser:subquery()
  parser:expect ")"
  parser:expect_word "on"
  local keys = {}
  repeat keys[#keys + 1] = read_key(parser, left, right) until not parser:accept ","
  local shapes, names, taken = {}, {}, {}
  for i, column in ipairs(left.columns) do shapes[i], taken[column.name] = column, true end
  for _, column in ipairs(right.columns) do
    local name, number = column.name, 0
    while taken[name] do number, name = number + 1, column.name .. number + 1 end
    taken[name], names[column.name] = true, name
    shapes[#shapes + 1] = { name = name, type = column.type }
  end
  parser.scope = scopes.new(shapes)
  return function(rows)
    local of_key, result = {}, {}
    for _, row in ipairs(read_right()) do
      local key = key_of(keys, row, "others")
      of_key[key] = of_key[key] or {}
      table.insert(of_key[key], row)
    end
    for _, row in ipairs(rows) do
      for _, other in ipairs(of_key[key_of(keys, row, "own")] or {}) do
        local one = copy(row)
        for name, value in pairs(other) do
          if names[name] then one[names[name]] = value end
        end
        result[#result + 1] = one
      end
    end
    return result
  end
end

--- Reads an operator behind its name.
---@param name string
---@param parser mde.sim.kql.parser
---@return fun(rows: table[]): table[] step
function M.read(name, parser)
  local read = operators[name]
  if not read then refusal.not_simulated(("the operator %s"):format(name)) end
  parser.operator = name
  return read(parser)
end

return M
