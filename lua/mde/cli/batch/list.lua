--- list: the devices that are meant: from the arguments, a file or standard input.
--
-- What a file says, device_list.lua decides. One thing that can name no device spoils the whole list: nothing is
-- done by half because of a slip.

local core = require "mde.core"
local device_list = require "mde.device.list"
local errors = require "mde.base.error"
local identities = require "mde.device.identity"
local terminal = require "mde.cli.ui.terminal"

local list = {}

-- A heading, or the number of a column.
local function column(text)
  if text == "" then return nil, "--column is empty; an empty shell variable?" end
  local asked = text:find "^[0-9]+$" and tonumber(text) or text
  if device_list.is_column(asked) then return asked end
  return nil, ("--column must be a heading, of at most 64 bytes, or a number from 1 to 256, not %s"):format(
    errors.quote(text))
end

--- Declares what `list.gather` reads.
---@param command table of argparse
---@param args string how many devices, as argparse has it
function list.configure(command, args)
  command:argument("devices", "A machine id, an Entra device id, or a full or bare DNS name; - reads a list from "
    .. "standard input."):args(args):argname "<device>"
  command:option("--list", "Read devices from a file, or from standard input for -: one a line, or a CSV with a "
    .. "heading that tells the column; what stands behind # is a note."):argname "<file>"
    :overwrite(false)
  command:option("--column", "Where the list does not tell: the heading or the number of the column that names the "
    .. "devices."):argname "<column>":convert(column):overwrite(false)
end

---@class mde.cli.Entry one device that was named
---@field device string as it is shown
---@field identity? mde.Identity if it was named by several identifiers
---@field where? string "line 7 of FILE"

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
  local key = device_list.key(device)
  local first = self.places[key]
  if first then
    self.repeated[#self.repeated + 1] = { device = device, where = where, first = first ~= true and first or nil }
    return
  end
  self.places[key] = where or true
  local identity = identities.is(device) and device or nil
  self.entries[#self.entries + 1] = { device = identity and identity[1] or device, identity = identity, where = where }
end

local function add_argument(self, device)
  local kind, reason = core.odata.kind(device)
  if kind == "ip_address" then kind, reason = nil, "is an IP address, and who has it now may not be who had it then" end
  if not kind then
    errors.invalid(("the device %s %s"):format(errors.quote(device), reason),
      "Give a machine id, an Entra device id or a DNS name for each. Nothing was done.")
  end
  add(self, device)
end

-- What is named twice within the file and what is named in the arguments, too, is told alike.
local function add_file(self, source, name, arguments)
  local found, err = device_list.load(source, { name = name, column = arguments.column })
  if not found then error(err, 0) end
  local function place(line) return ("line %d of %s"):format(line, name) end
  for i, device in ipairs(found) do add(self, device, place(found.lines[i])) end
  for _, one in ipairs(found.repeated) do
    self.repeated[#self.repeated + 1] = { device = one.device, where = place(one.line), first = place(one.first) }
  end
  if not found[1] then self.remarks[#self.remarks + 1] = name .. " names no device" end
  for _, remark in ipairs(found.remarks) do self.remarks[#self.remarks + 1] = remark end
end

local function add_path(self, arguments)
  local path = arguments.list
  if path == "" then errors.invalid("--list is empty; an empty shell variable?", "Give the path of a file.") end
  add_file(self, path, path, arguments)
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
  local is_read = false
  if arguments.column and not arguments.list and not list.is_on_standard_input(arguments) then
    errors.invalid("--column belongs to a list", "Give the list, too: --list FILE.")
  end
  local function add_input()
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
  for i, remark in ipairs(self.remarks) do remarks[i] = remark end
  for _, remark in ipairs(device_list.repetitions(self.repeated)) do remarks[#remarks + 1] = remark end
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
