--- rows: writes records as they come: in columns on a terminal, tab-separated elsewhere, or as asked
--- for: CSV (--csv) or one JSON object a line (--json).

local csv = require "mde.cli.ui.csv"
local json = require "mde.base.json_line"
local output = require "mde.cli.ui.output"
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"

local M = {}

--- The options that choose a format.
---@param command table of argparse
function M.configure(command)
  command:mutex(
    command:flag("--json", "Write one JSON object a line (JSON Lines)."),
    command:flag("--csv", "Write CSV, with a heading.")
  )
end

--- The option of what has a heading in text, too.
---@param command table of argparse
function M.configure_heading(command)
  command:flag("--no-heading", "Leave the heading away, of CSV too.")
end

---@param arguments table as argparse leaves them
---@return "json"|"csv"|"text"
function M.format(arguments)
  return arguments.json and "json" or arguments.csv and "csv" or "text"
end

---@class mde.cli.RowColumn: mde.cli.Column
---@field name string the heading where a program reads it
---@field value fun(record: any): any what is written
---@field shown? fun(record: any, now: number?): string? what a person is shown, if it differs; nil: without a client
---@field only_data? boolean not shown on a terminal
---@field only_shown? boolean on a terminal alone

local function without(columns, mark)
  local rest = {}
  for _, column in ipairs(columns) do
    if not column[mark] then rest[#rest + 1] = column end
  end
  return rest
end

local function has_heading(context)
  return not (context.arguments and context.arguments.no_heading)
end

local function in_columns(context, columns)
  local visible = without(columns, "only_data")
  local shown = tables.new(visible, terminal.columns(), function(line, is_heading)
    output.write((is_heading and terminal.heading(line) or line) .. "\n")
  end, not has_heading(context))
  return {
    add = function(record)
      local row, now = {}, context.client and context.client:now()
      for i, column in ipairs(visible) do
        local value = (column.shown or column.value)(record, now)
        row[i] = value == nil and "" or csv.text(value)
      end
      shown.add(row)
    end,
    finish = shown.finish,
  }
end

local writers = {}

function writers.json(_, _, as_json)
  return {
    add = function(record) output.write(json.encode(as_json and as_json(record) or record) .. "\n") end,
    finish = function() end,
  }
end

local function names_of(columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  return names
end

function writers.csv(context, columns)
  local is_continued = context.headed == columns
  context.headed = columns
  columns = without(columns, "only_shown")
  if has_heading(context) and not is_continued then output.write(csv.line(names_of(columns), #columns)) end
  return {
    add = function(record)
      local values = {}
      for i, column in ipairs(columns) do values[i] = column.value(record) end
      output.write(csv.line(values, #columns))
    end,
    finish = function() end,
  }
end

function writers.text(context, columns)
  if terminal.shows_results() then return in_columns(context, columns) end
  columns = without(columns, "only_shown")
  local heading = has_heading(context) and names_of(columns)
  return {
    -- As on a terminal, nothing has no heading.
    add = function(record)
      if heading then output.write(table.concat(heading, "\t") .. "\n") end
      heading = nil
      local row = {}
      for i, column in ipairs(columns) do
        local value = column.value(record)
        row[i] = value == nil and "" or terminal.escape(csv.text(value))
      end
      output.write(table.concat(row, "\t") .. "\n")
    end,
    finish = function() end,
  }
end

--- A writer of records, in the context's format; `finish` comes after the last. A second one of the same columns
--- continues the CSV of the first.
---@param context mde.cli.Context
---@param columns mde.cli.RowColumn[]
---@param as_json? fun(record: any): table what is written as JSON; default the record itself
---@return { add: fun(record: any), finish: fun() }
function M.new(context, columns, as_json)
  return writers[context.format](context, columns, as_json)
end

return M
