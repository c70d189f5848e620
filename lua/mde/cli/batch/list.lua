--- list: the devices that are meant: from the arguments, a file or standard input.
--
-- What a file says, mde.read_list decides. A line of it that names no device is an error of that line, which is told
-- like any other; with --strict it refuses the list.

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"
local terminal = require "mde.cli.ui.terminal"

local MAX_COLUMNS = 256
local MAX_REPETITIONS_SHOWN = 5

local M = {}

-- A heading, or the number of a column.
local function column(text)
  if text == "" then return nil, "--column is empty; an empty shell variable?" end
  local number = text:find "^%d+$" and core.number.read(text)
  if number and number >= 1 and number <= MAX_COLUMNS then return number end
  if not number and core.device_list.is_heading(text) then return text end
  return nil, ("--column must be a heading, of at most 64 bytes, or a number from 1 to %d, not %s"):format(MAX_COLUMNS,
    errors.quote(text))
end

--- Declares what `list.gather` reads.
---@param command table of argparse
---@param args string how many devices, as argparse has it
function M.configure(command, args)
  command:argument("devices", "A machine id, an Entra device id, or a full or bare DNS name; - reads a list from "
    .. "standard input."):args(args):argname "<device>"
  command:option("--list", "Read devices from a file, or from standard input for -: one a line, or a CSV with a "
    .. "heading that tells the column; what stands behind # is a note."):argname "<file>"
    :overwrite(false)
  command:flag("--strict", "Refuse a list with a line that names no device or is not like the others, instead of "
    .. "leaving that line out.")
  command:option("--column", "Where the list does not tell: the heading or the number of the column that names the "
    .. "devices."):argname "<column>":convert(column):overwrite(false)
end

---@class mde.cli.Entry one device that was named
---@field device string as it is shown
---@field identity? mde.Identity if it was named by several identifiers
---@field where? string "line 7 of FILE"
---@field err? mde.Error it cannot name a device
---@field started? boolean true then
---@field done? boolean true then

---@class mde.cli.Repetition
---@field device string|mde.Identity
---@field where? string
---@field first? string where it was named before

---@class mde.cli.List
---@field entries mde.cli.Entry[]
---@field repeated mde.cli.Repetition[] devices that were named before
---@field remarks string[] of the file

local function new()
  return { entries = {}, repeated = {}, remarks = {}, places = {} }
end

