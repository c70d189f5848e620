--- table: lays rows out in columns that fit a terminal.

local terminal = require "mde.cli.ui.terminal"

local GAP = "  "
-- How narrow a column may become, unless it says so itself.
local LEAST = 8
-- More than this is not what makes room scarce: such a column is cut before another is left away.
local WIDE = 40
-- The same of a column that is kept. A name that somebody made long on purpose hides nothing else.
local KEPT_WIDE = 48
-- So many rows are kept back to see how wide the columns are; what comes later has to fit.
local SAMPLE = 100

local M = {}

---@class mde.cli.Column
---@field title string
---@field optional boolean? left away where there is no room for all
---@field least integer? how narrow it may become
---@field kept boolean? others are left away before it is cut, if it is no wider than names are

local function natural_widths(columns, rows, without_titles)
  local widths = {}
  for i, column in ipairs(columns) do
    widths[i] = without_titles and 0 or #column.title
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], terminal.width(row[i])) end
  end
  return widths
end

local function total_width(widths, used)
  local total = -#GAP
  for i, width in ipairs(widths) do
    if used[i] then total = total + width + #GAP end
  end
  return total
end

-- Of those that are optional, from the left, each for which there is room.
local function choose(columns, widths, used, limit)
  local wanted = {}
  for i, width in ipairs(widths) do
    wanted[i] = math.min(width, columns[i].kept and KEPT_WIDE or WIDE)
    used[i] = not columns[i].optional
  end
  for i, column in ipairs(columns) do
    if column.optional then
      used[i] = true
      used[i] = total_width(wanted, used) <= limit
    end
  end
end

local function shrink(columns, widths, used, limit)
  while total_width(widths, used) > limit do
    local widest
    for i, width in ipairs(widths) do
      if used[i] and width > (columns[i].least or LEAST) and (not widest or width > widths[widest]) then widest = i end
    end
    if not widest then return end
    widths[widest] = widths[widest] - 1
  end
end

--- Columns that are filled row by row and written in lines.
---@param columns mde.cli.Column[]
---@param limit integer the columns of the terminal
---@param write fun(line: string, is_heading: boolean?) is given one line at a time, without its end
---@param without_titles? boolean
---@return { add: fun(row: string[]), finish: fun() } table rows are texts, one for each column
function M.new(columns, limit, write, without_titles)
  local rows, widths, used = {}, nil, {}

  local function put(row, is_heading)
    local cells = {}
    for i in ipairs(columns) do
      if used[i] then cells[#cells + 1] = terminal.fit(row[i], widths[i]) end
    end
    local line = table.concat(cells, GAP):gsub(" +$", "")
    write(line, is_heading)
  end

  local function lay_out()
    widths = natural_widths(columns, rows, without_titles)
    choose(columns, widths, used, limit)
    shrink(columns, widths, used, limit)
    local titles = {}
    for i, column in ipairs(columns) do titles[i] = column.title end
    if not without_titles then put(titles, true) end
    for _, row in ipairs(rows) do put(row) end
    rows = nil
  end

  return {
    add = function(row)
      local shown = {}
      for i in ipairs(columns) do shown[i] = terminal.escape(row[i] or "") end
      if not rows then return put(shown) end
      rows[#rows + 1] = shown
      if #rows == SAMPLE then lay_out() end
    end,
    finish = function()
      if rows and #rows > 0 then lay_out() end
    end,
  }
end

return M
