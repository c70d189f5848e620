--- place: where the records of runs lie, and what stands beside each.
--
-- A run is called by its id, 20260201T031500Z-7f3a, or by the path of its record. Where its record lies elsewhere than
-- in the directory of all runs, in the file of a plan that was kept for example, a file there says where: ID.path.

local core = require "mde.core"
local errors = require "mde.base.error"
local posix = require "mde.posix"
local variables = require "mde.base.environment"

local M = {}

--- The directory of the records that nobody named another place for.
---@return string? path
---@return mde.Error? err
function M.directory()
  local state = variables.get "XDG_STATE_HOME"
  if state and state:sub(1, 1) == "/" then return state .. "/mde/runs" end
  local home = variables.get "HOME"
  if home then return home .. "/.local/state/mde/runs" end
  return nil, errors.new { kind = "invalid", code = "no_state_directory",
    message = "there is no place for the record of the run, since HOME is not set",
    hint = "Set HOME or XDG_STATE_HOME, or name a file: --journal FILE." }
end

--- An id that no other run has.
---@param now number Unix seconds
---@return string? id
---@return mde.Error? err
function M.new_id(now)
  local bytes, problem = posix.entropy.bytes(2)
  if not bytes then return nil, errors.new { kind = "unavailable", code = "no_entropy", message = problem } end
  local time = core.timestamp.whole(now):gsub("[-:]", "")
  return ("%s-%02x%02x"):format(time, bytes:byte(1), bytes:byte(2))
end

--- Whether this is the id of a run, and no path.
---@param run string
---@return boolean
function M.is_id(run)
  return run:find "^%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ%-%x%x%x%x$" ~= nil
end

-- ---- records that lie elsewhere

local POINTER = ".path"

--- The run of which a file in the directory of all runs says where its record lies.
---@param name string of the file
---@return string? id
function M.pointed(name)
  local id = name:sub(-#POINTER) == POINTER and name:sub(1, -#POINTER - 1)
  return id and M.is_id(id) and id or nil
end

-- Where the record of a run lies that is not in the directory of all; nil: no file there says it.
local function read_pointer(directory, id)
  local name = ("%s/%s%s"):format(directory, id, POINTER)
  if not posix.directory.is_regular(name) then return nil end
  local file = io.open(name, "rb")
  local path = file and file:read "*a"
  if file then file:close() end
  return path and path:match "^(/.*)\n$"
end

-- Writes it for its owner alone; whole, or what was there stays.
local function write_pointer(name, path)
  local new = name .. ".new"
  local made, problem = posix.locked_file.open(new)
  if not made then return nil, problem end
  made:close()
  local file, ok
  file, problem = io.open(new, "wb")
  if not file then return nil, problem end
  ok, problem = file:write(path, "\n")
  local closed, why = file:close()
  if ok and not closed then ok, problem = closed, why end
  if ok then ok, problem = os.rename(new, name) end
  if not ok then os.remove(new) end
  return ok, problem
end

--- Writes down where the record of a run lies, so that its id finds it; of one in the directory of all nothing. That
--- has to be there.
---@param id string
---@param path string of its record
---@return true?
---@return mde.Error? err
function M.point(id, path)
  local directory, err = M.directory()
  if not directory then return nil, err end
  if not M.is_id(id) or M.name_of(path, id) == id then return true end
  local absolute, problem = posix.directory.absolute(path)
  local written
  if absolute then written, problem = write_pointer(("%s/%s%s"):format(directory, id, POINTER), absolute) end
  if written then return true end
  return nil, errors.new { kind = "invalid", code = "run_not_listed",
    message = ("where the record of the run lies could not be written into %s: %s"):format(errors.quote(directory),
      errors.show(problem)),
    hint = "Call the run by the path of its record." }
end

--- Where the record of a run was when a session of it began last, if that was not in the directory of all.
---@param id string
---@return string? path nil: no session of it has begun there, as far as this user knows
function M.pointer_of(id)
  local directory = M.is_id(id) and M.directory()
  return directory and read_pointer(directory, id) or nil
end

-- ---- how a run is called

-- So long a record is waited for that is only asked whose it is.
local READ_SECONDS = 1

-- The id of the run whose record lies at a path; nil: it cannot be read, which is told where it is opened.
local function id_at(path)
  local is_built, journal = pcall(require, "mde.journal")
  local opened = is_built and journal.open(path, { untrusted = true, timeout = READ_SECONDS })
  if not opened then return nil end
  local ok, run = pcall(opened.run, opened)
  opened:close()
  return ok and run and run.id or nil
end

local function moved(run, path, why)
  return nil, errors.new { kind = "invalid", code = "run_moved",
    message = ("the record of the run %s was %s, %s"):format(run, errors.quote(path), why),
    hint = "If it was moved, give its path; mde resume PATH lets its id find it there." }
end

--- The path of a run's record.
---@param run string its id or its path
---@return string? path
---@return mde.Error? err it is not known; or the record was moved, or another run's lies in its place (run_moved)
function M.record_of(run)
  if not M.is_id(run) then return run end
  local directory, err = M.directory()
  if not directory then return nil, err end
  local own = ("%s/%s.db"):format(directory, run)
  local path = posix.directory.is_regular(own) == nil and read_pointer(directory, run)
  if not path then return own end
  if posix.directory.is_regular(path) == nil then return moved(run, path, "which is not there any more") end
  -- A plan of the same name may have been kept there since. What is asked of one run is never done to another.
  local other = id_at(path)
  if other and other ~= run then
    return moved(run, path, ("where the record of the run %s lies now"):format(errors.quote(other)))
  end
  return path
end

--- The record of a run that lies elsewhere than this one of the same id, which is a copy then; nil: none is known.
---@param id string
---@param path string of the record that is looked at
---@return string? path
function M.original_of(id, path)
  if not M.is_id(id) then return nil end
  local known = M.record_of(id)
  local is_there = known and posix.directory.is_regular(known)
  if not is_there or known == posix.directory.absolute(path) or id_at(known) ~= id then return nil end
  return known
end

-- The id by which the directory of all runs finds this path.
local function id_of(path, id, directory)
  local name = path:sub(1, #directory + 1) == directory .. "/" and path:sub(#directory + 2)
  local own = name and name:match "^(.*)%.db$"
  if own and M.is_id(own) then return own end
  if not id or not M.is_id(id) then return nil end
  if posix.directory.is_regular(("%s/%s.db"):format(directory, id)) ~= nil then return nil end
  local pointed = read_pointer(directory, id)
  return pointed and pointed == posix.directory.absolute(path) and id or nil
end

--- How a run is called in a command: by its id, where the directory of all runs knows it, else by its path.
---@param path string
---@param id? string of the run, if it is known; the name of a record in that directory says it
---@return string
function M.name_of(path, id)
  local directory = M.directory()
  return directory and id_of(path, id, directory) or path
end

local function beside(path, ending)
  return (path:gsub("%.db$", "")) .. ending
end

--- The file that a session locks, so that no other works on the same run.
---@param path string of the record
---@return string
function M.lock_of(path) return beside(path, ".lock") end

--- The file that stops a run as long as it is there.
---@param path string of the record
---@return string
function M.stop_of(path) return beside(path, ".stop") end

return M
