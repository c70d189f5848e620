--- shared_file: a store for several processes of one machine: what a shared dict is in nginx, in a file.
--
-- The file is locked for as long as one step takes, and never while anybody waits. It forgets everything when the
-- machine is restarted: the holders of leases and slots are gone then, and so is the clock. No token is put there.

local core = require "mde.core"
local errors = require "mde.base.error"
local posix = require "mde.posix"

local BOOT_ID = "/proc/sys/kernel/random/boot_id"

local M = {}

---@class mde.SharedFile
---@field on_disk boolean true: nothing secret is put there
---@field hint string what to do where it fails
---@field private path string
---@field private now fun(): number
---@field private file? mde.locked_file
---@field private generation? integer of forks, when it was opened
local SharedFile = { on_disk = true }
SharedFile.__index = SharedFile

-- Tells one run of the machine from the next.
local function boot_id()
  local file = io.open(BOOT_ID, "r")
  local text = file and file:read "*l" or ""
  if file then file:close() end
  return text ~= "" and text or "-"
end

-- What to do where it fails.
local function hint_for(path)
  if path:find "^~" then
    return ("Only a shell makes a directory of %s, and not between quotes: write the whole path.")
      :format(errors.quote(path:match "^~[^/]*"))
  end
  return ("Look at the file %s: whether it can be written, and its disk is not full. Or name in MDE_STORE (option "
    .. "store) one that is not there yet: mde makes it."):format(errors.show(path))
end

---@param path string
---@param now? fun(): number seconds on a clock that all who share the file have in common; the machine's own if nil
---@return mde.SharedFile
function M.new(path, now)
  return setmetatable({ path = path, now = now or posix.clock.now, hint = hint_for(path) }, SharedFile)
end

--- What it is, in words.
---@return string
function SharedFile:name()
  return "the file " .. errors.show(self.path)
end

--- Whether it is another file wherever the program is started.
---@return boolean
function SharedFile:is_relative()
  return self.path:sub(1, 1) ~= "/"
end

-- The open file. After a fork the lock of the parent's would be the child's too, so the child opens its own.
local function open(self)
  local generation = posix.fork.generation()
  if self.file and self.generation == generation then return self.file end
  local file, problem = posix.locked_file.open(self.path)
  if not file then return nil, ("%s: %s"):format(self.path, problem) end
  self.file, self.generation = file, generation
  return file
end

-- Entries follow one another, each with a line that says until when it stands and how long its key and its text are.
-- What is past is left out. nil if it is nothing of the kind.
local function decode(text, now)
  local boot, place = text:match "^(%S+)\n()"
  local entries = {}
  if text == "" or boot ~= boot_id() then return text == "" and entries or boot and entries or nil end
  while place <= #text do
    local ends, key_length, text_length, start = text:match("^(%S+) (%d+) (%d+)\n()", place)
    ends = core.number.read(ends or "")
    if not ends then return nil end
    key_length, text_length = core.number.read(key_length), core.number.read(text_length)
    if start + key_length + text_length - 1 > #text then return nil end
    local middle = start + key_length
    place = middle + text_length
    if ends > now then entries[text:sub(start, middle - 1)] = { text = text:sub(middle, place - 1), ends = ends } end
  end
  return entries
end

local function encode(entries)
  local parts = { boot_id() .. "\n" }
  for key, entry in pairs(entries) do
    parts[#parts + 1] = ("%s %d %d\n"):format(core.number.write(entry.ends), #key, #entry.text)
    parts[#parts + 1] = key
    parts[#parts + 1] = entry.text
  end
  return table.concat(parts)
end

local function change_locked(self, file, change)
  local text, problem = file:read()
  if not text then return nil, ("%s: %s"):format(self.path, problem) end
  local entries = decode(text, self.now())
  if not entries then return nil, ("%s: it is damaged"):format(self.path) end
  local changed, result, more = change(entries)
  if changed then
    local written
    written, problem = file:write(encode(entries))
    if not written then return nil, ("%s: %s"):format(self.path, problem) end
  end
  return true, result, more
end

-- Calls change(entries) while nobody else can: it returns whether it changed them, and two results. Returns true and
-- these; or nil and why not.
local function transact(self, change)
  local file, problem = open(self)
  if not file then return nil, problem end
  local locked
  locked, problem = file:lock()
  if not locked then return nil, locked == false and "busy" or ("%s: %s"):format(self.path, problem) end
  local ok, done, result, more = pcall(change_locked, self, file, change)
  file:unlock()
  if not ok then error(done, 0) end
  return done, result, more
end

---@param key string
---@return string? text
---@return string? message
function SharedFile:get(key)
  local done, text = transact(self, function(entries) return false, entries[key] and entries[key].text end)
  if not done then return nil, text end
  return text
end

---@param key string
---@param text string
---@param seconds number
---@return true?
---@return string? message
function SharedFile:safe_set(key, text, seconds)
  local ends = self.now() + seconds
  local done, message = transact(self, function(entries)
    entries[key] = { text = text, ends = ends }
    return true
  end)
  return done, message
end

---@param key string
---@param text string
---@param seconds number
---@return boolean? added
---@return string? message "exists" if something stands there
function SharedFile:safe_add(key, text, seconds)
  local ends = self.now() + seconds
  local done, exists = transact(self, function(entries)
    if entries[key] then return false, true end
    entries[key] = { text = text, ends = ends }
    return true, false
  end)
  if not done then return nil, exists end
  return not exists, exists and "exists" or nil
end

---@param key string
---@return true?
---@return string? message
function SharedFile:delete(key)
  return transact(self, function(entries)
    local stood = entries[key] ~= nil
    entries[key] = nil
    return stood
  end)
end

--- Changes what stands under a key in one step.
---@param key string
---@param seconds number
---@param change fun(text: string?): string?, any, any what is to stand there (nil: as it was), and two results
---@return true?
---@return any result or a message
---@return any more
function SharedFile:update(key, seconds, change)
  local ends = self.now() + seconds
  return transact(self, function(entries)
    local text, result, more = change(entries[key] and entries[key].text)
    if text then entries[key] = { text = text, ends = ends } end
    return text ~= nil, result, more
  end)
end

return M
