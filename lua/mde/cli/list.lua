--- list: the devices that are meant: from the arguments, a file or standard input.
--
-- A file has one device a line, or is CSV whose first cell is the device. Windows line ends, a byte
-- order mark, blank lines and lines that begin with # are no trouble, nor is a note behind a device:
-- white space, a #, white space. One line that can name no device spoils the whole list: nothing is done
-- by half because of a slip in a file.

local core = require "mde.core"
local csv = require "mde.cli.csv"
local errors = require "mde.error"
local terminal = require "mde.cli.terminal"

local list = {}

local MOST_PROBLEMS = 5
-- So much of what is no device is shown; it may be anything.
local MOST_SHOWN_BYTES = 64

-- What a heading is called, in lower case without white space and underscores.
local headings = {
  computerdnsname = true, devicename = true, machinename = true, computername = true, hostname = true,
  deviceid = true, machineid = true, aaddeviceid = true, azureaddeviceid = true, dnsname = true, fqdn = true,
}
-- These are names too, so they are a heading only where other cells follow.
local likely_headings = { device = true, machine = true, computer = true, name = true, host = true, id = true }

--- Declares what `list.gather` reads.
---@param command table of argparse
---@param args string how many devices, as argparse has it
function list.configure(command, args)
  command:argument("devices", "A machine id, an Entra device id, or a full or bare DNS name; - reads a list from "
    .. "standard input."):args(args):argname "<device>"
  command:option("--list", "Read devices from a file, or from standard input for -: one a line, or the first "
    .. "column of a CSV; what stands behind # is a note."):argname "<file>"
end

---@class mde.cli.Entry one device that was named
---@field device string
---@field where? string "line 7 of FILE"

---@class mde.cli.Repetition
---@field device string
---@field where? string
---@field first? string where it was named before

---@class mde.cli.List
---@field entries mde.cli.Entry[]
---@field repeated mde.cli.Repetition[] devices that were named before
---@field heading? string the first line, if it was left out for being a heading

local function new()
  return { entries = {}, repeated = {}, problems = {}, problem_count = 0, places = {} }
end

local function add_problem(self, where, text)
  self.problem_count = self.problem_count + 1
  if self.problem_count <= MOST_PROBLEMS then
    self.problems[self.problem_count] = where and where .. ": " .. text or text
  end
end

local function shown(device)
  if #device <= MOST_SHOWN_BYTES then return errors.quote(device) end
  return errors.quote(device:sub(1, MOST_SHOWN_BYTES)) .. "..."
end

