-- The columns that an operator sees, in their order.
local refusal = require "mde.sim.kql.refusal"

local M = {}

---@class mde.sim.kql.column
---@field name string
---@field type string

---@class mde.sim.kql.scope
---@field columns mde.sim.kql.column[]
---@field by_name table<string, mde.sim.kql.column>

---@param columns mde.sim.kql.column[]
---@return mde.sim.kql.scope
function M.new(columns)
  local by_name = {}
  for _, column in ipairs(columns) do
    if by_name[column.name] then
      refusal.semantic("A column with the name '%s' is declared twice", column.name)
    end
    by_name[column.name] = column
  end
  return { columns = columns, by_name = by_name }
end

--- What a row is told apart by from others: the values of some nodes.
---@param nodes mde.sim.kql.node[]
---@param row table
---@param key_of fun(kind: string, value: any): string
---@return string
function M.key(nodes, row, key_of)
  local parts = {}
  for i, node in ipairs(nodes) do
    local key = key_of(node.type, node.read(row))
    parts[i] = #key .. ":" .. key
  end
  return table.concat(parts)
end

return M
