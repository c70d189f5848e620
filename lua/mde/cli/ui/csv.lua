--- csv: writes rows that a spreadsheet shows and does not run.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

-- The wide forms of = + - @ in Unicode, which some spreadsheets take for the plain ones.
local wide_signs = { ["\239\188\157"] = true, ["\239\188\139"] = true, ["\239\188\141"] = true,
  ["\239\188\160"] = true }

local function is_formula(text)
  return text:find "^[ ]*[=+%-@\t\r\n]" ~= nil or wide_signs[text:sub(1, 3)] ~= nil
end

--- A value as a text; a number in every locale alike.
---@param value any
---@return string
function M.text(value)
  return type(value) == "number" and core.number.write(value) or tostring(value)
end

--- One cell. A text that a spreadsheet would take for a formula gets an apostrophe in front; control
--- characters are shown as `\x1b`.
---@param value any nil is an empty cell
---@return string
function M.cell(value)
  if value == nil then return "" end
  if type(value) ~= "string" then return M.text(value) end
  local text = errors.escape(value)
  if is_formula(value) then text = "'" .. text end
  if text:find '[",;]' or text:find "^ " or text:find " $" then text = '"' .. text:gsub('"', '""') .. '"' end
  return text
end

--- One line, with its end.
---@param values any[]
---@param count integer how many cells, since values may be absent
---@return string
function M.line(values, count)
  local cells = {}
  for i = 1, count do cells[i] = M.cell(values[i]) end
  return table.concat(cells, ",") .. "\r\n"
end

return M
