--- directory: the runs whose records lie in a directory, each with its state and what to type next; in that of all runs
--- those of records that lie elsewhere, too (place.lua).

local core = require "mde.core"
local errors = require "mde.base.error"
local places = require "mde.run.place"
local posix = require "mde.posix"
local records = require "mde.run.record"
local shell_word = require "mde.base.shell_word"

local M = {}

---@class mde.ListedRun
---@field run string how it is called in a command: its id, or the path of its record
---@field path string
---@field verb? string "run"
---@field playbook? string
---@field state string as in the record; "killed" where it says running and no session is at work; "unreadable"; where
--- it says running and that cannot be told, `why` says so
---@field why? string in words, why it is in that state
---@field made? number Unix seconds
---@field devices? integer of its plan
---@field next? string the command that goes on with it; nil: there is nothing to do

local function next_of(run)
  if run.state == "running" then return "mde stop " .. shell_word.of(run.run) end
  if run.state == "planned" then return "mde run " .. shell_word.of(run.path) end
  if run.state ~= "complete" and run.state ~= "unreadable" then return "mde resume " .. shell_word.of(run.run) end
end

-- One run; what is wrong with its file is told in its place.
local function read(path, id)
  local found, problem = records.facts_of(path)
  local run = { run = id or places.name_of(path), path = path, state = "unreadable", why = problem }
  local in_use, err
  if found and found.state == "running" then
    in_use, err = records.is_in_use(path)
    -- Its session may have ended between the two.
    if in_use == false then found, problem = records.facts_of(path) end
  end
  for name, value in pairs(found or { why = problem }) do run[name] = value end
  if run.state == "running" and in_use == false then run.state = "killed" end
  if not err then
    run.next = next_of(run)
  else
    run.why = "it cannot be told whether a session is at work: " .. err.message
  end
  return run
end

-- One whose record lies elsewhere.
local function read_pointed(id, pointer)
  local path, err = places.record_of(id)
  if path then return read(path, id) end
  return { run = id, path = pointer, state = "unreadable", why = err.message }
end

--- The runs in a directory, the newest first; those that cannot be read are among them.
---@param directory? string default that of all runs
---@return mde.ListedRun[]?
---@return mde.Error? err the directory cannot be read
function M.list(directory)
  local err
  if not directory then
    directory, err = places.directory()
    if not directory then return nil, err end
  end
  local is_own = directory == places.directory()
  local names, problem, is_missing = posix.directory.names(directory)
  if not names then
    if is_missing and is_own then return {} end
    return nil, errors.new { kind = "invalid", code = "runs_unreadable",
      message = ("the directory %s cannot be read: %s"):format(errors.quote(directory), errors.show(problem)),
      hint = "Name the directory in which the records lie." }
  end
  local list = {}
  for _, name in ipairs(names) do
    local path = ("%s/%s"):format(directory, name)
    local pointed = is_own and places.pointed(name)
    if pointed then
      list[#list + 1] = read_pointed(pointed, path)
    elseif name:find "%.db$" or records.is_record(path) then
      list[#list + 1] = read(path)
    end
  end
  table.sort(list, function(a, b)
    local newer, older = a.made or -1, b.made or -1
    if newer ~= older then return newer > older end
    return core.text.before(b.path, a.path)
  end)
  return list
end

return M
