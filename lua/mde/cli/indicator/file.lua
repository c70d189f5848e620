--- file: indicators from a file: CSV with the service's names in its heading, a list in JSON, or a JSON object a line.
--
-- Nothing is guessed: a column that is no field of an indicator refuses the file.

local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local options_of = require "mde.base.options"

local MAX_BYTES = 64 * 1024 * 1024

local M = {}

-- What a row may have, and how a cell is read where it is no text.
local function truth(cell)
  if cell == "true" then return true elseif cell == "false" then return false end
  return cell
end

-- Names of groups have commas in them.
local function list(cell)
  local items = {}
  for item in (cell .. ";"):gmatch "([^;]*);" do items[#items + 1] = core.text.trim(item) end
  return items
end

local function numbers(cell)
  local items = list(cell)
  for i, item in ipairs(items) do items[i] = item:find "^%d+$" and core.number.read(item) or item end
  return items
end

local function text(cell) return cell end

local columns = {
  indicatorValue = text, indicatorType = text, action = text, title = text, description = text, severity = text,
  expirationTime = text, expires_in = text, recommendedActions = text, application = text, educateUrl = text,
  externalId = text, generateAlert = truth, rbacGroupNames = list, rbacGroupIds = numbers,
}

local function refuse(name, where, what, hint)
  errors.invalid("list_malformed", ("%s%s: %s"):format(errors.quote(name), where and ", line " .. where or "", what),
    hint or "Nothing was done.")
end

-- ---- CSV (RFC 4180)

-- The cells of the record at a position, where the next one begins, and how many lines it takes.
local function read_record(name, source, at, line)
  local cells, lines = {}, 1
  while true do
    local cell
    if source:sub(at, at) == '"' then
      local parts = {}
      at = at + 1
      while true do
        local quote = source:find('"', at, true)
        if not quote then refuse(name, line, "a quote is not closed") end
        parts[#parts + 1] = source:sub(at, quote - 1)
        at = quote + 1
        if source:sub(at, at) ~= '"' then break end
        parts[#parts + 1] = '"'
        at = at + 1
      end
      cell = table.concat(parts)
      lines = lines + select(2, cell:gsub("\n", ""))
    else
      local stop = source:find('[,\r\n]', at) or #source + 1
      cell = source:sub(at, stop - 1)
      if cell:find('"', 1, true) then refuse(name, line, "a quote stands within a cell without quotes") end
      at = stop
    end
    cells[#cells + 1] = cell
    local ending = source:match("^\r?\n", at)
    if ending or at > #source then return cells, at + #(ending or ""), lines end
    if source:sub(at, at) ~= "," then refuse(name, line, "there is something behind a quoted cell") end
    at = at + 1
  end
end

local function check_heading(name, cells)
  local seen = {}
  for _, heading in ipairs(cells) do
    if not columns[heading] then
      local near = options_of.nearest(heading, columns)
      refuse(name, 1, ("an indicator has no field %s"):format(errors.quote(heading)),
        near and ("Did you mean %q?"):format(near) or ("There are %s, with commas between."):format(
          options_of.listed(columns)))
    elseif seen[heading] then
      refuse(name, 1, ("there are two columns %s"):format(heading))
    end
    seen[heading] = true
  end
end

local function read_csv(name, source)
  local headings, at, count = read_record(name, source, 1, 1)
  check_heading(name, headings)
  local rows, lines, line = {}, {}, 1 + count
  while at <= #source do
    local cells
    cells, at, count = read_record(name, source, at, line)
    if #cells == #headings then
      local row = {}
      for i, heading in ipairs(headings) do
        if cells[i] ~= "" then row[heading] = columns[heading](cells[i]) end
      end
      rows[#rows + 1], lines[#lines + 1] = row, line
    elseif #cells > 1 or cells[1]:find "%S" then
      refuse(name, line, ("it has %d cells, and the heading %d"):format(#cells, #headings))
    end
    line = line + count
  end
  return rows, lines
end

-- ---- JSON

local function read_json(name, source)
  if core.text.trim(source):sub(1, 1) == "[" then
    local rows, problem = json.object(source)
    if not rows then refuse(name, nil, "it is not JSON: " .. tostring(problem)) end
    return rows, {}
  end
  local rows, lines, line = {}, {}, 0
  for one in (source .. "\n"):gmatch "([^\n]*)\n" do
    line = line + 1
    if one:find "%S" then
      local row, problem = json.object(one)
      if not row then refuse(name, line, "it is not a JSON object: " .. tostring(problem)) end
      rows[#rows + 1], lines[#lines + 1] = row, line
    end
  end
  return rows, lines
end

--- The indicators in a file. Raises if it cannot be read whole.
---@param path string "-" is standard input
---@return table[] rows
---@return integer[] lines where each begins, if that is known
function M.read(path)
  local handle, problem
  if path == "-" then handle = io.stdin else handle, problem = io.open(path, "rb") end
  local source = handle and handle:read(MAX_BYTES + 1)
  if handle and path ~= "-" then handle:close() end
  if not handle then
    errors.invalid("list_unreadable", ("the file %s cannot be read: %s"):format(errors.quote(path),
      errors.show(problem)), "Nothing was done.")
  end
  source = (source or ""):gsub("^\239\187\191", "")
  if #source > MAX_BYTES then refuse(path, nil, "it is longer than 64 MB") end
  local first = core.text.trim(source):sub(1, 1)
  if first == "" then refuse(path, nil, "it is empty") end
  if first == "[" or first == "{" then return read_json(path, source) end
  return read_csv(path, source)
end

return M
