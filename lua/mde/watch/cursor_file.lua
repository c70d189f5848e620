--- cursor_file: a cursor in a file, of one watch at a time.
--
-- What has changed is put behind what is there, a few bytes for each alert, and all of it is replaced in one step once
-- that has grown (src/posix/log_file.c). So the file is whole wherever the process is killed. Its first line says whose
-- alerts it is about: in another tenant it would pass over alerts that nobody has seen.

local core = require "mde.core"
local errors = require "mde.base.error"
local posix = require "mde.posix"

-- The file may grow to so many times what it says, and so many bytes more. That is less than a file may have
-- (log_file.c), also where as many alerts are known as can be, with the longest ids.
local GROWTH, SPARE_BYTES = 3, 65536

local OWNER = "alerts of "

local M = {}

---@class mde.KeptCursor
---@field cursor mde.cursor
---@field name string where it is kept, in words
---@field is_fresh boolean nothing was there, and it begins now
---@field lost integer bytes of what was being written when the machine stopped, and was not safe yet; it is left out
---@field keep fun(self: mde.KeptCursor, is_safe?: boolean): true?, mde.Error? writes down what has changed; is_safe: it
--- outlives the machine, too
---@field close fun(self: mde.KeptCursor)

---@class mde.CursorFile: mde.KeptCursor
---@field private file mde.log_file
---@field private unsafe integer bytes at its end that the machine may lose
---@field private head string the first line; "" if nobody is named
local CursorFile = {}
CursorFile.__index = CursorFile

local reasons = {
  other = { code = "cursor_unusable", message = "it is no cursor of mde watch",
    hint = "Name another file, one that is not there yet say." },
  damaged = { code = "cursor_damaged", message = "it is damaged",
    hint = "Nobody knows which alerts were handed over. Look at what was done, move the file away, and say since when "
      .. "alerts are to be handed over: the option since, --since of mde watch." },
  mode = { code = "cursor_unusable", message = "it was kept with another value of the option per",
    hint = "Give the one that it was kept with, or name another file." },
}

--- Why a cursor that was kept cannot be used.
---@param reason "other"|"damaged"|"mode"
---@param name string
---@return nil
---@return mde.Error err
function M.refuse(reason, name)
  local said = reasons[reason]
  return nil, errors.new { kind = "invalid", code = said.code, -- "cursor_unusable" or "cursor_damaged"
    message = ("the cursor in %s cannot be used: %s"):format(name, said.message), hint = said.hint }
end

local function unreadable(name, problem)
  return nil, errors.new { kind = "invalid", code = "cursor_unusable",
    message = ("the cursor in %s cannot be used: %s"):format(name, errors.show(problem)),
    hint = "Name a file that can be read and written, in a directory that is there." }
end

local function unwritten(self, problem)
  return nil, errors.new { kind = "unavailable", code = "cursor_unwritable",
    message = ("the cursor in %s cannot be written: %s"):format(self.name, errors.show(problem)),
    hint = "Look whether its disk is full. Nothing is handed over until it can be; then watch again." }
end

local function of_another(name, other, owner)
  return nil, errors.new { kind = "invalid", code = "cursor_unusable",
    message = ("the cursor in %s is about alerts of %s, and this client asks %s"):format(name, errors.show(other),
      errors.show(owner)),
    hint = "Look at the settings, MDE_PROFILE for instance. Each tenant needs a cursor of its own." }
end

-- Whose alerts the bytes of a file are about, and the cursor.
local function owner_of(bytes)
  if bytes:sub(1, #OWNER) ~= OWNER then return nil, bytes end
  local ends = bytes:find("\n", 1, true)
  if not ends then return nil, bytes end
  return bytes:sub(#OWNER + 1, ends - 1), bytes:sub(ends + 1)
end

---@param path string
---@param first number since when alerts are handed over, Unix seconds, if nothing is there yet
---@param limits? mde.core.cursor.Limits
---@param owner? string whose alerts these are, on one line
---@return mde.CursorFile?
---@return mde.Error? err
function M.open(path, first, limits, owner)
  local name = "the file " .. errors.quote(path)
  local file, problem = posix.log_file.open(path)
  if file == false then
    return nil, errors.new { kind = "invalid", code = "cursor_in_use",
      message = ("another watch has the cursor in %s"):format(name),
      hint = "Stop the other one, or give each its own cursor." }
  elseif not file then
    return unreadable(name, problem)
  end
  local self = setmetatable({ file = file, name = name, cursor = core.cursor.new(first, limits), lost = 0,
    unsafe = 0, head = owner and OWNER .. owner .. "\n" or "" }, CursorFile)
  local bytes, why = file:read()
  local used, reason = 0, nil
  local other
  if bytes then other, bytes = owner_of(bytes) end
  if other and owner and other ~= owner then
    file:close()
    return of_another(name, other, owner)
  end
  self.is_fresh = bytes == ""
  if bytes and not self.is_fresh then used, reason = self.cursor:unpack(bytes) end
  if not bytes or not used then
    file:close()
    if reason then return M.refuse(reason, name) end
    return unreadable(name, why)
  end
  self.lost = #bytes - used
  local kept, err
  if self.is_fresh or self.lost > 0 then
    kept, err = self:replace()
  else
    -- What a process that was killed has left may not be safe yet.
    kept, err = self:append("", true)
  end
  if kept then return self end
  file:close()
  return nil, err
end

---@private
function CursorFile:replace()
  local done, problem = self.file:replace(self.head .. self.cursor:pack())
  if not done then return unwritten(self, problem) end
  self.unsafe = 0
  return true
end

---@private
function CursorFile:append(bytes, is_safe)
  local done, problem = self.file:append(bytes, is_safe)
  if not done then return unwritten(self, problem) end
  self.unsafe = is_safe and 0 or self.unsafe + #bytes
  return true
end

--- Writes down what has changed.
---@param is_safe? boolean it outlives the machine, too
---@return true?
---@return mde.Error? err
function CursorFile:keep(is_safe)
  local bytes = self.cursor:changes()
  local grown = self.file:length() + #bytes > GROWTH * self.cursor:size() + SPARE_BYTES
  local is_long = self.unsafe + #bytes > core.cursor.TAIL_MAX
  if is_long or grown or self.cursor:must_pack() then return self:replace() end
  return self:append(bytes, is_safe)
end

--- Another watch may have it now.
function CursorFile:close()
  self.file:close()
end

return M
