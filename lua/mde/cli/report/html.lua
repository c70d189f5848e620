--- html: writes a page of HTML that runs nothing and loads nothing, whatever the texts in it are.
--
-- There is one way for a text to get into it, `M.text`. A text that somebody chose cannot begin a tag, end a value or
-- hide anything: what acts or does not show is written out, as on a terminal.

local errors = require "mde.base.error"
local core = require "mde.core"
local posix = require "mde.posix"

local BUFFER_BYTES = 65536
-- Of a text that is longer the beginning is shown.
local MAX_BYTES = 400

local M = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function cut(value, bytes)
  if #value <= bytes then return value end
  return value:sub(1, bytes - 3):gsub("[\192-\255][\128-\191]*$", "") .. "..."
end

--- A text as it may stand between tags, and between the quotes of an attribute.
---@param value any nil is nothing
---@param bytes? integer so long at the most; default 400
---@return string
function M.text(value, bytes)
  if value == nil then return "" end
  return (errors.escape(cut(tostring(value), bytes or MAX_BYTES)):gsub("[&<>\"']", entities))
end

--- A text of many lines, for <pre>.
---@param value string
---@param bytes integer so long at the most
---@return string
function M.lines(value, bytes)
  local lines = {}
  for line in (cut(value, bytes) .. "\n"):gmatch "([^\n]*)\n" do
    local plain = line:gsub("\r$", ""):gsub("\t", "    ")
    lines[#lines + 1] = M.text(plain, bytes)
  end
  return table.concat(lines, "\n")
end

--- A time; only its hours and minutes are shown if the day is told elsewhere.
---@param seconds? number Unix seconds; nil is nothing
---@param day? string "2026-11-29", which the page tells elsewhere
---@return string
function M.time(seconds, day)
  if not seconds then return "" end
  local text = core.timestamp.whole(seconds)
  local shown = text:sub(1, 10) == day and text:sub(12, 19) or text:sub(1, 10) .. " " .. text:sub(12, 19)
  return ('<time datetime="%s">%s</time>'):format(text, shown)
end

-- ---- the file

local function cannot_write(path, problem)
  errors.invalid("report_unwritable", ("the report %s cannot be written: %s"):format(errors.quote(path), problem),
    "Name another file.")
end

--- Writes a file of this user's alone, which must not be there. Raises if it cannot be written; then it is not there.
---@param path string
---@param fn fun(out: fun(...: string)) writes the parts
function M.write(path, fn)
  if path == "" then errors.invalid("empty_text", "--html is empty; an empty shell variable?", "Give a path.") end
  if posix.directory.is_regular(path) ~= nil then cannot_write(path, "it is there already") end
  local made, problem = posix.locked_file.open(path)
  if not made then cannot_write(path, problem) end
  made:close()
  local file, message = io.open(path, "wb")
  if not file then cannot_write(path, (message:gsub("^.*: ", ""))) end
  file:setvbuf("full", BUFFER_BYTES)
  local failed
  local ok, raised = pcall(fn, function(...)
    if failed then return end
    local written, why = file:write(...)
    if not written then failed = why end
  end)
  local closed, why = file:close()
  if not closed then failed = failed or why end
  if ok and not failed then return end
  os.remove(path)
  if not ok then error(raised, 0) end
  cannot_write(path, errors.show(failed))
end

return M
