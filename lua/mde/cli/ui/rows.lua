--- rows: writes records as they come: in columns on a terminal, tab-separated elsewhere, or as asked
--- for: CSV (--csv) or one JSON object a line (--json).

local csv = require "mde.cli.ui.csv"
local json = require "mde.cli.ui.json"
local output = require "mde.cli.ui.output"
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"

local rows = {}

--- The options that choose a format.
---@param command table of argparse
function rows.configure(command)
  command:mutex(
    command:flag("--json", "Write one JSON object a line (JSON Lines)."),
    command:flag("--csv", "Write CSV, with a heading.")
  )
end

---@param arguments table as argparse leaves them
---@return "json"|"csv"|"text"
function rows.format(arguments)
  return arguments.json and "json" or arguments.csv and "csv" or "text"
end

---@class mde.cli.RowColumn: mde.cli.Column
---@field name string the heading in CSV
---@field value fun(record: any): any what is written
---@field shown? fun(record: any): string? what a person is shown, if it differs
---@field only_data? boolean not shown on a terminal
---@field only_shown? boolean on a terminal alone

local function without(columns, mark)
  local rest = {}
  for _, column in ipairs(columns) do
    if not column[mark] then rest[#rest + 1] = column end
  end
  return rest
end

local function texts(columns, record, for_people)
  local row = {}
  for i, column in ipairs(columns) do
    local value = (for_people and column.shown or column.value)(record)
    row[i] = value == nil and "" or csv.text(value)
  end
  return row
end

local function in_columns(columns)
  local visible = without(columns, "only_data")
  local shown = tables.new(visible, terminal.columns(), function(line) output.write(line .. "\n") end)
  return {
    add = function(record) shown.add(texts(visible, record, true)) end,
    finish = shown.finish,
  }
end

local writers = {}

function writers.json()
  return { add = function(record) output.write(json.encode(record) .. "\n") end, finish = function() end }
end

function writers.csv(columns)
  columns = without(columns, "only_shown")
  local titles = {}
  for i, column in ipairs(columns) do titles[i] = column.name end
  output.write(csv.line(titles, #columns))
  return {
    add = function(record)
      local values = {}
      for i, column in ipairs(columns) do values[i] = column.value(record) end
      output.write(csv.line(values, #columns))
    end,
    finish = function() end,
  }
end

function writers.text(columns)
  if terminal.shows_results() then return in_columns(columns) end
  columns = without(columns, "only_shown")
  return {
    add = function(record)
      local row = texts(columns, record)
      for i, text in ipairs(row) do row[i] = terminal.escape(text) end
      output.write(table.concat(row, "\t") .. "\n")
    end,
    finish = function() end,
  }
end

--- A writer of records; `finish` comes after the last.
---@param format "json"|"csv"|"text"
---@param columns mde.cli.RowColumn[]
---@return { add: fun(record: any), finish: fun() }
function rows.new(format, columns)
  return writers[format](columns)
end

return rows
