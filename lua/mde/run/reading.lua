--- reading: all that stands in the record of a run, read at once, be it of this host or from elsewhere, ended or not.
--
-- Nothing is written into it and its lock is not taken, so a run that is under way goes on. A record may have been sent
-- by somebody: it is opened as one from elsewhere. What a killed session has left beside it is needed to read it; where
-- that cannot be put right in its place (a medium that cannot be written, a file of another user, a network file
-- system), both files are copied into a directory of their own and read there.

local audits = require "mde.run.audit"
local digests = require "mde.run.digest"
local places = require "mde.run.place"
local posix = require "mde.posix"
local records = require "mde.run.record"
local variables = require "mde.base.environment"

local COPY_BYTES = 65536
-- So often it is read again where the run went on meanwhile.
local MAX_READS = 5

local M = {}

---@class mde.RunReading the rows of a record, as mde.journal gives them
---@field path string of the record
---@field name string how the run is called in a command
---@field run mde.journal.run
---@field sessions mde.journal.session[]
---@field devices mde.journal.device[]
---@field steps mde.journal.step[] in the order in which they were written first
---@field events mde.journal.event[]
---@field modules mde.journal.module[]
---@field life? "live"|"killed" a session works on it, or one has ended without a word; nil: neither, or it cannot be
--- told

-- ---- the file

local function copy_file(from, to)
  local source, problem = io.open(from, "rb")
  if not source then return nil, problem end
  local target
  target, problem = io.open(to, "wb")
  if not target then
    source:close()
    return nil, problem
  end
  local ok = true
  repeat
    local bytes = source:read(COPY_BYTES)
    if bytes and ok then ok, problem = target:write(bytes) end
  until not bytes or not ok
  source:close()
  local closed, why = target:close()
  if ok and closed then return true end
  return nil, problem or why
end

-- A directory of this user's that nobody can have guessed.
local function new_directory(journal)
  local bytes, problem = posix.entropy.bytes(16)
  if not bytes then return nil, problem end
  local directory = ("%s/mde-%s"):format(variables.get "TMPDIR" or "/tmp", digests.hex(bytes))
  local made, message = journal.make_directory(directory)
  return made and directory, message
end

local MADE = { "/run.db", "/run.db-journal" }

local function remove(directory)
  for _, name in ipairs(MADE) do os.remove(directory .. name) end
  os.remove(directory)
end

-- Copies a record with what stands beside it, and opens it there.
local function open_copy(journal, path)
  local directory, problem = new_directory(journal)
  if not directory then return nil, problem, "io" end
  local ok
  ok, problem = copy_file(path, directory .. MADE[1])
  local beside = ok and io.open(path .. "-journal", "rb")
  if beside then
    beside:close()
    ok, problem = copy_file(path .. "-journal", directory .. MADE[2])
  end
  local opened, message, code = nil, problem, "io"
  if ok then opened, message, code = journal.open(directory .. MADE[1], { untrusted = true }) end
  if opened then return opened, directory end
  remove(directory)
  return nil, message, code
end

-- For which a copy can be read all the same.
local copied_for = { read_only = true, network = true }

--- Calls fn(journal) with a record open to be read. Where that fails it returns nil, message, code, and perhaps another
--- path that these are about.
---@generic T
---@param path string of the record
---@param fn fun(journal: table): T?, string?, string?, string?
---@return T? value
---@return mde.Error? err
function M.with(path, fn)
  local journal, err = records.journals()
  if not journal then return nil, err end
  local directory
  -- Not even looked at before: a session of this process would lose its locks by that (src/journal/place.h).
  local opened, message, code = journal.open(path, { untrusted = true })
  if not opened and copied_for[code] then
    opened, message, code = open_copy(journal, path)
    directory = opened and message
  end
  if not opened then
    if code == "missing" then err = select(2, records.check_file(path)) end
    if err then return nil, err end
    return records.failed(path, message, code)
  end
  local ok, value, problem, why, about = pcall(fn, opened)
  opened:close()
  if directory then remove(directory) end
  if not ok then error(value, 0) end
  if value == nil then return records.failed(about or path, problem, why) end
  return value
end

local with = M.with

-- ---- what stands in it

local function list(iterator, message, code)
  if not iterator then return nil, message, code end
  local rows = {}
  for row in iterator do rows[#rows + 1] = row end
  return rows
end

-- What refers to others is read before them: each device of a step is found, also while the run goes on.
local order = { "steps", "events", "devices", "modules", "sessions" }

local function read_once(journal)
  local run, message, code = journal:run()
  if not run then return nil, message, code end
  local reading = { run = run }
  for _, name in ipairs(order) do
    reading[name], message, code = list(journal[name](journal))
    if not reading[name] then return nil, message, code end
  end
  return reading
end

-- What is there when the run began a session or came to an end meanwhile is read once more.
local function read(journal)
  for i = 1, MAX_READS do
    local reading, message, code = read_once(journal)
    if not reading then return nil, message, code end
    local run = journal:run()
    if i == MAX_READS or run and run.state == reading.run.state then return reading end
  end
end

-- Whether a session is at work. Where nobody has locked the record, and there is no lock, it has been sent from
-- elsewhere; what its state says is then of the time when it was copied. Nor is it told where the lock cannot be taken
-- for another reason than that somebody has it.
local function life_of(path, run)
  if run.state ~= "running" or posix.directory.is_regular(places.lock_of(path)) == nil then return nil end
  local in_use = records.is_in_use(path)
  if in_use == nil then return nil end
  return in_use and "live" or "killed"
end

--- Reads a record.
---@param run string the id or path
---@return mde.RunReading?
---@return mde.Error? err
function M.read(run)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local reading
  reading, err = with(path, read)
  local life = reading and life_of(path, reading.run)
  if life == "killed" then
    -- Its session may have ended between the two.
    reading, err = with(path, read)
    life = reading and life_of(path, reading.run)
  end
  if not reading then return nil, err end
  reading.path, reading.name, reading.life = path, places.name_of(path, reading.run.id), life
  return reading
end

--- Makes one file of a record, also of a run that is under way or was killed, to be sent to somebody.
---@param run string the id or path
---@param to string path of the new file, which its owner alone can read
---@return true?
---@return mde.Error? err
function M.copy(run, to)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  return with(path, function(journal)
    local ok, message, code = journal:copy(to)
    return ok, message, code, to
  end)
end

--- The audit events of a run, as the lines of OCSF that they were when they happened.
---@param run string the id or path
---@return string[]? lines without their ends
---@return integer|mde.Error|nil lost how many say nothing that can be told; or the error
function M.audit_lines(run)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local lost = 0
  local lines, problem = with(path, function(journal)
    local own, next_line = {}, audits.lines(journal)
    while true do
      -- Of a record from elsewhere one that is malformed costs that one.
      local ok, line = pcall(next_line)
      if ok and not line then return own end
      if ok then own[#own + 1] = line else lost = lost + 1 end
    end
  end)
  return lines, problem or lost
end

--- Whether a word of a command names a run: it is the id of one that is here, or the path of a record.
---@param word string
---@return boolean
function M.is_run(word)
  local path, err = places.record_of(word)
  -- One that was moved is one all the same.
  if not path then return err ~= nil and err.code == "run_moved" end
  if records.is_record(path) then return true end
  -- What looks like a path is one, there or not.
  return word:find "^%.?%.?/" ~= nil or word:find "%.db$" ~= nil
end

return M
