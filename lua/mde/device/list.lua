--- device_list: reads which devices a file names, for the command and for programs.
--
-- The core decides what a file says (src/core/device_list.h). Here the file is read, each device is taken once,
-- and what a person should know is put into words. What cannot be understood refuses the whole list, unless the caller
-- takes a line that names no device for an error of its own, where that is safe for the others.

local core = require "mde.core"
local errors = require "mde.base.error"
local identities = require "mde.device.identity"
local options_of = require "mde.base.options"
local posix = require "mde.posix"

local INPUT, CHUNK_BYTES = 0, 65536
local MAX_COLUMNS = 256
local MAX_SHOWN = 5
-- So much of what is no device is shown; it may be anything.
local MAX_SHOWN_BYTES = 64

---@class mde.DeviceList the devices, in their order: identifiers, and identities where a line has several
---@field [integer] string|mde.Identity
---@field lines integer[] where each of them was named
---@field repeated mde.Repetition[] those that were named before
---@field flawed mde.FlawedLine[] with `skip_flawed`: lines that name no device
---@field heading? string what stands above the column that names them
---@field column? integer the number of that column; nil for an empty file
---@field read_as string[] how the file was understood, what a person should know of that; one line each
---@field remarks string[] the same, and what was named twice

---@class mde.Repetition
---@field device string|mde.Identity
---@field line integer
---@field first integer the line where it was named before

---@class mde.FlawedLine
---@field text string what stands there for a device, cut if it is long; may be empty
---@field line integer
---@field err mde.Error of kind `invalid`

---@class mde.DeviceListOptions
---@field skip_flawed? boolean true: a line that cannot name a device, is not like the others, or could be a line of a
--- note is left out and stands in `flawed`; default false, which refuses the list
---@field column? string|integer the heading or the number of the column that names the devices
---@field name? string what the list is called in errors and remarks; the path by default

local M = {}

local known_options = { column = "any", name = "text", skip_flawed = "flag" }

-- ---- words

local function shown(text)
  if #text <= MAX_SHOWN_BYTES then return errors.quote(text) end
  return errors.quote(text:sub(1, MAX_SHOWN_BYTES)) .. "..."
end

-- By what the trouble is about.
local codes = { framing = "list_malformed", record = "list_line_malformed", column = "list_column_unclear",
  flaw = "device_malformed" }

local hints = {
  framing = "Correct that place, or export the list again, as CSV in UTF-8. Nothing was done.",
  record = "Correct that line. Nothing was done.",
  column = "Say which column names the devices: column = HEADING or NUMBER (--column); or give each device a line of "
    .. "its own. Nothing was done.",
  flaw = "Give a machine id, an Entra device id or a DNS name for each. Nothing was done.",
  doubt = "Beside such a line any other could be a line of a note, and none shows that it is not, by an id and a name "
    .. "or by quotes around each cell. Correct that place. Nothing was done.",
}