local function add(self, device, where)
  local kind, canonical = core.odata.kind(device)
  if not kind then
    return add_problem(self, where, ("the device %s %s"):format(shown(device), canonical))
  elseif kind == "ip_address" then
    return add_problem(self, where,
      ("the device %s is an IP address, and who has it now may not be who had it then"):format(errors.quote(device)))
  end
  local key = core.name.normal(canonical)
  if self.places[key] then
    self.repeated[#self.repeated + 1] = { device = device, where = where, first = self.places[key] }
    return
  end
  self.places[key] = where or true
  self.entries[#self.entries + 1] = { device = device, where = where }
end

local function is_heading(cell, several)
  local word = cell:lower():gsub("[%s_]", "")
  return headings[word] or several and likely_headings[word] or false
end

-- With such a line Excel is told what stands between cells.
local function is_separator_line(line)
  return line:lower():find '^"?sep=[,;\t]"?$' ~= nil
end

-- Only behind a plain name or id, which are all that can be restricted: "Bob's phone # 2" is a name, and so is
-- whatever stands in quotes.
local function without_note(line)
  return line:match "^%s*([%w._-]+)%s+#%s" or line:match "^%s*([%w._-]+)%s+#$" or line
end

local function add_lines(self, next_line, name)
  local number, first = 0, true
  for line in next_line do
    number = number + 1
    if number == 1 then
      if line:find "^\255\254" or line:find "^\254\255" then
        errors.invalid(("%s is UTF-16"):format(name), "Save it as UTF-8.")
      end
      line = line:gsub("^\239\187\191", "")
    end
    line = line:gsub("\r$", "")
    if line:find "%S" and not line:find "^%s*#" and not (first and is_separator_line(line)) then
      local where = ("line %d of %s"):format(number, name)
      local cell, several = csv.first(without_note(line))
      if not cell then
        add_problem(self, where, "a quote is not closed")
      elseif first and is_heading(cell, several) then
        self.heading = cell
      elseif cell == "" then
        add_problem(self, where, "its first cell is empty")
      else
        add(self, cell, where)
      end
      first = false
    end
  end
end

local function raise_problems(self)
  if self.problem_count == 0 then return end
  local rest = self.problem_count - #self.problems
  local text = table.concat(self.problems, "; ")
  if rest > 0 then text = ("%s; and %d more"):format(text, rest) end
  errors.invalid(text, "Give a machine id, an Entra device id or a DNS name for each. Nothing was done.")
end

--- Reads a list line by line.
---@param next_line fun(): string?
---@param name string what it is called in errors
---@return mde.cli.List
function list.read(next_line, name)
  local self = new()
  add_lines(self, next_line, name)
  raise_problems(self)
  return self
end

-- Half a list, because reading it failed in the middle, is no list.
local function add_file(self, file, name)
  local problem
  add_lines(self, function()
    local line
    line, problem = file:read "*l"
    return line
  end, name)
  if problem then
    errors.invalid(("%s cannot be read: %s"):format(name, errors.show(problem)), "Nothing was done.")
  end
end

local function add_path(self, path)
  if path == "" then errors.invalid("--list is empty; an empty shell variable?", "Give the path of a file.") end
  local file, problem = io.open(path, "rb")
  if not file then errors.invalid(("the list cannot be read: %s"):format(errors.show(problem))) end
  add_file(self, file, path)
  file:close()
end

--- Whether the list is on standard input, so that no question can be answered there.
---@param arguments table as argparse leaves them
---@return boolean
function list.is_on_standard_input(arguments)
  if arguments.list == "-" then return true end
  for _, device in ipairs(arguments.devices or {}) do
    if device == "-" then return true end
  end
  return false
end

--- The devices that the arguments name, each once. Raises if there is none or one cannot be a device.
---@param arguments table as argparse leaves them
---@return mde.cli.List
function list.gather(arguments)
  local self = new()
  local read_input = false
  for _, device in ipairs(arguments.devices or {}) do
    if device ~= "-" then
      add(self, device)
    elseif not read_input then
      read_input = true
      add_file(self, io.stdin, "standard input")
    end
  end
  if arguments.list == "-" then
    if not read_input then add_file(self, io.stdin, "standard input") end
  elseif arguments.list then
    add_path(self, arguments.list)
  end
  raise_problems(self)
  if #self.entries == 0 then
    errors.invalid(arguments.list and "the list names no device" or "no device is named",
      "Name one or more devices, or give --list FILE.")
  end
  return self
end

--- What a person is to know about the list: each remark in one line.
---@param self mde.cli.List
---@return string[]
function list.remarks(self)
  local remarks = {}
  if self.heading then remarks[1] = ("the first line, %s, is a heading"):format(errors.quote(self.heading)) end
  local count = #self.repeated
  for i = 1, math.min(count, MOST_PROBLEMS) do
    local one = self.repeated[i]
    local at = one.where and (" (%s)"):format(one.where) or ""
    local before = type(one.first) == "string" and (", first in %s"):format(one.first) or ""
    remarks[#remarks + 1] = ("%s%s is named more than once%s; it counts once"):format(errors.quote(one.device), at,
      before)
  end
  if count > MOST_PROBLEMS then
    remarks[#remarks + 1] = ("%d more devices are named more than once"):format(count - MOST_PROBLEMS)
  end
  return remarks
end

--- The devices that the arguments name; what a person is to know about the list is said.
---@param arguments table as argparse leaves them
---@return mde.cli.Entry[]
function list.entries(arguments)
  local self = list.gather(arguments)
  for _, remark in ipairs(list.remarks(self)) do terminal.note(remark) end
  return self.entries
end

return list
