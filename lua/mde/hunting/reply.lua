--- reply: the rows of a hunting query, by the columns that its schema names.
--
-- Pages show rows whose names are in another case than the schema's, and schemas with `Name` and `Type`; both are
-- taken. A truth value comes as SByte, 0 or 1, and is true or false here: the query language has no other value that
-- comes as one. Another number than these stays a number. Times stay texts, and what is nested stays as it is. A null
-- is absent. A whole number beyond 2^53 comes as a text of its digits, for Lua may not hold it.

local core = require "mde.core"

local M = {}

---@class mde.HuntColumn
---@field name string
---@field type string as the service says it: "String", "DateTime", "Int64", "SByte", "Double", "Object", ...

local function read_column(entry)
  if type(entry) ~= "table" then return nil end
  local name, kind = entry.name, entry.type
  if name == nil then name = entry.Name end
  if kind == nil then kind = entry.Type end
  if type(name) ~= "string" or type(kind) ~= "string" then return nil end
  return { name = name, type = kind }
end

local function read_schema(list)
  if type(list) ~= "table" then return nil end
  local schema = {}
  for i, entry in ipairs(list) do
    schema[i] = read_column(entry)
    if not schema[i] then return nil end
  end
  return schema
end

local TRUTH = { [0] = false, [1] = true }
local FRACTIONS = { double = true, single = true }

local function value_of(column, value)
  local kind = column and core.text.lower(column.type)
  if kind == "sbyte" and TRUTH[value] ~= nil then return TRUTH[value] end
  -- What is a double at the service is one here, however it is written.
  if FRACTIONS[kind] and type(value) == "string" and value:find "^%-?%d+$" then return core.number.read(value) end
  return value
end

-- Which column a name in a row means: the one of that name, or else the only one that is the same in another case.
local function finder(schema)
  local exact, folded = {}, {}
  for _, column in ipairs(schema) do
    local key = core.text.lower(column.name)
    exact[column.name] = column
    folded[key] = folded[key] == nil and column or false
  end
  return function(name) return exact[name] or folded[core.text.lower(name)] or nil end
end

-- A row by the schema's names. What has no column, or has been told already by the column's own name, keeps its name.
local function read_row(row, find)
  local result = {}
  for name, value in pairs(row) do
    local column = find(name)
    local own = column and (name == column.name or row[column.name] == nil) and column.name or name
    result[own] = value_of(column, value)
  end
  return result
end

--- What tells whether an answer is a reply.
---@param answer table
---@param text string
---@return boolean
---@return string? problem
function M.is_one(answer, text)
  if not read_schema(answer.schema) then return false, "it has no schema" end
  local count = core.json.list(text, "results")
  if not count or type(answer.results) ~= "table" then return false, "it has no list of results" end
  for i = 1, count do
    if type(answer.results[i]) ~= "table" then return false, ("row %d is no object"):format(i) end
  end
  return true
end

--- The columns and the rows of a reply.
---@param answer table
---@return mde.HuntColumn[] schema
---@return table[] rows
function M.read(answer)
  local schema = read_schema(answer.schema) or {}
  local find, rows = finder(schema), {}
  for i, row in ipairs(answer.results) do rows[i] = read_row(row, find) end
  return schema, rows
end

return M
