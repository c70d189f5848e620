-- A query in the Kusto Query Language: read, checked and run over tables of rows. What it knows is a documented part of
-- the language (see sim.md). Anything else is refused, in the manner of the service where the service would refuse it,
-- too; nothing is guessed.
--
--   query     = { "let" name "=" ( expression | pipeline ) ";" } pipeline [ ";" ]
--   pipeline  = source { "|" operator }
--   source    = table | name of a pipeline | "(" pipeline ")"
local encoding = require "mde.sim.base.encoding"
local expression = require "mde.sim.kql.expression"
local lexer = require "mde.sim.kql.lexer"
local operators = require "mde.sim.kql.operators"
local refusal = require "mde.sim.kql.refusal"
local scopes = require "mde.sim.kql.scope"
local values = require "mde.sim.kql.value"

---@class mde.sim.kql.table
---@field columns mde.sim.kql.column[]
---@field rows fun(): table[] with the columns' names; what is absent is null

local M = {}

-- What a query can begin with that this tenant does not know.
local unknown_beginnings = { set = true, declare = true, restrict = true, alias = true, union = true, print = true,
  search = true, find = true, range = true, datatable = true, externaldata = true }

-- project-away, mv-expand: a name with hyphens.
local function operator_name(parser)
  local name = parser:expect_name()
  while parser:peek().kind == "-" and parser:peek().adjacent do
    parser:take()
    name = name .. "-" .. parser:expect_name()
  end
  return name
end

local parser = setmetatable({}, { __index = expression })
parser.__index = parser

-- Where rows come from: a function that reads them. The scope is its columns.
function parser:source()
  if self:accept "(" then
    local read, scope = self:subquery()
    self:expect ")"
    self.scope = scope
    return read
  end
  local token = self:expect "name"
  local piped, named = self.pipelines[token.name], self.tables[token.name]
  if not piped and not named then
    local operator = self:accept "|" and operator_name(self)
    self.operator = operator or token.name
    if operator then self:unresolved(token.name) end
    refusal.semantic("Failed to resolve table or column expression named '%s'", token.name)
  end
  self.scope = piped and piped.scope or scopes.new(named.columns)
  return piped and piped.read or named.rows
end

function parser:pipeline()
  local read, steps = self:source(), {}
  while self:accept "|" do steps[#steps + 1] = operators.read(operator_name(self), self) end
  return function()
    local rows = read()
    for _, step in ipairs(steps) do rows = step(rows) end
    return rows
  end
end

--- Reads a pipeline within another one, whose scope it leaves alone.
---@return fun(): table[] read
---@return mde.sim.kql.scope
function parser:subquery()
  local scope, operator = self.scope, self.operator
  local read = self:pipeline()
  local own = self.scope
  self.scope, self.operator = scope, operator
  return read, own
end

function parser:let()
  local name = self:expect_name()
  self:expect "="
  if self.variables[name] or self.pipelines[name] then
    refusal.semantic("'let': the name '%s' is declared twice", name)
  end
  local token = self:peek()
  if token.kind == "name" and (self.tables[token.name] or self.pipelines[token.name]) then
    local read, scope = self:subquery()
    self.pipelines[name] = { read = read, scope = scope }
  else
    self.operator = "let"
    self.variables[name] = self:expression()
  end
  self:expect ";"
end

local function read(text, tables, now)
  local self = setmetatable({ text = text, tokens = lexer.read(text), at = 1, tables = tables, now = now,
    scope = scopes.new {}, variables = {}, pipelines = {}, operator = "" }, parser)
  while self:accept_word "let" do self:let() end
  local token = self:peek()
  if token.kind == "end" then refusal.raise "Syntax error: The query is empty. Fix syntax errors in your query." end
  if unknown_beginnings[token.name] then refusal.not_simulated(("a query with %s"):format(token.name)) end
  local run = self:pipeline()
  self:accept ";"
  if self:peek().kind ~= "end" then self:refuse() end
  return { columns = self.scope.columns, rows = run() }
end

--- Runs a query.
---@param text string
---@param tables table<string, mde.sim.kql.table>
---@param now number Unix seconds
---@return { columns: mde.sim.kql.column[], rows: table[] }? result
---@return string? message why it is refused
function M.run(text, tables, now)
  if not encoding.characters(text) then return nil, "The query is not UTF-8." end
  local ok, result = refusal.catch(function() return read(text, tables, now) end)
  if not ok then return nil, result end
  return result
end

--- A row as a reply has it.
---@param columns mde.sim.kql.column[]
---@param row table
---@return table
function M.wire_row(columns, row)
  local one = {}
  for _, column in ipairs(columns) do one[column.name] = values.wire(column.type, row[column.name]) end
  return one
end

return M
