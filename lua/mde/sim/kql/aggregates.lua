-- What summarize makes of a group of rows.
--
-- Each reads its arguments and returns its columns, and a function that fills them from all rows of a group.
local json = require "mde.sim.base.json"
local refusal = require "mde.sim.kql.refusal"
local values = require "mde.sim.kql.value"

local M = {}

---@class mde.sim.kql.aggregate
---@field columns mde.sim.kql.column[]
---@field fill fun(rows: table[], result: table)

local aggregates = {}

local function one_column(parser, name, default, kind, calculate)
  if name == nil then name = default end
  parser:expect ")"
  return { columns = { { name = name, type = kind } }, fill = function(rows, result)
    result[name] = calculate(rows)
  end }
end

-- The only argument, and the end of a column's name that is made of it.
local function argument(parser)
  local node = parser:expression()
  return node, node.name or ""
end

function aggregates.count(parser, name)
  return one_column(parser, name, "count_", "long", function(rows) return #rows end)
end

function aggregates.countif(parser, name)
  local node = argument(parser)
  if node.type ~= "bool" then refusal.semantic("countif(): argument #1 is of type %s", node.type) end
  return one_column(parser, name, "countif_", "long", function(rows)
    local count = 0
    for _, row in ipairs(rows) do count = count + (node.read(row) and 1 or 0) end
    return count
  end)
end

-- Exact, which the service's is not.
function aggregates.dcount(parser, name)
  local node, of = argument(parser)
  return one_column(parser, name, "dcount_" .. of, "long", function(rows)
    local seen, count = {}, 0
    for _, row in ipairs(rows) do
      local value = node.read(row)
      local key = values.key(node.type, value)
      if (value ~= nil or node.type == "string") and not seen[key] then seen[key], count = true, count + 1 end
    end
    return count
  end)
end

local function has_order(kind)
  return values.is_numeric(kind) or kind == "datetime" or kind == "timespan" or kind == "bool"
end

-- The row whose value is the greatest, or the least; nil if all are null.
local function extreme(node, rows, wants_greatest)
  local best, best_row
  for _, row in ipairs(rows) do
    local value = node.read(row)
    local is_better = value ~= nil and (best == nil
      or (wants_greatest and values.before(node.type, best, value))
      or (not wants_greatest and values.before(node.type, value, best)))
    if is_better then best, best_row = value, row end
  end
  return best_row, best
end

local function extreme_value(prefix, wants_greatest)
  return function(parser, name)
    local node, of = argument(parser)
    if not has_order(node.type) then refusal.semantic("%s(): argument #1 is of type %s", prefix, node.type) end
    return one_column(parser, name, prefix .. "_" .. of, node.type, function(rows)
      return (select(2, extreme(node, rows, wants_greatest)))
    end)
  end
end

aggregates.max, aggregates.min = extreme_value("max", true), extreme_value("min", false)

function aggregates.sum(parser, name)
  local node, of = argument(parser)
  if not values.is_numeric(node.type) then refusal.semantic("sum(): argument #1 is of type %s", node.type) end
  return one_column(parser, name, "sum_" .. of, node.type == "real" and "real" or "long", function(rows)
    local sum = 0
    for _, row in ipairs(rows) do sum = sum + (node.read(row) or 0) end
    return sum
  end)
end

-- A value as an element of a list.
local function element(kind, value)
  if kind == "string" then return value or "" end
  if kind == "datetime" or kind == "timespan" then return values.text(kind, value) end
  return value
end

local function gather(prefix, once)
  return function(parser, name)
    local node, of = argument(parser)
    local most = 1048576
    if parser:accept "," then
      local limit = parser:expect "literal"
      if limit.type ~= "long" then parser:refuse(limit) end
      most = limit.value
    end
    return one_column(parser, name, prefix .. "_" .. of, "dynamic", function(rows)
      local list, seen = json.array {}, {}
      for _, row in ipairs(rows) do
        local value = node.read(row)
        local key = values.key(node.type, value)
        if (value ~= nil or node.type == "string") and not (once and seen[key]) and #list < most then
          seen[key], list[#list + 1] = true, element(node.type, value)
        end
      end
      return list
    end)
  end
end

aggregates.make_set, aggregates.make_list = gather("set", true), gather("list", false)

-- The columns that stand behind a comma, or all for *, without one that is there already.
local function further_columns(parser, own)
  local columns = {}
  local function add(column)
    if column.name ~= own and not parser.group_names[column.name] then columns[#columns + 1] = column end
  end
  while parser:accept "," do
    if parser:accept "*" then
      for _, column in ipairs(parser.scope.columns) do add(column) end
    else
      local token = parser:expect "name"
      add(parser.scope.by_name[token.name] or parser:unresolved(token.name))
    end
  end
  parser:expect ")"
  return columns
end

local function argument_of_extreme(prefix, wants_greatest)
  return function(parser, name)
    if name then refusal.not_simulated(("a name for the columns of %s()"):format(prefix)) end
    local node = parser:expression()
    if not has_order(node.type) then refusal.semantic("%s(): argument #1 is of type %s", prefix, node.type) end
    local own = node.name or prefix .. "_"
    local columns = further_columns(parser, own)
    table.insert(columns, 1, { name = own, type = node.type })
    return { columns = columns, fill = function(rows, result)
      local row, best = extreme(node, rows, wants_greatest)
      if not row then return end
      for _, column in ipairs(columns) do result[column.name] = row[column.name] end
      result[own] = best
    end }
  end
end

aggregates.arg_max, aggregates.arg_min = argument_of_extreme("arg_max", true), argument_of_extreme("arg_min", false)

--- Reads an aggregate behind its name and parenthesis.
---@param function_name string
---@param parser mde.sim.kql.parser its `group_names` are the columns that the rows are grouped by
---@param name string? what its column is called; by default the function's and its argument's name
---@return mde.sim.kql.aggregate
function M.read(function_name, parser, name)
  local read = aggregates[function_name]
  if not read then refusal.not_simulated(("the aggregate %s()"):format(function_name)) end
  return read(parser, name)
end

return M
