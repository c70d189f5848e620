--- roff: text for a manual page, as man and mandoc read it. What is in a text never acts as a request or an escape.

local M = {}

-- Lines of the source are no longer than this, for what reads them.
local COLUMNS = 76

-- A hyphen that is copied into a shell has to be one, and so has a quote.
local escapes = { ["\\"] = "\\(rs", ["-"] = "\\-", ["'"] = "\\(aq", ["`"] = "\\(ga", ["^"] = "\\(ha", ["~"] = "\\(ti",
  ['"'] = "\\(dq" }

local function escape(text)
  return (text:gsub("[\\%-'`^~\"]", escapes))
end

-- A dot at the beginning of a line would be a request.
local function line(text)
  return text:sub(1, 1) == "." and "\\&" .. text or text
end

--- A text within a line.
M.escape = escape

--- A text in bold within a line.
---@param text string
---@return string
function M.bold(text)
  return "\\fB" .. escape(text) .. "\\fR"
end

--- A text in italics within a line.
---@param text string
---@return string
function M.italic(text)
  return "\\fI" .. escape(text) .. "\\fR"
end

--- A text that is filled up, in lines; white space is as good as a blank.
---@param text string
---@return string lines with their ends
function M.filled(text)
  local lines, current = {}, nil
  for plain in text:gmatch "%S+" do
    local word = escape(plain)
    if current and #current + 1 + #word <= COLUMNS then
      current = current .. " " .. word
    else
      lines[#lines + 1] = current
      current = word
    end
  end
  lines[#lines + 1] = current
  for i, one in ipairs(lines) do lines[i] = line(one) .. "\n" end
  return table.concat(lines)
end

--- A text whose lines and blanks stay as they are.
---@param text string without an end of its last line
---@return string lines with their ends
function M.literal(text)
  local lines = { ".nf\n" }
  for one in (text .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line(escape(one)) .. "\n" end
  lines[#lines + 1] = ".fi\n"
  return table.concat(lines)
end

--- Paragraphs, which blank lines are between: literal where a line of one is indented, as in a table or an example.
---@param text string
---@return string lines with their ends
function M.paragraphs(text)
  local parts = {}
  for paragraph in (text .. "\n\n"):gmatch "(.-)\n\n+" do
    if paragraph:find "%S" then
      local keeps_lines = paragraph:find "^ " or paragraph:find "\n "
      parts[#parts + 1] = ".PP\n" .. (keeps_lines and M.literal(paragraph) or M.filled(paragraph))
    end
  end
  return table.concat(parts)
end

--- An entry of a list: what it is of, and below it what is to be said.
---@param label string escaped already
---@param text string
---@return string lines with their ends
function M.entry(label, text)
  return ".TP\n" .. line(label) .. "\n" .. M.filled(text:find "%S" and text or "See above.")
end

return M