local function listed(columns)
  local parts = {}
  for i = 1, math.min(#columns, MAX_SHOWN) do
    parts[i] = ("%d: %s"):format(columns[i].number, errors.quote(columns[i].heading))
  end
  if #columns > MAX_SHOWN then parts[#parts + 1] = ("%d more"):format(#columns - MAX_SHOWN) end
  return table.concat(parts, ", ")
end

local function describe_trouble(trouble, name)
  local place = ("line %d of %s"):format(trouble.line, name)
  if trouble.column then place = ("%s, column %d"):format(place, trouble.column) end
  local text = ("%s: %s"):format(place, trouble.problem)
  local candidates = trouble.candidates
  return candidates and candidates[1] and ("%s (%s)"):format(text, listed(candidates)) or text
end

local function describe_flaw(entry, name)
  local flaw, place = entry.flaw, ("line %d of %s"):format(entry.line, name)
  if flaw.text == "" then
    return ("%s: its %s cell is empty"):format(place, flaw.column == 1 and "first" or "column " .. flaw.column)
  end
  return ("%s: the device %s %s"):format(place, shown(flaw.text), flaw.reason)
end

-- What to do where an id may be the number of a row.
local function advise_column(heading)
  local quoted = errors.quote(heading)
  return ("If the column %s names the devices, say so: column = %s (--column %s)."):format(quoted, quoted, quoted)
end

local function describe_odd(odd, name)
  return describe_trouble(odd, name) .. (odd.to_end and "; nothing from there on is taken" or "; the line is left out")
end

local function describe_doubt(entry, name, line)
  return ("line %d of %s: %s is left out, since line %d is not like the others, and beside it this could be a line of "
    .. "a note"):format(entry.line, name, shown(entry[1]), line)
end

-- ---- what the lines say

local function skip(self, line, text, code, message, hint)
  local flawed = self.list.flawed
  flawed[#flawed + 1] = { line = line, text = #text > MAX_SHOWN_BYTES and text:sub(1, MAX_SHOWN_BYTES) or text,
    err = errors.new { kind = "invalid", code = code, message = message, hint = hint } }
end

local function add_flaw(self, entry)
  local hint = entry.instead and advise_column(entry.instead)
  self.advice = self.advice or hint
  if self.skips then
    return skip(self, entry.line, entry.flaw.text, codes.flaw, describe_flaw(entry, self.name), hint)
  end
  self.flaw_count = self.flaw_count + 1
  if self.flaw_count <= MAX_SHOWN then self.flaws[self.flaw_count] = describe_flaw(entry, self.name) end
end

local function add_odd(self, entry)
  if not self.skips then return end
  skip(self, entry.line, entry.odd.text, codes[entry.odd.about], describe_odd(entry.odd, self.name))
end

local function add_doubtful(self, entry)
  local line = self.reader:doubt()
  skip(self, entry.line, entry[1], "list_line_doubtful", describe_doubt(entry, self.name, line),
    ("Correct line %d, or give the device's id and its name."):format(line))
end

local function add_entry(self, entry)
  local list, device = self.list, entry[2] and identities.new(entry) or entry[1]
  for _, cell in ipairs(entry.passed_over or {}) do
    self.passed_over[#self.passed_over + 1] = ("%s (line %d) %s, and is not compared"):format(shown(cell.text),
      entry.line, cell.reason)
  end
  local key = core.name.normal(device)
  local first = self.places[key]
  if first then
    list.repeated[#list.repeated + 1] = { device = device, line = entry.line, first = first }
    return
  end
  self.places[key] = entry.line
  list[#list + 1] = device
  list.lines[#list] = entry.line
end

-- Which of the lines count is known at the end.
local function add_all(self)
  for _, entry in ipairs(self.entries) do
    if entry.flaw then
      add_flaw(self, entry)
    elseif entry.odd then
      add_odd(self, entry)
    elseif self.reader:counts(entry.proof) then
      add_entry(self, entry)
    else
      add_doubtful(self, entry)
    end
  end
end

-- ---- reading

local function feed(self, bytes)
  local entries, trouble = self.reader:feed(bytes)
  for _, entry in ipairs(entries) do
    self.entries[#self.entries + 1] = entry
    self.trouble = self.trouble or not self.skips and entry.odd or nil
  end
  self.trouble = self.trouble or trouble
  return self.trouble == nil
end

-- The next part of a file; nil at the end. What is typed is read by the line, since a person ends it once.
local function read_part(file)
  if file ~= io.stdin or not posix.terminal.is_terminal(INPUT) then return file:read(CHUNK_BYTES) end
  local line, problem = file:read "*l"
  return line and line .. "\n", problem
end

-- Half a list, because reading it failed in the middle, is no list.
local function read_all(self, file)
  while true do
    local bytes, problem = read_part(file)
    if problem then
      return nil, errors.new { kind = "invalid", code = "list_unreadable",
        message = ("%s cannot be read: %s"):format(self.name, errors.show(problem)), hint = "Nothing was done." }
    end
    if not feed(self, bytes) or not bytes then return true end
  end
end

-- Why the list is refused; nil if it is not.
local function refusal(self)
  local parts = self.flaws
  if self.flaw_count > #parts then parts[#parts + 1] = ("and %d more"):format(self.flaw_count - #parts) end
  if self.trouble then parts[#parts + 1] = describe_trouble(self.trouble, self.name) end
  if not parts[1] then return nil end
  local about = self.trouble and self.trouble.about or "flaw"
  local hint = self.skips and self.trouble and self.reader:doubt() == self.trouble.line and hints.doubt or hints[about]
  if about == "flaw" and self.advice then hint = self.advice .. " " .. hint end
  return errors.new { kind = "invalid", code = codes[about], message = table.concat(parts, "; "), hint = hint }
end

-- ---- remarks

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

local function add_some(remarks, texts, rest)
  for i = 1, math.min(#texts, MAX_SHOWN) do remarks[#remarks + 1] = texts[i] end
  if #texts > MAX_SHOWN then remarks[#remarks + 1] = rest:format(#texts - MAX_SHOWN) end
end

local function add_repetitions(remarks, repeated)
  local texts = {}
  for i, one in ipairs(repeated) do
    texts[i] = ("%s (line %d) is named more than once, first in line %d; it counts once"):format(
      errors.quote(one.device), one.line, one.first)
  end
  add_some(remarks, texts, "%d more devices are named more than once")
end

local function left_out(self)
  local comments, notes, lines = self.reader:left_out()
  local parts = {}
  if comments > 0 then
    local more = comments > #lines and (" and %d more"):format(comments - #lines) or ""
    parts[1] = ("%s with # (line%s %s%s)"):format(comments == 1 and "1 line that begins"
      or comments .. " lines that begin", comments == 1 and "" or "s", table.concat(lines, ", "), more)
  end
  if notes > 0 then parts[#parts + 1] = plural(notes, "note") .. " behind #" end
  if parts[1] then return ("left out of %s: %s"):format(self.name, table.concat(parts, ", ")) end
end

local function add_spans(self, remarks)
  local spans, count = self.reader:spans()
  for _, span in ipairs(spans) do
    remarks[#remarks + 1] = ("a cell of line %d spans %d lines"):format(span.line, span.lines)
  end
  if count > #spans then remarks[#remarks + 1] = ("%s several lines"):format(
    count == #spans + 1 and "1 more cell spans" or ("%d more cells span"):format(count - #spans)) end
end

local function finish(self)
  local list = self.list
  local number, columns = self.reader:columns()
  list.column = number
  for _, column in ipairs(columns or {}) do
    if column.number == number then list.heading = column.heading end
  end
  local remarks = {}
  if list.heading then
    remarks[1] = ("the first line, %s, is a heading"):format(errors.quote(list.heading))
    if number > 1 or columns[2] then
      remarks[1] = ("the first line is a heading; the devices are named by column %s"):format(listed(columns))
    end
    if columns[2] then remarks[1] = remarks[1] .. ", which must mean the same" end
  end
  if number and not list.heading and self.by_number then
    remarks[1] = ("no heading is known in the first line, so it names a device; column %d alone is read"):format(number)
  end
  remarks[#remarks + 1] = left_out(self)
  add_spans(self, remarks)
  add_some(remarks, self.passed_over, "%d more cells are not compared")
  list.read_as, list.remarks = remarks, {}
  for i, remark in ipairs(remarks) do list.remarks[i] = remark end
  add_repetitions(list.remarks, list.repeated)
  return list
end

-- ---- the whole

local function is_column(column)
  if type(column) == "string" then return core.device_list.is_heading(column) end
  return type(column) == "number" and column % 1 == 0 and column >= 1 and column <= MAX_COLUMNS
end

local function check_column(column)
  if column == nil or is_column(column) then return column end
  errors.invalid("wrong_type", ("mde.read_list: option \"column\" must be a heading or a number from 1, not %s")
    :format(errors.got(column)), "Give what stands above the column.")
end

local function open(source)
  if io.type(source) == "file" then return source end
  if type(source) ~= "string" then
    errors.invalid("wrong_type", ("mde.read_list needs a path or an open file, not %s"):format(
      io.type(source) or errors.got(source)))
  elseif source == "" then
    errors.invalid("empty_text", "mde.read_list: the path is empty", "Find out why it is.")
  end
  local file, problem = io.open(source, "rb")
  if file then return file end
  return nil, errors.new { kind = "invalid", code = "list_unreadable",
    message = "the list cannot be read: " .. errors.show(problem) }
end

--- Reads the devices that a file names, one a line or in a column of a CSV. Raises for a wrong argument.
---@param source string|file* a path, or an open file, which stays open
---@param options? mde.DeviceListOptions
---@return mde.DeviceList? devices for mde.each, say
---@return mde.Error? err of kind `invalid`: it cannot be read or understood
function M.read(source, options)
  options = options_of.check(options, known_options, "mde.read_list")
  local column = check_column(options.column)
  local file, problem = open(source)
  if not file then return nil, problem end
  local self = {
    name = errors.show(options.name or type(source) == "string" and source or "the list"),
    reader = core.device_list.new(column), by_number = type(column) == "number",
    list = { lines = {}, repeated = {}, flawed = {} }, skips = options.skip_flawed,
    entries = {}, places = {}, passed_over = {}, flaws = {}, flaw_count = 0,
  }
  local read, err = read_all(self, file)
  if file ~= source then file:close() end
  if read then add_all(self) end
  err = err or refusal(self)
  if not read or err then return nil, err end
  return finish(self)
end

return M