local function add(self, device, where)
  local key = core.name.normal(device)
  local first = self.places[key]
  if first then
    self.repeated[#self.repeated + 1] = { device = device, where = where, first = first ~= true and first or nil }
    return
  end
  self.places[key] = where or true
  local identity = type(device) == "table" and device or nil
  self.entries[#self.entries + 1] = { device = identity and identity[1] or device, identity = identity, where = where }
end

local function add_argument(self, device)
  local kind, canonical, reason = core.device.kind(device)
  if not kind or reason then
    errors.invalid("device_malformed", ("the device %s %s"):format(errors.quote(device), reason or canonical),
      "Give a machine id, an Entra device id or a DNS name for each. Nothing was done.")
  end
  add(self, device)
end

-- What is named twice within the file and what is named in the arguments, too, is told alike.
local function add_file(self, source, name, arguments)
  local found, err = mde.read_list(source, { name = name, column = arguments.column,
    skip_flawed = not arguments.strict })
  if not found then error(err, 0) end
  local function place(line) return ("line %d of %s"):format(line, name) end
  local next_flawed = 1
  local function add_flawed(before)
    local one = found.flawed[next_flawed]
    while one and one.line < before do
      self.entries[#self.entries + 1] = { device = one.text ~= "" and one.text or ("line %d"):format(one.line),
        err = one.err, started = true, done = true }
      next_flawed = next_flawed + 1
      one = found.flawed[next_flawed]
    end
  end
  for i, device in ipairs(found) do
    add_flawed(found.lines[i])
    add(self, device, place(found.lines[i]))
  end
  add_flawed(math.huge)
  for _, one in ipairs(found.repeated) do
    self.repeated[#self.repeated + 1] = { device = one.device, where = place(one.line), first = place(one.first) }
  end
  if not found[1] and not found.flawed[1] then self.remarks[#self.remarks + 1] = name .. " names no device" end
  for _, remark in ipairs(found.read_as) do self.remarks[#self.remarks + 1] = remark end
end

local function add_path(self, arguments)
  local path = arguments.list
  if path == "" then
    errors.invalid("empty_text", "--list is empty; an empty shell variable?", "Give the path of a file.")
  end
  add_file(self, path, path, arguments)
end

--- Whether the list is on standard input.
---@param arguments table as argparse leaves them
---@return boolean
function M.is_on_standard_input(arguments)
  if arguments.list == "-" then return true end
  for _, device in ipairs(arguments.devices or {}) do
    if device == "-" then return true end
  end
  return false
end

local function raise_nothing(arguments)
  errors.invalid("nothing_selected", arguments.list and "the list names no device" or "no device is named",
    "Name one or more devices, or give --list FILE.")
end

--- Raises if the arguments name neither a device nor a list. No file is read for that.
---@param arguments table as argparse leaves them
function M.check(arguments)
  if not arguments.list and not (arguments.devices and arguments.devices[1]) then raise_nothing(arguments) end
end

--- The devices that the arguments name, each once. Raises if they name no device, or something that cannot be
--- a device.
---@param arguments table as argparse leaves them
---@return mde.cli.List
function M.gather(arguments)
  local self = new()
  local is_read = false
  if not arguments.list and not M.is_on_standard_input(arguments) then
    local option = arguments.column and "--column" or arguments.strict and "--strict"
    if option then
      errors.invalid("option_without_effect", option .. " belongs to a list", "Give the list, too: --list FILE.")
    end
  end
  local function add_input()
    if not is_read and terminal.is_interactive() then
      terminal.remark "Paste the list, or type it; Ctrl-D on a line of its own ends it."
    end
    if not is_read then add_file(self, io.stdin, "standard input", arguments) end
    is_read = true
  end
  for _, device in ipairs(arguments.devices or {}) do
    if device == "-" then add_input() else add_argument(self, device) end
  end
  if arguments.list == "-" then
    add_input()
  elseif arguments.list then
    add_path(self, arguments)
  end
  local has_device = false
  for _, entry in ipairs(self.entries) do has_device = has_device or not entry.err end
  if not has_device then
    local first = self.entries[1]
    if first then
      local advice = first.err.hint and first.err.hint .. " " or ""
      error(errors.derive(first.err, { hint = ("%sThe list names no device; %d of its lines cannot be one. Nothing was "
        .. "done."):format(advice, #self.entries) }), 0)
    end
    raise_nothing(arguments)
  end
  return self
end

--- What a person is to know about the list: each remark in one line.
---@param self mde.cli.List
---@return string[]
function M.remarks(self)
  local remarks = {}
  for i, remark in ipairs(self.remarks) do remarks[i] = remark end
  for i = 1, math.min(#self.repeated, MAX_REPETITIONS_SHOWN) do
    local one = self.repeated[i]
    remarks[#remarks + 1] = ("%s%s is named more than once%s; it counts once"):format(errors.quote(one.device),
      one.where and (" (%s)"):format(one.where) or "", one.first and (", first in %s"):format(one.first) or "")
  end
  if #self.repeated > MAX_REPETITIONS_SHOWN then
    remarks[#remarks + 1] = ("%d more devices are named more than once"):format(
      #self.repeated - MAX_REPETITIONS_SHOWN)
  end
  return remarks
end

--- The devices that the arguments name; what a person is to know about the list is said.
---@param arguments table as argparse leaves them
---@return mde.cli.Entry[] entries with `named_again`, how many devices were named before
function M.entries(arguments)
  local self = M.gather(arguments)
  self.entries.named_again = #self.repeated
  for _, remark in ipairs(M.remarks(self)) do terminal.note(remark) end
  return self.entries
end

return M
