--- place: where the records of runs lie, and what stands beside each.
--
-- A run is called by its id, 20260201T031500Z-7f3a, or by the path of its record.

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

--- The path of a run's record.
---@param run string its id or its path
---@return string? path
---@return mde.Error? err
function M.record_of(run)
  if not M.is_id(run) then return run end
  local directory, err = M.directory()
  if not directory then return nil, err end
  return ("%s/%s.db"):format(directory, run)
end

--- How a run is called in a command: by its id, where it lies in the directory of all, else by its path.
---@param path string
---@return string
function M.name_of(path)
  local directory = M.directory()
  local name = directory and path:sub(1, #directory + 1) == directory .. "/" and path:sub(#directory + 2)
  local id = name and name:match "^(.*)%.db$"
  return id and M.is_id(id) and id or path
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
